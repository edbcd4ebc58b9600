/** Raw value → what is written. Pure; throws a `RangeError` that says what is allowed, so that nothing is sent that means something else. */
import type { Value } from '../../src/contract/sample.ts';
import type { Address, Type } from './address.ts';
import { arrange, swapPairs } from './order.ts';

/** Bounds of the integer types. */
export const bounds: Partial<Record<Type, { min: bigint; max: bigint }>> = {
  int16: { min: -(2n ** 15n), max: 2n ** 15n - 1n },
  uint16: { min: 0n, max: 2n ** 16n - 1n },
  int32: { min: -(2n ** 31n), max: 2n ** 31n - 1n },
  uint32: { min: 0n, max: 2n ** 32n - 1n },
  int64: { min: -(2n ** 63n), max: 2n ** 63n - 1n },
  uint64: { min: 0n, max: 2n ** 64n - 1n },
};

const float32Max = 3.4028234663852886e38;

/** For coils and bits of registers. */
export function encodeBit(value: Value): boolean {
  if (value === true || value === 1 || value === 1n) return true;
  if (value === false || value === 0 || value === 0n) return false;
  throw new RangeError(`the value is ${show(value)}; allowed is true or false`);
}

/** The value's registers as they go over the wire, two bytes each. */
export function encodeRegisters(address: Address, value: Value): Buffer {
  const straight = new Uint8Array(address.width * 2);
  const view = new DataView(straight.buffer);
  switch (address.type) {
    case 'int16':
    case 'uint16':
      view.setUint16(0, Number(BigInt.asUintN(16, integer(address.type, value))));
      break;
    case 'int32':
    case 'uint32':
      view.setUint32(0, Number(BigInt.asUintN(32, integer(address.type, value))));
      break;
    case 'int64':
    case 'uint64':
      view.setBigUint64(0, BigInt.asUintN(64, integer(address.type, value)));
      break;
    case 'float32':
      view.setFloat32(0, real(value, float32Max, 'float32'));
      break;
    case 'float64':
      view.setFloat64(0, real(value, Number.MAX_VALUE, 'float64'));
      break;
    case 'string':
      return encodeString(address, value);
    case 'bool':
      throw new RangeError('a bit of a register is written with a mask, not as a register');
  }
  return arrange(straight, address.order);
}

function integer(type: Type, value: Value): bigint {
  const { min, max } = bounds[type] ?? { min: 0n, max: 0n };
  const whole = typeof value === 'bigint' ? value : typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : undefined;
  if (whole === undefined || whole < min || whole > max)
    throw new RangeError(`the value is ${show(value)}; allowed for ${type} is a whole number from ${min} to ${max}`);
  return whole;
}

function real(value: Value, max: number, type: Type): number {
  const number = typeof value === 'bigint' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number) || Math.abs(number) > max)
    throw new RangeError(`the value is ${show(value)}; allowed for ${type} is a number up to ±${max}`);
  return number;
}

/** The rest of the registers is filled with NUL, so that nothing of a longer string before it stays. */
function encodeString(address: Address, value: Value): Buffer {
  if (typeof value !== 'string') throw new RangeError(`the value is ${show(value)}; allowed is a string`);
  const bytes = Buffer.from(value, address.encoding);
  if (bytes.length > address.width * 2) throw new RangeError(`the value has ${bytes.length} bytes; allowed are ${address.width * 2}`);
  const padded = Buffer.alloc(address.width * 2);
  bytes.copy(padded);
  return address.order === 'BA' ? swapPairs(padded) : padded;
}

function show(value: Value): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : String(value);
}
