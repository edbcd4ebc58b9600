/** Rows of named values as text: CSV with the care of `text.ts`, NDJSON with 64-bit integers as strings of digits. */
import type { Value } from '../../contract/sample.ts';
import { csvText } from './text.ts';

export type Row<N extends string> = Record<N, Value>;

export interface RowWriter<N extends string> {
  type: string;
  head: string;
  row(row: Row<N>): string;
}

export function rowsAs<N extends string>(format: 'csv' | 'ndjson', columns: readonly N[]): RowWriter<N> {
  if (format === 'ndjson') {
    return {
      type: 'application/x-ndjson',
      head: '',
      row: (row) => `${JSON.stringify(Object.fromEntries(columns.map((name) => [name, spell(row[name])])))}\n`,
    };
  }
  return {
    type: 'text/csv; charset=utf-8; header=present',
    head: `${columns.join(',')}\r\n`,
    row: (row) => `${columns.map((name) => cell(row[name])).join(',')}\r\n`,
  };
}

function spell(value: Value): Value {
  return typeof value === 'bigint' ? String(value) : value;
}

function cell(value: Value): string {
  return value === null ? '' : typeof value === 'string' ? csvText(value) : String(value);
}
