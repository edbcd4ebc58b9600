/**
 * Long frames: a row a sample, labels as string columns (`timeseries-long`, `numeric-long`). Every string column is a dimension of the
 * series to Alerting, so only labels are strings here: text values, units, qualities and reasons are enums, which it passes over.
 */
import type { Cells, Field, FieldConfig } from './frame.ts';
import type { Order } from './merge.ts';
import { qualityField, type Series, textField } from './series.ts';

/** The columns of a long frame for these rows in this order; the time column is the caller's. */
export function longFields(series: readonly Series[], order: Order, extra: { units: boolean; quality: boolean }): Field[] {
  const rows = order.row.length;
  const each = <T>(cellOf: (series: Series, row: number) => T): T[] =>
    Array.from({ length: rows }, (_, i) => cellOf(series[order.series[i] ?? 0] as Series, order.row[i] ?? 0));
  const names = [...new Set(series.flatMap((one) => Object.keys(one.labels)))];
  const fields: Field[] = names.map((name) => ({ name, type: 'string', values: each((one) => one.labels[name] ?? '') }));
  const numbers = each((one, row) => numberAt(one.value, row));
  fields.push({
    name: 'value',
    type: 'float64',
    values: Float64Array.from(numbers, (number) => number ?? 0),
    valid: Uint8Array.from(numbers, (number) => (number === null ? 0 : 1)),
    config: sharedConfig(series),
  });
  if (series.some(hasText))
    fields.push(
      textField(
        'text',
        each((one, row) => (hasText(one) ? textAt(one, row) : null)),
      ),
    );
  if (extra.units)
    fields.push(
      textField(
        'unit',
        each((one) => one.config.unit ?? null),
      ),
    );
  if (extra.quality) {
    fields.push(qualityField('quality', Uint8Array.from(each((one, row) => one.quality?.[row] ?? 0))));
    fields.push(
      textField(
        'reason',
        each((one, row) => one.reasons?.[row] ?? ''),
      ),
    );
  }
  return fields;
}

/** Booleans count as 0 and 1, 64-bit integers are rounded to a double (`text` has their digits), texts have no number. */
export function numberAt(cells: Cells, row: number): number | null {
  if (cells.valid && cells.valid[row] !== 1) return null;
  const value = cells.values[row];
  return value === undefined || cells.type === 'string' ? null : Number(value);
}

function hasText(series: Series): boolean {
  return (
    series.value.type === 'string' ||
    series.value.type === 'int64' ||
    series.value.type === 'uint64' ||
    series.config.mappings !== undefined
  );
}

/** The value as people call it: the name of the state, the text, all digits. */
function textAt(series: Series, row: number): string | null {
  if (series.value.valid && series.value.valid[row] !== 1) return null;
  const value = series.value.values[row];
  if (value === undefined) return null;
  const key = series.value.type === 'boolean' ? String(value === 1) : String(value);
  return series.config.mappings?.[0]?.options[key]?.text ?? key;
}

/** Display settings of the value column: only what holds for every row. */
function sharedConfig(series: readonly Series[]): FieldConfig {
  const first = series[0]?.config ?? {};
  const same = <K extends keyof FieldConfig>(key: K) => series.every((one) => one.config[key] === first[key]);
  return {
    ...(first.unit !== undefined && same('unit') ? { unit: first.unit } : {}),
    ...(first.decimals !== undefined && same('decimals') ? { decimals: first.decimals } : {}),
  };
}
