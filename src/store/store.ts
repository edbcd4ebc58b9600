/**
 * History behind one interface: the plain SQLite table today, compressed chunks (DESIGN §10) or a distributed engine (§11) later.
 * Speaks in series and columns. Every call names its gateway: one data folder serves all data sources of the process.
 */

import type { CommandRecord } from '../contract/command.ts';
import type { Aggregate } from '../contract/query.ts';
import type { ColumnKind, Columns, Sample, SeriesKey } from '../contract/sample.ts';
import type { ConnectivityChange } from '../contract/status.ts';
import type { Grid } from './grid.ts';

/** One sample on its way in. `kind` is that of the point's place, so that a series keeps a stable schema; a value of another kind makes a sibling series. */
export interface Entry {
  key: SeriesKey;
  kind: ColumnKind;
  sample: Sample;
}

export interface SeriesInfo extends SeriesKey {
  kind: ColumnKind;
  /** Nanoseconds since 1970. */
  firstNs: bigint;
  lastNs: bigint;
}

/** Half-open: `fromNs <= t < toNs`. */
export interface TimeRange {
  fromNs: bigint;
  toNs: bigint;
}

export type QualityFilter = 'good' | 'usable' | 'all';

export interface RangeResult {
  series: SeriesInfo;
  columns: Columns;
  /** True if `rowsMax` cut it; the newest rows are kept. */
  cut: boolean;
}

/** How a counter comes back to low values, in the units its samples are kept in. */
export interface CounterRule {
  /** How many different values it can show, times their step: a value before it falls past the greatest one. Absent: it is not known to wrap. */
  modulus?: number | bigint;
  /** Where it begins after a reset; 0 unless said. Whole numbers of 64 bits begin at 0. */
  zero?: number;
  /** Whether it may begin again at any time. A fall is a wrap then only if that is the much shorter way. */
  resets: boolean;
}

/** What has to be known of a series to aggregate it. */
export interface SeriesRule {
  /** Its samples come on change: a value holds until the next one, at most `maxNs`. Averages are weighted by time. */
  hold?: { maxNs?: bigint };
  /** For `increase` and `rate`; a fall is a reset unless said. */
  counter?: CounterRule;
}

export type BucketOptions = {
  quality: QualityFilter;
  aggregate: Exclude<Aggregate, 'none'>;
  /** Values that hold end here at the latest; the end of the range unless said. */
  nowNs?: bigint;
  /** Wants `BucketResult.before`. */
  before?: boolean;
} & Grid;

export interface BucketResult {
  series: SeriesInfo;
  /** Start of each non-empty bucket, nanoseconds since 1970, ascending. */
  times: BigInt64Array;
  /** The aggregate of each bucket; NaN never occurs, empty buckets are absent. Of an exact 64-bit series whole numbers are in `exact`. */
  values: Float64Array;
  exact?: BigInt64Array | BigUint64Array;
  /** `first` and `last` of a series of strings; `values` holds zeros then. */
  texts?: string[];
  /** Of `time-in-state` and `share-in-state`, which give a result a state: the value as JavaScript prints it. */
  state?: string;
  /** Different values are more than `limits.statesMax`: there are no buckets. */
  tooManyStates?: true;
  /** The value of the last usable sample before the range, if it was asked for and there is one; without buckets the result says only this. */
  before?: number | bigint | string;
}

export interface OutlineResult extends RangeResult {
  /** How many samples there are; `columns` has as many where nothing was left out. */
  samples: number;
}

/** Which commands; `skip` leaves out the newest of them. `open` and `target` do not go together. */
export interface CommandsOptions {
  limit: number;
  skip?: number;
  range?: TimeRange;
  open?: boolean;
  target?: SeriesKey;
}

/** Persisted words about a live channel: hash → normalised query (DESIGN §6). */
/** Is told how memory is given back that an answer lent: once nobody looks at the samples any more, or never. */
export type Borrow = (giveBack: () => void) => void;

export interface AppendOptions {
  /** Commits at once, together with everything that waits. */
  now?: boolean;
  /** Else the longest wait; the store's flush interval unless said. */
  withinMs?: number;
  /** Rejects with `storage-failed` as soon as the disk refuses, though what was taken is tried again: for whoever can be told to come later. */
  failFast?: boolean;
}

export interface Store {
  /**
   * Resolves when everything given is committed. While the disk refuses it waits, and all that comes is committed in its order when the disk accepts again.
   * Rejects with a `Fault` if it will not be (`storage-full`: too much waits already; `storage-closed`; `storage-failed`: the history cannot take it
   * whatever the disk does); with `TooManySeries` (faults.ts) if only those that would begin a series too many will not be.
   * A second sample of a series at the same time replaces the first if it did not arrive earlier; a repeated one is kept once.
   */
  append(gateway: string, entries: readonly Entry[], options?: AppendOptions): Promise<void>;
  /** Commits what waits; rejects when the disk refuses. */
  flush(): Promise<void>;
  /** The catalogue of a gateway. */
  series(gateway: string): Promise<SeriesInfo[]>;
  /** The newest sample of each series of a gateway, including those that still wait for their commit. */
  last(gateway: string): Promise<{ series: SeriesInfo; sample: Sample }[]>;
  /**
   * Raw samples of several series, each ordered by time. `rowsMax` is for all together. Sees everything appended before the call.
   * Series without a sample in the range are left out. Rejects with the signal's reason when it is aborted; so does `buckets`.
   */
  range(
    gateway: string,
    keys: readonly SeriesKey[],
    range: TimeRange,
    options: { quality: QualityFilter; rowsMax: number; borrow?: Borrow },
    signal: AbortSignal,
  ): Promise<RangeResult[]>;
  /**
   * One value a bucket. Buckets are cut by the range at both ends: a bucket's time is its start even if the range begins later. Nulls do not count,
   * booleans are 0 and 1; series of strings have `count`, `first`, `last` and the time in each state only.
   * `delta` is the last value less the last one before the bucket (or its first), `increase` the sum of all rises by the rule of its counter, `rate`
   * the increase over the seconds between the samples it is taken from. `time-in-state` is in seconds.
   */
  buckets(
    gateway: string,
    keys: readonly (SeriesKey & SeriesRule)[],
    range: TimeRange,
    options: BucketOptions,
    signal: AbortSignal,
  ): Promise<BucketResult[]>;
  /**
   * What a chart needs of raw samples: of each `widthNs` the first, the least, the greatest and the last one, and the first null; of a series that has
   * no more than `keepMax`, and of texts, all.
   */
  outline(
    gateway: string,
    keys: readonly SeriesKey[],
    range: TimeRange,
    options: { quality: QualityFilter; widthNs: bigint; keepMax: number },
    signal: AbortSignal,
  ): Promise<OutlineResult[]>;
  /** Connectivity of devices over time, device by device; the change before the range is included so that the state at its start is known. */
  connectivity(gateway: string, devices: readonly string[], range: TimeRange, signal: AbortSignal): Promise<ConnectivityChange[]>;
  appendConnectivity(gateway: string, changes: readonly ConnectivityChange[]): Promise<void>;
  /** Inserts or replaces the record by id, adds a line to the audit, in the order of the calls, and commits at once: no record, no command (DESIGN §8). */
  saveCommand(gateway: string, record: CommandRecord): Promise<void>;
  command(gateway: string, id: string): Promise<CommandRecord | undefined>;
  commandByKey(gateway: string, idempotencyKey: string): Promise<CommandRecord | undefined>;
  /** Newest first. `open` selects those that have not ended, `target` those of one point or action. */
  commands(gateway: string, options: CommandsOptions): Promise<CommandRecord[]>;
  /** Deletes commands that began before and have ended, and their lines in the audit; resolves with how many commands. */
  expireCommands(gateway: string, beforeMs: number): Promise<number>;
  /** The audit of commands, oldest line first. */
  audit(gateway: string, options: { afterSeq: number; limit: number }): Promise<AuditLine[]>;
  /** Reads the whole audit and says whether its chain is whole. */
  checkAudit(gateway: string, signal?: AbortSignal): Promise<AuditCheck>;
  /** A small persisted map: a driver's memory, live channels. Values are JSON; `undefined` forgets the key. */
  remember(gateway: string, scope: string, key: string, value: unknown): Promise<void>;
  recall(gateway: string, scope: string): Promise<Map<string, unknown>>;
  /**
   * The time by which history is deleted, nanoseconds since 1970: that of the clock, unless it jumped far ahead and has not gone on like that for long
   * (belief.ts).
   */
  believedNowNs(): Promise<bigint>;
  /** Deletes samples older than `beforeNs` of a gateway, and connectivity that later changes make unnecessary; resolves with how many samples. */
  expire(gateway: string, beforeNs: bigint): Promise<number>;
  /** Deletes samples of these series within a range, those that still wait for their commit too; resolves with how many. */
  remove(gateway: string, keys: readonly SeriesKey[], range: TimeRange): Promise<number>;
  /** What series take, each of `series(gateway)` or some of them, in the order given. */
  sizes(gateway: string, series: readonly SeriesInfo[], signal: AbortSignal): Promise<SeriesSize[]>;
  /**
   * Copies the whole history, of all gateways, beside itself while it is in use. Rejects with a `Fault`: `backup-running`, `no-data-folder`, or
   * `backup-refused` where the disk has no room.
   */
  backup(): Promise<Backup>;
  /** Those there are, newest first. */
  backups(): Promise<Backup[]>;
  /** Deletes everything of a gateway: samples, connectivity, commands and what was remembered for it; resolves with how many samples. */
  erase(gateway: string): Promise<number>;
  /** How many series there are, and whether new ones were refused. Costs no trip to a worker. */
  cardinality(gateway: string): Cardinality;
  status(): StoreStatus;
  /** Flushes, commits, ends the workers. Never rejects; any number of times. */
  close(): Promise<void>;
}

export interface SeriesSize {
  samples: number;
  /** On disk, compressed; what is still in the log does not count. */
  bytes: number;
}

/** A copy of the history in the folder `backups` of the data folder. */
export interface Backup {
  name: string;
  bytes: number;
  /** Milliseconds since 1970. */
  madeMs: number;
  /** SHA-256 in hexadecimal; absent where its note is gone. */
  sha256?: string;
}

export interface Cardinality {
  /** Of the gateway. */
  series: number;
  /** Of all gateways together, and how many there may be. */
  ofAll: number;
  max: number;
  /** Samples of the gateway that were refused because their series would have been one too many, and the name of the last. */
  refused: number;
  lastRefused?: SeriesKey;
}

/** One line of the audit. `hash` is the SHA-256 of `<prev>\n<seq>\n<time>\n<json>`, in hexadecimal digits as `prev` is; `time` in milliseconds since 1970. */
export interface AuditLine {
  seq: number;
  time: number;
  prev: string;
  hash: string;
  /** A command's record as it was then, or `{ "expired": { "upTo", "hash" } }`. */
  json: string;
}

export interface AuditCheck {
  intact: boolean;
  /** Lines that were read and are in order. */
  lines: number;
  /** The first line there is. */
  first?: number;
  /** The last one: whoever notes it elsewhere can tell later whether the end was cut off. */
  head?: { seq: number; hash: string };
  /** Where it breaks. */
  broken?: { seq: number; why: string };
}

export interface StoreStatus {
  /** `memory`: no data folder, everything is gone at restart; `waiting`: another process holds the folder. */
  mode: 'disk' | 'memory' | 'waiting' | 'failed';
  /** In words when `mode` is not `disk`, or when something happened: a damaged file was set aside. */
  detail?: string;
  /** Samples waiting for their commit. */
  pending: number;
  committed: number;
  /** Samples refused by a bound, or lost with the end of the store. */
  dropped: number;
  commits: number;
  bytesOnDisk: number;
  /** What an acknowledged commit survives: the death of the process, or a power cut too. Absent until it is open, and in memory. */
  durability?: 'commit' | 'power-loss';
  /** Samples deleted before their retention was over, because the history reached its bound. */
  trimmed?: number;
  /** In words, while the clock is not believed and deletes nothing. */
  clock?: string;
  /** Times a worker ended by itself and was started again. */
  restarts?: number;
}
