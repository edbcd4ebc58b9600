import { type ColumnKind, columnKinds, qualities, type Reason, type Sample } from '../contract/sample.ts';
import type { Catalogue, SeriesRecord } from './catalogue.ts';
import { type Batch, type RecordWrite, type SeriesRow, slot } from './messages.ts';

/** A sample that waits for its commit, with the series it belongs to. */
export interface Placed {
  record: SeriesRecord;
  sample: Sample;
}

/** Writes samples into columns; series that the database does not know yet go with them. */
export function encodeBatch(rows: readonly Placed[], records: RecordWrite[], catalogue: Catalogue): Batch {
  const size = rows.length;
  const bits = new BigInt64Array(size);
  const batch: Batch = {
    series: [],
    ids: new Uint32Array(size),
    times: new BigInt64Array(size),
    arrivals: new BigInt64Array(size),
    bits,
    slots: new Uint8Array(size),
    quality: new Uint8Array(size),
    texts: [],
    reasons: new Uint16Array(size),
    reasonNames: [''],
    records,
  };
  const doubles = new Float64Array(bits.buffer);
  const fresh = new Map<SeriesRecord, SeriesRow>();
  const reasonIndex = new Map<Reason, number>([['', 0]]);
  for (const [row, { record, sample }] of rows.entries()) {
    const id = catalogue.idOf(record);
    if (!record.stored && !fresh.has(record)) {
      fresh.set(record, {
        id,
        gateway: record.gateway,
        device: record.key.device,
        point: record.key.point,
        kind: columnKinds.indexOf(record.kind),
      });
    }
    batch.ids[row] = id;
    batch.times[row] = sample.timeNs;
    batch.arrivals[row] = sample.arrivalNs;
    batch.quality[row] = qualities.indexOf(sample.quality);
    batch.slots[row] = putValue(batch, doubles, row, record.kind, sample);
    let reason = reasonIndex.get(sample.reason);
    if (reason === undefined) {
      reason = batch.reasonNames.push(sample.reason) - 1;
      reasonIndex.set(sample.reason, reason);
    }
    batch.reasons[row] = reason;
  }
  batch.series = [...fresh.values()];
  return batch;
}

/** `kindFor` chose the kind, so the value fits it. */
function putValue(batch: Batch, doubles: Float64Array, row: number, kind: ColumnKind, { value }: Sample): number {
  if (value === null) return slot.none;
  switch (kind) {
    case 'double':
      doubles[row] = Number(value);
      return slot.double;
    case 'string':
      batch.bits[row] = BigInt(batch.texts.push(String(value)) - 1);
      return slot.text;
    default:
      // A uint64 beyond int64 is taken modulo 2^64: the same bits.
      batch.bits[row] = BigInt(value);
      return slot.integer;
  }
}

export function buffersOfBatch(batch: Batch): ArrayBuffer[] {
  return [batch.ids, batch.times, batch.arrivals, batch.bits, batch.slots, batch.quality, batch.reasons].map((array) => array.buffer);
}
