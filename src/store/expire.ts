import type { DatabaseSync } from 'node:sqlite';
import { limits } from '../contract/limits.ts';
import type { ColumnKind } from '../contract/sample.ts';
import type { Chunks } from './chunks.ts';
import type { createEnds } from './ends.ts';
import type { Folder } from './fold.ts';
import type { Head } from './head.ts';
import type { Expired } from './messages.ts';
import { int64Min } from './place.ts';
import { placeOf, sliceRows } from './rows.ts';
import { pragma, usedBytes } from './schema.ts';

/** Pages given back between two looks at what else waits: 1 MiB of 4 KiB pages. */
const vacuumPages = 256;

/** Share of the span of time that one step of trimming takes away: coarse enough to end soon, fine enough not to take much too much. */
const trimSteps = 20n;

/** Later than any sample can be. */
const afterAll = 2n ** 63n;

export interface ExpirerParts {
  database: DatabaseSync;
  head: Head;
  chunks: Chunks;
  folder: Folder;
  endsOf: ReturnType<typeof createEnds>;
  kindOf: (series: number) => ColumnKind;
}

/** Deletes old samples in slices, so that commits go on between them, and gives the space back. */
export function createExpirer({ database, head, chunks, folder, endsOf, kindOf }: ExpirerParts) {
  const allSeries = database.prepare('SELECT id FROM series');
  const removeSeries = database.prepare('DELETE FROM series WHERE id = ? AND NOT EXISTS (SELECT 1 FROM chunk WHERE series = ?)');
  const span = database.prepare('SELECT min(first) AS oldest, max(last) AS newest FROM chunk');
  span.setReadBigInts(true);
  // The last change before the limit stays: it is the state at the beginning of what is kept.
  const removeConnectivity = database.prepare(
    `DELETE FROM connectivity WHERE gateway = ?1 AND time < ?2 AND time <
       (SELECT max(time) FROM connectivity AS newer WHERE newer.gateway = ?1 AND newer.device = connectivity.device AND newer.time < ?2)`,
  );
  const removeCommands = database.prepare(
    `DELETE FROM command WHERE gateway = ?1 AND ended IS NOT NULL AND seq <= (SELECT seq FROM command WHERE gateway = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ${limits.commandsKeptMax})`,
  );

  /** Chunks within the range go as they are; one that reaches beyond it is written again without what lies inside. */
  function* removeWithin(ids: readonly number[], fromNs: bigint, toNs: bigint): Generator<void, number> {
    let deleted = 0;
    let done = { at: 0, fromNs, count: 0 };
    while (done.at < ids.length) {
      let next = done;
      // A transaction that is begun again begins where the last one ended.
      chunks.transaction(() => {
        next = { ...done, count: 0 };
        const endMs = performance.now() + limits.storeSliceMs;
        do {
          const [oldest] = chunks.oldest(ids[next.at] ?? 0, next.fromNs, toNs, 1);
          if (oldest) {
            next.count += removeFrom(oldest, fromNs, toNs);
            next.fromNs = oldest.last + 1n;
          } else next = { at: next.at + 1, fromNs, count: next.count };
        } while (next.at < ids.length && performance.now() < endMs);
      });
      done = next;
      deleted += done.count;
      yield;
    }
    return deleted;
  }

  function removeFrom(chunk: ReturnType<Chunks['oldest']>[number], fromNs: bigint, toNs: bigint): number {
    if (chunk.first >= fromNs && chunk.last < toNs) {
      chunks.remove(chunk);
      return chunk.rows;
    }
    const kind = kindOf(chunk.series);
    const rows = chunks.read(kind, chunk);
    // One that cannot be read has been reported; it goes when all of it is to go.
    if (!rows) return 0;
    const from = placeOf(rows.times, fromNs);
    const to = placeOf(rows.times, toNs, from);
    if (from === to) return 0;
    chunks.remove(chunk);
    if (from > 0) chunks.write(chunk.series, kind, sliceRows(rows, 0, from));
    if (to < rows.length) chunks.write(chunk.series, kind, sliceRows(rows, to, rows.length));
    return to - from;
  }

  function* giveBack(): Generator<void, void> {
    for (let free = pragma(database, 'freelist_count'); free > 0; ) {
      database.exec(`PRAGMA incremental_vacuum(${vacuumPages})`);
      yield;
      const left = pragma(database, 'freelist_count');
      if (left >= free) break;
      free = left;
    }
    // Moves the log into the file as far as readers let it; without this the file stays as long as it was.
    database.exec('PRAGMA wal_checkpoint(PASSIVE)');
  }

  function* finish(deleted: number, touched: Iterable<number>): Generator<void, Omit<Expired, 'bytes'>> {
    yield* giveBack();
    const ids = [...touched];
    const ends = yield* endsOf(ids);
    const filled = new Set(ends.ids);
    return { deleted, ends, empty: ids.filter((id) => !filled.has(id)) };
  }

  return {
    /** Samples of these series within a range, and nothing else. */
    *remove(ids: readonly number[], fromNs: bigint, toNs: bigint): Generator<void, Omit<Expired, 'bytes'>> {
      yield* folder.fold();
      return yield* finish(yield* removeWithin(ids, fromNs, toNs), ids);
    },

    /** What is older of these series, and connectivity and commands that go with it. */
    *expire(gateway: string, ids: readonly number[], beforeNs: bigint): Generator<void, Omit<Expired, 'bytes'>> {
      yield* folder.fold();
      const deleted = yield* removeWithin(ids, int64Min, beforeNs);
      removeConnectivity.run(gateway, beforeNs);
      removeCommands.run(gateway);
      return yield* finish(deleted, ids);
    },

    /** Samples in slices, then the rest at once: it is small beside them. */
    *erase(gateway: string, ids: readonly number[]): Generator<void, Omit<Expired, 'bytes'>> {
      yield* folder.fold();
      const deleted = yield* removeWithin(ids, int64Min, afterAll);
      for (const table of ['connectivity', 'command', 'audit', 'remembered'])
        database.prepare(`DELETE FROM ${table} WHERE gateway = ?`).run(gateway);
      return yield* finish(deleted, ids);
    },

    /** Oldest first over all series, until what is used is at most `bytes`. */
    *trim(bytes: number): Generator<void, Omit<Expired, 'bytes'>> {
      let deleted = 0;
      const ids = allSeries.all().map((row) => Number(row.id));
      for (;;) {
        // What came meanwhile is folded first: in the log it takes several times the space.
        yield* folder.fold();
        if (usedBytes(database) <= bytes) break;
        const { oldest, newest } = span.get() as { oldest: bigint | null; newest: bigint | null };
        if (oldest === null || newest === null) break;
        deleted += yield* removeWithin(ids, int64Min, oldest + (newest - oldest) / trimSteps + 1n);
      }
      return yield* finish(deleted, ids);
    },

    forget(ids: readonly number[]): void {
      for (const id of ids) if (!head.rowsOf(id)) removeSeries.run(id, id);
    },
  };
}
