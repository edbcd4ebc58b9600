/**
 * Doubles, bit by bit. Devices mostly send decimals with few digits: if every value is exactly a whole number of some power of ten, those
 * whole numbers are kept as a sequence. Everything else is XORed with the value before, and the zero bytes at both ends are left out.
 */
import { ByteReader, type ByteWriter } from './bytes.ts';
import { readPacked, writePacked } from './packed.ts';
import { borrowSequence, readSequence, sequenceMax, writeSequence } from './sequence.ts';

/** The second is of version 1. */
const form = { decimal: 0, oldXor: 1, xor: 2 } as const;
const digitsMax = 9;
const powers = Float64Array.from({ length: digitsMax + 1 }, (_, digits) => 10 ** digits);

export function writeDoubles(writer: ByteWriter, values: Float64Array, count: number): void {
  if (count === 0) return;
  const whole = borrowSequence(count);
  const digits = decimals(values, whole, count);
  if (digits !== undefined) {
    const base = whole[0] as number;
    for (let index = 0; index < count; index++) whole[index] = (whole[index] as number) - base;
    writer.byte(form.decimal);
    writer.byte(digits);
    writer.double(base);
    writeSequence(writer, whole, count);
    return;
  }
  writer.byte(form.xor);
  writeXor(writer, values, count);
}

/** Fills `whole` and answers with the number of decimal digits, or undefined if the values are no decimals. */
function decimals(values: Float64Array, whole: Float64Array, count: number): number | undefined {
  // With more digits rounding may tell otherwise of values that were decimals with fewer, so each number of digits looks at all of them.
  for (let digits = 0, reached = 0; digits <= digitsMax; digits++) {
    const power = powers[digits] as number;
    // Not decimal with fewer digits: mostly not with these either, and then there is nothing to do for those before.
    if (!isDecimal(values[reached] as number, power)) continue;
    let index = 0;
    for (; index < count; index++) {
      const value = values[index] as number;
      if (!isDecimal(value, power)) break;
      whole[index] = Math.round(value * power);
    }
    if (index === count) return digits;
    reached = Math.max(reached, index);
  }
  return undefined;
}

function isDecimal(value: number, power: number): boolean {
  const whole = Math.round(value * power);
  // Half of what a sequence can hold, because the first of them is subtracted. A whole number has no -0.
  return whole <= sequenceMax / 2 && whole >= -sequenceMax / 2 && whole / power === value && (whole !== 0 || !Object.is(value, -0));
}

function writeXor(writer: ByteWriter, values: Float64Array, count: number): void {
  const words = new Uint32Array(values.buffer, values.byteOffset, count * 2);
  const bytes = new Uint8Array(count * 9);
  let at = 0;
  let low = 0;
  let high = 0;
  for (let index = 0; index < count; index++) {
    const nextLow = words[2 * index] as number;
    const nextHigh = words[2 * index + 1] as number;
    const restLow = low ^ nextLow;
    const restHigh = high ^ nextHigh;
    low = nextLow;
    high = nextHigh;
    if (restLow === 0 && restHigh === 0) {
      bytes[at++] = 0;
      continue;
    }
    const skipped = restLow !== 0 ? zeroBytesBelow(restLow) : 4 + zeroBytesBelow(restHigh);
    const last = restHigh !== 0 ? 8 - (Math.clz32(restHigh) >> 3) : 4 - (Math.clz32(restLow) >> 3);
    bytes[at++] = (skipped << 4) | (last - skipped);
    for (let place = skipped; place < last; place++) bytes[at++] = place < 4 ? restLow >>> (place * 8) : restHigh >>> (place * 8 - 32);
  }
  writePacked(writer, bytes.subarray(0, at));
}

function zeroBytesBelow(word: number): number {
  return (31 - Math.clz32(word & -word)) >> 3;
}

/** Fills the first `count` of `values`. */
export function readDoubles(reader: ByteReader, values: Float64Array, count: number): void {
  if (count === 0) return;
  const chosen = reader.byte();
  if (chosen === form.decimal) {
    const power = powers[reader.byte()] ?? Number.NaN;
    const base = reader.double();
    readSequence(reader, values, count);
    for (let index = 0; index < count; index++) values[index] = ((values[index] as number) + base) / power;
    return;
  }
  const words = new Uint32Array(values.buffer, values.byteOffset, count * 2);
  if (chosen === form.xor) readXor(new ByteReader(readPacked(reader)), words, count);
  else if (chosen === form.oldXor) readXor(reader, words, count);
  else throw new RangeError(`${chosen} is no form of doubles`);
}

function readXor(reader: ByteReader, words: Uint32Array, count: number): void {
  const { bytes } = reader;
  let at = reader.at;
  let low = 0;
  let high = 0;
  for (let index = 0; index < count; index++) {
    const control = bytes[at++] as number;
    const skipped = control >> 4;
    const last = skipped + (control & 15);
    for (let place = skipped; place < last; place++) {
      const byte = bytes[at++] as number;
      if (place < 4) low ^= byte << (place * 8);
      else high ^= byte << (place * 8 - 32);
    }
    words[2 * index] = low;
    words[2 * index + 1] = high;
  }
  if (at > bytes.length) throw new RangeError('doubles end early');
  reader.at = at;
}
