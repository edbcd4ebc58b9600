import type { DatabaseSync } from 'node:sqlite';
import { limits } from '../contract/limits.ts';
import type { ColumnKind } from '../contract/sample.ts';
import type { Chunk, Chunks } from './chunks.ts';
import type { Head } from './head.ts';
import { orderRows } from './order.ts';
import { int64Max, int64Min } from './place.ts';
import type { Room } from './room.ts';
import { concatRows, type Rows, rowsBetween, sliceRows } from './rows.ts';
import { troubleOf } from './schema.ts';

/**
 * Takes a chunk that has nothing in the head beside it; `read` gives its samples, or those from one place to before another (without `lags`, and good
 * until the next are read), or undefined if they are damaged.
 */
export type TakeChunk = (chunk: Chunk, read: ReadChunk) => void;
export type ReadChunk = (from?: number, to?: number) => Rows | undefined;

export interface Reading {
  /** Runs several of these on one moment of the history. */
  atOnce<T>(run: () => T): T;
  /** Rows of `fromNs <= time < toNs`, newest piece first, about `rows` of them; `reached`: all from there on has been given, undefined: all. */
  backward(
    id: number,
    kind: ColumnKind,
    fromNs: bigint,
    toNs: bigint,
    rows: number,
    room?: Room,
  ): { pieces: Rows[]; reached: bigint | undefined };
  /** The same oldest first, as rows or as chunks (which may reach beyond the range); `reached`: all before that has been given. */
  forward(id: number, kind: ColumnKind, fromNs: bigint, toNs: bigint, take: (rows: Rows) => void, takeChunk: TakeChunk): bigint | undefined;
  /** At most so many rows are in the range. */
  rowsWithin(id: number, fromNs: bigint, toNs: bigint): number;
  /** Time of the first sample; undefined if there is none. */
  first(id: number): bigint | undefined;
}

/** Chunks that one call leaves in the cache: a small read's all; a large one would only push out those of others. */
const keptAtOnce = 4;

/** Chunks listed at once. */
const chunksAtOnce = 64;

/**
 * Reads chunks and head as one. Each call sees one moment of the history, and the next goes on by time, so that folds and deletions in between
 * neither hide nor repeat a sample.
 */
export function createReading(database: DatabaseSync, head: Head, chunks: Chunks, sync: (() => void) | undefined): Reading {
  /** One snapshot of the file for the log, the mark and the chunks; whoever writes itself needs none. */
  let isInside = false;
  function atOnce<T>(run: () => T): T {
    if (!sync || isInside) return run();
    isInside = true;
    database.exec('BEGIN');
    try {
      sync();
      return run();
    } finally {
      isInside = false;
      end();
    }
  }

  /** A transaction that came upon broken pages ends with their error; what was read of the others is good. */
  function end(): void {
    try {
      database.exec('COMMIT');
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK');
      if (troubleOf(error).kind !== 'damaged') throw error;
    }
  }

  return {
    atOnce,

    backward: (id, kind, fromNs, toNs, wanted, room) =>
      atOnce(() => {
        const newest = head.rowsOf(id, fromNs, toNs);
        const pieces: Rows[] = [];
        let got = 0;
        const add = (rows: Rows | undefined) => {
          if (!rows || rows.length === 0) return;
          pieces.push(rows);
          got += rows.length;
        };
        const addNewest = (from: bigint, to: bigint) => {
          const rows = newest && rowsBetween(newest, from, to);
          if (rows && rows.length > 0) add(room ? room.move(rows) : rows);
        };
        let upper = toNs;
        const atMost = Math.min(chunksAtOnce, 1 + Math.ceil(wanted / limits.storeChunkRowsMax));
        const listed = chunks.newest(id, fromNs, toNs, atMost);
        for (const [index, chunk] of listed.entries()) {
          addNewest(chunk.last + 1n, upper);
          const end = upper <= chunk.last ? upper : chunk.last + 1n;
          const beside = newest && rowsBetween(newest, chunk.first, end);
          const stored = chunks.read(kind, chunk, { room, keep: index < keptAtOnce });
          const inside = stored && rowsBetween(stored, fromNs, end);
          add(beside && beside.length > 0 ? orderRows(concatRows(inside ? [inside, beside] : [beside])) : inside);
          upper = chunk.first;
          if (got >= wanted) break;
        }
        if (upper <= fromNs) return { pieces, reached: undefined };
        const isEnd = listed.length < atMost && upper === (listed.at(-1)?.first ?? toNs);
        if (!isEnd) return { pieces, reached: upper };
        addNewest(fromNs, upper);
        return { pieces, reached: undefined };
      }),

    forward: (id, kind, fromNs, toNs, take, takeChunk) =>
      atOnce(() => {
        const newest = head.rowsOf(id, fromNs, toNs);
        let lower = fromNs;
        let decoded = 0;
        let kept = 0;
        const listed = chunks.oldest(id, fromNs, toNs, chunksAtOnce);
        for (const [index, chunk] of listed.entries()) {
          const before = newest && rowsBetween(newest, lower, chunk.first);
          if (before && before.length > 0) take(before);
          const beside = newest && rowsBetween(newest, chunk.first, chunk.last + 1n);
          let whole: { rows: Rows | undefined } | undefined;
          let part: ReturnType<Chunks['inParts']> | undefined;
          const read = (from?: number, to = chunk.rows) => {
            decoded += to - (from ?? 0);
            if (from !== undefined && !whole && kept >= keptAtOnce) {
              part ??= chunks.inParts(kind, chunk);
              return part(from, to);
            }
            // Of a small read the whole is wanted again.
            whole ??= { rows: chunks.read(kind, chunk, { keep: kept++ < keptAtOnce }) };
            return whole.rows && sliceRows(whole.rows, from ?? 0, to);
          };
          if (beside && beside.length > 0) {
            const stored = read();
            take(rowsBetween(orderRows(concatRows(stored ? [stored, beside] : [beside])), fromNs, toNs));
          } else takeChunk(chunk, read);
          lower = chunk.last + 1n;
          if (lower >= toNs) return undefined;
          // The list ends before its last chunk is known to be the last of all.
          if (decoded >= limits.storeSliceRows || index >= chunksAtOnce - 1) return lower;
        }
        const rest = newest && rowsBetween(newest, lower, toNs);
        if (rest && rest.length > 0) take(rest);
        return undefined;
      }),

    rowsWithin: (id, fromNs, toNs) =>
      atOnce(() => {
        const stored = chunks.rowsWithin(id, fromNs, toNs);
        const most = stored + head.mostOf(id);
        // The head is looked into only where there may be much: in a small read that would be half of the work.
        return most > limits.storeRoomRowsMin ? stored + head.countOf(id, fromNs, toNs) : most;
      }),

    first: (id) =>
      atOnce(() => {
        const [oldest] = chunks.oldest(id, int64Min, int64Max, 1);
        const newest = head.rowsOf(id)?.times[0];
        return newest === undefined || (oldest && oldest.first < newest) ? oldest?.first : newest;
      }),
  };
}
