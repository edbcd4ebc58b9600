/**
 * Exact 64-bit integers: times, counters, lags. Differences are taken between halves of 32 bits, because a bigint for each number would cost
 * more than all the rest; a column whose differences do not fit a sequence is kept as it is.
 */
import type { ByteReader, ByteWriter } from './bytes.ts';
import { readPacked, writePacked } from './packed.ts';
import { borrowSequence, readSequence, sequenceMax, writeSequence } from './sequence.ts';

/** The first is of version 1. */
const form = { oldPlain: 0, sequence: 1, plain: 2 } as const;
const half = 2 ** 32;

export function writeIntegers(writer: ByteWriter, values: BigInt64Array, count: number): void {
  if (count === 0) return;
  const words = new Int32Array(values.buffer, values.byteOffset, count * 2);
  const sequence = borrowSequence(count);
  const unit = differences(words, sequence, count);
  if (unit === undefined) {
    writer.byte(form.plain);
    writePacked(writer, new Uint8Array(values.buffer, values.byteOffset, count * 8));
    return;
  }
  writer.byte(form.sequence);
  writer.uint32(words[0] as number);
  writer.uint32(words[1] as number);
  writer.double(unit);
  writeSequence(writer, sequence, count);
}

/**
 * Fills `sequence` with the distances from the first number, in units of their greatest common divisor, which is the answer. Undefined where
 * they are too far apart.
 */
function differences(words: Int32Array, sequence: Float64Array, count: number): number | undefined {
  let total = 0;
  let unit = 0;
  sequence[0] = 0;
  let low = (words[0] as number) >>> 0;
  let high = words[1] as number;
  for (let index = 1; index < count; index++) {
    const nextLow = (words[2 * index] as number) >>> 0;
    const nextHigh = words[2 * index + 1] as number;
    const step = (nextHigh - high) * half + (nextLow - low);
    if (step >= 2 ** 52 || step <= -(2 ** 52)) return undefined;
    low = nextLow;
    high = nextHigh;
    if (step !== 0 && (unit === 0 || Math.floor(step / unit) * unit !== step)) unit = commonDivisor(unit, Math.abs(step));
    // As a difference for now: the sum is exact only in units, and the unit is known only at the end.
    sequence[index] = step;
  }
  if (unit === 0) unit = 1;
  for (let index = 1; index < count; index++) {
    total += (sequence[index] as number) / unit;
    if (total > sequenceMax || total < -sequenceMax) return undefined;
    sequence[index] = total;
  }
  return unit;
}

function commonDivisor(a: number, b: number): number {
  let [larger, smaller] = [a, b];
  while (smaller > 0) [larger, smaller] = [smaller, larger % smaller];
  return larger;
}

/** Fills the first `count` of `into`. */
export function readIntegers(reader: ByteReader, into: BigInt64Array, count: number): void {
  if (count === 0) return;
  const chosen = reader.byte();
  if (chosen === form.plain || chosen === form.oldPlain) {
    const bytes = chosen === form.plain ? readPacked(reader, count * 8) : reader.run(count * 8);
    if (bytes.length !== count * 8) throw new RangeError(`${bytes.length} bytes of integers, wanted are ${count * 8}`);
    new Uint8Array(into.buffer, into.byteOffset, count * 8).set(bytes);
    return;
  }
  if (chosen !== form.sequence) throw new RangeError(`${chosen} is no form of integers`);
  const low = reader.uint32();
  const high = reader.uint32() | 0;
  const unit = reader.double();
  const sequence = borrowSequence(count);
  readSequence(reader, sequence, count);
  const words = new Int32Array(into.buffer, into.byteOffset, count * 2);
  if (isNear(sequence, unit)) addDistances(words, sequence, unit, low, high);
  else addSteps(words, sequence, unit, low, high);
}

/** Whether all distances from the first number are exact as doubles, with 32 bits of that number; of times in nanoseconds, those within 52 days. */
function isNear(sequence: Float64Array, unit: number): boolean {
  const most = 2 ** 52 / unit;
  for (let index = 1; index < sequence.length; index++) if (Math.abs(sequence[index] as number) > most) return false;
  return true;
}

/** Each by itself: no number waits for the one before. */
function addDistances(words: Int32Array, sequence: Float64Array, unit: number, low: number, high: number): void {
  for (let index = 0; index < sequence.length; index++) {
    const far = (sequence[index] as number) * unit + low;
    const farHigh = Math.floor(far * (1 / half));
    words[2 * index] = far - farHigh * half;
    words[2 * index + 1] = high + farHigh;
  }
}

/** Exact at any distance: the writer saw to it that a step is below 2^52. */
function addSteps(words: Int32Array, sequence: Float64Array, unit: number, firstLow: number, firstHigh: number): void {
  let low = firstLow;
  let high = firstHigh;
  let before = 0;
  for (let index = 0; index < sequence.length; index++) {
    const value = sequence[index] as number;
    const step = (value - before) * unit;
    before = value;
    const stepHigh = Math.floor(step / half);
    low += step - stepHigh * half;
    if (low >= half) {
      low -= half;
      high += 1;
    }
    high = (high + stepHigh) | 0;
    words[2 * index] = low;
    words[2 * index + 1] = high;
  }
}
