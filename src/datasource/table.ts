/** Columns of a table from its rows. */
import type { Field, FieldConfig } from '../frame/frame.ts';

export function string<R>(name: string, rows: readonly R[], of: (row: R) => string, config?: FieldConfig): Field {
  return { name, type: 'string', values: rows.map(of), ...(config ? { config } : {}) };
}

/** Undefined is null. */
export function number<R>(name: string, rows: readonly R[], of: (row: R) => number | undefined, config?: FieldConfig): Field {
  const values = rows.map(of);
  return {
    name,
    type: 'float64',
    values: Float64Array.from(values, (value) => value ?? 0),
    ...(values.includes(undefined) ? { valid: Uint8Array.from(values, (value) => (value === undefined ? 0 : 1)) } : {}),
    ...(config ? { config } : {}),
  };
}

/** Nanoseconds since 1970. */
export function time<R>(name: string, rows: readonly R[], of: (row: R) => bigint): Field {
  return { name, type: 'time', values: BigInt64Array.from(rows, of) };
}

export function json<R>(name: string, rows: readonly R[], of: (row: R) => unknown): Field {
  return { name, type: 'json', values: rows.map((row) => JSON.stringify(of(row))) };
}

/** Undefined is null. */
export function boolean<R>(name: string, rows: readonly R[], of: (row: R) => boolean | undefined): Field {
  const values = rows.map(of);
  return {
    name,
    type: 'boolean',
    values: Uint8Array.from(values, (value) => (value ? 1 : 0)),
    ...(values.includes(undefined) ? { valid: Uint8Array.from(values, (value) => (value === undefined ? 0 : 1)) } : {}),
  };
}
