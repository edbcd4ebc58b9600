/** Bytes of a message → values. Pure; a payload that cannot be read is an Error whose message holds nothing of it. */
import { isUtf8 } from 'node:buffer';
import { parseExactJson } from '../../../src/contract/exact-json.ts';

/** Integers outside ±2^53 that still are 64-bit are kept exact; beyond 64 bits nothing could hold them. */
const int64Min = -(2n ** 63n);
const uint64Max = 2n ** 64n - 1n;
export const is64Bit = (whole: bigint) => whole >= int64Min && whole <= uint64Max;
/** A number, unless a double would round it. */
export const exact = (whole: bigint) => (Number.isSafeInteger(Number(whole)) ? Number(whole) : whole);

export function decodeText(payload: Buffer): string {
  if (!isUtf8(payload)) throw new Error('the payload is not UTF-8 text');
  return payload.toString();
}

/** A JSON document with exact integers. */
export function decodeJson(payload: Buffer): unknown {
  const text = decodeText(payload);
  if (text.trim() === '') throw new Error('the payload is empty, expected is JSON');
  try {
    return parseExactJson(text, is64Bit);
  } catch {
    // V8's message quotes the payload.
    throw new Error('the payload is not JSON');
  }
}

const numberPattern = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const notFinitePattern = /^([+-]?)(?:(nan)|inf(?:inity)?)$/i;

/** A payload that is one decimal number, white space around it allowed; also NaN and infinities as C's printf writes them. Whole numbers are exact. */
export function decodeNumber(payload: Buffer): number | bigint {
  // A longer text is no number; and is not worth a search.
  const text = payload.length <= 64 ? payload.toString('latin1').trim() : '';
  if (numberPattern.test(text)) return wholeOf(text) ?? Number(text);
  const special = notFinitePattern.exec(text);
  if (special) return special[2] ? Number.NaN : special[1] === '-' ? -Infinity : Infinity;
  throw new Error(payload.length === 0 ? 'the payload is empty, expected is a number' : 'the payload is not a number');
}

/** A word in a text that holds several: a number, true or false, else the text itself. */
export function wordValue(text: string): number | bigint | boolean | string {
  const word = text.trim();
  if (/^true$/i.test(word)) return true;
  if (/^false$/i.test(word)) return false;
  return numberPattern.test(word) && word.length <= 64 ? (wholeOf(word) ?? Number(word)) : text;
}

/** A whole number that a double would round. */
function wholeOf(text: string): bigint | undefined {
  if (text.length < 16 || Number.isSafeInteger(Number(text)) || !/^[+-]?\d+$/.test(text)) return undefined;
  const whole = BigInt(text.replace('+', ''));
  return is64Bit(whole) ? whole : undefined;
}
