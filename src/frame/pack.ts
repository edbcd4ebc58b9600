/** Arrow's layouts that differ from ours: bits for booleans and nulls, offsets and one run of bytes for text. */
import { Fault } from '../contract/fault.ts';
import { limits } from '../contract/limits.ts';
import { cell } from './frame.ts';

/** One bit per element, least significant first (Arrow columnar format, "Validity bitmaps"); set where the element is 1. */
export function packBits(bytes: Uint8Array): { bits: Uint8Array; ones: number } {
  const bits = new Uint8Array(Math.ceil(bytes.length / 8));
  let ones = 0;
  for (let i = 0; i < bytes.length; i += 1) {
    if (bytes[i] !== 1) continue;
    bits[i >> 3] = (bits[i >> 3] ?? 0) | (1 << (i & 7));
    ones += 1;
  }
  return { bits, ones };
}

/** The bits of a column's `valid`; undefined where every row has a value, which is the rule and found out without looking at rows one by one. */
export function packValidity(valid: Uint8Array): { bits: Uint8Array; ones: number } | undefined {
  const bytes = Buffer.from(valid.buffer, valid.byteOffset, valid.byteLength);
  return bytes.includes(cell.null) || bytes.includes(cell.hole) ? packBits(valid) : undefined;
}

/** UTF-8 of all texts in one run; text `i` is `bytes[offsets[i]..offsets[i+1]]`. Lone surrogates become U+FFFD. */
export function packText(texts: readonly string[]): { offsets: Int32Array; bytes: Uint8Array } {
  const offsets = new Int32Array(texts.length + 1);
  let units = 0;
  for (const text of texts) units += text.length;
  if (units * 3 > limits.textBytesPerColumnMax) throw tooMuchText(units);
  // One UTF-16 unit takes at most three bytes; mostly it is one, so the first guess is one and a long text makes it grow.
  const encoder = new TextEncoder();
  let bytes = new Uint8Array(units);
  let end = 0;
  texts.forEach((text, i) => {
    if (bytes.length - end < text.length * 3) {
      const needed = end + text.length * 3;
      const grown = new Uint8Array(Math.min(Math.max(needed, bytes.length * 2), units * 3));
      grown.set(bytes.subarray(0, end));
      bytes = grown;
    }
    end += encoder.encodeInto(text, bytes.subarray(end)).written;
    offsets[i + 1] = end;
  });
  return { offsets, bytes: bytes.subarray(0, end) };
}

/** The same for indices into `texts`. */
export function packCoded(codes: Uint16Array, texts: readonly string[]): { offsets: Int32Array; bytes: Uint8Array } {
  const encoder = new TextEncoder();
  const encoded = texts.map((text) => encoder.encode(text));
  const offsets = new Int32Array(codes.length + 1);
  let end = 0;
  for (let i = 0; i < codes.length; i += 1) {
    end += encoded[codes[i] as number]?.length ?? 0;
    if (end > limits.textBytesPerColumnMax) throw tooMuchText(end);
    offsets[i + 1] = end;
  }
  const bytes = new Uint8Array(end);
  let at = 0;
  for (let i = 0; i < codes.length; i += 1) {
    // Byte by byte: names are short, and `set` costs more than copying one.
    const text = encoded[codes[i] as number] as Uint8Array;
    for (let k = 0; k < text.length; k += 1) bytes[at++] = text[k] as number;
  }
  return { offsets, bytes };
}

function tooMuchText(characters: number): Fault {
  return new Fault(
    `The answer has a text column of ${characters} characters; allowed are ${Math.floor(limits.textBytesPerColumnMax / 3)}. Ask for a shorter time range.`,
    { type: 'answer-too-large', blame: 'caller', status: 400 },
  );
}
