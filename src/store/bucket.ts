import { limits } from '../contract/limits.ts';
import { type ColumnKind, columnKinds } from '../contract/sample.ts';
import { type BucketColumns, type Calls, StoreTrouble } from './messages.ts';
import { worstQuality } from './range.ts';
import type { Scan, StoredValue } from './scan.ts';

type Ask = Calls['buckets']['ask'];
type Value = number | bigint | string;

/** Aggregates of intervals, in one pass over the rows of each series in order of time. */
export function* readBuckets(scan: Scan, ask: Ask): Generator<void, BucketColumns[]> {
  const worst = worstQuality[ask.quality];
  const results: BucketColumns[] = [];
  let total = 0;
  for (const [index, id] of ask.ids.entries()) {
    const kind = columnKinds[ask.kinds[index] ?? 0] ?? 'double';
    if (!canAggregate(kind, ask.aggregate)) continue;
    const buckets = new Buckets(kind, ask.aggregate, ask.widthNs);
    let from = ask.fromNs;
    for (;;) {
      const reached = scan.forward(id, from, ask.toNs, limits.storeSliceRows, (time, value, quality) => {
        if (value !== null && quality <= worst) buckets.take(time, value);
      });
      if (total + buckets.length > limits.rowsPerQueryMax) {
        throw new StoreTrouble(
          'limit',
          `the interval is so short that more than ${limits.rowsPerQueryMax} values would come back; choose a longer interval or a shorter range`,
        );
      }
      yield;
      if (reached === undefined) break;
      from = reached + 1n;
    }
    if (buckets.length > 0) results.push(buckets.finish(id));
    total += buckets.length;
  }
  return results;
}

function canAggregate(kind: ColumnKind, aggregate: Ask['aggregate']): boolean {
  return kind !== 'string' || aggregate === 'count' || aggregate === 'first' || aggregate === 'last';
}

class Buckets {
  readonly #kind: ColumnKind;
  readonly #aggregate: Ask['aggregate'];
  readonly #width: bigint;
  readonly #times: bigint[] = [];
  readonly #results: Value[] = [];
  /** The open bucket: end, count, and what the aggregate has come to. 64-bit integers are summed as bigint, so that no digit is lost. */
  #end: bigint | undefined;
  #count = 0;
  #state: Value = 0;

  constructor(kind: ColumnKind, aggregate: Ask['aggregate'], width: bigint) {
    this.#kind = kind;
    this.#aggregate = aggregate;
    this.#width = width;
  }

  get length(): number {
    return this.#times.length;
  }

  take(time: bigint, stored: Exclude<StoredValue, null>): void {
    let value: Value = stored;
    if (this.#kind === 'uint64') value = BigInt.asUintN(64, stored as bigint);
    else if (this.#kind === 'boolean') value = Number(stored);
    if (this.#end === undefined || time >= this.#end) {
      this.#close();
      const start = floorTo(time, this.#width);
      this.#times.push(start);
      this.#end = start + this.#width;
      this.#count = 1;
      this.#state = value;
      return;
    }
    this.#count += 1;
    switch (this.#aggregate) {
      case 'avg':
      case 'sum':
        // Both have the type of the series; strings do not come here.
        this.#state = ((this.#state as number) + (value as number)) as number;
        return;
      case 'min':
        if (value < this.#state) this.#state = value;
        return;
      case 'max':
        if (value > this.#state) this.#state = value;
        return;
      case 'last':
        this.#state = value;
    }
  }

  finish(id: number): BucketColumns {
    this.#close();
    const times = BigInt64Array.from(this.#times);
    const first = this.#results[0];
    if (typeof first === 'string') return { id, times, values: new Float64Array(times.length), texts: this.#results as string[] };
    const values = Float64Array.from(this.#results as (number | bigint)[], Number);
    if (typeof first !== 'bigint') return { id, times, values };
    const exact = this.#kind === 'uint64' ? BigUint64Array.from(this.#results as bigint[]) : BigInt64Array.from(this.#results as bigint[]);
    return { id, times, values, exact };
  }

  #close(): void {
    if (this.#end === undefined) return;
    this.#end = undefined;
    switch (this.#aggregate) {
      case 'count':
        this.#results.push(this.#count);
        return;
      case 'avg':
        this.#results.push(Number(this.#state) / this.#count);
        return;
      case 'sum':
        // A sum of int64 may be beyond int64.
        this.#results.push(Number(this.#state));
        return;
      default:
        this.#results.push(this.#state);
    }
  }
}

/** The largest multiple of `width` that is not above `time`; division of bigints rounds towards zero, which is wrong before 1970. */
function floorTo(time: bigint, width: bigint): bigint {
  const rest = time % width;
  return time - (rest < 0n ? rest + width : rest);
}
