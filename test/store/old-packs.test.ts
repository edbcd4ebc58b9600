import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import { expect, it } from 'vitest';
import type { Store } from '../../src/store/store.ts';
import { always, entry, gateway, never, openForTest, temporaryFolder } from './fixtures.ts';

const second = 1_000_000_000n;
const keyOf = (point: string) => ({ device: 'old', point });

async function valuesOf(store: Store, points: readonly string[]) {
  const results = await store.range(gateway, points.map(keyOf), always, { quality: 'all', rowsMax: 1_000 }, never);
  return Object.fromEntries(
    results.map(({ series, columns }) => [
      series.point,
      Array.from(columns.times, (time, row) => [Number(time / second), columns.valid[row] ? columns.values[row] : null]),
    ]),
  );
}

it.each([1, 2])(
  'packs of format %i, which no code writes any more, are read from the log, folded, and stand beside those of today',
  async (format) => {
    const folder = temporaryFolder();
    await openForTest(folder).close();
    const database = new DatabaseSync(join(folder, 'fieldgate.db'));
    const points = ['a', 'b', 'c', 't'];
    for (const [place, point] of points.entries())
      database.prepare('INSERT INTO series VALUES (?, ?, ?, ?, ?)').run(place + 1, gateway, 'old', point, point === 't' ? 4 : 0);
    const written: string[] = JSON.parse(readFileSync(new URL(`old-packs-${format}.json`, import.meta.url), 'utf8'));
    for (const [place, base64] of written.entries()) {
      const data = Buffer.from(base64, 'base64');
      expect(data.readUInt32LE(0)).toBe(format);
      database.prepare('INSERT INTO log VALUES (?, ?, ?, ?)').run(place + 1, data.readUInt32LE(4), crc32(data), data);
    }
    const schema = format + 2;
    database.exec(`PRAGMA user_version = ${schema}; DELETE FROM upgrade; INSERT INTO upgrade VALUES (${schema}, 0)`);
    database.close();

    const store = openForTest(folder);
    const before = {
      a: [
        [1, 1.5],
        [2, null],
        [3, 5.5],
      ],
      b: [
        [1, 2.5],
        [2, 6.5],
      ],
      c: [
        [1, 3.5],
        [2, 4.5],
      ],
      t: [[2, 'Wärme']],
    };
    expect(await valuesOf(store, points)).toEqual(before);
    await store.append(
      gateway,
      ['a', 'b', 'c'].map((point, place) => entry(9n * second, place, { key: keyOf(point) })),
      { now: true },
    );
    const after = { a: [...before.a, [9, 0]], b: [...before.b, [9, 1]], c: [...before.c, [9, 2]], t: before.t };
    expect(await valuesOf(store, points)).toEqual(after);
    await store.expire(gateway, always.fromNs);
    expect(await valuesOf(store, points)).toEqual(after);
    expect(store.status().detail).toBeUndefined();
  },
);

it('rounds of some series among others are read from the log of a process before, and folded', async () => {
  const folder = temporaryFolder();
  const points = Array.from({ length: 40 }, (_, place) => `point-${place}`);
  const expected: Record<string, (number | null)[][]> = {};
  let store = openForTest(folder);
  // All, every third one, those of one half with nulls in between, two rounds at once; late ones, and the first again.
  const rounds: [every: number, from: number, times: number[]][] = [
    [1, 0, [1]],
    [3, 1, [2]],
    [1, 20, [3]],
    [1, 0, [5, 4]],
    [3, 1, [6]],
    [1, 0, [1, 7]],
  ];
  for (const [round, [every, from, times]] of rounds.entries()) {
    const chosen = points.filter((_, place) => place >= from && place % every === from % every);
    const entries = times.flatMap((time) =>
      chosen.map((point, place) => {
        const value = round === 2 && place % 2 === 0 ? null : round * 100 + place + time / 8;
        const rows = (expected[point] ?? []).filter(([known]) => known !== time);
        expected[point] = [...rows, [time, value]].sort(([one = 0], [other = 0]) => Number(one) - Number(other));
        return entry(BigInt(time) * second, value, { key: keyOf(point), quality: value === null ? 'bad' : 'good' });
      }),
    );
    await store.append(gateway, entries, { now: true });
  }
  expect(await valuesOf(store, points)).toEqual(expected);
  await store.close();
  store = openForTest(folder);
  expect(await valuesOf(store, points)).toEqual(expected);
  await store.expire(gateway, always.fromNs);
  expect(await valuesOf(store, points)).toEqual(expected);
});
