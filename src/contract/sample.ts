/** What a device said: the words every room shares. No I/O here. */

/** A value as a device holds it. Integers beyond 2^53 are `bigint`; everything else is the plain JavaScript type. */
export type Value = number | bigint | boolean | string | null;

/** 0, 1, 2 in frames and on disk (DESIGN §2). */
export const qualities = ['good', 'uncertain', 'bad'] as const;
export type Quality = (typeof qualities)[number];

/** Why a sample is not simply good; the empty string says nothing is wrong. */
export type Reason =
  | ''
  | 'timeout'
  | `exception-${number}`
  | 'crc'
  | 'stale'
  | 'sentinel'
  | 'out-of-range'
  | 'decode'
  | 'offline'
  | 'clock'
  | 'nan';

/** Nanoseconds since 1970 in UTC; the resolution is 1 ms unless a point asks for finer. */
export type TimeNs = bigint;

/** One reading of one point, after the value pipeline (DESIGN §5): engineering units, quality and reason settled. */
export interface Sample {
  /** The time the value is valid for: the device's own if it sent one that can be believed, else `arrivalNs`. */
  timeNs: TimeNs;
  /** When it reached the gateway. */
  arrivalNs: TimeNs;
  /** `null` with quality `bad` (no usable value) or with reason `nan`. */
  value: Value;
  quality: Quality;
  reason: Reason;
}

/** What names a series inside one gateway: `device` and `point`. Labels describe it and may change without making a new one. */
export interface SeriesKey {
  device: string;
  point: string;
}

/** How the values of a series are held: exact 64-bit integers stay apart from doubles. */
export const columnKinds = ['double', 'int64', 'uint64', 'boolean', 'string'] as const;
export type ColumnKind = (typeof columnKinds)[number];

/**
 * Samples of one series as columns of equal length, ordered by time: what the store returns and frames are built from.
 * `valid[i] === 0` means null; the value slot then holds the zero of its type. `reasons[i]` is '' where nothing is wrong.
 */
export interface Columns {
  kind: ColumnKind;
  /** Nanoseconds since 1970. */
  times: BigInt64Array;
  values: Float64Array | BigInt64Array | BigUint64Array | Uint8Array | string[];
  valid: Uint8Array;
  /** 0 good, 1 uncertain, 2 bad. */
  quality: Uint8Array;
  /** Absent where every reason is ''. */
  reasons?: Reason[];
}

/** `boiler.flow_temp`: how people write a series. Device ids may hold dots, point ids may not, so the last dot divides. */
export function seriesName(key: SeriesKey): string {
  return `${key.device}.${key.point}`;
}
