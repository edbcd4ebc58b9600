import { badRequest } from '../../contract/fault.ts';
import { limits } from '../../contract/limits.ts';
import { type Route, routes } from '../../contract/rights.ts';

export interface Found {
  /** The lines of the table with this path, one a method. */
  routes: readonly Route[];
  params: Record<string, string>;
}

const table = routes.map((route: Route) => ({ route, segments: route.path.split('/') }));

/**
 * The routes of a path that is still percent-encoded. Every segment is decoded exactly once, so that what was checked is what is used; a segment
 * that then is no name (a slash, dots alone, a control character, too long) is refused with 400. Undefined if no route has this form.
 */
export function findRoutes(path: string): Found | undefined {
  const segments = path.split('/').map(decodeSegment);
  for (const { segments: pattern } of table) {
    const params = match(pattern, segments);
    if (params) return { routes: table.filter(({ segments: other }) => match(other, segments)).map(({ route }) => route), params };
  }
  return undefined;
}

function match(pattern: readonly string[], segments: readonly string[]): Record<string, string> | undefined {
  if (pattern.length !== segments.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of pattern.entries()) {
    const given = segments[index] ?? '';
    const name = /^\{(\w+)\}$/.exec(part)?.[1];
    if (name === undefined ? part !== given : given === '') return undefined;
    if (name !== undefined) params[name] = given;
  }
  return params;
}

function decodeSegment(segment: string): string {
  let text: string;
  try {
    text = decodeURIComponent(segment);
  } catch {
    throw badRequest('the path has a percent sign that encodes no UTF-8 text; allowed is %25 for a percent sign', 'path');
  }
  if (text.length > limits.idLengthMax)
    throw badRequest(`the path has a part of ${text.length} characters; allowed are ${limits.idLengthMax}`, 'path');
  if (text !== '' && !/^(?!\.+$)[A-Za-z0-9_.-]+$/.test(text)) {
    throw badRequest('the path has a part that is no name; allowed are A-Z a-z 0-9 _ . -, not dots alone', 'path');
  }
  return text;
}
