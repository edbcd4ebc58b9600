import type { DatabaseSync } from 'node:sqlite';
import { limits } from '../contract/limits.ts';
import { createEnds } from './ends.ts';
import type { Expired } from './messages.ts';
import { pragma, usedBytes } from './schema.ts';

/** Pages given back between two looks at what else waits: 1 MiB of 4 KiB pages. */
const vacuumPages = 256;

/** Share of the span of time that one step of trimming takes away: coarse enough to end soon, fine enough not to take much too much. */
const trimSteps = 20n;

/** The latest time a sample can have. */
const timeMax = 2n ** 63n - 1n;

/** Deletes old samples in slices, so that commits go on between them, and gives the space back. */
export function createExpirer(database: DatabaseSync) {
  const endsOf = createEnds(database);
  const boundary = database.prepare(
    `SELECT time FROM sample WHERE series = ? AND time < ? ORDER BY time LIMIT 1 OFFSET ${limits.storeSliceRows - 1}`,
  );
  boundary.setReadBigInts(true);
  const remove = database.prepare('DELETE FROM sample WHERE series = ? AND time <= ?');
  const allSeries = database.prepare('SELECT id FROM series');
  const removeSeries = database.prepare('DELETE FROM series WHERE id = ? AND NOT EXISTS (SELECT 1 FROM sample WHERE series = ?)');
  // The last change before the limit stays: it is the state at the beginning of what is kept.
  const removeConnectivity = database.prepare(
    `DELETE FROM connectivity WHERE gateway = ?1 AND time < ?2 AND time <
       (SELECT max(time) FROM connectivity AS newer WHERE newer.gateway = ?1 AND newer.device = connectivity.device AND newer.time < ?2)`,
  );
  const removeCommands = database.prepare(
    `DELETE FROM command WHERE gateway = ?1 AND ended IS NOT NULL AND seq <= (SELECT seq FROM command WHERE gateway = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ${limits.commandsKeptMax})`,
  );

  function* removeBefore(id: number, beforeNs: bigint): Generator<void, number> {
    let deleted = 0;
    for (;;) {
      const end = boundary.get(id, beforeNs)?.time as bigint | undefined;
      const { changes } = remove.run(id, end ?? beforeNs - 1n);
      deleted += Number(changes);
      if (end === undefined) return deleted;
      yield;
    }
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
    *expire(gateway: string, ids: readonly number[], beforeNs: bigint): Generator<void, Omit<Expired, 'bytes'>> {
      let deleted = 0;
      for (const [index, id] of ids.entries()) {
        deleted += yield* removeBefore(id, beforeNs);
        if (index % 64 === 63) yield;
      }
      removeConnectivity.run(gateway, beforeNs);
      removeCommands.run(gateway);
      return yield* finish(deleted, ids);
    },

    /** Samples in slices, then the rest at once: it is small beside them. */
    *erase(gateway: string, ids: readonly number[]): Generator<void, Omit<Expired, 'bytes'>> {
      let deleted = 0;
      for (const [index, id] of ids.entries()) {
        deleted += yield* removeBefore(id, timeMax);
        deleted += Number(remove.run(id, timeMax).changes);
        if (index % 64 === 63) yield;
      }
      for (const table of ['connectivity', 'command', 'remembered'])
        database.prepare(`DELETE FROM ${table} WHERE gateway = ?`).run(gateway);
      return yield* finish(deleted, ids);
    },

    /** Oldest first over all series, until what is used is at most `bytes`. */
    *trim(bytes: number): Generator<void, Omit<Expired, 'bytes'>> {
      let deleted = 0;
      const ids = allSeries.all().map((row) => Number(row.id));
      while (usedBytes(database) > bytes) {
        const ends = yield* endsOf(ids);
        if (ends.ids.length === 0) break;
        const oldest = ends.firsts.toSorted()[0] ?? 0n;
        const newest = ends.lasts.toSorted().at(-1) ?? 0n;
        const beforeNs = oldest + (newest - oldest) / trimSteps + 1n;
        for (const [index, id] of ends.ids.entries()) {
          if ((ends.firsts[index] ?? newest) < beforeNs) deleted += yield* removeBefore(id, beforeNs);
        }
      }
      return yield* finish(deleted, ids);
    },

    forget(ids: readonly number[]): void {
      for (const id of ids) removeSeries.run(id, id);
    },
  };
}
