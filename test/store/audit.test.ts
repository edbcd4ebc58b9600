/** The audit of commands: append-only, chained, shortened only from the front and never unseen. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/contract/clock.ts';
import type { CommandRecord } from '../../src/contract/command.ts';
import type { Store } from '../../src/store/store.ts';
import { openForTest, temporaryFolder } from './fixtures.ts';

const gateway = '1/audit';

function command(id: string, queued: number, more: Partial<CommandRecord> = {}): CommandRecord {
  return {
    id,
    device: 'boiler',
    point: 'setpoint',
    kind: 'set',
    value: 2n ** 60n,
    state: 'queued',
    user: { login: 'ada', name: 'Ada', role: 'Editor' },
    times: { queued },
    ...more,
  };
}

/** A history whose clock stands where it is put. */
function history(): { open(): Store; at(ms: number): void; change(sql: string): void } {
  const folder = temporaryFolder();
  let nowMs = 1_000;
  return {
    open: () => openForTest(folder, { clock: { ...systemClock, nowMs: () => nowMs } }),
    at(ms) {
      nowMs = ms;
    },
    change(sql) {
      const database = new DatabaseSync(join(folder, 'fieldgate.db'));
      database.exec(sql);
      database.close();
    },
  };
}

async function filled(): Promise<ReturnType<typeof history> & { store: Store }> {
  const it = history();
  const store = it.open();
  for (let i = 1; i <= 5; i++) {
    it.at(i * 1_000);
    await store.saveCommand(gateway, command(`c${i}`, i * 1_000));
    await store.saveCommand(gateway, command(`c${i}`, i * 1_000, { state: 'verified', times: { queued: i * 1_000, ended: i * 1_000 } }));
  }
  return { ...it, store };
}

describe('the audit', () => {
  it('has a line for every step, each with the hash of the one before, and goes on after a restart', async () => {
    const { open, store } = await filled();
    await store.close();
    const again = open();
    await again.saveCommand(gateway, command('c6', 6_000));
    await again.saveCommand('1/other', command('x', 6_000));
    const lines = await again.audit(gateway, { afterSeq: 0, limit: 100 });
    expect(lines.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    let prev = '0'.repeat(64);
    for (const { seq, time, json, hash, ...line } of lines) {
      expect(line.prev).toBe(prev);
      expect(createHash('sha256').update(`${prev}\n${seq}\n${time}\n${json}`).digest('hex')).toBe(hash);
      prev = hash;
    }
    expect(await again.checkAudit(gateway)).toEqual({ intact: true, lines: 11, first: 1, head: { seq: 11, hash: prev } });
    expect(await again.checkAudit('1/other')).toMatchObject({ intact: true, lines: 1 });
    expect(await again.checkAudit('1/nobody')).toEqual({ intact: true, lines: 0 });
  });

  it.each([
    ['a changed text', `UPDATE audit SET json = replace(json, 'ada', 'bob') WHERE seq = 4`, 4, 'text was changed'],
    ['a changed time', 'UPDATE audit SET time = time + 1 WHERE seq = 6', 6, 'text was changed'],
    ['a line that is gone', 'DELETE FROM audit WHERE seq = 5', 6, '1 line before it are missing'],
    ['a beginning that is gone', 'DELETE FROM audit WHERE seq < 3', 3, '2 lines before it are missing'],
    ['a line with a hash of its own', `UPDATE audit SET hash = '${'a'.repeat(64)}' WHERE seq = 2`, 2, 'text was changed'],
  ])('%s is found', async (_name, sql, seq, why) => {
    const { open, store, change } = await filled();
    await store.close();
    change(sql);
    const check = await open().checkAudit(gateway);
    expect(check).toMatchObject({ intact: false, broken: { seq, why: expect.stringContaining(why) } });
  });

  it('gets shorter from the front when commands are too old, says so itself, and stays whole', async () => {
    const { open, at, store, change } = await filled();
    at(10_000);
    expect(await store.expireCommands(gateway, 3_500)).toBe(3);
    expect((await store.commands(gateway, { limit: 10 })).map(({ id }) => id)).toEqual(['c5', 'c4']);
    const lines = await store.audit(gateway, { afterSeq: 0, limit: 100 });
    expect(lines.map(({ seq }) => seq)).toEqual([7, 8, 9, 10, 11]);
    expect(JSON.parse(lines.at(-1)?.json ?? '')).toEqual({ expired: { upTo: 6, hash: lines[0]?.prev } });
    expect(await store.checkAudit(gateway)).toMatchObject({ intact: true, lines: 5, first: 7 });
    // Again and again, down to what is left.
    expect(await store.expireCommands(gateway, 4_500)).toBe(1);
    expect(await store.checkAudit(gateway)).toMatchObject({ intact: true, first: 9 });
    expect(await store.expireCommands(gateway, 4_500)).toBe(0);
    await store.close();
    // More than was said to be old.
    change('DELETE FROM audit WHERE seq = 9');
    expect(await open().checkAudit(gateway)).toMatchObject({ intact: false, broken: { seq: 10 } });
  });

  it('keeps a command that has not ended, however old', async () => {
    const { at, store } = await filled();
    await store.saveCommand(gateway, command('open', 500));
    at(10_000);
    await store.expireCommands(gateway, 9_000);
    expect((await store.commands(gateway, { limit: 10 })).map(({ id }) => id)).toEqual(['open']);
    expect(await store.checkAudit(gateway)).toMatchObject({ intact: true });
  });
});
