import { limits } from '../contract/limits.ts';
import { type ColumnKind, columnKinds } from '../contract/sample.ts';
import { type AggregateName, createTally, type Tally, TextTally } from './aggregate.ts';
import type { Chunk } from './chunks.ts';
import { Summary } from './codec/summary.ts';
import { type BucketColumns, type Calls, StoreTrouble } from './messages.ts';
import { worstQuality } from './range.ts';
import type { Reading } from './reading.ts';
import { placeOf, type Rows, rowsBetween, rowsOfQuality } from './rows.ts';

type Ask = Calls['buckets']['ask'];

/** Aggregates of intervals, in one pass over each series in order of time; chunks are read only where an edge of a bucket cuts them. */
export function* readBuckets(reading: Reading, ask: Ask): Generator<void, BucketColumns[]> {
  const results: BucketColumns[] = [];
  let total = 0;
  let sinceYield = performance.now();
  for (const [index, id] of ask.ids.entries()) {
    const kind = columnKinds[ask.kinds[index] ?? 0] ?? 'double';
    if (!canAggregate(kind, ask.aggregate)) continue;
    const buckets = new Buckets(kind, ask);
    let from = ask.fromNs;
    while (from < ask.toNs) {
      const reached = reading.forward(
        id,
        kind,
        from,
        ask.toNs,
        (rows) => buckets.takeRows(rows),
        (chunk, read) => buckets.takeChunk(chunk, read),
      );
      if (total + buckets.length > limits.rowsPerQueryMax) {
        throw new StoreTrouble(
          'limit',
          `the interval is so short that more than ${limits.rowsPerQueryMax} values would come back; choose a longer interval or a shorter range`,
        );
      }
      if (reached !== undefined || performance.now() - sinceYield > limits.storeSliceMs) {
        yield;
        sinceYield = performance.now();
      }
      if (reached === undefined) break;
      from = reached;
    }
    const columns = buckets.finish(id);
    if (columns.times.length > 0) results.push(columns);
    total += columns.times.length;
  }
  return results;
}

function canAggregate(kind: ColumnKind, aggregate: AggregateName): boolean {
  return kind !== 'string' || aggregate === 'count' || aggregate === 'first' || aggregate === 'last';
}

class Buckets {
  readonly #kind: ColumnKind;
  readonly #ask: Ask;
  readonly #worst: number;
  readonly #times: bigint[] = [];
  readonly #results: (number | bigint | string)[] = [];
  /** The open bucket. */
  #start = 0n;
  #end: bigint | undefined;
  #tally: ReturnType<typeof createTally>;

  constructor(kind: ColumnKind, ask: Ask) {
    this.#kind = kind;
    this.#ask = ask;
    this.#worst = worstQuality[ask.quality];
    this.#tally = createTally(kind);
  }

  get length(): number {
    return this.#times.length;
  }

  /** Rows later than all before. */
  takeRows(all: Rows): void {
    const rows = rowsOfQuality(all, this.#worst);
    for (let from = 0; from < rows.length; ) {
      const end = this.#bucketOf(rows.times[from] as bigint);
      const to = endPlace(rows.times, end, from);
      this.#tally.take(rows, from, to);
      from = to;
    }
  }

  /** A chunk later than all before: by its parts where a bucket holds them whole, else by its rows. */
  takeChunk({ summary: bytes, first, last }: Chunk, read: () => Rows | undefined): void {
    const { fromNs, toNs, aggregate } = this.#ask;
    let rows: Rows | undefined;
    const takeRead = (from: bigint, to: bigint) => {
      rows ??= read();
      if (rows) this.takeRows(rowsBetween(rows, from < fromNs ? fromNs : from, to > toNs ? toNs : to));
    };
    const summary = bytes ? Summary.read(bytes, first, last) : undefined;
    if (!summary || this.#tally instanceof TextTally) {
      takeRead(first, last + 1n);
      return;
    }
    const needsSum = aggregate === 'sum' || aggregate === 'avg';
    for (const part of summary.parts) {
      if (part.toNs <= fromNs || part.fromNs >= toNs) continue;
      const isWhole =
        part.fromNs >= fromNs &&
        part.toNs <= toNs &&
        part.worst <= this.#worst &&
        (part.hasSum || !needsSum) &&
        part.toNs <= this.#bucketOf(part.fromNs);
      if (!isWhole) takeRead(part.fromNs, part.toNs);
      else if (!(this.#tally instanceof TextTally)) summary.join(part, this.#tally);
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

  /** Opens the bucket a time is in, if it is not open; answers with its end. */
  #bucketOf(time: bigint): bigint {
    if (this.#end !== undefined && time < this.#end) return this.#end;
    this.#close();
    const { widthNs } = this.#ask;
    this.#start = floorTo(time, widthNs);
    this.#end = this.#start + widthNs;
    return this.#end;
  }

  #close(): void {
    if ((this.#tally as Tally).count === 0) return;
    this.#times.push(this.#start);
    this.#results.push(this.#tally.result(this.#ask.aggregate));
    this.#tally = createTally(this.#kind);
  }
}

/** The first place at or after `end`; looks near first, because buckets may be as short as a sample. */
function endPlace(times: BigInt64Array, end: bigint, from: number): number {
  let step = 1;
  while (from + step < times.length && (times[from + step] as bigint) < end) step *= 2;
  return placeOf(times, end, from + (step >> 1), Math.min(from + step, times.length));
}

/** The largest multiple of `width` that is not above `time`; division of bigints rounds towards zero, which is wrong before 1970. */
function floorTo(time: bigint, width: bigint): bigint {
  const rest = time % width;
  return time - (rest < 0n ? rest + width : rest);
}
