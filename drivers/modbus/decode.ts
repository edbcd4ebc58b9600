/** Wire bytes → raw value. Pure. */
import type { Value } from '../../src/contract/sample.ts';
import type { Address } from './address.ts';
import { straighten, swapPairs } from './order.ts';

/** `bytes` are the registers of the value as they came: two bytes each, `2 × address.width` in all. */
export function decodeRegisters(address: Address, bytes: Uint8Array): Value {
  const view = new DataView(straighten(bytes, address.order).buffer);
  switch (address.type) {
    case 'string':
      return decodeString(address, bytes);
    case 'bool':
      return ((view.getUint16(0) >> (address.bit ?? 0)) & 1) === 1;
    case 'int16':
      return view.getInt16(0);
    case 'uint16':
      return view.getUint16(0);
    case 'int32':
      return view.getInt32(0);
    case 'uint32':
      return view.getUint32(0);
    case 'int64':
      return exact(view.getBigInt64(0));
    case 'uint64':
      return exact(view.getBigUint64(0));
    case 'float32':
      return view.getFloat32(0);
    case 'float64':
      return view.getFloat64(0);
  }
}

/** Bits are packed from the least significant of the first byte on (Application Protocol V1.1b3 §6.1). */
export function decodeBit(bytes: Uint8Array, index: number): boolean {
  return (((bytes[index >> 3] ?? 0) >> (index & 7)) & 1) === 1;
}

/** Cut at the first NUL, trailing blanks off: devices fill the rest of the registers with either. */
function decodeString(address: Address, bytes: Uint8Array): string {
  const straight = address.order === 'BA' ? swapPairs(bytes) : bytes;
  const end = straight.indexOf(0);
  const used = end < 0 ? straight : straight.subarray(0, end);
  const text =
    address.encoding === 'latin1' ? Buffer.from(used).toString('latin1') : new TextDecoder('utf-8', { ignoreBOM: true }).decode(used);
  return text.replace(/ +$/, '');
}

/** A plain number where it is exact, else a bigint (contract/sample.ts). */
function exact(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
