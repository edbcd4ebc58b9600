import { columnKinds, qualities, type Reason, type Sample } from '../contract/sample.ts';
import type { Catalogue, SeriesRecord } from './catalogue.ts';
import { type Batch, type RecordWrite, type SeriesRow, slot } from './messages.ts';

/** Bytes of one row in all columns together. */
const rowBytes = 32;

/** Columns of so many rows in one buffer, the widest first; one buffer is made, grown and transferred faster than seven. */
function columnsOf(capacity: number) {
  const buffer = new ArrayBuffer(capacity * rowBytes);
  return {
    buffer,
    capacity,
    bits: new BigInt64Array(buffer, 0, capacity),
    doubles: new Float64Array(buffer, 0, capacity),
    times: new BigInt64Array(buffer, capacity * 8, capacity),
    arrivals: new BigInt64Array(buffer, capacity * 16, capacity),
    /** Places in `#series`; when it is sealed, their numbers in the database. */
    ids: new Uint32Array(buffer, capacity * 24, capacity),
    reasons: new Uint16Array(buffer, capacity * 28, capacity),
    slots: new Uint8Array(buffer, capacity * 30, capacity),
    quality: new Uint8Array(buffer, capacity * 31, capacity),
  };
}

let batches = 0;

/** What goes to disk in one commit while it is gathered. Samples are written into columns at once, so that nothing of them waits on the heap. */
export class OpenBatch {
  readonly records: RecordWrite[] = [];
  rows = 0;
  /** Tells a series whether its place is one in this batch. */
  readonly #number = ++batches;
  readonly #series: SeriesRecord[] = [];
  readonly #texts: string[] = [];
  readonly #reasonNames: Reason[] = [''];
  #columns = columnsOf(0);

  /** Makes room for so many rows more. */
  reserve(rows: number): void {
    const before = this.#columns;
    const needed = this.rows + rows;
    if (needed <= before.capacity) return;
    const grown = columnsOf(Math.max(needed, 2 * before.capacity));
    grown.bits.set(before.bits);
    grown.times.set(before.times);
    grown.arrivals.set(before.arrivals);
    grown.ids.set(before.ids);
    grown.reasons.set(before.reasons);
    grown.slots.set(before.slots);
    grown.quality.set(before.quality);
    this.#columns = grown;
  }

  /** `kindFor` chose the series, so the value fits its kind; `reserve` made room. */
  put(series: SeriesRecord, sample: Sample): void {
    const columns = this.#columns;
    const row = this.rows++;
    columns.ids[row] = this.#placeOf(series);
    columns.times[row] = sample.timeNs;
    columns.arrivals[row] = sample.arrivalNs;
    if (sample.quality !== 'good') columns.quality[row] = qualities.indexOf(sample.quality);
    if (sample.reason !== '') columns.reasons[row] = this.#placeOfReason(sample.reason);
    const { value } = sample;
    if (value === null) return;
    switch (series.kind) {
      case 'double':
        columns.doubles[row] = Number(value);
        columns.slots[row] = slot.double;
        return;
      case 'string':
        columns.bits[row] = BigInt(this.#texts.push(String(value)) - 1);
        columns.slots[row] = slot.text;
        return;
      default:
        // A uint64 beyond int64 is taken modulo 2^64: the same bits.
        columns.bits[row] = BigInt(value);
        columns.slots[row] = slot.integer;
    }
  }

  /** As it is sent to the worker, with the series that the database does not know yet. Nothing is put in any more. */
  seal(catalogue: Catalogue): Batch {
    const { rows } = this;
    const { bits, times, arrivals, ids, reasons, slots, quality } = this.#columns;
    const numbers = new Uint32Array(this.#series.length);
    const fresh: SeriesRow[] = [];
    for (let place = 0; place < numbers.length; place++) {
      const series = this.#series[place] as SeriesRecord;
      const id = catalogue.idOf(series);
      numbers[place] = id;
      if (!series.stored) fresh.push(rowOf(series, id));
    }
    for (let row = 0; row < rows; row++) ids[row] = numbers[ids[row] as number] as number;
    return {
      series: fresh,
      ids: ids.subarray(0, rows),
      times: times.subarray(0, rows),
      arrivals: arrivals.subarray(0, rows),
      bits: bits.subarray(0, rows),
      slots: slots.subarray(0, rows),
      quality: quality.subarray(0, rows),
      texts: this.#texts,
      reasons: reasons.subarray(0, rows),
      reasonNames: this.#reasonNames,
      records: this.records,
    };
  }

  #placeOf(series: SeriesRecord): number {
    if (series.batch !== this.#number) {
      series.batch = this.#number;
      series.place = this.#series.push(series) - 1;
    }
    return series.place;
  }

  #placeOfReason(reason: Reason): number {
    const known = this.#reasonNames.indexOf(reason);
    return known >= 0 ? known : this.#reasonNames.push(reason) - 1;
  }
}

function rowOf({ gateway, key, kind }: SeriesRecord, id: number): SeriesRow {
  return { id, gateway, device: key.device, point: key.point, kind: columnKinds.indexOf(kind) };
}

/** The buffers of a batch, to be transferred: its columns share one. */
export function buffersOfBatch(batch: Batch): ArrayBuffer[] {
  return [batch.ids.buffer];
}
