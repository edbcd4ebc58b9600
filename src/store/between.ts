/** What buckets are made of that look at the time or the way between samples: they have to know what was before the range, and what came last. */
import type { ColumnKind } from '../contract/sample.ts';
import type { Reading } from './reading.ts';
import { doublesOf, type Rows, sliceRows } from './rows.ts';

const int64Min = -(2n ** 63n);

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
