import { limits } from '../contract/limits.ts';
import type { ColumnKind, Reason } from '../contract/sample.ts';
import type { Ends } from './messages.ts';
import { int64Max, int64Min } from './place.ts';
import type { Reading } from './reading.ts';
import { doublesOf, type Rows, reasonNames } from './rows.ts';

/** Looks up the first and the last sample of series; those without samples are absent. Pauses now and then: each costs a chunk to read. */
export function createEnds(reading: Reading, kindOf: (series: number) => ColumnKind): (ids: Iterable<number>) => Generator<void, Ends> {
  /** The piece of rows that ends with the newest. */
  function newest(id: number, kind: ColumnKind): Rows | undefined {
    for (let toNs = int64Max; ; ) {
      const { pieces, reached } = reading.backward(id, kind, int64Min, toNs, 1);
      if (pieces[0] || reached === undefined) return pieces[0];
      toNs = reached;
    }
  }

  return function* (ids) {
    const found: {
      id: number;
      first: bigint;
      last: bigint;
      arrival: bigint;
      value: Ends['values'][number];
      quality: number;
      reason: Reason;
    }[] = [];
    let sinceYield = performance.now();
    for (const id of ids) {
      const kind = kindOf(id);
      const rows = newest(id, kind);
      if (rows) {
        const place = rows.length - 1;
        const last = rows.times[place] ?? 0n;
        found.push({
          id,
          first: reading.first(id) ?? last,
          last,
          arrival: BigInt.asIntN(64, last + (rows.lags?.[place] ?? 0n)),
          value: valueAt(kind, rows, place),
          quality: rows.quality?.[place] ?? 0,
          reason: reasonNames[rows.reasons?.[place] ?? 0] ?? '',
        });
      }
      if (performance.now() - sinceYield > limits.storeSliceMs) {
        yield;
        sinceYield = performance.now();
      }
    }
    return {
      ids: Uint32Array.from(found, (end) => end.id),
      firsts: BigInt64Array.from(found, (end) => end.first),
      lasts: BigInt64Array.from(found, (end) => end.last),
      arrivals: BigInt64Array.from(found, (end) => end.arrival),
      values: found.map((end) => end.value),
      quality: Uint8Array.from(found, (end) => end.quality),
      reasons: found.map((end) => end.reason),
    };
  };
}

function valueAt(kind: ColumnKind, rows: Rows, place: number): Ends['values'][number] {
  if (rows.valid?.[place] === 0) return null;
  if (kind === 'string') return rows.texts?.[place] ?? '';
  return kind === 'double' ? (doublesOf(rows)[place] ?? null) : (rows.bits[place] ?? null);
}
