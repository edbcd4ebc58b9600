/**
 * Long frames: a row a sample, labels as string columns (`timeseries-long`, `numeric-long`). Every string column is a dimension of the
 * series to Alerting, so only labels are strings here: text values, units, qualities and reasons are enums, which it passes over.
 * Column by column in plain loops over typed arrays: a call a row and column would cost a million rows seconds.
 */
import { cell, type Field, type FieldConfig } from './frame.ts';
import type { Order } from './merge.ts';
import { qualityField, reasonField, type Series, textField } from './series.ts';

/** The columns of a long frame for these rows in this order; the time column is `longTimes`, or the caller's. */
export function longFields(series: readonly Series[], order: Order, extra: { units: boolean; quality: boolean }): Field[] {
  const names = [...new Set(series.flatMap((one) => Object.keys(one.labels)))];
  const fields = names.map((name) => labelField(name, series, order));
  fields.push(valueField(series, order));
  if (series.some(hasText)) fields.push(textField('text', rowsOf(series.map(textsOf), order)));
  if (extra.units) {
    const units = series.map((one) => one.config.unit ?? null);
    fields.push(
      textField(
        'unit',
        Array.from(order.series, (from) => units[from] ?? null),
      ),
    );
  }
  if (extra.quality) {
    const rows = order.row.length;
    const qualities = series.map((one) => one.quality ?? new Uint8Array(one.times.length));
    fields.push(qualityField('quality', gather(new Uint8Array(rows), qualities, order)));
    const reasons = series.some((one) => one.reasons)
      ? rowsOf(
          series.map((one) => one.reasons),
          order,
        ).map((reason) => reason ?? '')
      : undefined;
    fields.push(reasonField('reason', reasons, rows));
  }
  return fields;
}

/** The time of each row, nanoseconds since 1970. */
export function longTimes(series: readonly Series[], order: Order): BigInt64Array {
  return gather(
    new BigInt64Array(order.row.length),
    series.map(({ times }) => times),
    order,
  );
}

function gather<T extends BigInt64Array | Float64Array | Uint8Array>(to: T, columns: readonly T[], order: Order): T {
  for (let i = 0; i < to.length; i += 1) to[i] = (columns[order.series[i] as number] as T)[order.row[i] as number] as T[number];
  return to;
}

/** Of series without such texts the rows have none. */
function rowsOf<T>(columns: readonly (readonly T[] | undefined)[], order: Order): (T | null)[] {
  const rows = new Array<T | null>(order.row.length);
  for (let i = 0; i < rows.length; i += 1) rows[i] = columns[order.series[i] as number]?.[order.row[i] as number] ?? null;
  return rows;
}

function labelField(name: string, series: readonly Series[], order: Order): Field {
  const ofSeries = series.map((one) => one.labels[name] ?? '');
  const texts = [...new Set(ofSeries)];
  const places = new Map(texts.map((text, place) => [text, place]));
  const codes = Uint16Array.from(ofSeries, (text) => places.get(text) ?? 0);
  const values = new Uint16Array(order.row.length);
  for (let i = 0; i < values.length; i += 1) values[i] = codes[order.series[i] as number] as number;
  return { name, type: 'coded', values, texts };
}

/** Booleans count as 0 and 1, 64-bit integers are rounded to a double (`text` has their digits), texts have no number. */
function valueField(series: readonly Series[], order: Order): Field {
  const rows = order.row.length;
  const valid = series.map(({ value: { type, valid: own }, times }) =>
    type === 'string' || !own ? new Uint8Array(times.length).fill(type === 'string' ? cell.null : cell.value) : own,
  );
  return {
    name: 'value',
    type: 'float64',
    values: gather(new Float64Array(rows), series.map(numbersOf), order),
    valid: gather(new Uint8Array(rows), valid, order),
    config: sharedConfig(series),
  };
}

function numbersOf({ value, times }: Series): Float64Array {
  if (value.type === 'float64') return value.values;
  return value.type === 'string' ? new Float64Array(times.length) : Float64Array.from(value.values as Iterable<number | bigint>, Number);
}

function hasText(series: Series): boolean {
  return (
    series.value.type === 'string' ||
    series.value.type === 'int64' ||
    series.value.type === 'uint64' ||
    series.config.mappings !== undefined
  );
}

/** The values as people call them: the name of the state, the text, all digits. */
function textsOf(series: Series): (string | null)[] | undefined {
  if (!hasText(series)) return undefined;
  const { value, config } = series;
  const names = config.mappings?.[0]?.options ?? {};
  return Array.from({ length: value.values.length }, (_, row) => {
    if (value.valid && value.valid[row] !== cell.value) return null;
    const key = value.type === 'boolean' ? String(value.values[row] === 1) : String(value.values[row]);
    return names[key]?.text ?? key;
  });
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
