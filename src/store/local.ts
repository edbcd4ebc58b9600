import type { CommandRecord } from '../contract/command.ts';
import { limits } from '../contract/limits.ts';
import type { Sample, SeriesKey } from '../contract/sample.ts';
import type { ConnectivityChange } from '../contract/status.ts';
import type { OpenBatch } from './batch.ts';
import { Catalogue, infoOf } from './catalogue.ts';
import { Engine } from './engine.ts';
import { storageClosed, storageFailed, storageFull, TooManySeries } from './faults.ts';
import { Journal } from './journal.ts';
import type { Calls, Durability, RecordWrite } from './messages.ts';
import type { LocalOptions } from './open.ts';
import { clampTime, kindFor, tidy } from './place.ts';
import { type CommitOutcome, CommitQueue } from './queue.ts';
import { Reads } from './reads.ts';
import type {
  AppendOptions,
  AuditCheck,
  AuditLine,
  Backup,
  BucketResult,
  Cardinality,
  Entry,
  OutlineResult,
  RangeResult,
  SeriesInfo,
  SeriesSize,
  Store,
  StoreStatus,
  TimeRange,
} from './store.ts';
import { Upkeep } from './upkeep.ts';
import { Warm } from './warm.ts';

/** History of this machine: samples wait here for their group commit, the workers behind `Engine` have the database. */
export class LocalStore implements Store {
  readonly #options: LocalOptions;
  readonly #catalogue: Catalogue;
  readonly #queue: CommitQueue;
  readonly #engine: Engine;
  readonly #journal: Journal;
  readonly #reads: Reads;
  readonly #warm = new Warm();
  readonly #upkeep: Upkeep;
  /** First and last samples on their way from the database, by gateway. */
  readonly #loading = new Map<string, Promise<void>>();
  #bytes = 0;
  #durability: Durability | undefined;
  #trimmed = 0;
  #trimming = false;
  #closing: Promise<void> | undefined;

  constructor(options: LocalOptions) {
    this.#options = options;
    this.#catalogue = new Catalogue(options.seriesMax);
    // In memory there is no medium to wait for, and without power-loss a commit does not.
    const gapMs = options.folder !== undefined && options.durability === 'power-loss' ? 1_000 / options.syncsPerSecondMax : 0;
    this.#queue = new CommitQueue(options.clock, (batch) => this.#commit(batch), gapMs);
    this.#engine = new Engine({
      ...options,
      onOpen: (opened) => {
        this.#catalogue.adopt(opened.series);
        this.#warm.clear();
        this.#bytes = opened.bytes;
        if (opened.durability !== undefined && options.folder !== undefined) this.#durability = opened.durability;
      },
      onWritable: (writable) => {
        this.#queue.setOpen(writable);
        if (!writable) this.#queue.refuseImpatient(storageFailed(this.#engine.detail ?? 'it failed'));
      },
    });
    const write = (record: RecordWrite, patient?: boolean) =>
      this.#closing === undefined ? this.#queue.write(record, patient) : Promise.reject(storageClosed());
    this.#journal = new Journal(this.#engine, write, () => this.#settle(), options.clock);
    this.#reads = new Reads(this.#engine, this.#catalogue, this.#warm, async (gateway) => {
      await this.#load(gateway);
      await this.#settle();
    });
    this.#upkeep = new Upkeep(this.#engine, this.#journal, options);
  }

  append(gateway: string, entries: readonly Entry[], { now = false, withinMs, failFast = false }: AppendOptions = {}): Promise<void> {
    if (failFast && !this.#engine.isWritable)
      return this.#engine.writable().then(() => this.append(gateway, entries, { now: true, failFast }));
    if (this.#closing !== undefined) return Promise.reject(storageClosed());
    if (!this.#queue.reserve(entries.length)) return Promise.reject(storageFull('too many samples wait for their commit already'));
    // Not an async function: that would hold the entries until their commit, and all that waits would grow old on the heap.
    const refused = this.#put(gateway, entries);
    const committed = this.#queue.committed(now ? 0 : (withinMs ?? this.#options.flushIntervalMs), failFast);
    if (refused.length === 0) return committed;
    return committed.then(() => Promise.reject(new TooManySeries(this.#options.seriesMax, refused)));
  }

  /** The places of those whose series would be one too many. */
  #put(gateway: string, entries: readonly Entry[]): number[] {
    const refused: number[] = [];
    for (let place = 0; place < entries.length; place++) {
      const { key, kind, sample } = entries[place] as Entry;
      const kept = tidy(sample);
      const series = this.#catalogue.open(gateway, key, kindFor(kind, kept.value));
      if (series) {
        this.#catalogue.note(series, kept);
        this.#warm.put(series, kept);
        this.#queue.put(series, kept);
      } else refused.push(place);
    }
    this.#queue.counters.dropped += refused.length;
    return refused;
  }

  async flush(): Promise<void> {
    await this.#engine.writable();
    await this.#queue.flush();
  }

  async series(gateway: string): Promise<SeriesInfo[]> {
    await this.#load(gateway);
    return this.#catalogue.of(gateway).flatMap((record) => infoOf(record) ?? []);
  }

  async last(gateway: string): Promise<{ series: SeriesInfo; sample: Sample }[]> {
    await this.#load(gateway);
    return this.#catalogue.of(gateway).flatMap((record) => {
      const series = infoOf(record);
      return series && record.last ? [{ series, sample: record.last.copy() }] : [];
    });
  }

  range(...ask: Parameters<Store['range']>): Promise<RangeResult[]> {
    return this.#reads.range(...ask);
  }

  buckets(...ask: Parameters<Store['buckets']>): Promise<BucketResult[]> {
    return this.#reads.buckets(...ask);
  }

  outline(...ask: Parameters<Store['outline']>): Promise<OutlineResult[]> {
    return this.#reads.outline(...ask);
  }

  connectivity(gateway: string, devices: readonly string[], range: TimeRange, signal: AbortSignal): Promise<ConnectivityChange[]> {
    return this.#journal.connectivity(gateway, devices, range, signal);
  }

  appendConnectivity(gateway: string, changes: readonly ConnectivityChange[]): Promise<void> {
    return this.#journal.appendConnectivity(gateway, changes);
  }

  saveCommand(gateway: string, record: CommandRecord): Promise<void> {
    return this.#journal.saveCommand(gateway, record);
  }

  command(gateway: string, id: string): Promise<CommandRecord | undefined> {
    return this.#journal.command(gateway, 'id', id);
  }

  commandByKey(gateway: string, idempotencyKey: string): Promise<CommandRecord | undefined> {
    return this.#journal.command(gateway, 'key', idempotencyKey);
  }

  commands(gateway: string, options: Parameters<Store['commands']>[1]): Promise<CommandRecord[]> {
    return this.#journal.commands(gateway, options);
  }

  expireCommands(gateway: string, beforeMs: number): Promise<number> {
    return this.#journal.expireCommands(gateway, beforeMs);
  }

  audit(gateway: string, options: { afterSeq: number; limit: number }): Promise<AuditLine[]> {
    return this.#journal.audit(gateway, options);
  }

  checkAudit(gateway: string, signal?: AbortSignal): Promise<AuditCheck> {
    return this.#journal.checkAudit(gateway, signal);
  }

  remember(gateway: string, scope: string, key: string, value: unknown): Promise<void> {
    return this.#journal.remember(gateway, scope, key, value);
  }

  recall(gateway: string, scope: string): Promise<Map<string, unknown>> {
    return this.#journal.recall(gateway, scope);
  }

  async expire(gateway: string, beforeNs: bigint): Promise<number> {
    await this.#load(gateway);
    // One whose only samples still wait has no number in the database yet.
    await this.flush();
    const ids = this.#catalogue
      .of(gateway)
      .flatMap(({ id, stored, firstNs }) => (id !== undefined && stored && (firstNs === undefined || firstNs < beforeNs) ? [id] : []));
    return this.#shorten('expire', { gateway, ids, beforeNs: clampTime(beforeNs) });
  }

  believedNowNs(): Promise<bigint> {
    return this.#upkeep.believedNowNs();
  }

  async remove(gateway: string, keys: readonly SeriesKey[], range: TimeRange): Promise<number> {
    await this.#load(gateway);
    await this.flush();
    const ids = keys
      .flatMap((key) => this.#catalogue.siblings(gateway, key))
      .flatMap(({ id, stored, firstNs }) => (id !== undefined && stored && (firstNs === undefined || firstNs < range.toNs) ? [id] : []));
    if (ids.length === 0) return 0;
    return this.#shorten('remove', { ids, fromNs: clampTime(range.fromNs), toNs: clampTime(range.toNs) });
  }

  async sizes(gateway: string, series: readonly SeriesInfo[], signal: AbortSignal): Promise<SeriesSize[]> {
    await this.#load(gateway);
    const ids = series.map((one) => this.#catalogue.siblings(gateway, one).find(({ kind }) => kind === one.kind)?.id ?? 0);
    const { samples, bytes } = await this.#engine.read('sizes', { ids }, signal);
    return series.map((_, place) => ({ samples: samples[place] ?? 0, bytes: bytes[place] ?? 0 }));
  }

  async backup(): Promise<Backup> {
    await this.#settle();
    return this.#upkeep.backup();
  }

  backups(): Promise<Backup[]> {
    return this.#upkeep.backups();
  }

  async erase(gateway: string): Promise<number> {
    await this.#load(gateway);
    // What still waits for its commit goes too.
    await this.flush();
    const ids = this.#catalogue.of(gateway).flatMap(({ id, stored }) => (id !== undefined && stored ? [id] : []));
    return this.#shorten('erase', { gateway, ids });
  }

  cardinality(gateway: string): Cardinality {
    const refused = this.#catalogue.refused(gateway);
    return {
      series: this.#catalogue.of(gateway).length,
      ofAll: this.#catalogue.count,
      max: this.#options.seriesMax,
      refused: refused?.samples ?? 0,
      ...(refused ? { lastRefused: refused.last } : {}),
    };
  }

  status(): StoreStatus {
    const { trouble, restarts } = this.#engine;
    // What the disk refused waits: until it is written the trouble is not over, though it is tried just now.
    const isStuck = trouble !== undefined && this.#engine.isWritable && this.#queue.pending > 0;
    const mode = isStuck ? 'failed' : this.#engine.mode;
    const detail = isStuck ? trouble : this.#engine.detail;
    const { committed, dropped, commits } = this.#queue.counters;
    const trimmed = this.#trimmed;
    const clock = this.#upkeep.doubt;
    return {
      mode,
      ...(detail === undefined ? {} : { detail }),
      pending: this.#queue.pending,
      committed,
      dropped,
      commits,
      bytesOnDisk: this.#bytes,
      ...(this.#durability === undefined ? {} : { durability: this.#durability }),
      ...(clock === undefined ? {} : { clock }),
      trimmed,
      restarts,
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { clock } = this.#options;
    const endMs = clock.monotonicMs() + limits.storeCloseMs;
    const inTime = new AbortController();
    // A store that is still opening gets its chance; one that waits for a folder or a disk does not hold up the end.
    const flushed = this.flush().catch(() => {});
    await Promise.race([flushed, clock.sleep(limits.storeCloseMs, inTime.signal).catch(() => {})]);
    inTime.abort();
    this.#queue.setOpen(false);
    this.#queue.abandon(storageClosed());
    await this.#engine.close(endMs);
  }

  async #commit(open: OpenBatch): Promise<CommitOutcome> {
    const refused = new Map<number, Error>();
    if (open.rows === 0 && open.records.length === 0) return { refused };
    const batch = open.seal(this.#catalogue);
    const fresh = batch.series.map(({ id }) => id);
    const answer = await this.#engine.write('commit', batch).catch((error: unknown) => {
      this.#warm.clear();
      throw error;
    });
    for (const id of fresh) {
      const record = this.#catalogue.byId(id);
      if (record) record.stored = true;
    }
    this.#bytes = answer.bytes;
    for (const index of answer.refused)
      refused.set(index, storageFull(`at most ${limits.rememberedKeysMax} keys are remembered in one place`));
    if (answer.used > this.#options.bytesMax) void this.#trim();
    return { refused };
  }

  /** Takes the oldest samples away when the history has reached its bound, down to nine tenths of it so that this is seldom. */
  async #trim(): Promise<void> {
    if (this.#trimming) return;
    this.#trimming = true;
    const { bytesMax, log } = this.#options;
    if (this.#trimmed === 0) log.warn('the history has reached its bound, the oldest samples are deleted', { bytesMax });
    try {
      this.#trimmed += await this.#shorten('trim', { bytes: Math.floor(bytesMax * 0.9) });
    } catch {
      // The keeper of the writer knows and says so; the next commit tries again.
    } finally {
      this.#trimming = false;
    }
  }

  async #shorten<K extends 'expire' | 'remove' | 'erase' | 'trim'>(name: K, ask: Calls[K]['ask']): Promise<number> {
    await this.#engine.writable();
    return await this.#catalogue.whileShortening(async () => {
      // A series whose only sample still waits is not empty.
      await this.#queue.flush();
      const { deleted, ends, empty, bytes } = await this.#engine.write(name, ask).finally(() => this.#warm.clear());
      this.#bytes = bytes;
      const forgotten = this.#catalogue.shorten(ends, empty);
      // In the order of messages: a batch that names one of them again comes later and brings a new number.
      if (forgotten.length > 0) await this.#engine.write('forget', { ids: forgotten });
      return deleted;
    });
  }

  /** Reads see what was appended before them: it is committed first. A disk that refuses does not stop them from seeing the rest. */
  async #settle(): Promise<void> {
    if (this.#engine.isWritable) await this.#queue.flush().catch(() => {});
  }

  /** What the database has of a gateway from before this process, once. */
  #load(gateway: string): Promise<void> {
    if (this.#catalogue.loaded.has(gateway)) return Promise.resolve();
    const running = this.#loading.get(gateway);
    if (running !== undefined) return running;
    const load = this.#loadEnds(gateway).finally(() => this.#loading.delete(gateway));
    this.#loading.set(gateway, load);
    return load;
  }

  async #loadEnds(gateway: string): Promise<void> {
    // The catalogue comes with the opening of the writer; the reader opens after it.
    await this.#engine.readable();
    const ids = this.#catalogue.of(gateway).flatMap(({ id, stored }) => (id !== undefined && stored ? [id] : []));
    if (ids.length > 0) this.#catalogue.learn(await this.#engine.read('ends', { ids }));
    this.#catalogue.loaded.add(gateway);
  }
}
