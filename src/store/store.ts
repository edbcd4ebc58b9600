/**
 * History behind one interface: the plain SQLite table today, compressed chunks (DESIGN §10) or a distributed engine (§11) later.
 * Speaks in series and columns. Every call names its gateway: one data folder serves all data sources of the process.
 */

import type { CommandRecord } from '../contract/command.ts';
import type { Aggregate } from '../contract/query.ts';
import type { ColumnKind, Columns, Sample, SeriesKey } from '../contract/sample.ts';
import type { ConnectivityChange } from '../contract/status.ts';

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

export interface BucketResult {
  series: SeriesInfo;
  /** Start of each non-empty bucket, nanoseconds since 1970, ascending. */
  times: BigInt64Array;
  /** The aggregate of each bucket; NaN never occurs, empty buckets are absent. For `first`, `last`, `min` and `max` of an exact 64-bit series use `exact`. */
  values: Float64Array;
  exact?: BigInt64Array | BigUint64Array;
  /** `first` and `last` of a series of strings; `values` holds zeros then. */
  texts?: string[];
}

/** Persisted words about a live channel: hash → normalised query (DESIGN §6). */
export interface Store {
  /**
   * Resolves when everything given is committed. Rejects with a `Fault` (`storage-full`, `storage-failed`) if it will not be; with `TooManySeries`
   * (faults.ts) if only those that would begin a series too many will not be.
   * `now` commits at once, together with everything that waits; else it waits `withinMs` at most (the store's flush interval unless said).
   * A second sample of a series at the same time replaces the first if it did not arrive earlier; a repeated one is kept once.
   */
  append(gateway: string, entries: readonly Entry[], options?: { now?: boolean; withinMs?: number }): Promise<void>;
  /** Commits what waits. */
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
    options: { quality: QualityFilter; rowsMax: number },
    signal: AbortSignal,
  ): Promise<RangeResult[]>;
  /**
   * One value a bucket; buckets are aligned to multiples of `widthNs` since 1970 and cut by the range at both ends (a bucket's time is its
   * aligned start even if the range begins later). Nulls are ignored, booleans are 0 and 1; series of strings have `count`, `first` and `last` only.
   */
  buckets(
    gateway: string,
    keys: readonly SeriesKey[],
    range: TimeRange,
    options: { quality: QualityFilter; aggregate: Exclude<Aggregate, 'none'>; widthNs: bigint },
    signal: AbortSignal,
  ): Promise<BucketResult[]>;
  /** Connectivity of devices over time, device by device; the change before the range is included so that the state at its start is known. */
  connectivity(gateway: string, devices: readonly string[], range: TimeRange, signal: AbortSignal): Promise<ConnectivityChange[]>;
  appendConnectivity(gateway: string, changes: readonly ConnectivityChange[]): Promise<void>;
  /** Inserts or replaces the record by id and commits at once: no record, no command (DESIGN §8). */
  saveCommand(gateway: string, record: CommandRecord): Promise<void>;
  command(gateway: string, id: string): Promise<CommandRecord | undefined>;
  commandByKey(gateway: string, idempotencyKey: string): Promise<CommandRecord | undefined>;
  /** Newest first. `open` selects those that have not ended. */
  commands(gateway: string, options: { limit: number; range?: TimeRange; open?: boolean }): Promise<CommandRecord[]>;
  /** A small persisted map: a driver's memory, live channels. Values are JSON; `undefined` forgets the key. */
  remember(gateway: string, scope: string, key: string, value: unknown): Promise<void>;
  recall(gateway: string, scope: string): Promise<Map<string, unknown>>;
  /** Deletes samples older than `beforeNs` of a gateway, and connectivity that later changes make unnecessary; resolves with how many samples. */
  expire(gateway: string, beforeNs: bigint): Promise<number>;
  /** Deletes everything of a gateway: samples, connectivity, commands and what was remembered for it; resolves with how many samples. */
  erase(gateway: string): Promise<number>;
  status(): StoreStatus;
  /** Flushes, commits, ends the workers. Never rejects; any number of times. */
  close(): Promise<void>;
}

export interface StoreStatus {
  /** `memory`: no data folder, everything is gone at restart; `waiting`: another process holds the folder. */
  mode: 'disk' | 'memory' | 'waiting' | 'failed';
  /** In words when `mode` is not `disk`, or when something happened: a damaged file was set aside. */
  detail?: string;
  /** Samples waiting for their commit. */
  pending: number;
  committed: number;
  /** Samples refused by a bound or lost to a failed commit. */
  dropped: number;
  commits: number;
  bytesOnDisk: number;
  /** Samples deleted before their retention was over, because the history reached its bound. */
  trimmed?: number;
  /** Times a worker ended by itself and was started again. */
  restarts?: number;
}
  /** How many series there are, and whether new ones were refused. Costs no trip to a worker. */
  cardinality(gateway: string): Cardinality;
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

  /** What an acknowledged commit survives: the death of the process, or a power cut too. Absent until it is open, and in memory. */
  durability?: 'commit' | 'power-loss';
