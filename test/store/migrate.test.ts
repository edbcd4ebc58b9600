import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { crc32 } from 'node:zlib';
import { expect, it } from 'vitest';
import { always, entry, gateway, never, openForTest, temporaryFolder, until } from './fixtures.ts';
import { samplesOf } from './old-chunks.ts';

const workerPath = fileURLToPath(new URL('../../src/store/worker.ts', import.meta.url));

/** The tables as version 1 made them, written out here because no code makes them any more. */
const version1 = `
PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;
CREATE TABLE series (id INTEGER PRIMARY KEY, gateway TEXT NOT NULL, device TEXT NOT NULL, point TEXT NOT NULL, kind INTEGER NOT NULL, UNIQUE (gateway, device, point, kind)) STRICT;
CREATE TABLE sample (series INTEGER NOT NULL, time INTEGER NOT NULL, lag INTEGER NOT NULL, value ANY, quality INTEGER NOT NULL, reason TEXT, PRIMARY KEY (series, time)) STRICT, WITHOUT ROWID;
CREATE TABLE command (seq INTEGER PRIMARY KEY, gateway TEXT NOT NULL, id TEXT NOT NULL, key TEXT, created INTEGER NOT NULL, ended INTEGER, json TEXT NOT NULL, UNIQUE (gateway, id)) STRICT;
CREATE INDEX command_created ON command (gateway, created, seq);
CREATE INDEX command_key ON command (gateway, key) WHERE key IS NOT NULL;
CREATE INDEX command_open ON command (gateway, created, seq) WHERE ended IS NULL;
CREATE TABLE connectivity (gateway TEXT NOT NULL, device TEXT NOT NULL, time INTEGER NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL, PRIMARY KEY (gateway, device, time)) STRICT, WITHOUT ROWID;
CREATE TABLE remembered (gateway TEXT NOT NULL, scope TEXT NOT NULL, key TEXT NOT NULL, json TEXT NOT NULL, PRIMARY KEY (gateway, scope, key)) STRICT, WITHOUT ROWID;
CREATE TABLE probe (id INTEGER PRIMARY KEY, count INTEGER NOT NULL) STRICT;
INSERT INTO probe VALUES (1, 0);
PRAGMA user_version = 1;
`;

/** What version 2 had in place of the table `sample`. */
const version2 = `
DROP TABLE sample;
CREATE TABLE log (seq INTEGER PRIMARY KEY, rows INTEGER NOT NULL, crc INTEGER NOT NULL, data BLOB NOT NULL) STRICT;
CREATE TABLE fold (id INTEGER PRIMARY KEY, done INTEGER NOT NULL, target INTEGER NOT NULL, upto INTEGER NOT NULL) STRICT;
INSERT INTO fold VALUES (1, 0, 0, 0);
CREATE TABLE chunk (series INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, rows INTEGER NOT NULL, summary BLOB, crc INTEGER NOT NULL, block INTEGER NOT NULL, PRIMARY KEY (series, first)) STRICT, WITHOUT ROWID;
CREATE TABLE block (id INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;
CREATE TABLE upgrade (version INTEGER PRIMARY KEY, at INTEGER NOT NULL) STRICT;
INSERT INTO upgrade VALUES (2, 0);
PRAGMA user_version = 2;
`;

function upgradesOf(folder: string): unknown[] {
  const database = new DatabaseSync(join(folder, 'fieldgate.db'), { readOnly: true });
  try {
    return [
      database.prepare('PRAGMA user_version').get()?.user_version,
      ...database
        .prepare('SELECT version FROM upgrade ORDER BY version')
        .all()
        .map((row) => row.version),
    ];
  } finally {
    database.close();
  }
}

function old(folder: string, count: number): void {
  const database = new DatabaseSync(join(folder, 'fieldgate.db'));
  database.exec(version1);
  const series = database.prepare('INSERT INTO series VALUES (?, ?, ?, ?, ?)');
  for (const [kind, point] of ['double', 'int64', 'uint64', 'boolean', 'string'].entries())
    series.run(kind + 1, gateway, 'old', point, kind);
  const sample = database.prepare('INSERT INTO sample VALUES (?, ?, ?, ?, ?, ?)');
  database.exec('BEGIN');
  for (let index = 0; index < count; index++) sample.run(1, BigInt(index) * 1_000n, index % 3, index === 1 ? -0 : index / 4, 0, null);
  sample.run(1, BigInt(count) * 1_000n, 0, null, 2, 'timeout');
  for (const value of [2n ** 63n - 1n, -(2n ** 63n)]) sample.run(2, value > 0n ? 20n : 10n, 0, value, 1, null);
  sample.run(3, 10n, 0, -1n, 0, null);
  sample.run(4, 10n, 0, 1n, 0, null);
  sample.run(5, 10n, 5n, 'Wärme', 0, null);
  database.exec("COMMIT; INSERT INTO remembered VALUES ('1/home', 'plc', 'x', '1')");
  database.close();
}

async function check(folder: string, count: number): Promise<void> {
  const store = openForTest(folder);
  const points = ['double', 'int64', 'uint64', 'boolean', 'string'];
  const results = await store.range(
    gateway,
    points.map((point) => ({ device: 'old', point })),
    always,
    { quality: 'all', rowsMax: 1_000_000 },
    never,
  );
  const byPoint = new Map(results.map(({ series, columns }) => [series.point, columns]));
  const doubles = byPoint.get('double');
  expect(doubles?.times.length).toBe(count + 1);
  expect(doubles?.times.every((time, index) => time === BigInt(index) * 1_000n)).toBe(true);
  expect(Object.is(doubles?.values[1], -0)).toBe(true);
  expect(doubles?.values[count - 1]).toBe((count - 1) / 4);
  expect([doubles?.valid[count], doubles?.quality[count], doubles?.reasons?.[count]]).toEqual([0, 2, 'timeout']);
  expect([...(byPoint.get('int64')?.values ?? [])]).toEqual([-(2n ** 63n), 2n ** 63n - 1n]);
  expect([...(byPoint.get('uint64')?.values ?? [])]).toEqual([2n ** 64n - 1n]);
  expect([...(byPoint.get('boolean')?.values ?? [])]).toEqual([1]);
  expect(byPoint.get('string')?.values).toEqual(['Wärme']);
  expect((await store.last(gateway)).find(({ series }) => series.point === 'string')?.sample.arrivalNs).toBe(15n);
  expect(await store.recall(gateway, 'plc')).toEqual(new Map([['x', 1]]));
  // It takes new samples, and late ones among the old.
  await store.append(gateway, [entry(1_500n, 7, { key: { device: 'old', point: 'double' } })], { now: true });
  await store.expire(gateway, always.fromNs);
  const [late] = await store.range(
    gateway,
    [{ device: 'old', point: 'double' }],
    { fromNs: 1_001n, toNs: 2_000n },
    { quality: 'all', rowsMax: 9 },
    never,
  );
  expect([...(late?.columns.values ?? [])]).toEqual([7]);
  await store.close();
  const database = new DatabaseSync(join(folder, 'fieldgate.db'), { readOnly: true });
  expect(database.prepare("SELECT count(*) AS count FROM sqlite_schema WHERE name = 'sample'").get()?.count).toBe(0);
  database.close();
  expect(upgradesOf(folder)).toEqual([5, 5]);
}

it('takes over a history of version 1, value by value', async () => {
  const folder = temporaryFolder();
  old(folder, 70_000);
  await check(folder, 70_000);
});

it('goes on where it was when it is interrupted', async () => {
  const folder = temporaryFolder();
  old(folder, 200_000);
  for (let interruption = 0; interruption < 3; interruption++) {
    let writer: Worker | undefined;
    const spawn = (workerData: unknown) => {
      writer ??= new Worker(workerPath, { workerData });
      return writer;
    };
    const store = openForTest(folder, { spawn });
    const left = () => {
      const database = new DatabaseSync(join(folder, 'fieldgate.db'), { readOnly: true, timeout: 1_000 });
      try {
        return Number(database.prepare("SELECT count(*) AS count FROM sqlite_schema WHERE name = 'chunk'").get()?.count) > 0
          ? Number(database.prepare('SELECT count(*) AS count FROM chunk').get()?.count)
          : 0;
      } finally {
        database.close();
      }
    };
    const before = left();
    await until(() => left() > before || store.status().mode !== 'disk');
    await writer?.terminate();
    await store.close();
  }
  expect(readdirSync(folder).some((name) => name.includes('damaged'))).toBe(false);
  await check(folder, 200_000);
});

it('takes over a history of version 2: its chunks are read as they are, and an older Fieldgate does not open it any more', async () => {
  const folder = temporaryFolder();
  const [sample] = samplesOf();
  const times = sample?.rows.times ?? new BigInt64Array();
  const written: Record<string, string> = JSON.parse(readFileSync(new URL('old-chunks.json', import.meta.url), 'utf8'));
  const data = Buffer.from(written[sample?.name ?? ''] ?? '', 'base64');
  const database = new DatabaseSync(join(folder, 'fieldgate.db'));
  database.exec(version1 + version2);
  database.prepare('INSERT INTO series VALUES (1, ?, ?, ?, 0)').run(gateway, 'old', 'walk');
  database.prepare('INSERT INTO block VALUES (7, ?)').run(data);
  database.prepare('INSERT INTO chunk VALUES (1, ?, ?, ?, NULL, ?, 7)').run(times[0] ?? 0n, times.at(-1) ?? 0n, times.length, crc32(data));
  database.close();

  const store = openForTest(folder);
  const key = { device: 'old', point: 'walk' };
  const read = async () => (await store.range(gateway, [key], always, { quality: 'all', rowsMax: 10_000 }, never))[0]?.columns;
  expect((await read())?.times).toEqual(times);
  // One in between: the chunk is written again, in the format of today.
  await store.append(gateway, [entry((times[3] ?? 0n) + 1n, 7, { key })], { now: true });
  await store.expire(gateway, 0n);
  const after = await read();
  expect([after?.times.length, after?.values[4]]).toEqual([times.length + 1, 7]);
  expect(store.status()).toMatchObject({ mode: 'disk' });
  expect(store.status().detail).toBeUndefined();
  await store.close();
  expect(upgradesOf(folder)).toEqual([5, 2, 5]);
  const check = new DatabaseSync(join(folder, 'fieldgate.db'), { readOnly: true });
  expect(check.prepare('SELECT hex(substr(data, 1, 1)) AS format FROM block').all()).toEqual([{ format: '02' }]);
  check.close();
});
