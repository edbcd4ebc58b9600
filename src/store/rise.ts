/**
 * How much a value went up or changed from sample to sample: `delta`, and of counters `increase` and `rate`. A step belongs to the bucket its
 * second sample is in, so that the buckets of a range add up to the change over all of it; the first one begins with the last sample before the range.
 */

import { usableRows, valuesOf } from './between.ts';
import type { Chunk } from './chunks.ts';
import type { Part, Summary } from './codec/summary.ts';
import { fallAfter } from './falls.ts';
import { Bucket, endPlace, type Grid } from './grid.ts';
import type { BucketColumns } from './messages.ts';
import { type PartTaker, takeParts } from './parts.ts';
import type { ReadChunk } from './reading.ts';
import type { Rows } from './rows.ts';
import type { CounterRule } from './store.ts';
import { ExactSum } from './sum.ts';

export type Rise = 'increase' | 'rate';

/** One bucket's sum: doubles exactly and rounded once, or whole numbers of any size. */
interface Steps<V> {
  /** From one value up to another without a fall. */
  climb(from: V, to: V): void;
  /** A fall: whether past `max` or back to the start. */
  fall(from: V, to: V): void;
  /** The sum, and nothing again. */
  take(): number | bigint;
}

/**
 * Where a counter may reset, a fall is believed to be a wrap if the way over its greatest value is at most this part of all it can show. A value
 * beyond all that has not wrapped.
 */
const wrapPart = 10;

function numberSteps({ modulus, zero = 0, resets }: CounterRule): Steps<number> {
  const sum = new ExactSum();
  const range = modulus === undefined ? undefined : Number(modulus);
  return {
    climb(from, to) {
      sum.add(to);
      sum.add(-from);
    },
    fall(from, to) {
      sum.add(to);
      if (range !== undefined && from < range && (!resets || (range - from + to) * wrapPart <= range)) {
        sum.add(range);
        sum.add(-from);
      } else sum.add(-zero);
    },
    take() {
      const value = sum.value();
      sum.clear();
      return value;
    },
  };
}

function integerSteps({ modulus, resets }: CounterRule): Steps<bigint> {
  let sum = 0n;
  const range = modulus === undefined ? undefined : BigInt(modulus);
  return {
    climb(from, to) {
      sum += to - from;
    },
    fall(from, to) {
      const isWrap = range !== undefined && from < range && (!resets || (range - from + to) * BigInt(wrapPart) <= range);
      sum += isWrap ? range - from + to : to;
    },
    take() {
      const value = sum;
      sum = 0n;
      return value;
    },
  };
}

export class Rising implements PartTaker {
  readonly #kind: 'double' | 'boolean' | 'int64' | 'uint64';
  readonly #worst: number;
  readonly #fromNs: bigint;
  readonly #toNs: bigint;
  readonly #rise: Rise;
  readonly #bucket: Bucket;
  /** Where the next part of a chunk belongs, while what is before it has not been taken yet. */
  readonly #ahead: Bucket;
  readonly #steps: Steps<number | bigint>;
  readonly #times: bigint[] = [];
  readonly #results: (number | bigint)[] = [];
  /** The last usable sample. */
  #last: number | bigint | undefined;
  #lastTime = 0n;
  /** The value from which it has only risen, within the open bucket; and since when the bucket looks. */
  #base: number | bigint = 0;
  #since = 0n;
  #isOpen = false;

  constructor(
    about: { kind: 'double' | 'boolean' | 'int64' | 'uint64'; worst: number; fromNs: bigint; toNs: bigint; grid: Grid },
    rise: Rise,
    rule: CounterRule,
  ) {
    this.#kind = about.kind;
    this.#worst = about.worst;
    this.#fromNs = about.fromNs;
    this.#toNs = about.toNs;
    this.#bucket = new Bucket(about.grid);
    this.#ahead = new Bucket(about.grid);
    this.#rise = rise;
    const isWhole = about.kind === 'int64' || about.kind === 'uint64';
    this.#steps = (isWhole ? integerSteps(rule) : numberSteps(rule)) as Steps<number | bigint>;
  }

  get length(): number {
    return this.#times.length;
  }

  takeRows(all: Rows): void {
    const rows = usableRows(all, this.#worst);
    const { times } = rows;
    const values = valuesOf(this.#kind, rows) as Float64Array | BigInt64Array;
    for (let from = 0; from < rows.length; ) {
      const time = times[from] as bigint;
      const { start } = this.#bucket;
      const isBefore = time < this.#fromNs;
      if (!isBefore && this.#bucket.moveTo(time)) this.#close(start);
      const to = isBefore ? from + 1 : endPlace(times, this.#bucket.end, from);
      // A first sample has nothing it could have risen from.
      const first = this.#last === undefined || isBefore ? from : undefined;
      if (first !== undefined) {
        this.#last = values[first];
        this.#lastTime = time;
      }
      this.#climb(values, first === undefined ? from : first + 1, to);
      if (to > from) this.#lastTime = times[to - 1] as bigint;
      from = to;
    }
  }

  takeChunk(chunk: Chunk, read: ReadChunk): void {
    takeParts(chunk, read, { fromNs: this.#fromNs, toNs: this.#toNs }, this);
  }

  isEnough(part: Part, next: Part | undefined): boolean {
    // The very first sample has nothing it could have risen from.
    if (!part.rises || part.worst > this.#worst || part.count === 0 || this.#last === undefined) return false;
    this.#ahead.moveTo(part.fromNs);
    if (part.toNs > this.#ahead.end) return false;
    if (this.#rise === 'increase') return true;
    // A rate needs to know when the last sample of its bucket was: that part is read.
    const isFollowed = next !== undefined && next.toNs <= this.#ahead.end && next.toNs <= this.#toNs;
    return isFollowed && next.count > 0 && next.worst <= this.#worst;
  }

  takePart(part: Part, summary: Summary): void {
    const { start } = this.#bucket;
    if (this.#bucket.moveTo(part.fromNs)) this.#close(start);
    const ends = summary.ends(part, this.#kind);
    this.#climb(ends, 0, ends.length);
    // About: the part after it is read and knows better, unless it is damaged.
    this.#lastTime = part.toNs - 1n;
  }

  /** Through values of the open bucket. */
  #climb(values: Float64Array | BigInt64Array | BigUint64Array, from: number, to: number): void {
    if (from >= to) return;
    let last = this.#last as number | bigint;
    if (!this.#isOpen) {
      this.#isOpen = true;
      this.#base = last;
      this.#since = this.#lastTime;
    }
    let index = from;
    if ((values[index] as number | bigint) >= last) index = fallAfter(values, index + 1, to);
    while (index < to) {
      const value = values[index] as number | bigint;
      if (index > from) last = values[index - 1] as number | bigint;
      this.#steps.climb(this.#base, last);
      this.#steps.fall(last, value);
      this.#base = value;
      index = fallAfter(values, index + 1, to);
    }
    this.#last = values[to - 1] as number | bigint;
  }

  #close(start: bigint): void {
    if (!this.#isOpen || this.#last === undefined) return;
    this.#isOpen = false;
    this.#steps.climb(this.#base, this.#last);
    const sum = this.#steps.take();
    this.#times.push(start);
    this.#results.push(this.#rise === 'increase' ? sum : Number(sum) / (Number(this.#lastTime - this.#since) / 1e9));
  }

  finish(id: number): BucketColumns[] {
    this.#close(this.#bucket.start);
    if (this.#times.length === 0) return [];
    return [{ id, times: BigInt64Array.from(this.#times), ...wholeColumns(this.#results, this.#kind === 'uint64') }];
  }
}

/** Numbers as a column, whole ones exactly where 64 bits hold all of them. */
export function wholeColumns(results: readonly (number | bigint)[], unsigned: boolean): Pick<BucketColumns, 'values' | 'exact'> {
  // One kind of series gives one kind of result.
  if (typeof results[0] === 'number') return { values: new Float64Array(results as number[]) };
  const whole = results as bigint[];
  const values = Float64Array.from(whole, Number);
  const fits = (narrow: (bits: number, value: bigint) => bigint) => whole.every((one) => narrow(64, one) === one);
  if (unsigned && fits(BigInt.asUintN)) return { values, exact: BigUint64Array.from(whole) };
  return fits(BigInt.asIntN) ? { values, exact: BigInt64Array.from(whole) } : { values };
}
