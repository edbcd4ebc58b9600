/**
 * A data frame as Grafana knows it (sdk data/frame.go): named columns of equal length with labels and display settings.
 * Built from typed arrays without copying; `arrow.ts` and `json.ts` write it.
 */

/** What a cell of `valid` says. A hole is null in Arrow; in Live JSON it is `undefined`, which charts draw across instead of breaking the line. */
export const cell = { null: 0, value: 1, hole: 2 } as const;

/** `valid` has one byte a row (see `cell`); absent means every row has a value. Boolean and enum values are one element a row. */
export type Cells =
  /** Nanoseconds since 1970. */
  | { type: 'time'; values: BigInt64Array; valid?: Uint8Array }
  | { type: 'float64'; values: Float64Array; valid?: Uint8Array }
  | { type: 'int64'; values: BigInt64Array; valid?: Uint8Array }
  | { type: 'uint64'; values: BigUint64Array; valid?: Uint8Array }
  /** 0 or 1. */
  | { type: 'boolean'; values: Uint8Array; valid?: Uint8Array }
  | { type: 'string'; values: readonly string[]; valid?: Uint8Array }
  /** Each a JSON text, which whoever reads it gets as what it means. */
  | { type: 'json'; values: readonly string[]; valid?: Uint8Array }
  /** The same to whoever reads it, for columns of few texts and many rows: indices into `texts`. */
  | { type: 'coded'; values: Uint16Array; texts: readonly string[]; valid?: Uint8Array }
  /** Indices into `config.type.enum.text`. Shown as text, and unlike a string column never a dimension of a series in Alerting. */
  | { type: 'enum'; values: Uint16Array; valid?: Uint8Array };

export type CellType = Cells['type'];

export type Field = Cells & { name: string; labels?: Record<string, string>; config?: FieldConfig };

/** The keys of Grafana's FieldConfig that we use; the host drops unknown ones (facts/grafana.md §2.9). */
export interface FieldConfig {
  displayNameFromDS?: string;
  description?: string;
  unit?: string;
  decimals?: number;
  min?: number;
  max?: number;
  /** On a time field: milliseconds between rows, from which bars get their width. */
  interval?: number;
  mappings?: ValueMapping[];
  /** The first step has no value: it holds below all others. */
  thresholds?: { mode: 'absolute'; steps: { value: number | null; color: string }[] };
  type?: { enum: { text: string[] } };
  custom?: Record<string, unknown>;
}

/** Keyed by the value as JavaScript prints it: `"1"`, `"true"`, `"OFF"`. */
export interface ValueMapping {
  type: 'value';
  options: Record<string, { text: string; color?: string; index: number }>;
}

/** Types of Grafana's data-plane contract that we answer with. */
export type FrameType =
  | 'timeseries-multi'
  | 'timeseries-wide'
  | 'timeseries-long'
  | 'numeric-multi'
  | 'numeric-wide'
  | 'numeric-long'
  | 'log-lines';

export interface Notice {
  severity: 'info' | 'warning' | 'error';
  text: string;
}

export interface FrameMeta {
  /** Absent on frames that are no series: Alerting passes over them. */
  type?: FrameType;
  notices?: Notice[];
  /** `ds/<uid>/live/<hash>`: where the live continuation of this frame is. */
  channel?: string;
  preferredVisualisationType?: 'graph' | 'table' | 'logs' | 'trace';
  /** What was run, for the query inspector. */
  executedQueryString?: string;
  custom?: Record<string, unknown>;
}

export interface Frame {
  name?: string;
  refId?: string;
  meta?: FrameMeta;
  fields: Field[];
}

/** Rows of a frame. Throws if the columns differ in length: such a frame makes the host refuse the whole answer. */
export function rowsOf(frame: Frame): number {
  const rows = frame.fields[0]?.values.length ?? 0;
  for (const field of frame.fields) {
    const valid = field.valid?.length ?? rows;
    if (field.values.length !== rows || valid !== rows) {
      throw new Error(
        `frame ${frame.name ?? ''}: column ${field.name} has ${field.values.length} rows and ${valid} marks, the first column has ${rows}`,
      );
    }
  }
  return rows;
}

/** The data-plane version goes with every type (that of log lines is 0.0); without the pair Alerting does not trust the type (grafana pkg/expr/dataplane.go). */
export function metaJson(meta: FrameMeta): Record<string, unknown> {
  return { ...meta, typeVersion: meta.type === undefined || meta.type === 'log-lines' ? [0, 0] : [0, 1] };
}

export function withNotices(meta: FrameMeta, notices: Notice[]): FrameMeta {
  return notices.length > 0 ? { ...meta, notices } : meta;
}
