import type { DatabaseSync } from 'node:sqlite';
import { limits } from '../contract/limits.ts';
import { type ColumnKind, columnKinds } from '../contract/sample.ts';
import { readBuckets } from './bucket.ts';
import { ChunkCache } from './cache.ts';
import { Chunks } from './chunks.ts';
import { createCommitter } from './commit.ts';
import { createEnds } from './ends.ts';
import { createExpirer } from './expire.ts';
import { createFolder } from './fold.ts';
import { createTail, Head } from './head.ts';
import type { Batch, Calls, Role } from './messages.ts';
import { migrateSamples } from './migrate.ts';
import { readOutline } from './outline.ts';
import { readRange } from './range.ts';
import { createReading, type Reading } from './reading.ts';
import { Slabs } from './slabs.ts';

/** All that one connection to the history can do with samples; a reader's connection refuses the parts that write when they are run. */
export class History {
  readonly #database: DatabaseSync;
  readonly #head: Head;
  readonly #chunks: Chunks;
  readonly #tail: () => void;
  readonly #commit;
  readonly #reading;
  readonly slabs = new Slabs();
  readonly #folder;
  readonly expirer;
  readonly endsOf;
  readonly sizesOf;

  constructor(database: DatabaseSync, role: Role, onDamage: (what: string) => void) {
    this.#database = database;
    // Whoever reads may hold rows of the log between two slices, while the log goes on.
    this.#head = new Head(role === 'writer');
    const kindOf = createKinds(database);
    this.#chunks = new Chunks(database, onDamage, role === 'writer' ? undefined : new ChunkCache());
    this.#tail = createTail(database, this.#head, onDamage);
    this.#commit = createCommitter(database, this.#head);
    this.#reading = createReading(database, this.#head, this.#chunks, role === 'reader' ? this.#tail : undefined);
    this.#folder = createFolder(database, this.#head, this.#chunks, kindOf);
    this.endsOf = createEnds(this.#reading, kindOf);
    this.sizesOf = createSizes(database, this.#head, this.#reading);
    this.expirer = createExpirer({
      database,
      head: this.#head,
      chunks: this.#chunks,
      folder: this.#folder,
      endsOf: this.endsOf,
      kindOf,
    });
  }

  /** Before the first commit: takes over what an older version wrote, and what the log has from before a crash. */
  *open(): Generator<void, void> {
    yield* migrateSamples(this.#database, this.#chunks);
    this.#tail();
  }

  commit(batch: Batch): number[] {
    return this.#commit(batch);
  }

  /** How full the head is; from 1 on it should be folded. */
  get fullness(): number {
    const { rows, count, bytes } = this.#head;
    return Math.max(rows / limits.storeHeadRowsMax, count / limits.storeHeadPacksMax, bytes / limits.storeHeadBytesMax);
  }

  get isFolding(): boolean {
    return this.#folder.isBusy;
  }

  fold(): Generator<void, void> {
    return this.#folder.fold();
  }

  range(ask: Calls['range']['ask']): ReturnType<typeof readRange> {
    return readRange(this.#reading, ask, this.slabs);
  }

  buckets(ask: Calls['buckets']['ask']): ReturnType<typeof readBuckets> {
    return readBuckets(this.#reading, ask);
  }

  outline(ask: Calls['outline']['ask']): ReturnType<typeof readOutline> {
    return readOutline(this.#reading, ask);
  }
}

/** Samples and bytes of series; in the log their number only is known, and a late repetition counts until it is folded. */
function createSizes(
  database: DatabaseSync,
  head: Head,
  reading: Reading,
): (ids: readonly number[]) => Generator<void, Calls['sizes']['answer']> {
  const find = database.prepare(
    'SELECT ifnull(sum(rows), 0) AS samples, ifnull(sum((SELECT length(data) FROM block WHERE id = block)), 0) AS bytes FROM chunk WHERE series = ?',
  );
  return function* (ids) {
    const sizes: Calls['sizes']['answer'] = { samples: [], bytes: [] };
    let sinceMs = performance.now();
    for (const id of ids) {
      const { samples, bytes } = reading.atOnce(() => {
        const row = find.get(id);
        return { samples: Number(row?.samples) + (head.rowsOf(id)?.length ?? 0), bytes: Number(row?.bytes) };
      });
      sizes.samples.push(samples);
      sizes.bytes.push(bytes);
      if (performance.now() - sinceMs < limits.storeSliceMs) continue;
      yield;
      sinceMs = performance.now();
    }
    return sizes;
  };
}

function createKinds(database: DatabaseSync): (series: number) => ColumnKind {
  const find = database.prepare('SELECT kind FROM series WHERE id = ?');
  return (series) => columnKinds[Number(find.get(series)?.kind)] ?? 'double';
}
