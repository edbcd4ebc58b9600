/** What becomes of what is written while there is no room. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { always, never, openForTest, startChild, temporaryFolder, until } from './fixtures.ts';
import { smallDisk } from './full-disk.ts';

const key = { device: 'child', point: 'count' };

it('a full disk is lived through: who can be told is told, and it goes on when there is room', async () => {
  const disk = smallDisk(1_500_000);
  const child = startChild('fill', disk.folder, disk.launcher);
  await until(() => child.lines.some((line) => line.startsWith('storage-failed failed')));
  const full = child.lines.length;
  await disk.makeRoom(child.process.pid ?? 0);
  await until(() => child.lines.slice(full).filter((line) => line === 'committed disk').length > 3);
  expect(child.process.exitCode).toBeNull();
});

it('what nobody waits for is kept while the disk is full, and committed in its order when there is room', async () => {
  const disk = smallDisk(2_000_000);
  const child = startChild('pour', disk.folder, disk.launcher);
  const said = () => child.lines.map((line) => JSON.parse(line) as { mode: string; pending: number; dropped: number; committed: number });
  await until(() => said().some(({ mode }) => mode === 'failed'));
  // More comes, for as long as it lasts: nothing of it is lost.
  const failed = said().length;
  await until(() => said().length > failed + 20);
  const [first, ...rest] = said().slice(said().findIndex(({ mode }) => mode === 'failed'));
  // Room for a probe is no room for what waits: it does not look well in between.
  expect(new Set(rest.map(({ mode }) => mode))).toEqual(new Set([first?.mode]));
  const before = said().at(-1);
  expect(before).toMatchObject({ dropped: 0 });
  expect(before?.pending).toBeGreaterThan(1_000);
  await disk.makeRoom(child.process.pid ?? 0);
  const wanted = before ? before.committed + before.pending : 0;
  await until(() => said().some(({ committed }) => committed >= wanted));
  child.process.kill('SIGKILL');
  await child.exited;
  expect(said().at(-1)).toMatchObject({ dropped: 0 });
  const store = openForTest(disk.folder);
  const [found] = await store.range('1/child', [key], always, { quality: 'all', rowsMax: 1_000_000 }, never);
  const numbers = Array.from((found?.columns.values ?? []) as string[], (text) => Number.parseInt(text, 10));
  expect(numbers.length).toBeGreaterThanOrEqual(wanted);
  expect(numbers).toEqual(Array.from(numbers, (_, index) => index));
  await store.close();
});

it('a backup for which the room does not suffice leaves nothing behind, and the history goes on', async () => {
  const folder = temporaryFolder();
  // Neither the file nor its log is as large as what is in both: only the copy crosses the limit on the size of files.
  const child = startChild('copy', folder, ['prlimit', '--fsize=4000000:unlimited']);
  expect(await child.exited).toBe(0);
  expect(child.lines).toEqual(['backup-refused 507', 'disk', 'read 4']);
  expect(readdirSync(join(folder, 'backups'))).toEqual([]);
  const check = new DatabaseSync(join(folder, 'fieldgate.db'));
  expect(check.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
  check.close();
});
