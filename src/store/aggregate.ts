import type { Aggregate } from '../contract/query.ts';
import type { ColumnKind } from '../contract/sample.ts';
import { doublesOf, type Rows } from './rows.ts';
import { ExactSum } from './sum.ts';

/** What the samples of a bucket themselves come to; what lies between them is in hold.ts and rise.ts. */
export const tallied = ['avg', 'min', 'max', 'sum', 'count', 'first', 'last'] as const satisfies readonly Aggregate[];
export type AggregateName = (typeof tallied)[number];

/** What some samples of one series come to; nulls do not count. */
export interface Tally {
  count: number;
  /** The worst quality among them: 0, 1 or 2. */
  worst: number;
  /** Takes rows from place `from` to before `to`. */
  take(rows: Rows, from: number, to: number): void;
  /** The aggregate; there must be a sample. */
  result(aggregate: AggregateName): number | bigint | string;
  /** Back to nothing, for the next bucket. */
  clear(): void;
}

export function createTally(kind: ColumnKind, sums = true): NumberTally | IntegerTally | TextTally {
  switch (kind) {
    case 'double':
    case 'boolean':
      return new NumberTally(kind, sums);
    case 'int64':
    case 'uint64':
      return new IntegerTally(kind);
    case 'string':
      return new TextTally();
  }
}

function worstOf(rows: Rows, from: number, to: number, before: number): number {
  const { quality, valid } = rows;
  let worst = before;
  if (quality) {
    for (let index = from; index < to; index++) {
      if ((quality[index] as number) > worst && valid?.[index] !== 0) worst = quality[index] as number;
    }
  }
  return worst;
}

/** Doubles, and booleans as 0 and 1. */
export class NumberTally implements Tally {
  readonly kind: 'double' | 'boolean';
  count = 0;
  worst = 0;
  min = 0;
  max = 0;
  first = 0;
  last = 0;
  sum = new ExactSum();
  /** False where nobody asks for the sum. */
  readonly sums: boolean;

  constructor(kind: 'double' | 'boolean', sums = true) {
    this.kind = kind;
    this.sums = sums;
  }

  take(rows: Rows, from: number, to: number): void {
    this.worst = worstOf(rows, from, to, this.worst);
    const { valid } = rows;
    const values = this.kind === 'double' ? doublesOf(rows) : undefined;
    if (values && !valid) {
      this.#takeAll(values, from, to);
      return;
    }
    for (let index = from; index < to; index++) {
      if (valid && valid[index] === 0) continue;
      const value = values ? (values[index] as number) : Number(rows.bits[index]);
      if (this.count === 0) {
        this.first = value;
        this.min = value;
        this.max = value;
      } else if (value < this.min) this.min = value;
      else if (value > this.max) this.max = value;
      this.last = value;
      this.count += 1;
      this.sum.add(value);
    }
  }

  /** Where no value is null, which is nearly always. */
  #takeAll(values: Float64Array, from: number, to: number): void {
    if (from >= to) return;
    const first = values[from] as number;
    let min = this.count === 0 ? first : this.min;
    let max = this.count === 0 ? first : this.max;
    for (let index = from; index < to; index++) {
      const value = values[index] as number;
      if (value < min) min = value;
      if (value > max) max = value;
    }
    if (this.count === 0) this.first = first;
    this.min = min;
    this.max = max;
    this.last = values[to - 1] as number;
    this.count += to - from;
    if (!this.sums) return;
    this.sum.addAll(values, from, to, Math.max(Math.abs(min), Math.abs(max)));
  }

  clear(): void {
    this.count = 0;
    this.worst = 0;
    this.sum.clear();
  }

  /** Takes in what later samples came to; `high` and `low` are their sum. */
  join(later: { count: number; worst: number; min: number; max: number; first: number; last: number; high: number; low: number }): void {
    if (later.count === 0) return;
    if (this.count === 0) {
      this.first = later.first;
      this.min = later.min;
      this.max = later.max;
    } else {
      if (later.min < this.min) this.min = later.min;
      if (later.max > this.max) this.max = later.max;
    }
    this.last = later.last;
    this.count += later.count;
    this.worst = Math.max(this.worst, later.worst);
    this.sum.add(later.high);
    this.sum.add(later.low);
  }

  result(aggregate: AggregateName): number {
    switch (aggregate) {
      case 'sum':
        return this.sum.value();
      case 'avg':
        return this.sum.over(this.count);
      default:
        return this[aggregate];
    }
  }
}

/** Exact 64-bit integers: min, max, first and last keep their type, the sum is of any size. */
export class IntegerTally implements Tally {
  readonly kind: 'int64' | 'uint64';
  count = 0;
  worst = 0;
  min = 0n;
  max = 0n;
  first = 0n;
  last = 0n;
  sum = 0n;

  constructor(kind: 'int64' | 'uint64') {
    this.kind = kind;
  }

  take(rows: Rows, from: number, to: number): void {
    this.worst = worstOf(rows, from, to, this.worst);
    const { bits, valid } = rows;
    // Halves of 32 bits, because a bigint for each would cost more than all the rest. The upper ones have the sign, if there is one.
    const lows = new Uint32Array(bits.buffer, bits.byteOffset, 2 * rows.length);
    const highs = this.kind === 'uint64' ? lows : new Int32Array(bits.buffer, bits.byteOffset, 2 * rows.length);
    let count = 0;
    let first = -1;
    let [last, least, greatest] = [-1, -1, -1];
    let [leastHigh, leastLow, greatestHigh, greatestLow] = [0, 0, 0, 0];
    // Exact up to 2^21 rows at once; a chunk and the head have fewer.
    let [sumHigh, sumLow] = [0, 0];
    for (let index = from; index < to; index++) {
      if (valid && valid[index] === 0) continue;
      const low = lows[2 * index] as number;
      const high = highs[2 * index + 1] as number;
      if (count === 0) first = least = greatest = index;
      if (count === 0 || high < leastHigh || (high === leastHigh && low < leastLow)) {
        least = index;
        leastHigh = high;
        leastLow = low;
      }
      if (count === 0 || high > greatestHigh || (high === greatestHigh && low > greatestLow)) {
        greatest = index;
        greatestHigh = high;
        greatestLow = low;
      }
      last = index;
      count += 1;
      sumHigh += high;
      sumLow += low;
    }
    if (count === 0) return;
    const values = this.kind === 'uint64' ? new BigUint64Array(bits.buffer, bits.byteOffset, rows.length) : bits;
    const valueAt = (index: number) => values[index] as bigint;
    const sum = (BigInt(sumHigh) << 32n) + BigInt(sumLow);
    this.join({ count, worst: this.worst, min: valueAt(least), max: valueAt(greatest), first: valueAt(first), last: valueAt(last), sum });
  }

  clear(): void {
    this.count = 0;
    this.worst = 0;
    this.sum = 0n;
  }

  /** Takes in what later samples came to. */
  join(later: { count: number; worst: number; min: bigint; max: bigint; first: bigint; last: bigint; sum: bigint }): void {
    if (later.count === 0) return;
    if (this.count === 0) {
      this.first = later.first;
      this.min = later.min;
      this.max = later.max;
    } else {
      if (later.min < this.min) this.min = later.min;
      if (later.max > this.max) this.max = later.max;
    }
    this.last = later.last;
    this.count += later.count;
    this.worst = Math.max(this.worst, later.worst);
    this.sum += later.sum;
  }

  result(aggregate: AggregateName): number | bigint {
    switch (aggregate) {
      case 'sum':
        // A sum of int64 may be beyond int64.
        return Number(this.sum);
      case 'avg':
        return Number(this.sum) / this.count;
      default:
        return this[aggregate];
    }
  }
}

/** Texts can be counted, and there is a first and a last. */
export class TextTally implements Tally {
  readonly kind = 'string';
  count = 0;
  worst = 0;
  first = '';
  last = '';

  take(rows: Rows, from: number, to: number): void {
    this.worst = worstOf(rows, from, to, this.worst);
    const { valid, texts } = rows;
    for (let index = from; index < to; index++) {
      if (valid && valid[index] === 0) continue;
      this.last = texts?.[index] ?? '';
      if (this.count === 0) this.first = this.last;
      this.count += 1;
    }
  }

  clear(): void {
    this.count = 0;
    this.worst = 0;
  }

  result(aggregate: AggregateName): number | string {
    switch (aggregate) {
      case 'count':
      case 'first':
      case 'last':
        return this[aggregate];
      default:
        throw new Error(`texts have no ${aggregate}`);
    }
  }
}
