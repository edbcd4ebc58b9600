/** Problem documents (RFC 9457): what an HTTP caller gets for a `Fault`. */
import type { Fault } from './fault.ts';

/** The `type` is a name, not a page: the slug of the fault behind a fixed head. */
const typePrefix = 'urn:fieldgate:problem:';

export const problemContentType = 'application/problem+json';

/** Members of the document; safe for `JSON.stringify`, also where an extra member is a 64-bit integer. */
export function problemOf(fault: Fault): Record<string, unknown> {
  return {
    type: problemType(fault.type),
    title: titleOf(fault.type),
    status: fault.status,
    detail: fault.message,
    ...(fault.place === undefined ? {} : { place: fault.place }),
    ...Object.fromEntries(Object.entries(fault.extra).map(([name, value]) => [name, typeof value === 'bigint' ? value.toString() : value])),
  };
}

/** `urn:fieldgate:problem:device-offline`. */
export function problemType(slug: string): string {
  return `${typePrefix}${slug}`;
}

/** `device-offline` → `Device offline`: the same for every occurrence (RFC 9457 §3.1.3). */
function titleOf(type: string): string {
  const words = type.replaceAll('-', ' ');
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}
