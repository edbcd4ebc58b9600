/** Samples out of Arrow IPC bytes, a stream or a file, as `arrow-stream.ts` writes them; others' tables with the same columns are read too. */
import { isUtf8 } from 'node:buffer';
import { DataType, type RecordBatch, RecordBatchReader, TimeUnit, type Vector } from 'apache-arrow';
import { ByteBuffer } from 'flatbuffers';
import { type ColumnKind, columnKinds, type Value } from '../contract/sample.ts';

/** A row; what it holds is still to be checked. */
export interface ArrowRow {
  time: bigint | undefined;
  device: unknown;
  point: unknown;
  /** The first value column that is not null, and its name. */
  value: Value;
  kind: ColumnKind | undefined;
  quality: unknown;
  reason: unknown;
  /** False if its column of texts has bytes that are no UTF-8: they are read as replacement characters. */
  isUtf8: boolean;
}

const nsPerUnit: Readonly<Record<TimeUnit, bigint>> = {
  [TimeUnit.SECOND]: 1_000_000_000n,
  [TimeUnit.MILLISECOND]: 1_000_000n,
  [TimeUnit.MICROSECOND]: 1_000n,
  [TimeUnit.NANOSECOND]: 1n,
};

// Arrow's metadata are flatbuffers, and their reader believes any count: one damaged byte has it make two thousand million objects, which takes all
// memory and with it the process. An element takes a byte at least, so a list has no more elements than there are bytes behind its count.
const countOf = ByteBuffer.prototype.__vector_len;
ByteBuffer.prototype.__vector_len = function (this: ByteBuffer, offset: number): number {
  const count = countOf.call(this, offset);
  const behind = this.capacity() - offset - this.readInt32(offset) - 4;
  if (count < 0 || count > behind) throw new RangeError(`a list of ${count} elements in ${behind} bytes`);
  return count;
};

/** Goes through the batches one by one. Throws an Error with a message in words if it is no Arrow or breaks off. */
export function* readArrow(bytes: Uint8Array): Generator<ArrowRow> {
  let rows = 0;
  try {
    for (const batch of RecordBatchReader.from(bytes)) {
      const at = columnsOf(batch);
      for (let row = 0; row < batch.numRows; row += 1) {
        rows += 1;
        yield at(row);
      }
    }
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError || !(error instanceof Error)) {
      throw new Error(`is no Arrow IPC stream or file, or breaks off after row ${rows}`);
    }
    throw new Error(`cannot be read as Arrow after row ${rows}: ${error.message}`);
  }
}

function columnsOf(batch: RecordBatch): (row: number) => ArrowRow {
  const column = (name: string) => batch.getChild(name) ?? undefined;
  const [time, device, point, quality, reason, kind] = ['time', 'device', 'point', 'quality', 'reason', 'kind'].map(column);
  const values = columnKinds.flatMap((name) => {
    const vector = column(name);
    return vector ? [{ name, vector }] : [];
  });
  if (!time || !device || !point || values.length === 0) {
    const there = batch.schema.fields.map(({ name }) => name).join(', ');
    throw new Error(`it has the columns ${there}; there must be time, device, point and at least one of ${columnKinds.join(', ')}`);
  }
  const timeAt = timesOf(time);
  const isText = values.every(({ vector }) => holdsUtf8(vector));
  return (row) => {
    const found = values.find(({ vector }) => vector.get(row) !== null);
    const said: unknown = kind?.get(row);
    return {
      time: timeAt(row),
      device: device.get(row),
      point: point.get(row),
      value: (found?.vector.get(row) as Value | undefined) ?? null,
      kind: found?.name ?? columnKinds.find((name) => name === said),
      quality: quality?.get(row) ?? undefined,
      reason: reason?.get(row) ?? undefined,
      isUtf8: isText,
    };
  };
}

/** The library gives milliseconds; here no nanosecond may be lost. */
function timesOf(vector: Vector): (row: number) => bigint | undefined {
  if (!DataType.isTimestamp(vector.type)) throw new Error(`its column time is of the type ${vector.type}; allowed is a timestamp`);
  const perUnit = nsPerUnit[vector.type.unit as TimeUnit];
  const times = vector.toArray() as BigInt64Array;
  // The number of rows is only said, up to 2^63; what is there are the bytes.
  if (times.length < vector.length) throw new Error(`it says ${vector.length} rows and has the times of ${times.length}`);
  return (row) => (vector.isValid(row) ? (times[row] ?? 0n) * perUnit : undefined);
}

/** Columns of numbers do. */
function holdsUtf8({ type, data }: Vector): boolean {
  if (DataType.isDictionary(type)) return data.every(({ dictionary }) => !dictionary || holdsUtf8(dictionary));
  return !(DataType.isUtf8(type) || DataType.isLargeUtf8(type)) || data.every((chunk) => isUtf8(chunk.values as Uint8Array));
}
