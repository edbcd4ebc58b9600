import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { limits } from '../../src/contract/limits.ts';
import { always, entry, gateway, never, openForTest, temporaryFolder } from './fixtures.ts';

const key = { device: 'meter', point: 'power' };
const rows = { quality: 'all', rowsMax: 1_000_000 } as const;
const many = limits.storeChunkRowsMax * 3;
const entries = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => entry(BigInt(from + index), from + index, { key }));

async function filled(fold: boolean, count = many): Promise<string> {
  const folder = temporaryFolder();
  const store = openForTest(folder, { flushIntervalMs: 60_000 });
  for (let from = 0; from < count; from += limits.storeChunkRowsMax)
    await store.append(gateway, entries(from, limits.storeChunkRowsMax), { now: true });
  if (fold) await store.expire(gateway, always.fromNs);
  await store.close();
  return folder;
}

function alter(folder: string, sql: string): void {
  const database = new DatabaseSync(join(folder, 'fieldgate.db'));
  database.exec(sql);
  database.close();
}

describe('damage costs its own part and is told', () => {
  it.each([
    ['a changed byte of a chunk', "UPDATE block SET data = CAST(x'00' || substr(data, 2) AS BLOB) WHERE id = 2"],
    ['a chunk that is gone', 'DELETE FROM block WHERE id = 2'],
  ])('%s', async (_what, sql) => {
    const folder = await filled(true);
    alter(folder, sql);
    const store = openForTest(folder);
    const [result] = await store.range(gateway, [key], always, rows, never);
    expect(result?.columns.times.length).toBe(many - limits.storeChunkRowsMax);
    expect(result?.columns.times[0]).toBe(0n);
    expect(result?.columns.times[limits.storeChunkRowsMax]).toBe(BigInt(2 * limits.storeChunkRowsMax));
    expect(store.status()).toMatchObject({ mode: 'disk' });
    expect(store.status().detail).toMatch(/part of the history cannot be read and is left out: 8192 samples of series 1, 1970-01-01/);
    // Late samples find their place where the chunk was, and everything goes on.
    await store.append(gateway, entries(limits.storeChunkRowsMax + 10, 5), { now: true });
    await store.expire(gateway, always.fromNs);
    const [after] = await store.range(gateway, [key], always, rows, never);
    expect(after?.columns.times.length).toBe(many - limits.storeChunkRowsMax + 5);
  });

  it('a chunk that is read in parts, for an interval that cuts it', async () => {
    const count = 8 * limits.storeChunkRowsMax;
    const folder = await filled(true, count);
    alter(folder, "UPDATE block SET data = CAST(substr(data, 1, length(data) - 1) || x'ff' AS BLOB) WHERE id = 7");
    const store = openForTest(folder);
    // Twice: of the file, and of what is kept of it.
    for (let turn = 0; turn < 2; turn++) {
      const [result] = await store.buckets(gateway, [key], always, { quality: 'all', aggregate: 'count', widthNs: 1_000n }, never);
      expect(result?.values.reduce((sum, one) => sum + one, 0)).toBe(count - limits.storeChunkRowsMax);
      expect(result?.times.at(-1)).toBe(BigInt(count - (count % 1_000)));
    }
    expect(store.status().detail).toMatch(/part of the history cannot be read and is left out: 8192 samples of series 1/);
  });

  it('a summary: the samples are used instead', async () => {
    const folder = await filled(true);
    alter(folder, "UPDATE chunk SET summary = CAST(x'00' || substr(summary, 2) AS BLOB)");
    const store = openForTest(folder);
    const [result] = await store.buckets(gateway, [key], always, { quality: 'all', aggregate: 'sum', widthNs: 10n ** 9n }, never);
    expect([...(result?.values ?? [])]).toEqual([(many * (many - 1)) / 2]);
  });

  it('a part of the log', async () => {
    const folder = await filled(false);
    alter(folder, 'UPDATE log SET crc = crc + 1 WHERE seq = 2');
    const store = openForTest(folder);
    const [result] = await store.range(gateway, [key], always, rows, never);
    expect(result?.columns.times.length).toBe(many - limits.storeChunkRowsMax);
    expect(store.status().detail).toMatch(/part 2 of the log/);
  });

  it('a page of the file', async () => {
    const folder = temporaryFolder();
    const noise = openForTest(folder);
    for (let from = 0; from < many; from += limits.storeChunkRowsMax)
      await noise.append(
        gateway,
        Array.from({ length: limits.storeChunkRowsMax }, (_, index) => entry(BigInt(from + index), Math.random(), { key })),
        { now: true },
      );
    await noise.expire(gateway, always.fromNs);
    await noise.close();
    const path = join(folder, 'fieldgate.db');
    const database = new DatabaseSync(path);
    const data = database.prepare('SELECT data FROM block WHERE id = 2').get()?.data as Uint8Array;
    // Full chunks end where a page does: this one has not as many rows as a chunk can have.
    const lost = Number(database.prepare('SELECT rows FROM chunk WHERE block = 2').get()?.rows);
    database.close();
    const bytes = readFileSync(path);
    // The page in its middle, with the number of the next page: the chain of the chunk's pages is broken.
    const place = bytes.indexOf(data.subarray(data.length / 2, data.length / 2 + 32));
    expect(place).toBeGreaterThan(0);
    const page = Math.floor(place / 4096);
    bytes.fill(0xa5, page * 4096, (page + 1) * 4096);
    writeFileSync(path, bytes);
    const store = openForTest(folder);
    const [result] = await store.range(gateway, [key], always, rows, never);
    expect(result?.columns.times.length).toBe(many - lost);
    expect(store.status().detail).toMatch(/part of the history cannot be read/);
    // What has to be written there is written beside it.
    await store.append(gateway, entries(limits.storeChunkRowsMax, 5), { now: true });
    await store.expire(gateway, always.fromNs);
    const [after] = await store.range(gateway, [key], always, rows, never);
    expect(after?.columns.times.length).toBe(many - lost + 5);
    expect(store.status()).toMatchObject({ mode: 'disk', dropped: 0 });
  });
});
