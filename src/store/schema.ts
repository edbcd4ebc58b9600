import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StoreTrouble, type Trouble } from './messages.ts';

const fileName = 'fieldgate.db';
const version = 1;

/**
 * `value` is ANY in a STRICT table: a column with an affinity would turn 3.0 into 3 and lose -0 and the difference between a double and an
 * integer. A uint64 is kept as the int64 with the same bits, a boolean as 0 or 1. `lag` is arrival - time: mostly 0, which costs no byte.
 * Times are nanoseconds since 1970 in `sample` and `connectivity`, milliseconds in `command`.
 */
const schema = `
CREATE TABLE series (
  id INTEGER PRIMARY KEY, gateway TEXT NOT NULL, device TEXT NOT NULL, point TEXT NOT NULL, kind INTEGER NOT NULL,
  UNIQUE (gateway, device, point, kind)
) STRICT;
CREATE TABLE sample (
  series INTEGER NOT NULL, time INTEGER NOT NULL, lag INTEGER NOT NULL, value ANY, quality INTEGER NOT NULL, reason TEXT,
  PRIMARY KEY (series, time)
) STRICT, WITHOUT ROWID;
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

/** Makes the folder with nobody else let in; one that exists keeps its mode. */
export function makeFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
}

/** Opens for writing and brings the tables to this version. Without a folder it is a database in memory. */
export function openForWriting(folder: string | undefined): DatabaseSync {
  const database = new DatabaseSync(folder === undefined ? ':memory:' : join(folder, fileName), { timeout: 1_000 });
  try {
    // auto_vacuum has to come before the first table. In WAL mode NORMAL never loses a commit to the death of a process, only to a power cut.
    database.exec(
      'PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 67108864',
    );
    migrate(database);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Opens beside a writer that has opened already. */
export function openForReading(folder: string): DatabaseSync {
  return new DatabaseSync(join(folder, fileName), { readOnly: true, timeout: 1_000 });
}

function migrate(database: DatabaseSync): void {
  const found = Number(database.prepare('PRAGMA user_version').get()?.user_version ?? 0);
  if (found === version) {
    database.prepare('SELECT count(*) FROM series').get();
    return;
  }
  if (found > version) {
    throw new StoreTrouble(
      'disk',
      `the history was written by a newer version of Fieldgate (schema ${found}, this one knows up to ${version}); install that version or choose another data folder`,
    );
  }
  database.exec(`BEGIN IMMEDIATE; ${schema} PRAGMA user_version = ${version}; COMMIT`);
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

export function pragma(database: DatabaseSync, name: 'page_count' | 'freelist_count' | 'page_size'): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name] ?? 0);
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
