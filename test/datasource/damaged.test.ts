/** A part of the history cannot be read: it is exported and imported all the same, and nothing but that part is missing. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it, onTestFinished } from 'vitest';
import { limits } from '../../src/contract/limits.ts';
import { always, never, openForTest, temporaryFolder } from '../store/fixtures.ts';
import { importLines } from './import-lines.ts';
import { startPlant } from './plant.ts';

const lines = 5 * limits.storeChunkRowsMax;
const startMs = Date.now() - 3_600_000;
const key = { device: 'meter', point: 'count' };
const csv = { 'content-type': 'text/csv' };

/** A history of which one chunk is damaged; answers with the values that were in it. */
async function damaged(folder: string): Promise<{ first: number; rows: number }> {
  const store = openForTest(folder);
  const samples = Array.from({ length: lines }, (_, index) => {
    const timeNs = BigInt(startMs + index) * 1_000_000n;
    return { key, kind: 'double' as const, sample: { timeNs, arrivalNs: timeNs, value: index, quality: 'good', reason: '' } as const };
  });
  await store.append('1/plant', samples, { now: true });
  // An expiry folds all there is.
  await store.expire('1/plant', always.fromNs);
  await store.close();
  const database = new DatabaseSync(join(folder, 'fieldgate.db'));
  const find = database.prepare('SELECT first / 1000000 AS ms, rows FROM chunk WHERE block = 2');
  const { ms, rows } = find.get() as { ms: number; rows: number };
  database.exec("UPDATE block SET data = CAST(x'00' || substr(data, 2) AS BLOB) WHERE id = 2");
  database.close();
  return { first: ms - startMs, rows };
}

async function opened(folder: string) {
  const plant = await startPlant({ devices: [], connections: [] }, { at: folder });
  onTestFinished(() => plant.close());
  await plant.until('series', ({ status }) => status === 200);
  return plant;
}

it.each(['csv', 'ndjson'])('an export as %s has all the rest, in order, and health says what is missing', async (format) => {
  const folder = temporaryFolder();
  const { first, rows } = await damaged(folder);
  const plant = await opened(folder);
  const { status, text } = await plant.ask(`export?from=${startMs}&format=${format}`);
  expect(status).toBe(200);
  const values = text.split(/\r?\n/).flatMap((line) => {
    const value = format === 'csv' ? line.split(',')[3] : /"value":(\d+)/.exec(line)?.[1];
    return value !== undefined && /^\d+$/.test(value) ? Number(value) : [];
  });
  const all = Array.from({ length: lines }, (_, index) => index);
  expect(values).toEqual(all.filter((value) => value < first || value >= first + rows));
  expect(plant.store.status().detail).toMatch(/part of the history cannot be read and is left out: \d+ samples of series 1/);
});

it('an import over it makes it whole again', async () => {
  const folder = temporaryFolder();
  await damaged(folder);
  const plant = await opened(folder);
  const answer = await plant.ask('import', { method: 'POST', role: 'Admin', body: importLines(startMs, lines), headers: csv });
  expect(answer.json).toEqual({ imported: lines, refused: 0, faults: [], older: 0 });
  await plant.store.expire('1/plant', always.fromNs);
  const rows = { quality: 'all', rowsMax: 1_000_000 } as const;
  const [found] = await plant.store.range('1/plant', [key], always, rows, never);
  expect(Array.from(found?.columns.values ?? [], Number)).toEqual(Array.from({ length: lines }, (_, index) => index));
  expect(plant.store.status()).toMatchObject({ mode: 'disk', dropped: 0 });
  const check = new DatabaseSync(join(folder, 'fieldgate.db'), { readOnly: true });
  expect(check.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
  check.close();
});
