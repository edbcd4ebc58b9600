/** `timeseries-wide`: one frame, one time column, a column a series. Where a series has no row at a time there is a hole. */
import { cell, type Field, type Frame } from './frame.ts';
import { mergeByTime } from './merge.ts';
import { timeField } from './multi.ts';
import { isNumeric, qualityField, type Series, textField } from './series.ts';
import { spread } from './spread.ts';

export interface WideResult {
  frame: Frame;
  /** Rows left out, the oldest, because the frame would have had more than `cellsMax` cells. */
  cutRows: number;
}

export interface WideOptions {
  cellsMax: number;
  intervalMs?: number;
  /**
   * `enum` unless said. `text` for a frame that is gone on with: the names of an enum are in the schema, which later packets do not repeat, so that a
   * reason that is new would have no name.
   */
  reasons?: 'enum' | 'text';
}

/** Times are unique in a wide frame: of two samples of a series at one time the later stays. */
export function wideFrame(series: readonly Series[], options: WideOptions): WideResult {
  const columns = series.reduce((sum, one) => sum + (one.quality ? 3 : 1), 1);
  const { times, places, cutRows } = layOut(series, Math.max(1, Math.floor(options.cellsMax / columns)));
  const fields: Field[] = [timeField(times, options.intervalMs)];
  series.forEach((one, i) => {
    const rows = places[i] ?? new Int32Array();
    fields.push(valueField(one, rows));
    if (one.quality) fields.push(...qualityFields(one, rows, options.reasons ?? 'enum'));
  });
  return { frame: { meta: series.some(isNumeric) ? { type: 'timeseries-wide' } : {}, fields }, cutRows };
}

/** The times of all series, each once, the newest `rowsMax` of them; and for every series, for each of them, its row there or −1. */
function layOut(series: readonly Series[], rowsMax: number): { times: BigInt64Array; places: Int32Array[]; cutRows: number } {
  const order = mergeByTime(series.map((one) => one.times));
  const times = new BigInt64Array(order.row.length);
  const rows = new Uint32Array(order.row.length);
  let count = 0;
  for (let i = 0; i < order.row.length; i += 1) {
    const time = series[order.series[i] ?? 0]?.times[order.row[i] ?? 0] ?? 0n;
    if (count === 0 || times[count - 1] !== time) {
      times[count] = time;
      count += 1;
    }
    rows[i] = count - 1;
  }
  const cutRows = Math.max(0, count - rowsMax);
  const places = series.map(() => new Int32Array(count - cutRows).fill(-1));
  for (let i = 0; i < order.row.length; i += 1) {
    const row = (rows[i] ?? 0) - cutRows;
    const own = places[order.series[i] ?? 0];
    if (own && row >= 0) own[row] = order.row[i] ?? 0;
  }
  return { times: times.subarray(cutRows, count), places, cutRows };
}

function valueField(series: Series, places: Int32Array): Field {
  const cells = spread(series.value, places, cell.hole);
  const holes = cells.valid?.includes(cell.hole) ?? false;
  const nulls = cells.valid?.includes(cell.null) ?? false;
  // A hole only says that another series was sampled at that time; a line broken there would look like an outage.
  const config = holes && !nulls ? { ...series.config, custom: { ...series.config.custom, spanNulls: true } } : series.config;
  return { ...cells, name: series.name, labels: series.labels, config };
}

function qualityFields(series: Series, places: Int32Array, reasonsAs: 'enum' | 'text'): Field[] {
  const quality = Uint8Array.from(places, (place) => (place < 0 ? 0 : (series.quality?.[place] ?? 0)));
  const valid = Uint8Array.from(places, (place) => (place < 0 ? cell.hole : cell.value));
  const reasons = Array.from(places, (place) => (place < 0 ? null : (series.reasons?.[place] ?? '')));
  const name = `${series.name} reason`;
  const reason: Field =
    reasonsAs === 'enum' ? textField(name, reasons) : { name, type: 'string', values: reasons.map((one) => one ?? ''), valid };
  return [qualityField(`${series.name} quality`, quality, valid), reason];
}
