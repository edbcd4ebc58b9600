import type { DatabaseSync } from 'node:sqlite';
import { type ColumnKind, columnKinds } from '../contract/sample.ts';
import type { Chunks } from './chunks.ts';
import { placeRows } from './fold.ts';
import { blanks, doublesOf, type Rows, reasonPlace } from './rows.ts';

/** Rows of the old table in one transaction. */
const rowsAtOnce = 32_768;

/** A row of version 1: time, lag, value (REAL, INTEGER, TEXT or null), quality, reason. */
type OldRow = [time: bigint, lag: bigint, value: number | bigint | string | null, quality: bigint, reason: string | null];

/**
 * Version 1 kept a row a sample in the table `sample`. Takes them into chunks, series by series; each slice is one transaction that also deletes
 * what it took, so that it can end at any moment and goes on at the next opening.
 */
export function* migrateSamples(database: DatabaseSync, chunks: Chunks): Generator<void, void> {
  if (!database.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'sample'").get()) return;
  const read = database.prepare(`SELECT time, lag, value, quality, reason FROM sample WHERE series = ? ORDER BY time LIMIT ${rowsAtOnce}`);
  read.setReadBigInts(true);
  read.setReturnArrays(true);
  const remove = database.prepare('DELETE FROM sample WHERE series = ? AND time <= ?');
  for (const { id, kind } of database.prepare('SELECT id, kind FROM series').all()) {
    for (let taken = rowsAtOnce; taken === rowsAtOnce; ) {
      chunks.transaction(() => {
        const old = read.all(id as number) as unknown as OldRow[];
        taken = old.length;
        const last = old.at(-1);
        if (!last) return;
        const known = columnKinds[Number(kind)];
        if (known) placeRows(chunks, Number(id), known, rowsOf(known, old));
        remove.run(id as number, last[0]);
      });
      yield;
    }
  }
  database.exec('DROP TABLE sample');
}

function rowsOf(kind: ColumnKind, old: readonly OldRow[]): Rows {
  const length = old.length;
  const rows: Rows = {
    length,
    times: BigInt64Array.from(old, ([time]) => time),
    lags: BigInt64Array.from(old, ([, lag]) => lag),
    bits: new BigInt64Array(length),
    valid: Uint8Array.from(old, ([, , value]) => (value === null ? 0 : 1)),
    quality: Uint8Array.from(old, ([, , , quality]) => Number(quality)),
    reasons: Uint16Array.from(old, ([, , , , reason]) => reasonPlace(reason ?? '')),
  };
  const doubles = doublesOf(rows);
  if (kind === 'string') rows.texts = blanks(length);
  for (const [index, [, , value]] of old.entries()) {
    if (typeof value === 'number') doubles[index] = value;
    else if (typeof value === 'bigint') rows.bits[index] = value;
    else if (value !== null && rows.texts) rows.texts[index] = value;
  }
  return rows;
}
