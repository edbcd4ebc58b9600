/** JSON from people: read it, or say in one sentence where it breaks. `JSON.parse` gives a position for some errors only, and none in words. */

import { type IsExact, parseExactJson } from '../../contract/exact-json.ts';

export type JsonResult = { ok: true; value: unknown } | { ok: false; message: string };

/** For settings: what is rounded is refused by every schema, because a browser would save it rounded; what a double holds is a number. */
const isRounded: IsExact = (exact, double) => BigInt(double) !== exact;

/** Reads UTF-8 JSON; `isExact` says which large whole numbers are bigints (exact-json.ts). The message starts with "is not JSON" and names line and column, both counted from 1. */
export function parseJson(bytes: Uint8Array, isExact: IsExact = isRounded): JsonResult {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return { ok: false, message: 'is not UTF-8 text; allowed is JSON in UTF-8' };
  }
  try {
    return { ok: true, value: parseExactJson(text, isExact) };
  } catch {
    const { offset, expected } = whereJsonBreaks(text);
    const before = text.slice(0, offset);
    const line = before.split('\n').length;
    const column = offset - (before.lastIndexOf('\n') + 1) + 1;
    const found =
      offset >= text.length ? 'the text ends' : `there is ${JSON.stringify(String.fromCodePoint(text.codePointAt(offset) ?? 0))}`;
    return { ok: false, message: `is not JSON: at line ${line}, column ${column} ${found} where ${expected} is expected` };
  }
}

/** One token of RFC 8259. One character a step inside a string, so that an unclosed one costs linear time. */
const token =
  /[{}[\],:]|"(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const space = /[ \t\r\n]*/y;

type Expected =
  | 'a value'
  | 'a value or "]"'
  | 'a name in double quotes'
  | 'a name in double quotes or "}"'
  | '":"'
  | '"," or "]"'
  | '"," or "}"'
  | 'the end of the text';

/** The offset of the first character that no JSON text could have there, and what could stand there instead. */
function whereJsonBreaks(text: string): { offset: number; expected: Expected } {
  const open: string[] = [];
  let expected: Expected = 'a value';
  let offset = 0;
  const afterValue = (): Expected => (open.length === 0 ? 'the end of the text' : open.at(-1) === '[' ? '"," or "]"' : '"," or "}"');
  for (;;) {
    space.lastIndex = offset;
    space.test(text);
    offset = space.lastIndex;
    token.lastIndex = offset;
    const found = token.exec(text)?.[0] ?? '';
    const kind = found.startsWith('"') ? 'string' : /^[{}[\],:]/.test(found) ? found : found === '' ? '' : 'scalar';
    const closes = (kind === ']' && expected.endsWith('"]"')) || (kind === '}' && expected.endsWith('"}"'));
    if (closes) {
      open.pop();
      expected = afterValue();
    } else if (expected.startsWith('a value') && (kind === '{' || kind === '[')) {
      open.push(kind);
      expected = kind === '{' ? 'a name in double quotes or "}"' : 'a value or "]"';
    } else if (expected.startsWith('a value') && (kind === 'string' || kind === 'scalar')) {
      expected = afterValue();
    } else if (expected.startsWith('a name') && kind === 'string') {
      expected = '":"';
    } else if (expected === '":"' && kind === ':') {
      expected = 'a value';
    } else if (expected.startsWith('","') && kind === ',') {
      expected = open.at(-1) === '[' ? 'a value' : 'a name in double quotes';
    } else {
      return { offset: found === '' ? insideString(text, offset) : offset, expected };
    }
    offset += found.length;
  }
}

/** Where a string that starts at `offset` breaks off (an unclosed quote, a bare line break, a bad escape); `offset` if none starts there. */
function insideString(text: string, offset: number): number {
  if (text[offset] !== '"') return offset;
  const body = /"(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*/y;
  body.lastIndex = offset;
  body.test(text);
  return body.lastIndex;
}
