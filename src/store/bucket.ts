import { limits } from '../contract/limits.ts';
import { type ColumnKind, columnKinds } from '../contract/sample.ts';
import { type AggregateName, createTally, type Tally, TextTally, tallied } from './aggregate.ts';
import { lastBefore, valuesOf } from './between.ts';
import type { Chunk } from './chunks.ts';
import type { Part, Summary } from './codec/summary.ts';
import { Bucket, endPlace } from './grid.ts';
import { Holding, TimeInState, tooMany, WeightedAverage } from './hold.ts';
import type { BucketColumns, Calls } from './messages.ts';
import { type PartTaker, takeParts } from './parts.ts';
import { worstQuality } from './range.ts';
import type { ReadChunk, Reading } from './reading.ts';
import { Rising, wholeColumns } from './rise.ts';
import { type Rows, rowsBetween, rowsOfQuality } from './rows.ts';
import type { SeriesRule } from './store.ts';

type Ask = Calls['buckets']['ask'];

/** Makes buckets of the samples of one series, which come in order of time, whatever their quality. */
interface Bucketing {
  takeRows(rows: Rows): void;
  /** A chunk later than all before; absent where only samples will do. */
  takeChunk?(chunk: Chunk, read: ReadChunk): void;
  /** Values so far. */
  readonly length: number;
  finish(id: number): BucketColumns[];
}

/** Aggregates of intervals, in one pass over each series in order of time. */
export function* readBuckets(reading: Reading, ask: Ask): Generator<void, BucketColumns[]> {
  const results: BucketColumns[] = [];
  const worst = worstQuality[ask.quality];
  let total = 0;
  let sinceYield = performance.now();
  for (const [index, id] of ask.ids.entries()) {
    const kind = columnKinds[ask.kinds[index] ?? 0] ?? 'double';
    const rule = ask.rules?.[index] ?? {};
    const needs = needsOf(kind, ask.aggregate, rule);
    if (!needs) continue;
    const buckets = createBucketing(kind, ask, rule);
    const usable = needs === 'usable' || ask.before ? yield* lastBefore(reading, id, kind, ask.fromNs, worst) : undefined;
    const before = needs === 'last' ? yield* lastBefore(reading, id, kind, ask.fromNs) : needs === 'usable' ? usable : undefined;
    if (before) buckets.takeRows(before);
    for (let from = ask.fromNs; from < ask.toNs; ) {
      const takeRows = (rows: Rows) => buckets.takeRows(rows);
      const reached = reading.forward(id, kind, from, ask.toNs, takeRows, (chunk, read) => {
        if (buckets.takeChunk) return buckets.takeChunk(chunk, read);
        const rows = read();
        if (rows) buckets.takeRows(rowsBetween(rows, ask.fromNs, ask.toNs));
      });
      if (total + buckets.length > limits.rowsPerQueryMax) throw tooMany();
      if (reached !== undefined || performance.now() - sinceYield > limits.storeSliceMs) {
        yield;
        sinceYield = performance.now();
      }
      if (reached === undefined) break;
      from = reached;
    }
    const columns = buckets.finish(id);
    for (const { times } of columns) total += times.length;
    if (total > limits.rowsPerQueryMax) throw tooMany();
    if (ask.before && usable) {
      const first = columns[0] ?? { id, times: new BigInt64Array(), values: new Float64Array() };
      columns[0] = { ...first, before: valuesOf(kind, usable)[0] ?? 0 };
    }
    results.push(...columns);
  }
  return results;
}

/** What has to be known from before the range: nothing, the last usable sample, the last of any quality. Undefined: the kind has no such aggregate. */
function needsOf(kind: ColumnKind, aggregate: Ask['aggregate'], rule: SeriesRule): 'nothing' | 'usable' | 'last' | undefined {
  switch (aggregate) {
    case 'count':
    case 'first':
    case 'last':
      return 'nothing';
    case 'time-in-state':
    case 'share-in-state':
      return 'last';
    case 'avg':
      if (kind === 'string') return undefined;
      return rule.hold ? 'last' : 'nothing';
    case 'min':
    case 'max':
    case 'sum':
      return kind === 'string' ? undefined : 'nothing';
    case 'delta':
    case 'increase':
    case 'rate':
      return kind === 'string' ? undefined : 'usable';
  }
}

function createBucketing(kind: ColumnKind, ask: Ask, rule: SeriesRule): Bucketing {
  const { aggregate, grid, fromNs } = ask;
  const worst = worstQuality[ask.quality];
  const endNs = ask.nowNs !== undefined && ask.nowNs < ask.toNs ? ask.nowNs : ask.toNs;
  const held = { kind, worst, fromNs, endNs, maxNs: rule.hold?.maxNs, grid };
  switch (aggregate) {
    case 'time-in-state':
    case 'share-in-state':
      return new Holding(held, new TimeInState(kind, aggregate === 'share-in-state'));
    case 'increase':
    case 'rate':
      if (kind === 'string') break;
      return new Rising({ kind, worst, fromNs, toNs: ask.toNs, grid }, aggregate, rule.counter ?? { resets: true });
    case 'avg':
      if (rule.hold) return new Holding(held, new WeightedAverage());
  }
  return new Buckets(kind, ask);
}

/** Of the samples themselves: a chunk is read only where an edge of a bucket cuts its parts. */
class Buckets implements Bucketing, PartTaker {
  readonly #kind: ColumnKind;
  readonly #ask: Ask;
  readonly #aggregate: AggregateName;
  readonly #worst: number;
  readonly #bucket: Bucket;
  /** Where the next part of a chunk belongs, while what is before it has not been taken yet. */
  readonly #ahead: Bucket;
  readonly #times: bigint[] = [];
  readonly #results: (number | bigint | string)[] = [];
  readonly #tally: ReturnType<typeof createTally>;
  /** For `delta`: the last value before the open bucket. */
  readonly #isDelta: boolean;
  #before: number | bigint | undefined;

  constructor(kind: ColumnKind, ask: Ask) {
    this.#kind = kind;
    this.#ask = ask;
    this.#isDelta = ask.aggregate === 'delta';
    this.#aggregate = tallied.find((name) => name === ask.aggregate) ?? 'last';
    this.#worst = worstQuality[ask.quality];
    this.#bucket = new Bucket(ask.grid);
    this.#ahead = new Bucket(ask.grid);
    this.#tally = createTally(kind, this.#needsSum);
  }

  get #needsSum(): boolean {
    return this.#aggregate === 'sum' || this.#aggregate === 'avg';
  }

  get length(): number {
    return this.#times.length;
  }

  /** Rows later than all before. */
  takeRows(all: Rows): void {
    const rows = rowsOfQuality(all, this.#worst);
    const { fromNs } = this.#ask;
    for (let from = 0; from < rows.length; ) {
      const time = rows.times[from] as bigint;
      if (time < fromNs) {
        // What `delta` begins with.
        this.#before = (valuesOf(this.#kind, rows) as Float64Array | BigInt64Array)[from];
        from += 1;
        continue;
      }
      this.#moveTo(time);
      const to = endPlace(rows.times, this.#bucket.end, from);
      this.#tally.take(rows, from, to);
      from = to;
    }
  }

  takeChunk(chunk: Chunk, read: ReadChunk): void {
    takeParts(chunk, read, this.#ask, this);
  }

  isEnough(part: Part): boolean {
    if (part.worst > this.#worst || (this.#needsSum && !part.hasSum)) return false;
    this.#ahead.moveTo(part.fromNs);
    return part.toNs <= this.#ahead.end;
  }

  takePart(part: Part, summary: Summary): void {
    this.#moveTo(part.fromNs);
    if (!(this.#tally instanceof TextTally)) summary.join(part, this.#tally);
  }

  finish(id: number): BucketColumns[] {
    this.#close(this.#bucket.start);
    if (this.#times.length === 0) return [];
    const times = BigInt64Array.from(this.#times);
    if (typeof this.#results[0] === 'string')
      return [{ id, times, values: new Float64Array(times.length), texts: this.#results as string[] }];
    return [{ id, times, ...wholeColumns(this.#results as (number | bigint)[], this.#kind === 'uint64' && !this.#isDelta) }];
  }

  /** Opens the bucket a time is in, if it is not open. */
  #moveTo(time: bigint): void {
    const { start } = this.#bucket;
    if (this.#bucket.moveTo(time)) this.#close(start);
  }

  #close(start: bigint): void {
    const tally = this.#tally as Tally;
    if (tally.count === 0) return;
    const result = this.#isDelta ? this.#delta() : tally.result(this.#aggregate);
    if (result !== undefined) {
      this.#times.push(start);
      this.#results.push(result);
    }
    tally.clear();
  }

  /** From the last value before the bucket, or from its first one; a first sample alone says nothing of a change. */
  #delta(): number | bigint | undefined {
    const { first, last, count } = this.#tally;
    const from = this.#before ?? first;
    const isAlone = this.#before === undefined && count === 1;
    if (typeof last === 'string' || typeof from === 'string') return undefined;
    this.#before = last;
    if (isAlone) return undefined;
    return typeof last === 'bigint' && typeof from === 'bigint' ? last - from : Number(last) - Number(from);
  }
}
