import { limits } from '../contract/limits.ts';
import { columnKinds, qualities, type Reason, type Sample } from '../contract/sample.ts';
import type { Catalogue, SeriesRecord } from './catalogue.ts';
import { type Batch, type RecordWrite, type SeriesRow, slot } from './messages.ts';

/** Bytes of one row in all columns together. */
const rowBytes = 32;

/**
 * Columns of so many rows in one buffer, the widest first; one buffer is made and grown faster than seven. It is shared with the worker: nothing is
 * copied, what could not be committed is still here, and it can be used again.
 */
function columnsOf(capacity: number) {
  const buffer = new SharedArrayBuffer(capacity * rowBytes);
  return {
    capacity,
    bits: new BigInt64Array(buffer, 0, capacity),
    doubles: new Float64Array(buffer, 0, capacity),
    times: new BigInt64Array(buffer, capacity * 8, capacity),
    arrivals: new BigInt64Array(buffer, capacity * 16, capacity),
    /** In `#series`. */
    places: new Uint32Array(buffer, capacity * 24, capacity),
    reasons: new Uint16Array(buffer, capacity * 28, capacity),
    slots: new Uint8Array(buffer, capacity * 30, capacity),
    quality: new Uint8Array(buffer, capacity * 31, capacity),
  };
}

type RowColumns = ReturnType<typeof columnsOf>;

/** Columns of batches that are committed, for the next ones. */
export class SpareColumns {
  readonly #spare: RowColumns[] = [];

  /** For so many rows at least; nothing is in them. */
  take(capacity: number): RowColumns {
    const found = this.#spare.findIndex((one) => one.capacity >= capacity);
    const [columns] = found < 0 ? [] : this.#spare.splice(found, 1);
    return columns ?? columnsOf(capacity);
  }

  /** So many rows of them were used. */
  give(columns: RowColumns, rows: number): void {
    // What is only written where it is not zero; whoever reads the others looks at the slots first.
    columns.slots.fill(0, 0, rows);
    columns.quality.fill(0, 0, rows);
    columns.reasons.fill(0, 0, rows);
    this.#spare.push(columns);
    if (this.#spare.length <= limits.storeSpareBatches) return;
    this.#spare.sort((one, other) => other.capacity - one.capacity).pop();
  }
}

let batches = 0;

/** What goes to disk in one commit while it is gathered. Samples are written into columns at once, so that nothing of them waits on the heap. */
export class OpenBatch {
  readonly records: RecordWrite[] = [];
  rows = 0;
  /** UTF-16 units of its texts. */
  textUnits = 0;
  /** It was sent to the worker: it takes no more samples, and is sent again as it is. */
  isSealed = false;
  /** Tells a series whether its place is one in this batch. */
  readonly #number = ++batches;
  readonly #series: SeriesRecord[] = [];
  readonly #texts: string[] = [];
  readonly #reasonNames: Reason[] = [''];
  readonly #spare: SpareColumns;
  #columns: RowColumns | undefined;

  constructor(spare: SpareColumns) {
    this.#spare = spare;
  }

  /** Makes room for so many rows more. */
  reserve(rows: number): void {
    const before = this.#columns;
    const needed = this.rows + rows;
    if (needed <= (before?.capacity ?? 0)) return;
    const grown = this.#spare.take(Math.max(needed, 2 * (before?.capacity ?? 0)));
    this.#columns = grown;
    if (!before) return;
    grown.bits.set(before.bits);
    grown.times.set(before.times);
    grown.arrivals.set(before.arrivals);
    grown.places.set(before.places);
    grown.reasons.set(before.reasons);
    grown.slots.set(before.slots);
    grown.quality.set(before.quality);
    this.#spare.give(before, this.rows);
  }

  /** Nobody looks at its samples any more. */
  release(): void {
    if (this.#columns) this.#spare.give(this.#columns, this.rows);
    this.#columns = undefined;
  }

  /** `kindFor` chose the series, so the value fits its kind; `reserve` made room. */
  put(series: SeriesRecord, sample: Sample): void {
    const columns = this.#columns as RowColumns;
    const row = this.rows++;
    columns.places[row] = this.#placeOf(series);
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
      case 'string': {
        const text = String(value);
        this.textUnits += text.length;
        columns.bits[row] = BigInt(this.#texts.push(text) - 1);
        columns.slots[row] = slot.text;
        return;
      }
      default:
        // A uint64 beyond int64 is taken modulo 2^64: the same bits.
        columns.bits[row] = BigInt(value);
        columns.slots[row] = slot.integer;
    }
  }

  /** As it is sent to the worker, with the series that the database does not know yet and the numbers that it has for them today. */
  seal(catalogue: Catalogue): Batch {
    this.isSealed = true;
    const { rows } = this;
    this.#columns ??= this.#spare.take(0);
    const { bits, times, arrivals, places, reasons, slots, quality } = this.#columns;
    const numbers = new Uint32Array(this.#series.length);
    const fresh: SeriesRow[] = [];
    for (let place = 0; place < numbers.length; place++) {
      const series = this.#series[place] as SeriesRecord;
      const id = catalogue.idOf(series);
      numbers[place] = id;
      if (!series.stored) fresh.push(rowOf(series, id));
    }
    return {
      series: fresh,
      numbers,
      places: places.subarray(0, rows),
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
