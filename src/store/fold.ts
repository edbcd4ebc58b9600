import type { DatabaseSync } from 'node:sqlite';
import { limits } from '../contract/limits.ts';
import type { ColumnKind } from '../contract/sample.ts';
import { type Chunk, type Chunks, fewChunks } from './chunks.ts';
import type { Head } from './head.ts';
import { orderRows } from './order.ts';
import { int64Max } from './place.ts';
import { concatRows, placeOf, type Rows, sliceRows } from './rows.ts';
import { transaction, troubleOf } from './schema.ts';

/** A chunk of so many rows stays as it is: full ones are cut at the end of a page, at two thirds at the earliest. */
const fullRows = Math.floor(limits.storeChunkRowsMax * 0.65);

/**
 * Puts rows among the chunks of their series. Rows after the last chunk are the rule; late ones go into the chunk they fall into, or between
 * two. Three chunks that are not much larger than what follows them are merged with it, until they are full: so a slow series has no more than three small
 * chunks of each size, a size being four times the next, and each of its samples is written again only once a size.
 */
export function placeRows(chunks: Chunks, series: number, kind: ColumnKind, rows: Rows): void {
  const newest = chunks.few(series, int64Max);
  if (newest[0] && newest[0].last >= (rows.times[0] as bigint)) placeLate(chunks, series, kind, rows);
  else write(chunks, series, kind, rows, newest);
}

/** Rows of which some are not after all there is. */
function placeLate(chunks: Chunks, series: number, kind: ColumnKind, rows: Rows): void {
  for (let from = 0; from < rows.length; ) {
    const time = rows.times[from] as bigint;
    const before = chunks.upTo(series, time);
    const [next] = chunks.after(series, time, int64Max, 1);
    const to = next ? placeOf(rows.times, next.first, from) : rows.length;
    let part = sliceRows(rows, from, to);
    let first = time;
    if (before && before.last >= time) {
      const old = chunks.read(kind, before);
      // One that cannot be read has been reported; it makes room, because chunks must not overlap.
      chunks.remove(before);
      if (old) part = orderRows(concatRows([old, part]));
      first = before.first;
    }
    write(chunks, series, kind, part, chunks.few(series, first));
    from = to;
  }
}

/** Writes rows as chunks, together with those `before` them, newest first, if these are small: `fewChunks`, none of them twice as large. */
function write(chunks: Chunks, series: number, kind: ColumnKind, rows: Rows, before: readonly Chunk[]): void {
  let part = rows;
  let small = before;
  for (;;) {
    const wanted = mergedAtOnce(series, small);
    const merged = small.slice(0, wanted);
    const isFew = merged.length < wanted || merged.some((one) => one.rows >= Math.min(2 * part.length, fullRows));
    const old = isFew ? [] : readAll(chunks, kind, merged);
    if (old.length < wanted) break;
    for (const one of merged) chunks.remove(one);
    part = concatRows([...old.reverse(), part]);
    small = chunks.few(series, merged.at(-1)?.first ?? 0n);
  }
  chunks.write(series, kind, part);
}

/**
 * Mostly `fewChunks`, now and then one less. Series that are polled together would all be due in the same fold, every sixteenth of which would take five times
 * as long as the others; so they soon drift apart.
 */
function mergedAtOnce(series: number, [newest]: readonly Chunk[]): number {
  const drawn = Math.imul(series ^ Math.imul(Number(BigInt.asIntN(32, newest?.first ?? 0n)), 0x9e3779b1), 0x85ebca6b) >>> 29;
  return drawn < 2 ? fewChunks - 1 : fewChunks;
}

/** Up to the first that cannot be read. */
function readAll(chunks: Chunks, kind: ColumnKind, list: readonly Chunk[]): Rows[] {
  const all: Rows[] = [];
  for (const chunk of list) {
    const rows = chunks.read(kind, chunk);
    if (!rows) break;
    all.push(rows);
  }
  return all;
}

export interface Folder {
  /** Folds all that is in the head now; with one under way it waits for that and folds the rest. */
  fold(): Generator<void, void>;
  readonly isBusy: boolean;
}

/**
 * Moves the head into chunks, series by series, in transactions of some milliseconds. Each of them says how far it came, so that a reader
 * never sees a sample twice or not at all and a fold that was interrupted goes on where it was; the log is deleted at the end.
 */
export function createFolder(database: DatabaseSync, head: Head, chunks: Chunks, kindOf: (series: number) => ColumnKind): Folder {
  const saveMark = database.prepare('UPDATE fold SET done = ?, target = ?, upto = ?');
  const listLog = database.prepare('SELECT seq FROM log WHERE seq <= ?');
  const deleteLog = database.prepare('DELETE FROM log WHERE seq = ?');
  let busy = false;

  function* foldOnce(): Generator<void, void> {
    const { mark } = head;
    const target = mark.target > mark.done ? mark.target : head.last;
    const series = head.series(target, mark.target > mark.done ? mark.upto : 0);
    for (let at = 0; at < series.length; ) {
      let next = at;
      chunks.transaction(() => {
        next = at;
        const endMs = performance.now() + limits.storeSliceMs;
        do {
          const id = series[next++] as number;
          const rows = head.nextRowsOf(id, target);
          if (rows) placeRows(chunks, id, kindOf(id), rows);
        } while (next < series.length && performance.now() < endMs);
        saveMark.run(mark.done, target, series[next - 1] ?? 0);
      });
      head.mark = { done: mark.done, target, upto: series[next - 1] ?? 0 };
      at = next;
      yield;
    }
    transaction(database, () => saveMark.run(target, target, 0));
    head.mark = { done: target, target, upto: 0 };
    yield* deleteThrough(target);
  }

  function* deleteThrough(target: number): Generator<void, void> {
    const old = listLog.all(target).map((row) => Number(row.seq));
    /** Their pages are damaged and stay; nobody reads them any more. */
    const broken = new Set<number>();
    for (let at = 0; at < old.length; ) {
      let next = at;
      try {
        transaction(database, () => {
          const endMs = performance.now() + limits.storeSliceMs;
          for (; next < old.length && performance.now() < endMs; next++) if (!broken.has(old[next] ?? 0)) deleteLog.run(old[next] ?? 0);
        });
        at = next;
      } catch (error) {
        if (troubleOf(error).kind !== 'damaged' || broken.has(old[next] ?? 0)) throw error;
        broken.add(old[next] ?? 0);
      }
      yield;
    }
  }

  return {
    get isBusy() {
      return busy;
    },

    *fold() {
      while (busy) yield;
      busy = true;
      try {
        if (head.mark.target > head.mark.done) yield* foldOnce();
        if (head.last > head.mark.done) yield* foldOnce();
      } finally {
        busy = false;
      }
    },
  };
}
