/**
 * How much a value went up or changed from sample to sample: `delta`, and of counters `increase` and `rate`. A step belongs to the bucket its
 * second sample is in, so that the buckets of a range add up to the change over all of it; the first one begins with the last sample before the range.
 */

import { usableRows, valuesOf } from './between.ts';
import { Bucket, endPlace, type Grid } from './grid.ts';
import type { BucketColumns } from './messages.ts';
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

export class Rising {
  readonly #kind: 'double' | 'boolean' | 'int64' | 'uint64';
  readonly #worst: number;
  readonly #fromNs: bigint;
  readonly #rise: Rise;
  readonly #bucket: Bucket;
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
    about: { kind: 'double' | 'boolean' | 'int64' | 'uint64'; worst: number; fromNs: bigint; grid: Grid },
    rise: Rise,
    rule: CounterRule,
  ) {
    this.#kind = about.kind;
    this.#worst = about.worst;
    this.#fromNs = about.fromNs;
    this.#bucket = new Bucket(about.grid);
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

  /** Through values of the open bucket. */
  #climb(values: Float64Array | BigInt64Array, from: number, to: number): void {
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

/** The first place from `from` on whose value is less than the one before it; `to` if there is none. */
function fallAfter(values: Float64Array | BigInt64Array, from: number, to: number): number {
  // Two loops: one for both kinds of values would box each of them.
  return values instanceof Float64Array ? numberFallAfter(values, from, to) : wholeFallAfter(values, from, to);
}

function numberFallAfter(values: Float64Array, from: number, to: number): number {
  let index = from;
  while (index < to && (values[index] as number) >= (values[index - 1] as number)) index++;
  return index;
}

function wholeFallAfter(values: BigInt64Array, from: number, to: number): number {
  let index = from;
  while (index < to && (values[index] as bigint) >= (values[index - 1] as bigint)) index++;
  return index;
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
