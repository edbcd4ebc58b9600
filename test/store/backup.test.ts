import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { systemClock } from '../../src/contract/clock.ts';
import { limits } from '../../src/contract/limits.ts';
import type { Backup } from '../../src/store/store.ts';
import { always, entry, gateway, never, openForTest, startChild, temporaryFolder } from './fixtures.ts';

const rows = { quality: 'all', rowsMax: 1_000_000 } as const;
const key = { device: 'meter', point: 'a' };
const some = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => entry(BigInt(from + index), Math.random(), { key }));

it('a backup is one moment of the history, made while samples come in, and opens as the history it was', async () => {
  const folder = temporaryFolder();
  const store = openForTest(folder);
  await store.append(gateway, some(0, 300_000), { now: true });
  // Commits and a fold go on while it is copied.
  let acknowledged = 300_000;
  let atBegin = acknowledged;
  let between = 0;
  let made: Backup | undefined;
  // A small copy may be done before the next commit is: then it is made once more.
  for (let attempt = 0; between === 0 && attempt < 50; attempt++) {
    atBegin = acknowledged;
    made = undefined;
    const making = store.backup().then((backup) => {
      made = backup;
    });
    for (let batch = 0; made === undefined && batch < 500; batch++) {
      await store.append(gateway, some(acknowledged, 1_000), { now: true });
      acknowledged += 1_000;
      if (made === undefined) between += 1;
    }
    await making;
  }
  expect(between).toBeGreaterThan(0);
  const { name, bytes, sha256 } = (await store.backups())[0] as Backup;
  const path = join(folder, 'backups', name);
  expect(statSync(path).size).toBe(bytes);
  expect(createHash('sha256').update(readFileSync(path)).digest('hex')).toBe(sha256);
  expect(readFileSync(`${path}.sha256`, 'utf8')).toBe(`${sha256}  ${name}\n`);
  expect(statSync(join(folder, 'backups')).mode & 0o777).toBe(0o700);
  const check = new DatabaseSync(path, { readOnly: true });
  expect(check.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
  check.close();

  const restored = temporaryFolder();
  copyFileSync(path, join(restored, 'fieldgate.db'));
  const copy = openForTest(restored);
  const [there] = await copy.range(gateway, [key], always, rows, never);
  const [here] = await store.range(gateway, [key], always, rows, never);
  const count = there?.columns.times.length ?? 0;
  // Everything acknowledged before it began is in it, and whole commits only.
  expect(count).toBeGreaterThanOrEqual(atBegin);
  expect(count).toBeLessThanOrEqual(acknowledged);
  expect(count % 1_000).toBe(0);
  expect(there?.columns.values).toEqual(here?.columns.values.slice(0, count));
  // It goes on where it was.
  await copy.append(gateway, [entry(-5n, 1, { key })], { now: true });
}, 60_000);

it('copies are few, newest first; what is no backup is left alone and an interrupted one is cleared away', async () => {
  const folder = temporaryFolder();
  const store = openForTest(folder);
  await store.append(gateway, some(0, 10), { now: true });
  expect(await store.backups()).toEqual([]);
  mkdirSync(join(folder, 'backups'));
  writeFileSync(join(folder, 'backups', 'mine.db'), 'x');
  writeFileSync(join(folder, 'backups', 'fieldgate-2026-01-01T00-00-00-000Z.db.partial'), 'x');
  const names: string[] = [];
  for (let made = 0; made < limits.backupsMax + 2; made++) {
    names.unshift((await store.backup()).name);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  expect((await store.backups()).map(({ name }) => name)).toEqual(names.slice(0, limits.backupsMax));
  const files = readdirSync(join(folder, 'backups'));
  expect(files).toHaveLength(2 * limits.backupsMax + 1);
  expect(files).toContain('mine.db');
  const twice = await Promise.allSettled([store.backup(), store.backup()]);
  expect(twice.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  expect(twice[1]).toMatchObject({ reason: { type: 'backup-running', status: 409 } });
  const memory = openForTest(undefined);
  await expect(memory.backup()).rejects.toMatchObject({ type: 'no-data-folder', status: 409 });
  await expect(memory.backups()).rejects.toMatchObject({ type: 'no-data-folder' });
});

it('another process that comes for the folder meanwhile waits, makes no copy of its own, and takes nothing away from this one', async () => {
  const folder = temporaryFolder();
  const store = openForTest(folder);
  await store.append(gateway, some(0, 100_000), { now: true });
  const other = startChild('wait', folder);
  // One after the other, so that it comes during one.
  let made = 0;
  while (other.lines.length < 2) {
    const { name, sha256 } = await store.backup();
    made += 1;
    expect(
      createHash('sha256')
        .update(readFileSync(join(folder, 'backups', name)))
        .digest('hex'),
    ).toBe(sha256);
  }
  expect(made).toBeGreaterThan(1);
  expect(other.lines).toEqual([
    expect.stringContaining(`waiting: the data folder is held by process ${process.pid} `),
    'no backup: storage-waiting',
  ]);
  expect(await other.exited).toBe(0);
  expect((await store.backups()).length).toBe(Math.min(made, limits.backupsMax));
  expect(store.status()).toMatchObject({ mode: 'disk' });
});

it('a part that is damaged is copied as it is: the rest of the backup is whole, and it tells of the same part', async () => {
  const folder = temporaryFolder();
  const before = openForTest(folder);
  await before.append(gateway, some(0, 3 * limits.storeChunkRowsMax), { now: true });
  await before.expire(gateway, 0n);
  await before.close();
  const database = new DatabaseSync(join(folder, 'fieldgate.db'));
  const { lost } = database.prepare('SELECT rows AS lost FROM chunk WHERE block = 2').get() as { lost: number };
  database.exec("UPDATE block SET data = x'00' WHERE id = 2");
  database.close();
  const store = openForTest(folder);
  const { name } = await store.backup();
  const restored = temporaryFolder();
  copyFileSync(join(folder, 'backups', name), join(restored, 'fieldgate.db'));
  const copy = openForTest(restored);
  for (const one of [store, copy]) {
    const [found] = await one.range(gateway, [key], always, rows, never);
    expect(found?.columns.times.length).toBe(3 * limits.storeChunkRowsMax - lost);
    expect(one.status().detail).toMatch(/part of the history cannot be read and is left out/);
  }
});

it('what is deleted is what was said: a range, a series, a device; the rest and the file stay sound', async () => {
  const folder = temporaryFolder();
  const store = openForTest(folder);
  const at = (point: string) => ({ device: 'meter', point });
  for (const point of ['a', 'b'])
    await store.append(
      gateway,
      Array.from({ length: 20_000 }, (_, index) => entry(BigInt(index), index, { key: at(point) })),
      { now: true },
    );
  expect(await store.remove(gateway, [at('a')], { fromNs: 5_000n, toNs: 15_000n })).toBe(10_000);
  expect(await store.remove(gateway, [at('a')], { fromNs: 5_000n, toNs: 15_000n })).toBe(0);
  const times = async (point: string) => (await store.range(gateway, [at(point)], always, rows, never))[0]?.columns.times ?? [];
  expect([...(await times('a'))]).toEqual(Array.from({ length: 10_000 }, (_, index) => BigInt(index < 5_000 ? index : index + 10_000)));
  expect(await store.sizes(gateway, await store.series(gateway), never)).toEqual([
    { samples: 10_000, bytes: expect.any(Number) },
    { samples: 20_000, bytes: expect.any(Number) },
  ]);
  // One in the middle of a chunk, and one that still waits for its commit.
  void store.append(gateway, [entry(30_000n, 1, { key: at('a') })]);
  expect(await store.remove(gateway, [at('a')], { fromNs: 30_000n, toNs: 30_001n })).toBe(1);
  expect(await store.remove(gateway, [at('a')], { fromNs: 17n, toNs: 18n })).toBe(1);
  expect(await store.remove(gateway, [at('a'), at('nobody')], always)).toBe(9_999);
  expect((await store.series(gateway)).map(({ point }) => point)).toEqual(['b']);
  expect(await times('b')).toHaveLength(20_000);
  await store.append(gateway, [entry(1n, 1, { key: at('a') })], { now: true });
  expect(await times('a')).toHaveLength(1);
  await store.close();
  const check = new DatabaseSync(join(folder, 'fieldgate.db'), { readOnly: true });
  expect(check.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
  expect(check.prepare('SELECT count(*) AS lost FROM block WHERE id NOT IN (SELECT block FROM chunk)').get()).toEqual({ lost: 0 });
  check.close();
});

it('a clock that jumps ahead deletes nothing for a day, one that goes back deletes less, and a restart does not forget', async () => {
  const day = 86_400_000;
  let [wallMs, steadyMs] = [Date.parse('2026-06-01'), 0];
  const clock = {
    ...systemClock,
    nowMs: () => wallMs,
    nowNs: () => BigInt(wallMs) * 1_000_000n,
    monotonicMs: () => steadyMs + systemClock.monotonicMs(),
  };
  const pass = (ms: number, jump = 0) => {
    wallMs += ms + jump;
    steadyMs += ms;
  };
  const folder = temporaryFolder();
  let store = openForTest(folder, { clock });
  const believed = async () => new Date(Number((await store.believedNowNs()) / 1_000_000n)).toISOString().slice(0, 10);
  expect(await believed()).toBe('2026-06-01');
  pass(10 * day);
  expect(await believed()).toBe('2026-06-11');
  expect(store.status().clock).toBeUndefined();
  // Ten years ahead, as a battery that is empty makes it.
  pass(3_600_000, 3_650 * day);
  expect(await believed()).toBe('2026-06-11');
  expect(store.status().clock).toMatch(/the clock is 3650 days ahead of what it showed before; no history is deleted/);
  // A restart finds the same clock, and does not believe it either.
  await store.close();
  store = openForTest(folder, { clock });
  expect(await believed()).toBe('2026-06-11');
  // It is set right.
  pass(3_600_000, -3_650 * day);
  expect(await believed()).toBe('2026-06-11');
  expect(store.status().clock).toBeUndefined();
  // Back: at once, and from then on from there.
  pass(0, -200 * day);
  expect(await believed()).toBe('2025-11-23');
  // Sixty days without power are believed after a day that agrees, not before.
  pass(0, 260 * day);
  expect(await believed()).toBe('2025-11-23');
  pass(day / 2);
  expect(await believed()).toBe('2025-11-23');
  pass(day / 2);
  expect(await believed()).toBe('2026-08-11');
  expect(store.status().clock).toBeUndefined();
});
