/** Wire bytes → raw value. Pure. */
import type { Value } from '../../src/contract/sample.ts';
import type { Address } from './address.ts';
import { isStraight, straighten, swapPairs } from './order.ts';

/** `bytes` hold the registers as they came, two bytes each; the value's begin at `offset`. Throws an Error if they are no such value (BCD). */
export function decodeRegisters(address: Address, bytes: Buffer, offset: number): Value {
  // The usual order needs no copy, and most registers have it. A string is turned round by its own decoder.
  const straight = address.type === 'string' || isStraight(address.order);
  const source = straight ? bytes : straighten(bytes, offset, address.order);
  const at = straight ? offset : 0;
  switch (address.type) {
    case 'string':
      return decodeString(address, bytes.subarray(offset, offset + address.width * 2));
    case 'bool':
      return ((source.readUInt16BE(at) >> (address.bit ?? 0)) & 1) === 1;
    case 'int8':
      return source.readInt8(address.byte === 'high' ? at : at + 1);
    case 'uint8':
      return source.readUInt8(address.byte === 'high' ? at : at + 1);
    case 'int16':
      return source.readInt16BE(at);
    case 'uint16':
      return address.field ? fieldValue(address.field, BigInt(source.readUInt16BE(at))) : source.readUInt16BE(at);
    case 'int32':
      return source.readInt32BE(at);
    case 'uint32':
      return address.field ? fieldValue(address.field, BigInt(source.readUInt32BE(at))) : source.readUInt32BE(at);
    case 'int64':
      return exact(source.readBigInt64BE(at));
    case 'uint64':
      return address.field ? fieldValue(address.field, source.readBigUInt64BE(at)) : exact(source.readBigUInt64BE(at));
    case 'float16':
      return float16(source.readUInt16BE(at));
    case 'float32':
      return source.readFloatBE(at);
    case 'float64':
      return source.readDoubleBE(at);
    case 'bcd16':
    case 'bcd32':
      return decimals(source.toString('hex', at, at + address.width * 2));
  }
}

/** Bits are packed from the least significant of the first byte on (Application Protocol V1.1b3 §6.1). */
export function decodeBit(bytes: Uint8Array, index: number): boolean {
  return (((bytes[index >> 3] ?? 0) >> (index & 7)) & 1) === 1;
}

/** Cut at the first NUL, blanks off as asked for: devices fill the rest of the registers with either. */
function decodeString(address: Address, bytes: Buffer): string {
  const straight = address.byte ? oneOfTwo(bytes, address.byte === 'high' ? 0 : 1) : address.order === 'BA' ? swapPairs(bytes) : bytes;
  const end = straight.indexOf(0);
  const used = end < 0 ? straight : straight.subarray(0, end);
  const text = address.encoding === 'latin1' ? used.toString('latin1') : new TextDecoder('utf-8', { ignoreBOM: true }).decode(used);
  if (address.trim === 'none') return text;
  const trimmed = text.replace(/ +$/, '');
  return address.trim === 'both' ? trimmed.replace(/^ +/, '') : trimmed;
}

function oneOfTwo(bytes: Buffer, half: number): Buffer {
  const kept = Buffer.alloc(bytes.length >> 1);
  for (let place = 0; place < kept.length; place++) kept[place] = bytes[place * 2 + half] ?? 0;
  return kept;
}

function fieldValue({ mask, shift }: NonNullable<Address['field']>, whole: bigint): number | bigint {
  return exact((whole & mask) >> BigInt(shift));
}

/** Each half byte a decimal digit. */
function decimals(digits: string): number {
  if (!/^\d+$/.test(digits)) throw new Error(`0x${digits} is no BCD: only the digits 0 to 9 are`);
  return Number(digits);
}

/** IEEE 754 half precision. */
function float16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1_024) * 2 ** (exponent - 15);
}

/** A plain number where it is exact, else a bigint (contract/sample.ts). */
function exact(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** The least power of ten and the greatest that SunSpec knows: more is no scale factor but something else. */
export const factorMax = 10;

/** Why there is no value, or the value times ten to the power in the scale-factor register: exact, because a decimal is built as text. */
export function scaled(whole: number | bigint, power: number): { value: number } | { reason: 'sentinel' | 'decode'; detail: string } {
  if (power === -32_768) return { reason: 'sentinel', detail: 'the scale factor is not available (-32768)' };
  if (Math.abs(power) > factorMax)
    return { reason: 'decode', detail: `the scale factor is ${power}; allowed is -${factorMax} to ${factorMax}` };
  return { value: Number(`${whole}e${power}`) };
}
