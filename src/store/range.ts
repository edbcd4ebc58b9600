import type { Columns } from '../contract/sample.ts';
import { ColumnBuilder } from './column.ts';
import type { Calls, ReadAsk } from './messages.ts';
import { type Scan, sliceRows } from './scan.ts';

interface Cursor {
  id: number;
  builder: ColumnBuilder;
  /** Everything from here on is read. */
  frontier: bigint;
  done: boolean;
  /** Ended by the row bound before its range was through. */
  pruned: boolean;
}

export const worstQuality = { good: 0, usable: 1, all: 2 } as const;

/**
 * Raw samples, newest first: the series whose part read so far reaches back least goes next, so that the newest `rowsMax` rows of all
 * series together are found without reading much beyond them.
 */
export function* readRange(scan: Scan, ask: ReadAsk & { rowsMax: number }): Generator<void, Calls['range']['answer']> {
  const worst = worstQuality[ask.quality];
  const rowsMax = Math.max(1, ask.rowsMax);
  const rows = sliceRows(rowsMax, ask.ids.length);
  const cursors = ask.ids.map(
    (id, index): Cursor => ({ id, builder: new ColumnBuilder(ask.kinds[index] ?? 0), frontier: ask.toNs, done: false, pruned: false }),
  );
  let low = ask.fromNs;
  let total = 0;
  let bounded = false;

  for (;;) {
    const cursor = newestOpen(cursors);
    if (!cursor) break;
    const before = cursor.builder.length;
    const reached = scan.backward(cursor.id, low, cursor.frontier, rows, (time, value, quality, reason) => {
      if (quality <= worst) cursor.builder.push(time, value, quality, reason);
    });
    total += cursor.builder.length - before;
    if (reached === undefined) {
      cursor.done = true;
      cursor.pruned = bounded;
    } else cursor.frontier = reached;
    if (!bounded && total > rowsMax) {
      // As many rows as are asked for are here: nothing older than the oldest of them can be among the newest.
      bounded = true;
      low = threshold(cursors, total, rowsMax);
      for (const other of cursors) {
        if (other.done || other.frontier > low) continue;
        other.done = true;
        other.pruned = true;
      }
    }
    yield;
  }
  const keep = total > rowsMax ? keepNewest(cursors, total, rowsMax) : cursors.map((cursor) => cursor.builder.length);
  return cursors.flatMap((cursor, index): { id: number; columns: Columns; cut: boolean }[] => {
    const kept = keep[index] ?? 0;
    const cut = cursor.pruned || kept < cursor.builder.length;
    return kept > 0 || cut ? [{ id: cursor.id, columns: cursor.builder.finish(kept), cut }] : [];
  });
}

function newestOpen(cursors: readonly Cursor[]): Cursor | undefined {
  let newest: Cursor | undefined;
  for (const cursor of cursors) {
    if (!cursor.done && (newest === undefined || cursor.frontier > newest.frontier)) newest = cursor;
  }
  return newest;
}

/** The time of the `rowsMax`-th newest row. */
function threshold(cursors: readonly Cursor[], total: number, rowsMax: number): bigint {
  const times = new BigInt64Array(total);
  let at = 0;
  for (const { builder } of cursors) {
    times.set(builder.times(), at);
    at += builder.length;
  }
  return times.sort()[total - rowsMax] ?? 0n;
}

/** How many rows of each series are among the newest `rowsMax`; where several rows share the oldest time that still fits, the first series have it. */
function keepNewest(cursors: readonly Cursor[], total: number, rowsMax: number): number[] {
  const oldest = threshold(cursors, total, rowsMax);
  const newer = cursors.map(({ builder }) => {
    const times = builder.times();
    let count = 0;
    while (count < times.length && (times[count] ?? oldest) > oldest) count++;
    return count;
  });
  let room = rowsMax - newer.reduce((sum, count) => sum + count, 0);
  return cursors.map(({ builder }, index) => {
    const count = newer[index] ?? 0;
    if (room === 0 || builder.times()[count] !== oldest) return count;
    room -= 1;
    return count + 1;
  });
}
