import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { auditTable } from './audit.ts';
import { type Durability, StoreTrouble, type Trouble } from './messages.ts';

const fileName = 'fieldgate.db';

/**
 * What the tables and what is in them look like: 1 has a row a sample, 2 chunks of the first format, 3 those of the second too (codec/chunk.ts), 4 packs of the second
 * format (pack.ts), 5 those of the third; what a Fieldgate does not know it would take for damaged.
 */
const version = 5;

/**
 * `log` has the newest samples, a pack a commit (pack.ts); `fold` says how far they are in chunks already (head.ts). `chunk` lists the chunks of each
 * series by time, with their summaries; their samples are in `block` (codec/). `kind` is an index of `columnKinds`.
 * Times are nanoseconds since 1970, milliseconds in `command` and `upgrade`.
 */
const samples = `
CREATE TABLE log (seq INTEGER PRIMARY KEY, rows INTEGER NOT NULL, crc INTEGER NOT NULL, data BLOB NOT NULL) STRICT;
CREATE TABLE fold (id INTEGER PRIMARY KEY, done INTEGER NOT NULL, target INTEGER NOT NULL, upto INTEGER NOT NULL) STRICT;
INSERT INTO fold VALUES (1, 0, 0, 0);
CREATE TABLE chunk (
  series INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, rows INTEGER NOT NULL, summary BLOB, crc INTEGER NOT NULL, block INTEGER NOT NULL,
  PRIMARY KEY (series, first)
) STRICT, WITHOUT ROWID;
CREATE TABLE block (id INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;
CREATE TABLE upgrade (version INTEGER PRIMARY KEY, at INTEGER NOT NULL) STRICT;
`;

const others = `
CREATE TABLE series (
  id INTEGER PRIMARY KEY, gateway TEXT NOT NULL, device TEXT NOT NULL, point TEXT NOT NULL, kind INTEGER NOT NULL,
  UNIQUE (gateway, device, point, kind)
) STRICT;
CREATE TABLE command (
  seq INTEGER PRIMARY KEY, gateway TEXT NOT NULL, id TEXT NOT NULL, key TEXT, created INTEGER NOT NULL, ended INTEGER, json TEXT NOT NULL,
  UNIQUE (gateway, id)
) STRICT;
CREATE INDEX command_created ON command (gateway, created, seq);
CREATE INDEX command_key ON command (gateway, key) WHERE key IS NOT NULL;
CREATE INDEX command_open ON command (gateway, created, seq) WHERE ended IS NULL;
CREATE TABLE connectivity (
  gateway TEXT NOT NULL, device TEXT NOT NULL, time INTEGER NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL,
  PRIMARY KEY (gateway, device, time)
) STRICT, WITHOUT ROWID;
CREATE TABLE remembered (
  gateway TEXT NOT NULL, scope TEXT NOT NULL, key TEXT NOT NULL, json TEXT NOT NULL,
  PRIMARY KEY (gateway, scope, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE probe (id INTEGER PRIMARY KEY, count INTEGER NOT NULL) STRICT;
INSERT INTO probe VALUES (1, 0);
`;

/** The `device` or `point` of a command. What is no JSON, in a file that was damaged, has none. */
export const targetOf = (what: 'device' | 'point'): string => `iif(json_valid(json), json_extract(json, '$.${what}'), NULL)`;

/** The commands of one point are found without reading those of all others. */
const commandTarget = `CREATE INDEX IF NOT EXISTS command_target ON command (gateway, ${targetOf('device')}, ${targetOf('point')}, created, seq);`;

/**
 * Makes the folder and those above it, with nobody else let in; one that exists keeps its mode. Not by Node's `recursive`, which tries for ever where
 * a folder says that it is there and that what is to be made in it is not: under /proc, or where an automounter finds no server.
 */
export function makeFolder(folder: string): void {
  const make = () => mkdirSync(folder, { mode: 0o700 });
  try {
    make();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && dirname(folder) !== folder) {
      makeFolder(dirname(folder));
      make();
    } else if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw error;
  }
}

/**
 * Opens for writing and brings the tables to this version; samples of an older one are still where they were (migrate.ts). Without a folder it is a
 * database in memory.
 */
export function openForWriting(folder: string | undefined, nowMs: number, durability: Durability): DatabaseSync {
  const database = new DatabaseSync(folder === undefined ? ':memory:' : join(folder, fileName), { timeout: 1_000 });
  try {
    // auto_vacuum has to come before the first table. In WAL mode NORMAL never loses a commit to the death of a process, only to a power cut.
    database.exec(
      `PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = ${durability === 'power-loss' ? 'FULL' : 'NORMAL'}; PRAGMA journal_size_limit = 67108864`,
    );
    prepare(database, nowMs);
    // Beside the version: a history that has it is the same to a Fieldgate that does not know it.
    database.exec(auditTable + commandTarget);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** What the database was told to survive, as it says itself: 2 is FULL. */
export function durabilityOf(database: DatabaseSync): Durability {
  return Number(database.prepare('PRAGMA synchronous').get()?.synchronous) >= 2 ? 'power-loss' : 'commit';
}

/** Opens beside a writer that has opened already. */
export function openForReading(folder: string): DatabaseSync {
  const path = join(folder, fileName);
  const database = new DatabaseSync(path, { readOnly: true, timeout: 1_000 });
  try {
    readyForReading(database);
    return database;
  } catch (error) {
    database.close();
    // A file in WAL mode wants its two helpers beside it. Where nobody can make them and none is left over, nobody writes it either.
    if (troubleOf(error).kind !== 'disk' || (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0) throw error;
    const unchanging = pathToFileURL(path);
    unchanging.searchParams.set('immutable', '1');
    const unchanged = new DatabaseSync(unchanging, { readOnly: true, timeout: 1_000 });
    try {
      readyForReading(unchanged);
      return unchanged;
    } catch (reason) {
      unchanged.close();
      throw reason;
    }
  }
}

/** The version a file was written by; 0 if it is new. One of a later version is refused, for nobody knows what is in it. */
function versionOf(database: DatabaseSync): number {
  const found = Number(database.prepare('PRAGMA user_version').get()?.user_version ?? 0);
  if (found <= version) return found;
  throw new StoreTrouble(
    'disk',
    `the history was written by a newer version of Fieldgate (schema ${found}, this one knows up to ${version}); install that version or choose another data folder`,
  );
}

/** Makes sure that it can be read. Chunks of older formats are read as they are; the rows of version 1 have to be taken over first, and that is for whoever writes. */
function readyForReading(database: DatabaseSync): void {
  const found = versionOf(database);
  // A new one in which whoever writes could not begin is empty: with tables that only this connection sees, until there are others and it is opened anew.
  if (found === 0) {
    const tables = [...(samples + others).matchAll(/CREATE TABLE[^;]*;/g)].join('');
    database.exec(`PRAGMA temp_store = MEMORY; ${inMemory(tables + auditTable)} INSERT INTO fold VALUES (1, 0, 0, 0)`);
    return;
  }
  if (found < 2)
    throw new StoreTrouble(
      'disk',
      `the history was written by an older version of Fieldgate (schema ${found}) and is taken over as soon as its folder can be written`,
    );
  database.prepare('SELECT done FROM fold').get();
  // One from before the audit has an empty one, which only this connection sees.
  const hasAudit = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'audit'").get() !== undefined;
  if (!hasAudit) database.exec(`PRAGMA temp_store = MEMORY; ${inMemory(auditTable)}`);
}

const inMemory = (tables: string) => tables.replaceAll('CREATE TABLE', 'CREATE TEMP TABLE');

function prepare(database: DatabaseSync, nowMs: number): void {
  const found = versionOf(database);
  if (found === version) {
    database.prepare('SELECT done FROM fold').get();
    return;
  }
  transaction(database, () => {
    if (found === 0) database.exec(others);
    if (found < 2) database.exec(samples);
    database.exec(`PRAGMA user_version = ${version}`);
    database.prepare('INSERT INTO upgrade VALUES (?, ?)').run(version, Math.trunc(nowMs));
  });
}

/** All or nothing. */
export function transaction(database: DatabaseSync, run: () => void): void {
  preparedOf(database, 'BEGIN IMMEDIATE').run();
  try {
    run();
    preparedOf(database, 'COMMIT').run();
  } catch (error) {
    // After a full disk or an input/output error SQLite may have rolled back by itself.
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/** Renames the history and what belongs to it, so that nothing is deleted; answers with the new path, or undefined if there was none. */
export function setAside(folder: string, nowMs: number): string | undefined {
  const path = join(folder, fileName);
  const suffix = `.damaged-${new Date(nowMs).toISOString().replaceAll(/[:.]/g, '-')}`;
  let moved: string | undefined;
  // SQLite finds a log by the name of its database, so the suffix goes in between: the set keeps working as a set.
  for (const tail of ['', '-wal', '-shm']) {
    if (!existsSync(path + tail)) continue;
    renameSync(path + tail, path + suffix + tail);
    moved ??= path + suffix;
  }
  return moved;
}

/**
 * Bytes on disk of the history with its log; 0 in memory. The files are only looked at, never opened: closing any descriptor of a file takes away all POSIX
 * locks this process has on it, SQLite's too.
 */
export function bytesOf(folder: string | undefined): number {
  if (folder === undefined) return 0;
  let bytes = 0;
  for (const tail of ['', '-wal', '-shm']) bytes += statSync(join(folder, fileName) + tail, { throwIfNoEntry: false })?.size ?? 0;
  return bytes;
}

/** Bytes of the pages that hold something. */
export function usedBytes(database: DatabaseSync): number {
  return (pragma(database, 'page_count') - pragma(database, 'freelist_count')) * pragma(database, 'page_size');
}

/** What is run at every commit: preparing costs ten times as much. */
const prepared = new WeakMap<DatabaseSync, Map<string, StatementSync>>();

function preparedOf(database: DatabaseSync, sql: string): StatementSync {
  const known = prepared.get(database) ?? new Map<string, StatementSync>();
  prepared.set(database, known);
  const statement = known.get(sql) ?? database.prepare(sql);
  known.set(sql, statement);
  return statement;
}

export function pragma(database: DatabaseSync, name: 'page_count' | 'freelist_count' | 'page_size'): number {
  return Number(preparedOf(database, `PRAGMA ${name}`).get()?.[name] ?? 0);
}

/** What kind of trouble an error of SQLite or of the file system is, by the code it carries. */
export function troubleOf(error: unknown): Trouble {
  if (error instanceof StoreTrouble) return { kind: error.kind, message: error.message };
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof Error && 'errcode' in error) {
    switch (Number(error.errcode) & 0xff) {
      case 11: // SQLITE_CORRUPT
      case 26: // SQLITE_NOTADB
        return { kind: 'damaged', message };
      case 5: // SQLITE_BUSY
      case 6: // SQLITE_LOCKED
      case 7: // SQLITE_NOMEM
      case 8: // SQLITE_READONLY
      case 10: // SQLITE_IOERR
      case 13: // SQLITE_FULL
      case 14: // SQLITE_CANTOPEN
        return { kind: 'disk', message };
    }
    return { kind: 'bug', message };
  }
  // What the file system says has a name for a code (ENOSPC, EACCES, EROFS).
  if (error instanceof Error && 'code' in error && /^E[A-Z0-9]+$/.test(String(error.code)) && 'syscall' in error)
    return { kind: 'disk', message };
  return { kind: 'bug', message };
}
