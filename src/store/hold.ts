/**
 * A value that holds until the next sample: its average weighted by time, and how long each state lasted. The sample before a bucket holds into
 * it; a null, or one that is worse than asked for, ends the holding, and so does silence beyond what is allowed.
 */
import { limits } from '../contract/limits.ts';
import type { ColumnKind } from '../contract/sample.ts';
import { distances, isUsable, valuesOf } from './between.ts';
import { Bucket, type Grid } from './grid.ts';
import { type BucketColumns, StoreTrouble } from './messages.ts';
import type { Rows } from './rows.ts';
import { ExactSum } from './sum.ts';

export type Held = number | bigint | string;

/** 52 days: a factor of a product that stays exact (sum.ts). */
export const pieceMaxNs = 2 ** 52;

/** What becomes of the pieces of time: one bucket after the other. */
export interface Measure {
  /** A value held for so many nanoseconds, at most `pieceMaxNs`. */
  add(value: Held, ns: number): void;
  /** The bucket that begins here is over. */
  close(start: bigint): void;
  /** Values so far. */
  readonly length: number;
  finish(id: number): BucketColumns[];
}

export class Holding {
  readonly #kind: ColumnKind;
  readonly #worst: number;
  readonly #fromNs: bigint;
  readonly #endNs: bigint;
  readonly #maxNs: bigint | undefined;
  readonly #measure: Measure;
  readonly #bucket: Bucket;
  #value: Held | undefined;
  #since = 0n;
  #isOpen = false;

  /** Nothing is known from `endNs` on: the end of the range, or now. `maxNs` is the longest a value holds; undefined: without end. */
  constructor(
    about: { kind: ColumnKind; worst: number; fromNs: bigint; endNs: bigint; maxNs: bigint | undefined; grid: Grid },
    measure: Measure,
  ) {
    this.#kind = about.kind;
    this.#worst = about.worst;
    this.#fromNs = about.fromNs;
    this.#endNs = about.endNs;
    this.#maxNs = about.maxNs;
    this.#bucket = new Bucket(about.grid);
    this.#measure = measure;
  }

  get length(): number {
    return this.#measure.length;
  }

  takeRows(rows: Rows): void {
    const { times, length } = rows;
    if (length === 0) return;
    const values = valuesOf(this.#kind, rows);
    const from = distances(rows);
    const isPlain = !rows.valid && !rows.quality;
    const maxNs = this.#maxNs === undefined ? pieceMaxNs : Math.min(Number(this.#maxNs), pieceMaxNs);
    /** As distances: until where the open bucket reaches. */
    let end = Number.NEGATIVE_INFINITY;
    for (let index = 0; index < length; index++) {
      const ns = from && index > 0 ? (from[index] as number) - (from[index - 1] as number) : Number.POSITIVE_INFINITY;
      // Mostly a sample follows the one before within its bucket.
      if (from && ns <= maxNs && (from[index] as number) <= end && this.#value !== undefined) this.#measure.add(this.#value, ns);
      else {
        const time = times[index] as bigint;
        this.#since = index > 0 ? (times[index - 1] as bigint) : this.#since;
        this.#passUntil(time);
        // The bucket this sample is in; not before the range, nor where it ends.
        end = from && time >= this.#fromNs ? this.#reach(time, times[0] as bigint) : end;
      }
      this.#value = isPlain || isUsable(rows, index, this.#worst) ? values[index] : undefined;
    }
    this.#since = times[length - 1] as bigint;
  }

  /** How far the open bucket reaches, as a distance from `base`, if `time` is in it. */
  #reach(time: bigint, base: bigint): number {
    const { start, end } = this.#bucket;
    if (!this.#isOpen || time < start || time >= end) return Number.NEGATIVE_INFINITY;
    return Number(earlier(end, this.#endNs) - base);
  }

  finish(id: number): BucketColumns[] {
    this.#passUntil(this.#endNs);
    if (this.#isOpen) this.#measure.close(this.#bucket.start);
    return this.#measure.finish(id);
  }

  #passUntil(time: bigint): void {
    const value = this.#value;
    if (value === undefined) return;
    let to = earlier(time, this.#endNs);
    if (this.#maxNs !== undefined) to = earlier(to, this.#since + this.#maxNs);
    let from = this.#fromNs;
    if (this.#since > from) from = this.#since;
    const bucket = this.#bucket;
    while (from < to) {
      const before = bucket.start;
      if (bucket.moveTo(from)) {
        if (this.#isOpen) this.#measure.close(before);
        this.#isOpen = true;
        if (this.#measure.length > limits.rowsPerQueryMax) throw tooMany();
      }
      const until = earlier(to, bucket.end);
      for (let ns = Number(until - from); ns > 0; ns -= pieceMaxNs) this.#measure.add(value, Math.min(ns, pieceMaxNs));
      from = until;
    }
  }
}

function earlier(one: bigint, other: bigint): bigint {
  return one < other ? one : other;
}

/** What is thrown where an interval is so short that its values would fill the memory. */
export function tooMany(): StoreTrouble {
  return new StoreTrouble(
    'limit',
    `the interval is so short that more than ${limits.rowsPerQueryMax} values would come back; choose a longer interval or a shorter range`,
  );
}

/** Nanoseconds, added up without rounding. */
class Span {
  #whole = 0n;
  #part = 0;

  add(ns: number): void {
    this.#part += ns;
    if (this.#part <= pieceMaxNs) return;
    this.#whole += BigInt(this.#part);
    this.#part = 0;
  }

  get ns(): bigint {
    return this.#whole + BigInt(this.#part);
  }

  clear(): void {
    this.#whole = 0n;
    this.#part = 0;
  }
}

/** The average, each value as long as it held. Booleans are 0 and 1. */
export class WeightedAverage implements Measure {
  readonly #times: bigint[] = [];
  readonly #results: number[] = [];
  readonly #sum = new ExactSum();
  readonly #span = new Span();
  #whole = 0n;

  get length(): number {
    return this.#times.length;
  }

  add(value: Held, ns: number): void {
    this.#span.add(ns);
    if (typeof value === 'number') this.#sum.addProduct(value, ns);
    else if (typeof value === 'bigint') this.#whole += value * BigInt(ns);
  }

  close(start: bigint): void {
    const { ns } = this.#span;
    this.#times.push(start);
    this.#results.push(this.#whole === 0n ? this.#sum.over(ns) : Number(this.#whole) / Number(ns));
    this.#sum.clear();
    this.#span.clear();
    this.#whole = 0n;
  }

  finish(id: number): BucketColumns[] {
    return this.#times.length === 0 ? [] : [{ id, times: BigInt64Array.from(this.#times), values: Float64Array.from(this.#results) }];
  }
}

/** How long each state lasted: a column a state, seconds or the share of the time in which the state is known. */
export class TimeInState implements Measure {
  readonly #isShare: boolean;
  readonly #isBoolean: boolean;
  readonly #times: bigint[] = [];
  readonly #totals: Span[] = [];
  /** Nanoseconds by state and bucket; nothing where it did not occur. */
  readonly #states = new Map<Held, Map<number, Span>>();

  constructor(kind: ColumnKind, isShare: boolean) {
    this.#isShare = isShare;
    this.#isBoolean = kind === 'boolean';
  }

  get length(): number {
    return this.#times.length * Math.max(1, this.#states.size);
  }

  add(value: Held, ns: number): void {
    const place = this.#times.length;
    // -0 and 0 are one state, and a map takes them for one.
    let spans = this.#states.get(value);
    if (!spans) {
      // More are no states; they are counted up to one too many, so that it can be said.
      if (this.#states.size > limits.statesMax) return;
      spans = new Map();
      this.#states.set(value, spans);
    }
    let span = spans.get(place);
    if (!span) {
      span = new Span();
      spans.set(place, span);
    }
    span.add(ns);
    this.#totals[place] ??= new Span();
    this.#totals[place].add(ns);
  }

  close(start: bigint): void {
    this.#times.push(start);
  }

  finish(id: number): BucketColumns[] {
    if (this.#states.size > limits.statesMax) return [{ id, times: new BigInt64Array(), values: new Float64Array(), tooManyStates: true }];
    const states = [...this.#states].sort(([one], [other]) => (one < other ? -1 : 1));
    return states.map(([state, spans]) => ({
      id,
      times: BigInt64Array.from(this.#times),
      values: Float64Array.from(this.#totals, (total, place) => {
        const ns = Number(spans.get(place)?.ns ?? 0n);
        return this.#isShare ? ns / Number(total.ns) : ns / 1e9;
      }),
      state: this.#isBoolean ? String(state === 1) : String(state),
    }));
  }
}
