import { readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export interface FolderLock {
  release(): void;
}

/**
 * One process owns a data folder. The lock is an exclusive transaction in a database of its own that holds nothing: the system takes it
 * back when the process dies, however it dies, so there is no stale lock to clear. The text beside it only tells people who has it.
 * Answers with the lock, or with the holder in words.
 */
export function lockFolder(folder: string, nowMs: number): FolderLock | { holder: string } {
  const ownerPath = join(folder, 'fieldgate.owner');
  const database = new DatabaseSync(join(folder, 'fieldgate.lock'), { timeout: 0 });
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (isBusy(error)) return { holder: holderOf(ownerPath) };
    throw error;
  }
  try {
    writeFileSync(ownerPath, JSON.stringify({ pid: process.pid, host: hostname(), since: new Date(nowMs).toISOString() }), { mode: 0o600 });
  } catch (error) {
    database.close();
    throw error;
  }
  return { release: () => database.close() };
}

function holderOf(ownerPath: string): string {
  try {
    const owner: unknown = JSON.parse(readFileSync(ownerPath, 'utf8'));
    if (typeof owner === 'object' && owner !== null && 'pid' in owner && 'host' in owner && 'since' in owner) {
      return `process ${owner.pid} on ${owner.host} since ${owner.since}`;
    }
  } catch {
    // The holder writes the text just after it took the lock: for a moment there is none.
  }
  return 'another process';
}

function isBusy(error: unknown): boolean {
  const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0;
  return code === 5 || code === 6;
}
