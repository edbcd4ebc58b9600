/** However long a history is, its export needs no more memory: each piece is made when the one before is taken. */
import { expect, it, onTestFinished } from 'vitest';
import type { Entry } from '../../src/store/store.ts';
import { startPlant } from './plant.ts';

const soak = Number(process.env.FIELDGATE_SOAK ?? 0) > 0;
const total = soak ? 30_000_000 : 1_000_000;
/** All of it as text would be 55 bytes a sample. */
const rssMax = soak ? 400e6 : 250e6;

it(`exports ${total} samples in bounded memory`, async () => {
  const plant = await startPlant({ devices: [], connections: [] });
  onTestFinished(() => plant.close());
  await plant.until('export', ({ status }) => status === 200);
  const key = { device: 'meter', point: 'state' };
  const startMs = Date.parse('2024-01-01');
  for (let from = 0; from < total; from += 20_000) {
    const batch = Array.from({ length: 20_000 }, (_, index): Entry => {
      const timeNs = BigInt(startMs + (from + index) * 1_000) * 1_000_000n;
      return { key, kind: 'double', sample: { timeNs, arrivalNs: timeNs, value: 7, quality: 'good', reason: '' } };
    });
    await plant.store.append('1/plant', batch, { now: true });
  }
  await plant.store.expire('1/plant', 0n);
  for (const format of soak ? ['csv', 'arrow'] : ['csv']) {
    const before = process.memoryUsage.rss();
    let [most, bytes, rows, largest] = [before, 0, -1, 0];
    const url = `export?from=2024-01-01&to=2026-01-01&format=${format}`;
    const { instance, ...caller } = plant.caller();
    const request = { path: 'export', url, method: 'GET', headers: new Map<string, string[]>(), body: new Uint8Array() } as const;
    const take = ({ body }: { body: Uint8Array }) => {
      bytes += body.length;
      largest = Math.max(largest, body.length);
      if (format === 'csv') for (const byte of body) if (byte === 10) rows += 1;
      most = Math.max(most, process.memoryUsage.rss());
      return Promise.resolve();
    };
    await plant.datasource.callResource({ ...caller, ...(instance ? { instance } : {}) }, request, take, new AbortController().signal);
    if (format === 'csv') expect(rows).toBe(total);
    expect(bytes).toBeGreaterThan(total * 2);
    expect(largest).toBeLessThan(4 * 1024 * 1024);
    expect(most - before).toBeLessThan(rssMax);
  }
}, 1_800_000);
