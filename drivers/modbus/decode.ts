/** Wire bytes → raw value. Pure. */
import type { Value } from '../../src/contract/sample.ts';
import type { Address } from './address.ts';
import { isStraight, straighten, swapPairs } from './order.ts';

/** `bytes` hold the registers as they came, two bytes each; the value's begin at `offset`. */
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
    case 'int16':
      return source.readInt16BE(at);
    case 'uint16':
      return source.readUInt16BE(at);
    case 'int32':
      return source.readInt32BE(at);
    case 'uint32':
      return source.readUInt32BE(at);
    case 'int64':
      return exact(source.readBigInt64BE(at));
    case 'uint64':
      return exact(source.readBigUInt64BE(at));
    case 'float32':
      return source.readFloatBE(at);
    case 'float64':
      return source.readDoubleBE(at);
  }
}

/** Bits are packed from the least significant of the first byte on (Application Protocol V1.1b3 §6.1). */
export function decodeBit(bytes: Uint8Array, index: number): boolean {
  return (((bytes[index >> 3] ?? 0) >> (index & 7)) & 1) === 1;
}

/** Cut at the first NUL, trailing blanks off: devices fill the rest of the registers with either. */
function decodeString(address: Address, bytes: Buffer): string {
  const straight = address.order === 'BA' ? swapPairs(bytes) : bytes;
  const end = straight.indexOf(0);
  const used = end < 0 ? straight : straight.subarray(0, end);
  const text = address.encoding === 'latin1' ? used.toString('latin1') : new TextDecoder('utf-8', { ignoreBOM: true }).decode(used);
  return text.replace(/ +$/, '');
}

/** A plain number where it is exact, else a bigint (contract/sample.ts). */
function exact(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
