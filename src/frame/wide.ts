/** `timeseries-wide`: one frame, one time column, a column a series. Where a series has no row at a time there is a hole. */
import { cell, type Field, type Frame } from './frame.ts';
import { mergeByTime, type Order } from './merge.ts';
import { timeField } from './multi.ts';
import { isNumeric, qualityField, type Series, textField } from './series.ts';
import { placesOf, spread } from './spread.ts';

export interface WideResult {
  frame: Frame;
  /** Rows left out, the oldest, because the frame would have had more than `cellsMax` cells. */
  cutRows: number;
}

/** Times are unique in a wide frame: of two samples of a series at one time the later stays. */
export function wideFrame(series: readonly Series[], options: { cellsMax: number; intervalMs?: number }): WideResult {
  const order = mergeByTime(series.map((one) => one.times));
  const all = uniqueTimes(series, order);
  const rowsMax = Math.max(1, Math.floor(options.cellsMax / (series.length + 1)));
  const cutRows = Math.max(0, all.length - rowsMax);
  const times = all.subarray(cutRows);
  const places = series.map((one) => placesOf(one.times, times));
  const fields: Field[] = [timeField(times, options.intervalMs)];
  series.forEach((one, i) => {
    const rows = places[i] ?? new Int32Array();
    fields.push(valueField(one, rows));
    if (one.quality) fields.push(...qualityFields(one, rows));
  });
  return { frame: { meta: series.some(isNumeric) ? { type: 'timeseries-wide' } : {}, fields }, cutRows };
}

function uniqueTimes(series: readonly Series[], order: Order): BigInt64Array {
  const times = new BigInt64Array(order.row.length);
  let count = 0;
  for (let i = 0; i < order.row.length; i += 1) {
    const time = series[order.series[i] ?? 0]?.times[order.row[i] ?? 0] ?? 0n;
    if (count > 0 && times[count - 1] === time) continue;
    times[count] = time;
    count += 1;
  }
  return times.subarray(0, count);
}

function valueField(series: Series, places: Int32Array): Field {
  const cells = spread(series.value, places, cell.hole);
  const holes = cells.valid?.includes(cell.hole) ?? false;
  const nulls = cells.valid?.includes(cell.null) ?? false;
  // A hole only says that another series was sampled at that time; a line broken there would look like an outage.
  const config = holes && !nulls ? { ...series.config, custom: { ...series.config.custom, spanNulls: true } } : series.config;
  return { ...cells, name: series.name, labels: series.labels, config };
}

function qualityFields(series: Series, places: Int32Array): Field[] {
  const quality = Uint8Array.from(places, (place) => (place < 0 ? 0 : (series.quality?.[place] ?? 0)));
  const valid = Uint8Array.from(places, (place) => (place < 0 ? cell.hole : cell.value));
  const reasons = Array.from(places, (place) => (place < 0 ? null : (series.reasons?.[place] ?? '')));
  return [qualityField(`${series.name} quality`, quality, valid), textField(`${series.name} reason`, reasons)];
}
