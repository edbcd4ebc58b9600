/** Bytes of a message → values. Pure; a payload that cannot be read is an Error whose message holds nothing of it. */
import { isUtf8 } from 'node:buffer';

/** Integers outside ±2^53 that still are 64-bit are kept exact; beyond 64 bits nothing could hold them. */
const int64Min = -(2n ** 63n);
const uint64Max = 2n ** 64n - 1n;
/** Cheaper than parsing with a reviver, and nearly no message has a run of digits this long. */
const longNumberPattern = /\d{16}/;

type ReviveWithSource = (key: string, value: unknown, context: { source?: string }) => unknown;
/** TypeScript's declaration does not know the third argument yet (ECMAScript proposal "JSON.parse source text access", in V8). */
const parseWithSource = JSON.parse as (text: string, revive: ReviveWithSource) => unknown;

export function decodeText(payload: Buffer): string {
  if (!isUtf8(payload)) throw new Error('the payload is not UTF-8 text');
  return payload.toString();
}

/** A JSON document with exact integers. */
export function decodeJson(payload: Buffer): unknown {
  const text = decodeText(payload);
  if (text.trim() === '') throw new Error('the payload is empty, expected is JSON');
  try {
    return longNumberPattern.test(text) ? parseWithSource(text, keepExact) : JSON.parse(text);
  } catch {
    // V8's message quotes the payload.
    throw new Error('the payload is not JSON');
  }
}

function keepExact(_key: string, value: unknown, context: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const source = context.source;
  if (source === undefined || source.length > 20 || !/^-?\d+$/.test(source)) return value;
  const exact = BigInt(source);
  return exact >= int64Min && exact <= uint64Max ? exact : value;
}

const numberPattern = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const notFinitePattern = /^([+-]?)(?:(nan)|inf(?:inity)?)$/i;

/** A payload that is one decimal number, white space around it allowed; also NaN and infinities as C's printf writes them. */
export function decodeNumber(payload: Buffer): number {
  // A longer text is no number; and is not worth a search.
  const text = payload.length <= 64 ? payload.toString('latin1').trim() : '';
  if (numberPattern.test(text)) return Number(text);
  const special = notFinitePattern.exec(text);
  if (special) return special[2] ? Number.NaN : special[1] === '-' ? -Infinity : Infinity;
  throw new Error(payload.length === 0 ? 'the payload is empty, expected is a number' : 'the payload is not a number');
}
