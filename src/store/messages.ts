/**
 * What the main thread and the store's workers say to each other: one request, one answer, matched by `id`. Many values travel as
 * columns in typed arrays whose buffers are shared or transferred, never as arrays of objects.
 */
import type { Aggregate } from '../contract/query.ts';
import type { Columns, Reason, SeriesKey } from '../contract/sample.ts';
import type { ConnectivityChange } from '../contract/status.ts';
import type { Grid } from './grid.ts';
import type { AuditCheck, AuditLine, Backup, QualityFilter, SeriesRule } from './store.ts';

/** `memory` does both jobs: a database in memory belongs to one connection. */
export type Role = 'writer' | 'reader' | 'memory';

/** What a commit that is acknowledged survives: the death of the process (`commit`), or a power cut too (`power-loss`: an fsync each). */
export type Durability = 'commit' | 'power-loss';

export interface WorkerSettings {
  role: Role;
  durability: Durability;
  /** Absent for `memory`. */
  folder?: string;
}

/** A series as it is catalogued; `kind` is the index in `columnKinds`. */
export interface SeriesRow {
  id: number;
  gateway: string;
  device: string;
  point: string;
  kind: number;
}

/** What a row's `bits` hold. */
export const slot = { none: 0, double: 1, integer: 2, text: 3 } as const;

/** Samples on their way to disk, as columns of equal length in memory that the main thread has too. */
export interface Batch {
  /** Series that are new in this batch. */
  series: SeriesRow[];
  /** The numbers of all its series, each once. */
  numbers: Uint32Array<ArrayBuffer>;
  /** The place of a sample's series in `numbers`. */
  places: Uint32Array<SharedArrayBuffer>;
  times: BigInt64Array<SharedArrayBuffer>;
  arrivals: BigInt64Array<SharedArrayBuffer>;
  /** 64 bits each: a double, an int64, a uint64's bits, 0 or 1, or an index into `texts`. */
  bits: BigInt64Array<SharedArrayBuffer>;
  /** How `bits` are to be read: a `slot`. */
  slots: Uint8Array<SharedArrayBuffer>;
  quality: Uint8Array<SharedArrayBuffer>;
  texts: string[];
  /** Index into `reasonNames`; 0 is ''. */
  reasons: Uint16Array<SharedArrayBuffer>;
  reasonNames: Reason[];
  records: RecordWrite[];
}

/** Everything else that is written, in the same transaction as the samples that wait with it. */
export type RecordWrite =
  | {
      type: 'command';
      gateway: string;
      id: string;
      key: string | null;
      createdMs: number;
      endedMs: number | null;
      atMs: number;
      json: string;
    }
  | { type: 'connectivity'; gateway: string; change: ConnectivityChange }
  | { type: 'remember'; gateway: string; scope: string; key: string; json: string | null };

/** The first and the last sample of series, as columns. */
export interface Ends {
  ids: Uint32Array<ArrayBuffer>;
  firsts: BigInt64Array<ArrayBuffer>;
  lasts: BigInt64Array<ArrayBuffer>;
  arrivals: BigInt64Array<ArrayBuffer>;
  /** As stored: number, bigint (a uint64's bits as int64), string or null. */
  values: (number | bigint | string | null)[];
  quality: Uint8Array<ArrayBuffer>;
  reasons: Reason[];
}

export interface Expired {
  deleted: number;
  /** Of the series that lost samples; those that are empty now are in `empty`. */
  ends: Ends;
  empty: number[];
  bytes: number;
}

export interface ReadAsk {
  ids: number[];
  kinds: number[];
  fromNs: bigint;
  toNs: bigint;
  quality: QualityFilter;
}

export interface RangeAsk extends ReadAsk {
  rowsMax: number;
  /** A large answer may come in shared memory, to be given back. */
  lend: boolean;
}

export interface BucketColumns {
  id: number;
  times: BigInt64Array<ArrayBuffer>;
  values: Float64Array<ArrayBuffer>;
  exact?: BigInt64Array<ArrayBuffer> | BigUint64Array<ArrayBuffer>;
  texts?: string[];
  state?: string;
  tooManyStates?: true;
  before?: number | bigint | string;
}

export interface BucketAsk extends ReadAsk {
  aggregate: Exclude<Aggregate, 'none'>;
  grid: Grid;
  /** One a series. */
  rules?: SeriesRule[];
  nowNs?: bigint;
  before?: boolean;
}

export interface OutlineAsk extends ReadAsk {
  widthNs: bigint;
  /** As many samples of a series are all given. */
  keepMax: number;
}

/** Every call by its name: what is asked and what is answered. */
export interface Calls {
  open: {
    /** `tells`: the answer has the series; a reader beside a writer need not read them too. */
    ask: { nowMs: number; setAside: boolean; tells: boolean };
    answer: { holder: string } | { series: SeriesRow[]; damaged?: string; bytes: number; durability?: Durability };
  };
  /** `used`: bytes of pages that hold something. `refused` are the records (by index) that hit a bound; everything else is committed. */
  commit: { ask: Batch; answer: { bytes: number; used: number; refused: number[] } };
  /** A tiny write, to see whether the disk takes them again. */
  probe: { ask: null; answer: null };
  expire: { ask: { gateway: string; ids: number[]; beforeNs: bigint }; answer: Expired };
  /** Deletes `fromNs <= time < toNs` of these series. */
  remove: { ask: { ids: number[]; fromNs: bigint; toNs: bigint }; answer: Expired };
  /** Deletes everything of a gateway whose series are these. */
  erase: { ask: { gateway: string; ids: number[] }; answer: Expired };
  /** Deletes the oldest samples until the history is this small. */
  trim: { ask: { bytes: number }; answer: Expired };
  /** Takes series without samples out of the catalogue. */
  forget: { ask: { ids: number[] }; answer: null };
  ends: { ask: { ids: number[] }; answer: Ends };
  giveBack: { ask: { slabs: SharedArrayBuffer[] }; answer: null };
  range: { ask: RangeAsk; answer: { id: number; columns: Columns; cut: boolean }[] };
  buckets: { ask: BucketAsk; answer: BucketColumns[] };
  outline: { ask: OutlineAsk; answer: { id: number; columns: Columns; samples: number }[] };
  /** What series take: samples, and bytes of their chunks. */
  sizes: { ask: { ids: number[] }; answer: { samples: number[]; bytes: number[] } };
  /** Copies the history into the folder of backups; the oldest copies go when there are too many. */
  backup: { ask: { nowMs: number; keep: number }; answer: Backup };
  backups: { ask: null; answer: Backup[] };
  connectivity: { ask: { gateway: string; devices: string[]; fromNs: bigint; toNs: bigint }; answer: ConnectivityChange[] };
  command: { ask: { gateway: string; by: 'id' | 'key'; text: string }; answer: string | null };
  commands: {
    ask: { gateway: string; limit: number; skip: number; fromMs?: number; toMs?: number; open: boolean; target?: SeriesKey };
    answer: string[];
  };
  /** Deletes commands that ended before, and their lines in the audit; answers with how many commands. */
  expireCommands: { ask: { gateway: string; beforeMs: number; nowMs: number }; answer: number };
  audit: { ask: { gateway: string; afterSeq: number; limit: number }; answer: AuditLine[] };
  auditCheck: { ask: { gateway: string }; answer: AuditCheck };
  recall: { ask: { gateway: string; scope: string }; answer: [key: string, json: string][] };
  close: { ask: null; answer: null };
}
export type CallName = keyof Calls;

export interface Request<K extends CallName = CallName> {
  id: number;
  name: K;
  ask: Calls[K]['ask'];
  /** With the first request of a link: cells that all its requests share. In the cell `id % length` stands the number of the last one that nobody waits for any more. */
  stops?: Int32Array<SharedArrayBuffer>;
}

/**
 * `disk`: the medium refuses (full, read-only, input/output error), it may work again later; `damaged`: what is in the file is not a
 * database any more; `died`: the worker ended by itself; `limit`: a bound of ours; `stopped`: the shared cell said so; `bug`: anything else.
 */
export type TroubleKind = 'disk' | 'damaged' | 'died' | 'limit' | 'stopped' | 'bug';

export interface Trouble {
  kind: TroubleKind;
  message: string;
}

/** `damage`: parts of the history that could not be read since the last answer, in words. */
export type Answer = { id: number; damage?: string[] } & ({ value: unknown } | { trouble: Trouble });

/** How a trouble of the worker is thrown on the main thread, and inside the worker where its kind is known. */
export class StoreTrouble extends Error {
  readonly kind: TroubleKind;

  constructor(kind: TroubleKind, message: string) {
    super(message);
    this.name = 'StoreTrouble';
    this.kind = kind;
  }
}
