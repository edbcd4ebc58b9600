/**
 * Samples of series that were asked for lately, on the main thread: what a dashboard or an alert rule asks again and again costs no trip to the reader
 * and, as what is appended joins them at once, waits for no commit. The reader's answer stays the only source; whatever is not certain is asked anew.
 */
import { limits } from '../contract/limits.ts';
import { type ColumnKind, type Columns, qualities, type Reason, type Sample } from '../contract/sample.ts';
import type { SeriesRecord } from './catalogue.ts';
import { worstQuality } from './range.ts';
import { placeOf } from './rows.ts';
import type { QualityFilter, TimeRange } from './store.ts';

type NumberKind = Exclude<ColumnKind, 'string'>;

/** All samples of one series and quality from `fromNs` on: up to `toNs`, or without an end, and then it grows. */
export class WarmSeries {
  readonly #kind: NumberKind;
  readonly #quality: QualityFilter;
  readonly #fromNs: bigint;
  /** Undefined: whatever comes joins. */
  readonly #toNs: bigint | undefined;
  /** Of all samples of the series, those of less quality too. */
  #newestNs: bigint;
  #length: number;
  #times: BigInt64Array;
  #values: Exclude<Columns['values'], string[]>;
  #valid: Uint8Array;
  #levels: Uint8Array;
  #reasons: Reason[] | undefined;

  constructor(kind: NumberKind, quality: QualityFilter, { fromNs, toNs }: TimeRange, newestNs: bigint, columns: Columns | undefined) {
    this.#kind = kind;
    this.#quality = quality;
    this.#fromNs = fromNs;
    this.#toNs = toNs > newestNs ? undefined : toNs;
    this.#newestNs = newestNs;
    this.#length = columns?.times.length ?? 0;
    this.#times = columns?.times ?? new BigInt64Array();
    this.#values = columns && !Array.isArray(columns.values) ? columns.values : new arrays[kind]();
    this.#valid = columns?.valid ?? new Uint8Array();
    this.#levels = columns?.quality ?? new Uint8Array();
    this.#reasons = columns?.reasons?.slice();
  }

  /** Takes note of a sample that is appended; false if this does not hold any more. */
  put({ timeNs, value, quality, reason }: Sample): boolean {
    if (timeNs < this.#fromNs) return true;
    if (this.#toNs !== undefined) return timeNs >= this.#toNs;
    // Of two samples of one time only the history knows which one counts.
    if (timeNs <= this.#newestNs || this.#length >= limits.storeWarmRowsMax) return false;
    this.#newestNs = timeNs;
    const level = qualities.indexOf(quality);
    if (level > worstQuality[this.#quality]) return true;
    if (this.#length === this.#times.length) this.#grow();
    const row = this.#length++;
    this.#times[row] = timeNs;
    this.#levels[row] = level;
    this.#valid[row] = value === null ? 0 : 1;
    if (reason !== '') this.#reasons ??= new Array<Reason>(row).fill('');
    this.#reasons?.push(reason);
    if (value !== null) {
      if (this.#kind === 'double' || this.#kind === 'boolean') this.#values[row] = Number(value);
      else this.#values[row] = BigInt(value);
    }
    return true;
  }

  /** Undefined where it does not know. The columns are views: nobody changes them. */
  between(quality: QualityFilter, { fromNs, toNs }: TimeRange): Columns | undefined {
    if (quality !== this.#quality || fromNs < this.#fromNs || (this.#toNs !== undefined && toNs > this.#toNs)) return undefined;
    const from = placeOf(this.#times, fromNs, 0, this.#length);
    const to = placeOf(this.#times, toNs, from, this.#length);
    const reasons = this.#reasons?.slice(from, to);
    return {
      kind: this.#kind,
      times: this.#times.subarray(from, to),
      values: this.#values.subarray(from, to),
      valid: this.#valid.subarray(from, to),
      quality: this.#levels.subarray(from, to),
      ...(reasons?.some((reason) => reason !== '') ? { reasons } : {}),
    };
  }

  /** Into memory of its own: what was there before is seen by those who asked. */
  #grow(): void {
    const capacity = Math.min(limits.storeWarmRowsMax, Math.max(16, 2 * this.#length));
    const grown = <T extends { set(from: T): void }>(Made: new (length: number) => T, from: T): T => {
      const made = new Made(capacity);
      made.set(from);
      return made;
    };
    this.#times = grown(BigInt64Array, this.#times);
    this.#values = grown<never>(arrays[this.#kind] as never, this.#values as never);
    this.#valid = grown(Uint8Array, this.#valid);
    this.#levels = grown(Uint8Array, this.#levels);
  }
}

const arrays = { double: Float64Array, int64: BigInt64Array, uint64: BigUint64Array, boolean: Uint8Array } as const;

/** A question that is on its way to the reader. A sample that comes meanwhile may be in the answer or not: of its series nothing is kept. */
export interface Asked {
  generation: number;
  records: readonly SeriesRecord[];
  quality: QualityFilter;
  range: TimeRange;
}

export class Warm {
  /** Those that have a `WarmSeries`, asked for longest ago first. */
  readonly #records = new Set<SeriesRecord>();
  #generation = 0;

  /** For every sample, before anything is done with it that a reader could see. */
  put(record: SeriesRecord, sample: Sample): void {
    record.asked = undefined;
    if (record.warm && !record.warm.put(sample)) this.#drop(record);
  }

  /** Samples of all these series, or undefined if one of them has to be asked for. */
  get(
    records: readonly SeriesRecord[],
    quality: QualityFilter,
    range: TimeRange,
  ): { record: SeriesRecord; columns: Columns }[] | undefined {
    const found: { record: SeriesRecord; columns: Columns }[] = [];
    for (const record of records) {
      const columns = record.warm?.between(quality, range);
      if (!columns) return undefined;
      found.push({ record, columns });
    }
    for (const record of records) {
      this.#records.delete(record);
      this.#records.add(record);
    }
    return found;
  }

  /** To be called before what was appended is committed for this question. */
  ask(records: readonly SeriesRecord[], quality: QualityFilter, range: TimeRange): Asked {
    const asked = { generation: this.#generation, records, quality, range };
    for (const record of records) record.asked = asked;
    return asked;
  }

  /** `whole` are all samples of each series in the range; one that has none is not there. */
  keep(asked: Asked, whole: ReadonlyMap<number | undefined, Columns>): void {
    if (asked.generation !== this.#generation || asked.records.length > limits.storeWarmSeriesMax) return;
    for (const record of asked.records) {
      const columns = whole.get(record.id);
      // What is lent goes back.
      const isSmall = !columns || (columns.times.length <= limits.storeWarmRowsMax && columns.times.buffer instanceof ArrayBuffer);
      if (record.asked !== asked || !record.stored || !record.last || record.kind === 'string' || !isSmall) continue;
      record.asked = undefined;
      record.warm = new WarmSeries(record.kind, asked.quality, asked.range, record.last.timeNs, columns);
      this.#records.delete(record);
      this.#records.add(record);
    }
    for (const record of this.#records) {
      if (this.#records.size <= limits.storeWarmSeriesMax) break;
      this.#drop(record);
    }
  }

  /** Something was deleted, could not be committed, or was opened anew. Answers on their way are not kept either. */
  clear(): void {
    this.#generation += 1;
    for (const record of this.#records) record.warm = undefined;
    this.#records.clear();
  }

  #drop(record: SeriesRecord): void {
    record.warm = undefined;
    this.#records.delete(record);
  }
}
