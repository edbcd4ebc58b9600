/**
 * A value that holds until the next sample: its average weighted by time, and how long each state lasted. The sample before a bucket holds into
 * it; a null, or one that is worse than asked for, ends the holding, and so does silence beyond what is allowed.
 */
import { limits } from '../contract/limits.ts';
import type { ColumnKind } from '../contract/sample.ts';
import { isUsable, valuesOf } from './between.ts';
import { Bucket, type Grid } from './grid.ts';
import { type BucketColumns, StoreTrouble } from './messages.ts';
import type { Rows } from './rows.ts';
import { ExactSum } from './sum.ts';

export type Held = number | bigint | string;

/** What becomes of the pieces of time: one bucket after the other. */
export interface Measure {
  /** A value held for so long, in nanoseconds. */
  add(value: Held, ns: bigint): void;
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
    const values = valuesOf(this.#kind, rows);
    for (let index = 0; index < rows.length; index++) {
      const time = rows.times[index] as bigint;
      this.#passUntil(time);
      this.#value = isUsable(rows, index, this.#worst) ? values[index] : undefined;
      this.#since = time;
    }
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
      this.#measure.add(value, until - from);
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

/** A factor of a product that stays exact (sum.ts); 52 days. */
const factorMaxNs = 2n ** 52n;

/** The average, each value as long as it held. Booleans are 0 and 1. */
export class WeightedAverage implements Measure {
  readonly #times: bigint[] = [];
  readonly #results: number[] = [];
  readonly #sum = new ExactSum();
  #whole = 0n;
  #ns = 0n;

  get length(): number {
    return this.#times.length;
  }

  add(value: Held, ns: bigint): void {
    this.#ns += ns;
    if (typeof value === 'bigint') this.#whole += value * ns;
    else if (typeof value === 'number') {
      let rest = ns;
      for (; rest > factorMaxNs; rest -= factorMaxNs) this.#sum.addProduct(value, Number(factorMaxNs));
      this.#sum.addProduct(value, Number(rest));
    }
  }

  close(start: bigint): void {
    this.#times.push(start);
    this.#results.push(this.#whole === 0n ? this.#sum.over(this.#ns) : Number(this.#whole) / Number(this.#ns));
    this.#sum.clear();
    this.#whole = 0n;
    this.#ns = 0n;
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
  readonly #totals: bigint[] = [];
  /** Nanoseconds by state and bucket; nothing where it did not occur. */
  readonly #states = new Map<Held, Map<number, bigint>>();

  constructor(kind: ColumnKind, isShare: boolean) {
    this.#isShare = isShare;
    this.#isBoolean = kind === 'boolean';
  }

  get length(): number {
    return this.#times.length * Math.max(1, this.#states.size);
  }

  add(value: Held, ns: bigint): void {
    const place = this.#times.length;
    // -0 and 0 are one state, and a map takes them for one.
    let spans = this.#states.get(value);
    if (!spans) {
      // More are no states; they are counted up to one too many, so that it can be said.
      if (this.#states.size > limits.statesMax) return;
      spans = new Map();
      this.#states.set(value, spans);
    }
    spans.set(place, (spans.get(place) ?? 0n) + ns);
    this.#totals[place] = (this.#totals[place] ?? 0n) + ns;
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
        const ns = Number(spans.get(place) ?? 0n);
        return this.#isShare ? ns / Number(total) : ns / 1e9;
      }),
      state: this.#isBoolean ? String(state === 1) : String(state),
    }));
  }
}
