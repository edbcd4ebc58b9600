/** Copies of the history beside it, made while it is in use. */
import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { backup } from 'node:sqlite';
import { StoreTrouble } from './messages.ts';
import { bytesOf, openForReading, troubleOf } from './schema.ts';
import type { Backup } from './store.ts';

const folderName = 'backups';
const namePattern = /^fieldgate-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-\d{3}Z\.db$/;

/** Pages copied before the others of the process have a turn: 4 MiB. */
const pagesAtOnce = 1_024;

/**
 * Copies page by page what one moment of the history holds: writers write on, because readers never hold them up, and what they write is not in the
 * copy. A part that is damaged is copied as it is. The copy has its name only when it is whole; `sha256sum -c` reads the note beside it.
 */
export async function makeBackup(folder: string, nowMs: number, keep: number): Promise<Backup> {
  const place = join(folder, folderName);
  mkdirSync(place, { recursive: true, mode: 0o700 });
  // What an interrupted copy left is nobody's.
  for (const name of readdirSync(place))
    if (name.endsWith('.partial') || name.includes('.partial-')) rmSync(join(place, name), { force: true });
  const need = bytesOf(folder);
  const { bavail, bsize } = statfsSync(place);
  // A copy that fills the disk would stop the history itself.
  if (bavail * bsize < need * 1.1) {
    throw new StoreTrouble('limit', `a backup takes ${need} bytes and ${bavail * bsize} are free; it is not begun`);
  }
  const name = `fieldgate-${new Date(nowMs).toISOString().replaceAll(/[:.]/g, '-')}.db`;
  const partial = join(place, `${name}.partial`);
  const source = openForReading(folder);
  try {
    // A transaction that is open holds the copy to one moment, however long it takes.
    source.exec('BEGIN');
    source.prepare('SELECT done FROM fold').get();
    await backup(source, partial, { rate: pagesAtOnce });
    source.exec('COMMIT');
    const sha256 = await checksumOf(partial);
    writeFileSync(join(place, `${name}.sha256`), `${sha256}  ${name}\n`, { mode: 0o600 });
    renameSync(partial, join(place, name));
    const made = listBackups(folder);
    for (const old of made.slice(keep)) for (const tail of ['', '.sha256']) rmSync(join(place, old.name + tail), { force: true });
    return { name, bytes: statSync(join(place, name)).size, madeMs: nowMs, sha256 };
  } catch (error) {
    for (const tail of ['', '-journal', '-wal', '-shm']) rmSync(partial + tail, { force: true });
    const { kind, message } = troubleOf(error);
    // The history itself is not in trouble where there is no room for a second one.
    throw kind === 'disk' ? new StoreTrouble('limit', `the backup could not be written: ${message}`) : error;
  } finally {
    source.close();
  }
}

/** Newest first. */
export function listBackups(folder: string): Backup[] {
  const place = join(folder, folderName);
  let names: string[] = [];
  try {
    names = readdirSync(place).filter((name) => namePattern.test(name));
  } catch (error) {
    // Before the first backup there is no such folder.
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
  return names
    .sort()
    .reverse()
    .map((name) => {
      const sha256 = notedChecksum(join(place, `${name}.sha256`));
      return { name, bytes: statSync(join(place, name)).size, madeMs: timeOf(name), ...(sha256 === undefined ? {} : { sha256 }) };
    });
}

function timeOf(name: string): number {
  const [, day, hour, minute, second, ms] = /(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d)-(\d{3})Z/.exec(name) ?? [];
  return Date.parse(`${day}T${hour}:${minute}:${second}.${ms}Z`);
}

function notedChecksum(path: string): string | undefined {
  try {
    return /^[0-9a-f]{64}/.exec(readFileSync(path, 'utf8'))?.[0];
  } catch {
    return undefined;
  }
}

/** Piece by piece, so that reads have their turn in between. */
async function checksumOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path, { highWaterMark: 1024 * 1024 })) hash.update(piece as Uint8Array);
  return hash.digest('hex');
}
