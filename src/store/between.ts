/** What buckets are made of that look at the time or the way between samples: they have to know what was before the range, and what came last. */
import type { ColumnKind } from '../contract/sample.ts';
import { int64Min } from './place.ts';
import type { Reading } from './reading.ts';
import { doublesOf, pickRows, type Rows, rowsOfQuality, sliceRows } from './rows.ts';

/** How the values of rows are read: numbers, exact integers or texts. */
export function valuesOf(kind: ColumnKind, rows: Rows): Float64Array | BigInt64Array | BigUint64Array | string[] {
  switch (kind) {
    case 'double':
      return doublesOf(rows);
    case 'boolean':
      return Float64Array.from(rows.bits, Number);
    case 'uint64':
      return new BigUint64Array(rows.bits.buffer, rows.bits.byteOffset, rows.length);
    case 'int64':
      return rows.bits;
    case 'string':
      return rows.texts ?? new Array<string>(rows.length).fill('');
  }
}

/** Whether a row says something: it is no null, and no worse than is asked for. */
export function isUsable(rows: Rows, index: number, worst: number): boolean {
  return rows.valid?.[index] !== 0 && (rows.quality?.[index] ?? 0) <= worst;
}

/** The rows that say something; the same object if all do. */
export function usableRows(all: Rows, worst: number): Rows {
  const rows = rowsOfQuality(all, worst);
  const { valid, length } = rows;
  if (!valid) return rows;
  const order = new Uint32Array(length);
  let count = 0;
  for (let index = 0; index < length; index++) if (valid[index] !== 0) order[count++] = index;
  return count === length ? rows : pickRows(rows, order.subarray(0, count));
}

/** Nanoseconds from the first row on; undefined where they are more than a double counts, a hundred days. */
export function distances({ times, length }: Rows): Float64Array | undefined {
  const span = length === 0 ? 0 : Number((times[length - 1] as bigint) - (times[0] as bigint));
  if (span > Number.MAX_SAFE_INTEGER) return undefined;
  // Halves of 32 bits, because a bigint for each time would cost more than all the rest.
  const words = new Uint32Array(times.buffer, times.byteOffset, length * 2);
  const high = new Int32Array(times.buffer, times.byteOffset, length * 2);
  const from = new Float64Array(length);
  for (let index = 0; index < length; index++) {
    const upper = (high[2 * index + 1] as number) - (high[1] as number);
    from[index] = upper * 4_294_967_296 + ((words[2 * index] as number) - (words[0] as number));
  }
  return from;
}

/**
 * The last row before a time: any, or with `worst` the last usable one. Undefined if there is none. Pauses between chunks: a device may have
 * been silent for a year.
 */
export function* lastBefore(
  reading: Reading,
  id: number,
  kind: ColumnKind,
  time: bigint,
  worst?: number,
): Generator<void, Rows | undefined> {
  for (let toNs = time; ; ) {
    const { pieces, reached } = reading.backward(id, kind, int64Min, toNs, 1);
    for (const rows of pieces) {
      for (let index = rows.length - 1; index >= 0; index--) {
        if (worst === undefined || isUsable(rows, index, worst)) return sliceRows(rows, index, index + 1);
      }
    }
    if (reached === undefined) return undefined;
    toNs = reached;
    yield;
  }
}
