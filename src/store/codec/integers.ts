/**
 * Exact 64-bit integers: times, counters, lags. Differences are taken between halves of 32 bits, because a bigint for each number would cost
 * more than all the rest; a column whose differences do not fit a sequence is kept as it is.
 */
import type { ByteReader, ByteWriter } from './bytes.ts';
import { readSequence, sequenceMax, writeSequence } from './sequence.ts';

const form = { plain: 0, sequence: 1 } as const;
const half = 2 ** 32;

export function writeIntegers(writer: ByteWriter, values: BigInt64Array, count: number): void {
  if (count === 0) return;
  const words = new Int32Array(values.buffer, values.byteOffset, count * 2);
  const sequence = new Float64Array(count);
  const unit = differences(words, sequence, count);
  if (unit === undefined) {
    writer.byte(form.plain);
    writer.run(new Uint8Array(values.buffer, values.byteOffset, count * 8));
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

/** Fills `count` numbers of `into` from `offset` on. */
export function readIntegers(reader: ByteReader, into: BigInt64Array, offset: number, count: number): void {
  if (count === 0) return;
  const chosen = reader.byte();
  if (chosen === form.plain) {
    new Uint8Array(into.buffer, into.byteOffset + offset * 8, count * 8).set(reader.run(count * 8));
    return;
  }
  if (chosen !== form.sequence) throw new RangeError(`${chosen} is no form of integers`);
  let low = reader.uint32();
  let high = reader.uint32() | 0;
  const unit = reader.double();
  const sequence = new Float64Array(count);
  readSequence(reader, sequence, count);
  const words = new Int32Array(into.buffer, into.byteOffset + offset * 8, count * 2);
  words[0] = low;
  words[1] = high;
  let before = 0;
  for (let index = 1; index < count; index++) {
    const value = sequence[index] as number;
    // Exact: the writer saw to it that a step is below 2^52.
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
