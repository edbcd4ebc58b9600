import type { DatabaseSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import { messageOf } from '../contract/fault.ts';
import { limits } from '../contract/limits.ts';
import type { ColumnKind } from '../contract/sample.ts';
import type { ChunkCache } from './cache.ts';
import { ChunkReader, writeChunk } from './codec/chunk.ts';
import { writeSummary } from './codec/summary.ts';
import type { Room } from './room.ts';
import { type Rows, sliceRows } from './rows.ts';
import { transaction, troubleOf } from './schema.ts';

/** A chunk as it is listed: its samples are in `block`. Chunks of one series do not overlap. */
export interface Chunk {
  series: number;
  /** Times of its first and its last sample. */
  first: bigint;
  last: bigint;
  rows: number;
  /** Bytes of its `Summary`; texts have none. */
  summary: Uint8Array | null;
  crc: number;
  block: number;
}

type Row = Record<string, unknown>;

/** So many chunks a fold looks at before it writes another one. */
export const fewChunks = 3;

const columns = 'series, first, last, rows, summary, crc, block';

/** The chunks of all series. `onDamage` is told of each that cannot be read; who reads the same ones again gives a cache. */
export class Chunks {
  readonly #database: DatabaseSync;
  readonly #onDamage: (what: string) => void;
  readonly #cache: ChunkCache | undefined;
  /** Blocks whose pages are damaged: SQLite gives up a whole transaction that comes upon one, so nobody touches them again. */
  readonly #broken = new Set<number>();
  #writes = false;
  /** Where parts of chunks are decoded: new memory for each would cost as much as the decoding. */
  readonly #times = new BigInt64Array(limits.storeChunkRowsMax);
  readonly #bits = new BigInt64Array(limits.storeChunkRowsMax);
  readonly #upTo;
  readonly #after;
  readonly #newest;
  readonly #few;
  readonly #rows;
  readonly #data;
  readonly #insert;
  readonly #insertData;
  readonly #delete;
  readonly #deleteData;

  constructor(database: DatabaseSync, onDamage: (what: string) => void, cache?: ChunkCache) {
    this.#database = database;
    this.#onDamage = onDamage;
    this.#cache = cache;
    const listed = (rest: string, what = columns) => {
      const statement = database.prepare(`SELECT ${what} FROM chunk WHERE series = ? AND ${rest}`);
      statement.setReadBigInts(true);
      return statement;
    };
    this.#upTo = listed('first <= ? ORDER BY first DESC LIMIT 1');
    // Without a LIMIT that is bound: SQLite would compile them anew each time, which takes longer than they do.
    this.#after = listed('first > ? AND first <= ? ORDER BY first');
    this.#newest = listed('first <= ? ORDER BY first DESC', columns.replace('summary', 'NULL AS summary'));
    this.#few = listed(`first < ? ORDER BY first DESC LIMIT ${fewChunks}`, 'first, last, rows, crc, block');
    this.#few.setReturnArrays(true);
    this.#rows = listed('first > ? AND first < ?', 'coalesce(sum(rows), 0) AS rows');
    this.#data = database.prepare('SELECT data FROM block WHERE id = ?');
    this.#insert = database.prepare(`INSERT INTO chunk (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?)`);
    this.#insertData = database.prepare('INSERT INTO block (data) VALUES (?)');
    this.#delete = database.prepare('DELETE FROM chunk WHERE series = ? AND first = ?');
    this.#deleteData = database.prepare('DELETE FROM block WHERE id = ?');
  }

  /** The chunk that begins at `time` or last before it. */
  upTo(series: number, time: bigint): Chunk | undefined {
    const row = this.#upTo.get(series, time);
    return row && chunkOf(row);
  }

  /** Chunks that begin after `time`, at `through` at the latest, oldest first. */
  after(series: number, time: bigint, through: bigint, limit: number): Chunk[] {
    const chunks: Chunk[] = [];
    for (const row of this.#after.iterate(series, time, through)) if (chunks.push(chunkOf(row)) >= limit) break;
    return chunks;
  }

  /** Chunks that have a sample of `fromNs <= time < toNs`, oldest first. */
  oldest(series: number, fromNs: bigint, toNs: bigint, limit: number): Chunk[] {
    if (fromNs >= toNs) return [];
    const first = this.upTo(series, fromNs);
    const later = this.after(series, fromNs, toNs - 1n, limit);
    return first && first.last >= fromNs ? [first, ...later] : later;
  }

  /** At most how many rows the chunks have that have a sample of `fromNs <= time < toNs`. */
  rowsWithin(series: number, fromNs: bigint, toNs: bigint): number {
    // The chunk that reaches over the beginning is not looked up: chunks are listed by where they begin.
    return fromNs < toNs ? Number(this.#rows.get(series, fromNs, toNs)?.rows) + limits.storeChunkRowsMax : 0;
  }

  /** The same as `oldest`, newest first and without summaries. */
  newest(series: number, fromNs: bigint, toNs: bigint, limit: number): Chunk[] {
    if (fromNs >= toNs) return [];
    const chunks: Chunk[] = [];
    // Row by row: a small read wants one or two of many.
    for (const row of this.#newest.iterate(series, toNs - 1n)) {
      const chunk = chunkOf(row);
      if (chunk.last < fromNs || chunks.push(chunk) >= limit) break;
    }
    return chunks;
  }

  /** The newest `fewChunks` that begin before `time`, newest first and without summaries. Every fold asks for each series: at half the cost of `newest`. */
  few(series: number, time: bigint): Chunk[] {
    const rows = this.#few.all(series, time) as unknown as bigint[][];
    return rows.map(([first = 0n, last = 0n, count, crc, block]) => ({
      series,
      first,
      last,
      rows: Number(count),
      summary: null,
      crc: Number(crc),
      block: Number(block),
    }));
  }

  /** Does it in one transaction; one that comes upon broken pages is begun again without them. */
  transaction(run: () => void): void {
    for (;;) {
      const before = this.#broken.size;
      try {
        this.#writes = true;
        transaction(this.#database, run);
        return;
      } catch (error) {
        if (this.#broken.size === before) throw error;
      } finally {
        this.#writes = false;
      }
    }
  }

  /** The samples, in `room` where it has the place; undefined if they are damaged, which is reported. A large read does not `keep` what it decodes. */
  read(kind: ColumnKind, chunk: Chunk, { room, keep = false }: { room?: Room | undefined; keep?: boolean } = {}): Rows | undefined {
    const known = this.#cache?.get(chunk);
    if (known && !(known instanceof ChunkReader)) return room ? room.move(known) : known;
    const places = kind === 'string' ? undefined : room?.take(chunk.rows);
    const rows = this.#guard(chunk, () => (known ?? this.#open(kind, chunk)).rows(0, chunk.rows, { room: places }));
    if (!rows || !this.#cache || !keep || room) return rows;
    const kept = { ...rows, shared: true };
    this.#cache.add(chunk, kept);
    return kept;
  }

  /**
   * The samples from one place to before another, which costs little more than those themselves, without `lags`, and good until the next are read; whoever
   * reads several parts gets them cheapest in order. Undefined if the chunk is damaged, which is reported once.
   */
  inParts(kind: ColumnKind, chunk: Chunk): (from: number, to: number) => Rows | undefined {
    const known = this.#cache?.get(chunk);
    if (known && !(known instanceof ChunkReader)) return (from, to) => sliceRows(known, from, to);
    let reader = known ?? this.#guard(chunk, () => this.#open(kind, chunk));
    if (reader && !known) this.#cache?.add(chunk, reader);
    return (from, to) => {
      const room = { times: this.#times.subarray(0, to - from), bits: this.#bits.subarray(0, to - from) };
      const rows = this.#guard(chunk, () => reader?.rows(from, to, { room, lags: false }));
      if (!rows) reader = undefined;
      return rows;
    };
  }

  #open(kind: ColumnKind, chunk: Chunk): ChunkReader {
    const data = this.#data.get(chunk.block)?.data;
    if (!(data instanceof Uint8Array)) throw new RangeError('it is not there');
    if (crc32(data) !== chunk.crc) throw new RangeError('its checksum does not fit');
    return new ChunkReader(kind, data);
  }

  /** Undefined if the chunk turns out to be damaged, which is reported. */
  #guard<T>(chunk: Chunk, run: () => T): T | undefined {
    if (this.#broken.has(chunk.block)) return undefined;
    try {
      return run();
    } catch (error) {
      const isBroken = troubleOf(error).kind === 'damaged';
      if (!(error instanceof RangeError) && !isBroken) throw error;
      const span = `${new Date(Number(chunk.first / 1_000_000n)).toISOString()} to ${new Date(Number(chunk.last / 1_000_000n)).toISOString()}`;
      this.#onDamage(`${chunk.rows} samples of series ${chunk.series}, ${span}: ${messageOf(error)}`);
      if (isBroken) this.#break(chunk, error);
      return undefined;
    }
  }

  remove(chunk: Chunk): void {
    this.#delete.run(chunk.series, chunk.first);
    if (this.#broken.has(chunk.block)) return;
    try {
      this.#deleteData.run(chunk.block);
    } catch (error) {
      if (troubleOf(error).kind !== 'damaged') throw error;
      this.#break(chunk, error);
    }
  }

  #break(chunk: Chunk, error: unknown): void {
    this.#broken.add(chunk.block);
    if (this.#writes) throw error;
  }

  /** Writes rows as chunks; none of the series may overlap them. */
  write(series: number, kind: ColumnKind, rows: Rows): void {
    for (let from = 0; from < rows.length; ) {
      const { part, data } = cutAtPage(kind, sliceRows(rows, from, from + sizeOfNext(rows, from)));
      const { lastInsertRowid } = this.#insertData.run(data);
      const first = part.times[0] as bigint;
      const last = part.times[part.length - 1] as bigint;
      this.#insert.run(series, first, last, part.length, writeSummary(kind, part), crc32(data), lastInsertRowid);
      from += part.length;
    }
  }
}

/** Of a block SQLite keeps this much beside others, and the rest in pages of its own (file format, "Cell Payload Overflow Pages"; pages of 4096 bytes). */
const besideBytes = 489;
const pageBytes = 4_092;
/** A little more than fills its pages costs only itself, a little less leaves a page for nothing: what is aimed at, for a chunk is never as long as foreseen. */
const pageOver = 100;

/** A full chunk ends where a page does, for the half page that would be empty otherwise is a seventh of it. What is cut off goes into the next chunk. */
function cutAtPage(kind: ColumnKind, rows: Rows): { part: Rows; data: Uint8Array } {
  const data = writeChunk(kind, rows);
  const pages = Math.floor((data.length - besideBytes) / pageBytes);
  const wanted = besideBytes + pages * pageBytes;
  if (rows.length < limits.storeChunkRowsMax || pages < 2) return { part: rows, data };
  const part = sliceRows(rows, 0, Math.min(rows.length, Math.floor((rows.length * (wanted + pageOver)) / data.length)));
  return { part, data: writeChunk(kind, part) };
}

/** Long texts make chunks of fewer rows. */
function sizeOfNext({ length, texts }: Rows, from: number): number {
  const most = Math.min(limits.storeChunkRowsMax, length - from);
  if (!texts) return most;
  let size = 0;
  for (let units = 0; size < most && units < limits.storeChunkTextMax; size++) units += texts[from + size]?.length ?? 0;
  return size;
}

function chunkOf(row: Row): Chunk {
  const { series, first, last, rows, summary, crc, block } = row as {
    series: bigint;
    first: bigint;
    last: bigint;
    rows: bigint;
    summary: Uint8Array | null;
    crc: bigint;
    block: bigint;
  };
  return {
    series: Number(series),
    first,
    last,
    rows: Number(rows),
    summary,
    crc: Number(crc),
    block: Number(block),
  };
}
