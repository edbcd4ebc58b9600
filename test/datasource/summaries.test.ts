/** Whatever `auto` chooses over long ranges is answered from summaries: here no sample can be read any more. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { querySchema } from '../../src/contract/query.ts';
import { chooseIntervals } from '../../src/datasource/intervals.ts';
import type { Entry } from '../../src/store/store.ts';
import { gateway, never, openForTest, temporaryFolder } from '../store/fixtures.ts';

const key = { device: 'meter', point: 'power' };
const second = 1_000_000_000n;
const start = 1_699_999_800n * second;
const query = querySchema.parse({ queryType: 'telemetry', devices: ['meter'], aggregate: 'avg' });
const valueAt = (index: number) => (index * 7) % 1_009;
const all = Number(process.env.FIELDGATE_SOAK ?? 0) > 0;

it.each(all ? [7, 30, 365] : [7])(
  '%i days at a sample a second',
  async (days) => {
    const seconds = days * 86_400;
    const folder = temporaryFolder();
    const store = openForTest(folder);
    for (let from = 0; from < seconds; from += 20_000) {
      const entries = Array.from({ length: Math.min(20_000, seconds - from) }, (_, offset): Entry => {
        const timeNs = start + BigInt(from + offset) * second;
        return { key, kind: 'double', sample: { timeNs, arrivalNs: timeNs, value: valueAt(from + offset), quality: 'good', reason: '' } };
      });
      await store.append(gateway, entries, { now: true });
    }
    await store.expire(gateway, 0n);
    await store.close();
    const database = new DatabaseSync(join(folder, 'fieldgate.db'));
    // The last sample is looked up at the start, the others are gone.
    database.exec("UPDATE block SET data = x'00' WHERE id <> (SELECT block FROM chunk ORDER BY first DESC LIMIT 1)");
    database.close();

    const again = openForTest(folder);
    const range = { fromNs: start, toNs: start + BigInt(seconds) * second };
    for (const maxDataPoints of [400, 625, 700, 800, 900, 1_000, 1_250, 1_500]) {
      const { intervals } = chooseIntervals({ query, range, intervalMs: 0, maxDataPoints }, 1, 'UTC');
      const widthMs = intervals.widthMs ?? 0;
      const pixelMs = (seconds * 1_000) / maxDataPoints;
      expect(widthMs / pixelMs).toBeGreaterThan(0.66);
      expect(widthMs / pixelMs).toBeLessThan(1.5);
      const widthNs = BigInt(widthMs) * 1_000_000n;
      for (const aggregate of ['count', 'sum', 'min', 'max', 'last'] as const) {
        const [found] = await again.buckets(gateway, [key], range, { quality: 'usable', aggregate, widthNs }, never);
        expect(found?.times.length).toBeGreaterThan(seconds / (widthMs / 1_000) - 1);
        // The third one, sample by sample.
        const place = 2;
        const from = Number((((found?.times[place] ?? 0n) as bigint) - start) / second);
        const values = Array.from({ length: widthMs / 1_000 }, (_, offset) => valueAt(from + offset));
        const sum = values.reduce((total, value) => total + value, 0);
        const expected = { count: values.length, sum, min: Math.min(...values), max: Math.max(...values), last: values.at(-1) };
        expect([aggregate, found?.values[place]]).toEqual([aggregate, expected[aggregate]]);
      }
    }
    // Had a chunk been wanted, its damage would have been told of.
    expect(again.status()).toMatchObject({ mode: 'disk' });
    expect(again.status().detail).toBeUndefined();
  },
  600_000,
);
