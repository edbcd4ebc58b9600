/**
 * The record of commands: every step of every command and every refused attempt is a line that is never changed, and each line carries the hash of the one
 * before it. What is too old goes from the front, and a line of its own says up to where: so the rest can still be checked.
 */
import { createHash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { limits } from '../contract/limits.ts';
import type { AuditCheck, AuditLine } from './store.ts';

export const auditTable = `
CREATE TABLE IF NOT EXISTS audit (
  gateway TEXT NOT NULL, seq INTEGER NOT NULL, time INTEGER NOT NULL, prev TEXT NOT NULL, hash TEXT NOT NULL, json TEXT NOT NULL,
  PRIMARY KEY (gateway, seq)
) STRICT, WITHOUT ROWID;
`;

/** What the first line follows. */
const noHash = '0'.repeat(64);

/** SHA-256 over previous hash, number, time and text, a line each: an export can be checked with any tool. */
export function auditHash({ prev, seq, time, json }: Omit<AuditLine, 'hash'>): string {
  return createHash('sha256').update(`${prev}\n${seq}\n${time}\n${json}`).digest('hex');
}

/** Of a connection that writes. */
export function createAuditWriter(database: DatabaseSync) {
  const newest = database.prepare('SELECT seq, hash FROM audit WHERE gateway = ? ORDER BY seq DESC LIMIT 1');
  const insert = database.prepare('INSERT INTO audit (gateway, seq, time, prev, hash, json) VALUES (?, ?, ?, ?, ?, ?)');
  const firstKept = database.prepare('SELECT seq FROM audit WHERE gateway = ? AND time >= ? ORDER BY seq LIMIT 1');
  const oldest = database.prepare('SELECT min(seq) AS seq FROM audit WHERE gateway = ?');
  const before = database.prepare('SELECT seq, hash FROM audit WHERE gateway = ? AND seq < ? ORDER BY seq DESC LIMIT 1');
  const remove = database.prepare('DELETE FROM audit WHERE gateway = ? AND seq < ?');

  function append(gateway: string, time: number, json: string): number {
    const last = newest.get(gateway);
    const line = { seq: Number(last?.seq ?? 0) + 1, time, prev: String(last?.hash ?? noHash), json };
    insert.run(gateway, line.seq, time, line.prev, auditHash(line), json);
    return line.seq;
  }

  return {
    append,

    /** Inside a transaction of the caller. Deletes what is older, and what is more than the bound; answers with how many lines. */
    expire(gateway: string, beforeMs: number, nowMs: number): number {
      const last = Number(newest.get(gateway)?.seq ?? 0);
      if (last === 0) return 0;
      const wanted = Math.max(Number(firstKept.get(gateway, beforeMs)?.seq ?? last), last - limits.auditKeptMax + 1);
      const kept = Math.min(wanted, Number(oldest.get(gateway)?.seq) + limits.auditExpiredAtOnce);
      const gone = before.get(gateway, kept);
      if (!gone) return 0;
      append(gateway, nowMs, JSON.stringify({ expired: { upTo: Number(gone.seq), hash: String(gone.hash) } }));
      return Number(remove.run(gateway, kept).changes);
    },
  };
}

/** Of a connection that reads. */
export function createAuditReader(database: DatabaseSync) {
  const page = database.prepare('SELECT seq, time, prev, hash, json FROM audit WHERE gateway = ? AND seq > ? ORDER BY seq LIMIT ?');
  const expiries = database.prepare(`SELECT json FROM audit WHERE gateway = ? AND json LIKE '{"expired":%' ORDER BY seq DESC`);

  function lines(gateway: string, afterSeq: number, limit: number): AuditLine[] {
    return page.all(gateway, afterSeq, limit).map((row) => ({ ...row }) as unknown as AuditLine);
  }

  return {
    lines,

    /** Reads the whole chain, in pages. */
    *check(gateway: string): Generator<void, AuditCheck> {
      let [count, prev, seq] = [0, noHash, 0];
      let first: number | undefined;
      for (;;) {
        const found = lines(gateway, seq, limits.auditPageLines);
        for (const line of found) {
          first ??= line.seq;
          const broken = brokenBy(line, seq, prev);
          if (broken !== undefined && !(count === 0 && wasExpired(gateway, line)))
            return { intact: false, lines: count, broken: { seq: line.seq, why: broken } };
          if (auditHash(line) !== line.hash) return { intact: false, lines: count, broken: { seq: line.seq, why: 'its text was changed' } };
          [count, prev, seq] = [count + 1, line.hash, line.seq];
        }
        if (found.length < limits.auditPageLines) break;
        yield;
      }
      return { intact: true, lines: count, ...(first === undefined ? {} : { first, head: { seq, hash: prev } }) };
    },
  };

  /** A later line says that everything before the first one was deleted because it was old. */
  function wasExpired(gateway: string, line: AuditLine): boolean {
    for (const row of expiries.iterate(gateway)) {
      const { expired } = JSON.parse(String(row.json)) as { expired: { upTo: number; hash: string } };
      if (expired.upTo === line.seq - 1 && expired.hash === line.prev) return true;
    }
    return false;
  }
}

function brokenBy(line: AuditLine, seq: number, prev: string): string | undefined {
  if (line.seq !== seq + 1) return `${line.seq - seq - 1} ${line.seq - seq === 2 ? 'line' : 'lines'} before it are missing`;
  return line.prev === prev ? undefined : 'it does not follow the line before it';
}
