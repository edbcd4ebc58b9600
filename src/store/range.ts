import { limits } from '../contract/limits.ts';
import { type ColumnKind, columnKinds } from '../contract/sample.ts';
import type { Calls, RangeAsk } from './messages.ts';
import { int64Max, int64Min } from './place.ts';
import type { Reading } from './reading.ts';
import { Room } from './room.ts';
import { columnsOf, concatRows, placeOf, type Rows, rowsOfQuality, sliceRows } from './rows.ts';
import type { Slabs } from './slabs.ts';

interface Cursor {
  id: number;
  kind: ColumnKind;
  /** Newest first; each in order of time. */
  pieces: Rows[];
  length: number;
  /** Everything from here on is read. */
  frontier: bigint;
  done: boolean;
  /** Ended by the row bound before its range was through. */
  pruned: boolean;
  /** Where a large result is put together. */
  room: Room | undefined;
}

type Answer = Calls['range']['answer'];

export const worstQuality = { good: 0, usable: 1, all: 2 } as const;

/**
 * Raw samples, newest first: the series whose part read so far reaches back least goes next, so that the newest `rowsMax` rows of all
 * series together are found without reading much beyond them.
 */
export function* readRange(reading: Reading, ask: RangeAsk, slabs: Slabs): Generator<void, Answer> {
  const rooms: Room[] = [];
  let answer: Answer = [];
  try {
    answer = yield* readInto(rooms, reading, ask, slabs);
    return answer;
  } finally {
    // Of a read that is given up, and of one that was put together elsewhere.
    const lent = new Set(answer.map(({ columns }) => columns.times.buffer));
    slabs.giveBack(rooms.flatMap(({ slab }) => (slab && !lent.has(slab) ? [slab] : [])));
  }
}

/** `rooms` is filled with those that are taken. */
function* readInto(rooms: Room[], reading: Reading, ask: RangeAsk, slabs: Slabs): Generator<void, Answer> {
  const worst = worstQuality[ask.quality];
  const rowsMax = Math.max(1, ask.rowsMax);
  const atOnce = Math.min(limits.storeSliceRows, Math.max(64, Math.ceil(rowsMax / Math.max(1, ask.ids.length)) + 1));
  const cursors = ask.ids.map(
    (id, index): Cursor => ({
      id,
      kind: columnKinds[ask.kinds[index] ?? 0] ?? 'double',
      pieces: [],
      length: 0,
      frontier: ask.toNs,
      done: ask.fromNs >= ask.toNs,
      pruned: false,
      room: undefined,
    }),
  );
  let low = ask.fromNs;
  let total = 0;
  let bounded = false;

  /** On the same moment of the history as the first slice, which is mostly the only one. */
  const readFirst = (): boolean => {
    for (const cursor of cursors) {
      cursor.room = roomFor(reading, cursor.id, ask, slabs);
      if (cursor.room) rooms.push(cursor.room);
    }
    return readSlice();
  };

  /** Reads a slice's worth; false when there is nothing left to read. */
  const readSlice = (): boolean => {
    const endMs = performance.now() + limits.storeSliceMs;
    for (let read = 0; read < limits.storeSliceRows && performance.now() < endMs; ) {
      const cursor = newestOpen(cursors);
      if (!cursor) return false;
      const { pieces, reached } = reading.backward(cursor.id, cursor.kind, low, cursor.frontier, atOnce, cursor.room);
      for (const piece of pieces) {
        read += piece.length;
        const rows = rowsOfQuality(piece, worst);
        if (rows.length === 0) continue;
        cursor.pieces.push(rows);
        cursor.length += rows.length;
        total += rows.length;
      }
      if (reached === undefined) {
        cursor.done = true;
        cursor.pruned = bounded;
      } else cursor.frontier = reached;
      if (!bounded && total > rowsMax) {
        // As many rows as are asked for are here: nothing older than the oldest of them can be among the newest.
        bounded = true;
        low = threshold(cursors, rowsMax);
        for (const other of cursors) {
          if (other.done || other.frontier > low) continue;
          other.done = true;
          other.pruned = true;
        }
      }
    }
    return true;
  };
  for (let goesOn = reading.atOnce(readFirst); goesOn; goesOn = reading.atOnce(readSlice)) yield;
  const keep = total > rowsMax ? keepNewest(cursors, rowsMax) : cursors.map(({ length }) => length);
  return cursors.flatMap((cursor, index): Answer => {
    const kept = keep[index] ?? 0;
    const cut = cursor.pruned || kept < cursor.length;
    return kept > 0 || cut ? [{ id: cursor.id, columns: columnsOf(cursor.kind, newest(cursor.pieces, kept)), cut }] : [];
  });
}

/** Of many series none is large, or all are cut. */
const seriesWithRoomMax = 16;

/** Room for what is in chunks, with one more chunk for where the rows end that are wanted. A small result is put together of what the cache has. */
function roomFor(reading: Reading, id: number, ask: RangeAsk, slabs: Slabs): Room | undefined {
  const { ids, fromNs, toNs, rowsMax } = ask;
  if (ids.length > seriesWithRoomMax) return undefined;
  const rows = Math.min(reading.rowsWithin(id, fromNs, toNs), rowsMax + limits.storeChunkRowsMax);
  return rows > limits.storeRoomRowsMin ? new Room(rows, ask.lend ? slabs.take(16 * rows) : undefined) : undefined;
}

function newestOpen(cursors: readonly Cursor[]): Cursor | undefined {
  let newestCursor: Cursor | undefined;
  for (const cursor of cursors) {
    if (!cursor.done && (newestCursor === undefined || cursor.frontier > newestCursor.frontier)) newestCursor = cursor;
  }
  return newestCursor;
}

/** The newest `keep` rows of pieces, in order of time. */
function newest(pieces: readonly Rows[], keep: number): Rows {
  const kept: Rows[] = [];
  let left = keep;
  for (const piece of pieces) {
    if (left === 0) break;
    const size = Math.min(left, piece.length);
    kept.push(sliceRows(piece, piece.length - size, piece.length));
    left -= size;
  }
  return concatRows(kept.reverse());
}

/** The time of the `rowsMax`-th newest row, found by halving: all times together would have to be sorted otherwise. */
function threshold(cursors: readonly Cursor[], rowsMax: number): bigint {
  let low = int64Min;
  let high = int64Max;
  while (low < high) {
    const middle = high - (high - low) / 2n;
    const count = cursors.reduce((sum, cursor) => sum + rowsFrom(cursor, middle), 0);
    if (count >= rowsMax) low = middle;
    else high = middle - 1n;
  }
  return low;
}

/** How many rows are at `time` or later. */
function rowsFrom({ pieces }: Cursor, time: bigint): number {
  let count = 0;
  for (const { times, length } of pieces) {
    const place = placeOf(times, time);
    count += length - place;
    if (place > 0) break;
  }
  return count;
}

/** How many rows of each series are among the newest `rowsMax`; where several rows share the oldest time that still fits, the first series have it. */
function keepNewest(cursors: readonly Cursor[], rowsMax: number): number[] {
  const oldest = threshold(cursors, rowsMax);
  const newer = cursors.map((cursor) => rowsFrom(cursor, oldest + 1n));
  let room = rowsMax - newer.reduce((sum, count) => sum + count, 0);
  return cursors.map((cursor, index) => {
    const count = newer[index] ?? 0;
    if (room === 0 || rowsFrom(cursor, oldest) === count) return count;
    room -= 1;
    return count + 1;
  });
}
