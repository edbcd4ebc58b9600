/**
 * Exact 64-bit integers: times, counters, lags. Differences are taken between halves of 32 bits, because a bigint for each number would cost
 * more than all the rest; a column whose differences do not fit a sequence is kept as it is.
 */
import type { ByteReader, ByteWriter } from './bytes.ts';
import { type Packed, takePacked, unpack, writePacked } from './packed.ts';
import { borrowSequence, sequenceMax, writeSequence } from './sequence.ts';
import { Sequence } from './sequence-read.ts';

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

/** Integers any part of which can be read. */
export class Integers {
  readonly #count: number;
  readonly #plain: Packed | undefined;
  #plainBytes: Uint8Array | undefined;
  readonly #sequence: Sequence | undefined;
  readonly #low: number = 0;
  readonly #high: number = 0;
  readonly #unit: number = 1;

  /** Reads as far as the column reaches, `count` numbers. */
  constructor(reader: ByteReader, count: number) {
    this.#count = count;
    if (count === 0) return;
    const chosen = reader.byte();
    if (chosen === form.plain) this.#plain = takePacked(reader);
    else if (chosen === form.oldPlain) this.#plain = { bytes: reader.run(count * 8), isCompressed: false };
    else if (chosen === form.sequence) {
      this.#low = reader.uint32();
      this.#high = reader.uint32() | 0;
      this.#unit = reader.double();
      this.#sequence = new Sequence(reader, count);
    } else throw new RangeError(`${chosen} is no form of integers`);
  }

  /** In memory, unpacked. */
  get bytes(): number {
    return this.#sequence?.bytes ?? this.#count * 8;
  }

  /** Fills `into` with the numbers from place `from` on. */
  read(into: BigInt64Array, from = 0): void {
    if (into.length === 0) return;
    if (this.#plain) {
      const bytes = this.#bytesOf(this.#plain);
      new Uint8Array(into.buffer, into.byteOffset, into.byteLength).set(bytes.subarray(8 * from, 8 * (from + into.length)));
      return;
    }
    const unit = this.#unit;
    const words = new Int32Array(into.buffer, into.byteOffset, into.length * 2);
    const sequence = borrowSequence(into.length);
    this.#sequence?.read(sequence, from);
    if ((this.#sequence?.farthest ?? 0) * unit <= near || isNear(sequence, unit))
      addDistances(words, sequence, unit, this.#low, this.#high);
    else if (from === 0) addSteps(words, sequence, unit, this.#low, this.#high);
    else {
      const all = new BigInt64Array(from + into.length);
      this.read(all);
      into.set(all.subarray(from));
    }
  }

  #bytesOf(plain: Packed): Uint8Array {
    const wanted = this.#count * 8;
    this.#plainBytes ??= unpack(plain, wanted);
    if (this.#plainBytes.length !== wanted) throw new RangeError(`${this.#plainBytes.length} bytes of integers, wanted are ${wanted}`);
    return this.#plainBytes;
  }
}

/** Distances up to here are exact as doubles, with 32 bits of the first number; of times in nanoseconds, 52 days. */
const near = 2 ** 52;

function isNear(sequence: Float64Array, unit: number): boolean {
  const most = near / unit;
  for (let index = 0; index < sequence.length; index++) if (Math.abs(sequence[index] as number) > most) return false;
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
