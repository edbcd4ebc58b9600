/** Raw value → what is written. Pure; throws a `RangeError` that says what is allowed, so that nothing is sent that means something else. */
import type { Value } from '../../src/contract/sample.ts';
import type { Address } from './address.ts';
import { arrange, swapPairs } from './order.ts';
import type { Type } from './types.ts';

/** Bounds of the integer types. */
export const bounds: Partial<Record<Type, { min: bigint; max: bigint }>> = {
  int8: { min: -(2n ** 7n), max: 2n ** 7n - 1n },
  uint8: { min: 0n, max: 2n ** 8n - 1n },
  bcd16: { min: 0n, max: 9_999n },
  bcd32: { min: 0n, max: 99_999_999n },
  int16: { min: -(2n ** 15n), max: 2n ** 15n - 1n },
  uint16: { min: 0n, max: 2n ** 16n - 1n },
  int32: { min: -(2n ** 31n), max: 2n ** 31n - 1n },
  uint32: { min: 0n, max: 2n ** 32n - 1n },
  int64: { min: -(2n ** 63n), max: 2n ** 63n - 1n },
  uint64: { min: 0n, max: 2n ** 64n - 1n },
};

const float32Max = 3.4028234663852886e38;

const float16Max = 65_504;

/** What the number at this place may be, as a raw value; undefined for what is no whole number. */
export function boundsOf({ type, field }: Pick<Address, 'type' | 'field'>): { min: bigint; max: bigint } | undefined {
  return field ? { min: 0n, max: field.mask >> BigInt(field.shift) } : bounds[type];
}

/** For coils and bits of registers. */
export function encodeBit(value: Value): boolean {
  if (value === true || value === 1 || value === 1n) return true;
  if (value === false || value === 0 || value === 0n) return false;
  throw new RangeError(`the value is ${show(value)}; allowed is true or false`);
}

/** Which bits of the registers at this place become what: for a bit, a byte or a mask. As the number they are, most significant register first. */
export function encodePart(address: Address, value: Value): { mask: bigint; bits: bigint } {
  const { type, bit = 0, byte, field } = address;
  if (type === 'bool') return { mask: 1n << BigInt(bit), bits: encodeBit(value) ? 1n << BigInt(bit) : 0n };
  if (type === 'int8' || type === 'uint8') {
    const move = byte === 'high' ? 8n : 0n;
    return { mask: 0xffn << move, bits: BigInt.asUintN(8, integer(type, value)) << move };
  }
  if (!field) throw new RangeError('this place is written as a whole');
  const { max } = boundsOf(address) ?? { max: 0n };
  const whole = wholeOf(value);
  const bits = (whole ?? 0n) << BigInt(field.shift);
  if (whole === undefined || whole < 0n || whole > max || (bits & ~field.mask) !== 0n)
    throw new RangeError(
      `the value is ${show(value)}; allowed for mask 0x${field.mask.toString(16)} is a whole number from 0 to ${max} within its bits`,
    );
  return { mask: field.mask, bits };
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
    case 'bcd16':
    case 'bcd32':
      Buffer.from(
        integer(address.type, value)
          .toString()
          .padStart(address.width * 4, '0'),
        'hex',
      ).copy(straight);
      break;
    case 'float16':
      view.setUint16(0, float16Bits(real(value, float16Max, 'float16')));
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
    case 'int8':
    case 'uint8':
      throw new RangeError('a part of a register is changed, not written as a register');
  }
  return arrange(straight, address.order);
}

function integer(type: Type, value: Value): bigint {
  const { min, max } = bounds[type] ?? { min: 0n, max: 0n };
  const whole = wholeOf(value);
  if (whole === undefined || whole < min || whole > max)
    throw new RangeError(`the value is ${show(value)}; allowed for ${type} is a whole number from ${min} to ${max}`);
  return whole;
}

function wholeOf(value: Value): bigint | undefined {
  return typeof value === 'bigint' ? value : typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : undefined;
}

/** The nearest half-precision number, ties to even. */
function float16Bits(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size === 0) return sign;
  const exponent = Math.max(Math.floor(Math.log2(size)), -14);
  const step = 2 ** (exponent - 10);
  const steps = size / step;
  const below = Math.floor(steps);
  const half = steps - below;
  const rounded = below + (half > 0.5 || (half === 0.5 && below % 2 === 1) ? 1 : 0);
  // A subnormal has exponent bits 0; rounding up into the next power of two carries into the exponent by itself.
  return sign | (((exponent + 14) << 10) + rounded);
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
  const room = address.byte ? address.width : address.width * 2;
  if (bytes.length > room) throw new RangeError(`the value has ${bytes.length} bytes; allowed are ${room}`);
  const padded = Buffer.alloc(address.width * 2);
  if (address.byte) {
    const half = address.byte === 'high' ? 0 : 1;
    for (const [place, byte] of bytes.entries()) padded[place * 2 + half] = byte;
    return padded;
  }
  bytes.copy(padded);
  return address.order === 'BA' ? swapPairs(padded) : padded;
}

function show(value: Value): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : String(value);
}
