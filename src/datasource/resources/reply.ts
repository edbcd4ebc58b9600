/** From what a handler answers to the parts of an HTTP answer. */
import type { Clock } from '../../contract/clock.ts';
import { exactJson } from '../../contract/exact-json.ts';
import { Fault } from '../../contract/fault.ts';
import { limits } from '../../contract/limits.ts';
import { problemContentType, problemOf } from '../../contract/problem.ts';
import type { ResourcePart } from '../questions.ts';
import type { Reply, StreamReply } from './ask.ts';

export type Send = (part: ResourcePart) => Promise<void>;

/** Sends the whole answer; `head` only status and headers. Rejects when the reader is gone or what makes a stream fails. */
export async function sendReply(reply: Reply, head: boolean, send: Send, clock: Clock): Promise<void> {
  if ('stream' in reply) return await sendStream(reply, head, send, clock);
  if ('text' in reply) {
    const { status = 200, type, text } = reply;
    return await send(part(status, { ...headers(type), ...reply.headers }, head ? '' : text));
  }
  const { status = 200, body, fault } = reply;
  if (fault) return await sendProblem(fault, send, head, body);
  await send(part(status, headers('application/json'), head ? '' : exactJson(body)));
}

/** RFC 9457. Members of `body` come beside those of the fault. */
export function sendProblem(fault: Fault, send: Send, head: boolean, body: unknown = {}): Promise<void> {
  const allow = fault.status === 405 ? { allow: String(fault.extra.allow) } : {};
  const text = head ? '' : exactJson({ ...(body as object), ...problemOf(fault) });
  return send(part(fault.status, { ...headers(problemContentType), ...allow }, text));
}

async function sendStream(reply: StreamReply, head: boolean, send: Send, clock: Clock): Promise<void> {
  const begin = () => send(part(200, { ...headers(reply.type), ...reply.headers }, ''));
  if (head) return await begin();
  let begun = false;
  for await (const bytes of reply.stream()) {
    if (!begun) await begin();
    begun = true;
    // One message of gRPC is held whole on both sides.
    for (let at = 0; at < bytes.length; at += limits.partBytesMax) {
      await inTime(clock, send({ status: 200, headers: {}, body: bytes.subarray(at, at + limits.partBytesMax) }));
    }
  }
  if (!begun) await begin();
}

/** A reader that takes nothing any more, and does not leave either, keeps nobody else from reading. */
async function inTime(clock: Clock, sending: Promise<void>): Promise<void> {
  const late = Promise.withResolvers<never>();
  const cancel = clock.after(limits.readerStallMs, () =>
    late.reject(new Fault('the reader takes nothing any more', { type: 'reader-stalled', blame: 'caller', status: 503 })),
  );
  try {
    await Promise.race([sending, late.promise]);
  } finally {
    cancel();
  }
}

function part(status: number, named: Record<string, string>, text: string): ResourcePart {
  return { status, headers: named, body: Buffer.from(text) };
}

function headers(contentType: string): Record<string, string> {
  return { 'content-type': contentType, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };
}
