import { badRequest } from '../contract/fault.ts';
import { limits } from '../contract/limits.ts';
import { type Columns, columnKinds, type SeriesKey, seriesName } from '../contract/sample.ts';
import { type Catalogue, infoOf } from './catalogue.ts';
import type { Engine } from './engine.ts';
import { Loans } from './loans.ts';
import type { Calls, ReadAsk } from './messages.ts';
import { clampTime } from './place.ts';
import type {
  Borrow,
  BucketOptions,
  BucketResult,
  OutlineResult,
  QualityFilter,
  RangeResult,
  SeriesInfo,
  SeriesRule,
  Store,
  TimeRange,
} from './store.ts';
import type { Warm } from './warm.ts';

/** What is asked of samples: names become numbers of series for the reader, and its answers get their names back. */
export class Reads {
  readonly #engine: Engine;
  readonly #catalogue: Catalogue;
  readonly #loans: Loans;
  readonly #warm: Warm;
  readonly #ready: (gateway: string) => Promise<void>;

  /** `ready` resolves when the catalogue knows a gateway's series and what was appended before is committed. */
  constructor(engine: Engine, catalogue: Catalogue, warm: Warm, ready: (gateway: string) => Promise<void>) {
    this.#engine = engine;
    this.#loans = new Loans((slabs) => engine.giveBack(slabs));
    this.#catalogue = catalogue;
    this.#warm = warm;
    this.#ready = ready;
  }

  async range(
    gateway: string,
    keys: readonly SeriesKey[],
    range: TimeRange,
    { quality, rowsMax, borrow }: { quality: QualityFilter; rowsMax: number; borrow?: Borrow },
    signal: AbortSignal,
  ): Promise<RangeResult[]> {
    signal.throwIfAborted();
    const most = Math.min(rowsMax, limits.rowsPerQueryMax);
    const { found, keep } = this.#lookFor(gateway, keys, range, quality);
    if (found && rowsOf(found) <= most) return found.map((one) => ({ ...one, cut: false }));
    const { ask, infos } = await this.#prepare(gateway, keys, range, quality, signal);
    if (infos.size === 0) return [];
    const lend = borrow !== undefined && this.#loans.isPossible;
    // Nobody has looked at what comes too late.
    const late = (columns: Calls['range']['answer']) => this.#loans.take(columns)();
    const answer = await this.#engine.read('range', { ...ask, rowsMax: most, lend }, signal, late);
    if (lend) borrow(this.#loans.take(answer));
    if (answer.every(({ cut }) => !cut)) keep(answer);
    return answer.flatMap(({ id, columns, cut }) => named(infos.get(id), { columns, cut }));
  }

  async buckets(
    gateway: string,
    keys: Parameters<Store['buckets']>[1],
    range: TimeRange,
    options: BucketOptions,
    signal: AbortSignal,
  ): Promise<BucketResult[]> {
    const { quality, aggregate, nowNs, before } = options;
    if ('widthNs' in options && options.widthNs <= 0n) throw badWidth(options.widthNs);
    const grid = 'widthNs' in options ? { widthNs: options.widthNs } : { edges: options.edges };
    const { ask, infos } = await this.#prepare(gateway, keys, 'edges' in grid ? within(range, grid.edges) : range, quality, signal);
    if (infos.size === 0) return [];
    const ruled = new Map(keys.map((key) => [seriesName(key), key]));
    const rules = Array.from(infos.values(), (info): SeriesRule => {
      const { hold, counter } = ruled.get(seriesName(info)) ?? {};
      return { ...(hold ? { hold } : {}), ...(counter ? { counter } : {}) };
    });
    const more = { ...(nowNs === undefined ? {} : { nowNs }), ...(before ? { before } : {}) };
    const answer = await this.#engine.read('buckets', { ...ask, aggregate, grid, rules, ...more }, signal);
    return answer.flatMap(({ id, ...columns }) => named(infos.get(id), columns));
  }

  async outline(
    gateway: string,
    keys: readonly SeriesKey[],
    range: TimeRange,
    { quality, widthNs, keepMax }: { quality: QualityFilter; widthNs: bigint; keepMax: number },
    signal: AbortSignal,
  ): Promise<OutlineResult[]> {
    if (widthNs <= 0n) throw badWidth(widthNs);
    signal.throwIfAborted();
    const { found, keep } = this.#lookFor(gateway, keys, range, quality);
    if (found?.every(({ columns }) => columns.times.length <= keepMax))
      return found.map((one) => ({ ...one, samples: one.columns.times.length, cut: false }));
    const { ask, infos } = await this.#prepare(gateway, keys, range, quality, signal);
    if (infos.size === 0) return [];
    const answer = await this.#engine.read('outline', { ...ask, widthNs, keepMax }, signal);
    if (answer.every(({ columns, samples }) => columns.times.length === samples)) keep(answer);
    return answer.flatMap(({ id, columns, samples }) => named(infos.get(id), { columns, samples, cut: false }));
  }

  /** What is known without asking, if all of it is; `keep` is for the reader's answer, when it is all there is. To be called before anything is waited for. */
  #lookFor(gateway: string, keys: readonly SeriesKey[], range: TimeRange, quality: QualityFilter): Looked {
    // Of a gateway whose series are not known yet, and while the disk refuses, the reader has the word.
    if (!this.#engine.isWritable || !this.#catalogue.loaded.has(gateway)) return { found: undefined, keep: () => {} };
    const records = keys.flatMap((key) => this.#catalogue.siblings(gateway, key)).filter(({ last }) => last);
    const clamped = { fromNs: clampTime(range.fromNs), toNs: clampTime(range.toNs) };
    const warm = this.#warm.get(records, quality, clamped);
    const asked = warm ? undefined : this.#warm.ask(records, quality, clamped);
    return {
      found: warm?.flatMap(({ record, columns }) => (columns.times.length > 0 ? named(infoOf(record), { columns }) : [])),
      keep: (answer) => {
        if (asked) this.#warm.keep(asked, new Map(answer.map(({ id, columns }) => [id, columns])));
      },
    };
  }

  async #prepare(gateway: string, keys: readonly SeriesKey[], range: TimeRange, quality: QualityFilter, signal: AbortSignal) {
    signal.throwIfAborted();
    await this.#ready(gateway);
    signal.throwIfAborted();
    const records = keys.flatMap((key) => this.#catalogue.siblings(gateway, key)).filter((record) => record.stored);
    const infos = new Map<number, SeriesInfo>();
    for (const record of records) {
      const info = infoOf(record);
      if (info) infos.set(this.#catalogue.idOf(record), info);
    }
    const ask: ReadAsk = {
      ids: [...infos.keys()],
      kinds: Array.from(infos.values(), ({ kind }) => columnKinds.indexOf(kind)),
      fromNs: clampTime(range.fromNs),
      toNs: clampTime(range.toNs),
      quality,
    };
    return { ask, infos };
  }
}

interface Looked {
  found: { series: SeriesInfo; columns: Columns }[] | undefined;
  keep(answer: readonly { id: number; columns: Columns }[]): void;
}

function rowsOf(found: readonly { columns: Columns }[]): number {
  return found.reduce((sum, { columns }) => sum + columns.times.length, 0);
}

function named<T extends object>(series: SeriesInfo | undefined, rest: T): (T & { series: SeriesInfo })[] {
  return series ? [{ series, ...rest }] : [];
}

function badWidth(widthNs: bigint): Error {
  return badRequest(`the interval is ${widthNs} ns; allowed is anything above 0`, 'interval');
}

/** A range between the first and the last of a calendar's edges. */
function within({ fromNs, toNs }: TimeRange, edges: BigInt64Array): TimeRange {
  const first = edges[0] ?? fromNs;
  const last = edges[edges.length - 1] ?? fromNs;
  return { fromNs: fromNs > first ? fromNs : first, toNs: toNs < last ? toNs : last };
}
