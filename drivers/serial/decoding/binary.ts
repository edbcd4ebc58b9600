/** A value at its place in a frame of bytes. */
import { shortestFloat32 } from '../../../src/contract/float32.ts';
import type { Value } from '../../../src/contract/sample.ts';
import { exact } from '../value.ts';

export const binaryTypes = [
  'uint8',
  'int8',
  'uint16',
  'int16',
  'uint24',
  'int24',
  'uint32',
  'int32',
  'uint64',
  'int64',
  'float32',
  'float64',
  'bcd',
  'string',
] as const;
export type BinaryType = (typeof binaryTypes)[number];

export interface BinaryPlace {
  offset: number;
  type: BinaryType;
  endian: 'big' | 'little';
  /** Of a string or of BCD digits, in bytes. */
  length: number;
  /** Of several of the same type one behind the other, which one. */
  index: number;
  /** Bits of a whole number: where they begin, and how many; undefined for all. */
  bit: number | undefined;
  bits: number;
  encoding: 'utf-8' | 'latin1';
}

/** Bytes of one element. */
export function sizeOf(type: BinaryType, length: number): number {
  if (type === 'bcd' || type === 'string') return length;
  return Number(/\d+$/.exec(type)?.[0]) / 8;
}

/** Undefined if the frame ends before it, or holds no digits where BCD is expected. */
export function readBinary(bytes: Buffer, place: BinaryPlace): Value | undefined {
  const { type, length, index, bit, bits } = place;
  const size = sizeOf(type, length);
  const at = (place.offset < 0 ? bytes.length + place.offset : place.offset) + index * size;
  if (at < 0 || at + size > bytes.length) return undefined;
  const raw = bytes.subarray(at, at + size);
  if (type === 'string') return raw.toString(place.encoding).replace(/[\0 ]+$/, '');
  const ordered = place.endian === 'big' ? raw : Buffer.from(raw).reverse();
  if (type === 'bcd') {
    const digits = ordered.toString('hex');
    return /^\d+$/.test(digits) ? exact(BigInt(digits)) : undefined;
  }
  if (type === 'float32') return shortestFloat32(ordered.readFloatBE(0));
  if (type === 'float64') return ordered.readDoubleBE(0);
  const unsigned = BigInt(`0x${ordered.toString('hex')}`);
  if (bit !== undefined) return exact((unsigned >> BigInt(bit)) & ((1n << BigInt(bits)) - 1n));
  return exact(type.startsWith('u') ? unsigned : BigInt.asIntN(size * 8, unsigned));
}
