/** An import that is cut off, one whose disk is full, and one beside which another process wants the folder. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { always, never, openForTest, temporaryFolder, until } from '../store/fixtures.ts';
import { importLines } from './import-lines.ts';
import { startPlant } from './plant.ts';

const kills = Number(process.env.FIELDGATE_SOAK ?? 0) > 0 ? 100 : 3;
const lines = 100_000;
const startMs = Date.now() - 86_400_000;
const key = { device: 'meter', point: 'count' };

/** A process that imports into a folder; `said` fills with what it prints. Killed when the test is finished. */
function startImport(folder: string, launcher: string[] = []) {
  const path = fileURLToPath(new URL('import-child.ts', import.meta.url));
  const [command = process.execPath, ...rest] = [...launcher, process.execPath, path, folder, String(startMs), String(lines)];
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = new Promise((resolve) => child.on('close', resolve));
  const said: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => said.push(line));
  const kill = () => void child.kill('SIGKILL');
  onTestFinished(kill);
  return { said, exited, kill };
}

async function valuesIn(folder: string): Promise<number[]> {
  const store = openForTest(folder);
  const [found] = await store.range('1/plant', [key], always, { quality: 'all', rowsMax: 1_000_000 }, never);
  await store.close();
  return Array.from(found?.columns.values ?? [], Number);
}

it(`an import that is killed (${kills} times) leaves what it had taken, in order, and the same file makes it whole`, async () => {
  const folder = temporaryFolder();
  for (let kill = 0; kill < kills; kill++) {
    const { said, kill: end, exited } = startImport(folder);
    await until(() => said.length > 0, 60_000);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 400));
    end();
    await exited;
    const values = await valuesIn(folder);
    expect(values.every((value, index) => value === index)).toBe(true);
    if (said.length > 1) expect(values.length).toBe(lines);
  }
  const plant = await startPlant({ devices: [], connections: [] }, { at: folder });
  onTestFinished(() => plant.close());
  await plant.until('export', ({ status }) => status === 200);
  const again = { method: 'POST', body: importLines(startMs, lines), headers: { 'content-type': 'text/csv' } };
  // Meanwhile another process comes for the folder: it waits, and takes nothing away.
  const importing = plant.ask('import', again);
  const other = openForTest(folder);
  await until(() => other.status().mode === 'waiting', 30_000);
  expect(other.status().detail).toMatch(/^the data folder is held by process \d+ /);
  expect((await importing).json).toEqual({ imported: lines, refused: 0, faults: [], older: 0 });
  await other.close();
  await plant.close();
  expect(await valuesIn(folder)).toHaveLength(lines);
  const check = new DatabaseSync(join(folder, 'fieldgate.db'));
  expect(check.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
  check.close();
}, 1_800_000);

it('an import whose disk is full says so, and what it had taken stays', async () => {
  const folder = temporaryFolder();
  // The limit on the size of files stands for a full disk.
  const { said, kill, exited } = startImport(folder, ['prlimit', '--fsize=1500000:unlimited']);
  await until(() => said.length > 1, 60_000);
  const answer = JSON.parse(said[1] ?? '');
  expect(answer).toMatchObject({ type: expect.stringContaining('storage-failed'), status: 503 });
  expect(answer.detail).toMatch(/\w+ \w+/);
  kill();
  await exited;
  const values = await valuesIn(folder);
  expect(values.length).toBeGreaterThan(0);
  expect(values.length).toBeLessThan(lines);
  expect(values.every((value, index) => value === index)).toBe(true);
});
