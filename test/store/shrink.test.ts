import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { always, entry, gateway, never, openForTest, temperature, temporaryFolder } from './fixtures.ts';

const rows = { quality: 'all', rowsMax: 1_000_000 } as const;

function ramp(point: string, from: number, count: number) {
  return Array.from({ length: count }, (_, index) => entry(BigInt(from + index), index, { key: { device: 'meter', point } }));
}

/** Values that no codec makes smaller, so that what is kept and what is gone shows in the size of the file. */
function noise(point: string, from: number, count: number) {
  return Array.from({ length: count }, (_, index) => entry(BigInt(from + index), Math.random(), { key: { device: 'meter', point } }));
}

describe('expiry', () => {
  it('deletes what is older, forgets series that are empty, and touches nobody else', async () => {
    const store = openForTest(temporaryFolder());
    await Promise.all([
      store.append(gateway, [...ramp('short', 0, 50), ...ramp('long', 0, 20_000), ...ramp('young', 15_000, 10)]),
      store.append('2/other', ramp('long', 0, 10)),
    ]);
    expect(await store.expire(gateway, 12_345n)).toBe(50 + 12_345);
    const series = await store.series(gateway);
    expect(series.map(({ point, firstNs, lastNs }) => [point, firstNs, lastNs])).toEqual([
      ['long', 12_345n, 19_999n],
      ['young', 15_000n, 15_009n],
    ]);
    const [long] = await store.range(gateway, [{ device: 'meter', point: 'long' }], always, rows, never);
    expect(long?.columns.times.length).toBe(20_000 - 12_345);
    expect((await store.series('2/other'))[0]?.firstNs).toBe(0n);
    expect(await store.expire(gateway, 12_345n)).toBe(0);
    // The name of a forgotten series may come back.
    await store.append(gateway, ramp('short', 20_000, 1), { now: true });
    expect(await store.range(gateway, [{ device: 'meter', point: 'short' }], always, rows, never)).toHaveLength(1);
  });

  it('lets commits through while it goes on, and gives the space back', async () => {
    const folder = temporaryFolder();
    const store = openForTest(folder, { flushIntervalMs: 60_000 });
    const size = () => statSync(join(folder, 'fieldgate.db')).size;
    void store.append(gateway, noise('long', 0, 600_000));
    await store.flush();
    await store.expire(gateway, 1n);
    const before = size();
    let expired = false;
    const expiry = store.expire(gateway, 599_000n).then((count) => {
      expired = true;
      return count;
    });
    // Asked for after the expiry and done before it: were it one transaction, or one turn of the worker, this could not be.
    await store.append(gateway, ramp('other', 600_000, 1), { now: true });
    expect(expired).toBe(false);
    expect(await expiry).toBe(598_999);
    await store.close();
    expect(size()).toBeLessThan(before / 10);
  });
});

describe('the bound of the history', () => {
  it.each(['disk', 'memory'])('takes the oldest samples away, counts them and goes on (%s)', async (where) => {
    const store = openForTest(where === 'disk' ? temporaryFolder() : undefined, { bytesMax: 500_000, flushIntervalMs: 60_000 });
    for (let batch = 0; batch < 40; batch++)
      await store.append(gateway, [...noise('a', batch * 5_000, 2_500), ...noise('b', batch * 5_000, 2_500)], { now: true });
    // The last trimming may still be under way; an expiry of nothing comes after it.
    await store.expire(gateway, -1n);
    const keys = ['a', 'b'].map((point) => ({ device: 'meter', point }));
    const results = await store.range(gateway, keys, always, rows, never);
    const kept = results.reduce((sum, { columns }) => sum + columns.times.length, 0);
    expect(kept + Number(store.status().trimmed)).toBe(200_000);
    expect(kept).toBeGreaterThan(10_000);
    // Noise takes some seven bytes a sample, with its times.
    expect(kept).toBeLessThan(70_000);
    for (const { columns } of results) expect(columns.times.at(-1)).toBe(39n * 5_000n + 2_499n);
    expect(store.status().dropped).toBe(0);
  });
});

describe('cancelling', () => {
  it('ends a read with the reason, whenever it comes', async () => {
    const store = openForTest(temporaryFolder(), { flushIntervalMs: 60_000 });
    void store.append(gateway, ramp('long', 0, 400_000));
    await store.flush();
    const keys = [{ device: 'meter', point: 'long' }];
    for (const run of [
      (signal: AbortSignal) => store.range(gateway, keys, always, rows, signal),
      (signal: AbortSignal) => store.buckets(gateway, keys, always, { quality: 'all', aggregate: 'avg', widthNs: 7n }, signal),
    ]) {
      const cancel = new AbortController();
      const rejected = expect(run(cancel.signal)).rejects.toThrow('the panel was closed');
      // Small reads have their turn between the slices of a large one: when this one is answered, the other has begun.
      await store.recall(gateway, 'x');
      cancel.abort(new Error('the panel was closed'));
      await rejected;
    }
    await expect(store.range(gateway, keys, always, rows, AbortSignal.abort(new Error('too late')))).rejects.toThrow('too late');
  });

  it('frees the worker for the next', async () => {
    const store = openForTest(temporaryFolder(), { flushIntervalMs: 60_000 });
    void store.append(gateway, ramp('long', 0, 200_000));
    await store.flush();
    const read = (signal: AbortSignal) => store.range(gateway, [{ device: 'meter', point: 'long' }], always, rows, signal);
    /** Time of processors, the worker's too: what else the machine does is no part of it. */
    const cost = async (work: () => Promise<unknown>) => {
      const began = process.cpuUsage();
      await work();
      const { user, system } = process.cpuUsage(began);
      return user + system;
    };
    await read(never);
    const all = await cost(() => Promise.all(Array.from({ length: 40 }, () => read(never))));
    const cancel = new AbortController();
    const one = await cost(async () => {
      const cancelled = Promise.allSettled(Array.from({ length: 40 }, () => read(cancel.signal)));
      cancel.abort(new Error('the panel was closed'));
      await read(never);
      expect((await cancelled).filter(({ status }) => status === 'fulfilled')).toEqual([]);
    });
    // A fortieth of the work; were the cancelled ones read to their end, all of it and more.
    expect(one).toBeLessThan(all / 2);
  });

  it('does not let a small read wait for a big one', async () => {
    const store = openForTest(temporaryFolder(), { flushIntervalMs: 60_000 });
    void store.append(gateway, [...ramp('long', 0, 400_000), entry(1n, 1)]);
    await store.flush();
    await store.series(gateway);
    const order: string[] = [];
    const big = store.range(gateway, [{ device: 'meter', point: 'long' }], always, rows, never).then(() => order.push('big'));
    const small = store.range(gateway, [temperature], always, rows, never).then(() => order.push('small'));
    await Promise.all([big, small]);
    expect(order).toEqual(['small', 'big']);
  });
});

it('refuses buckets without end', async () => {
  const store = openForTest(undefined);
  await store.append(gateway, [entry(1n, 1)], { now: true });
  await expect(
    store.buckets(gateway, [temperature], always, { quality: 'all', aggregate: 'avg', widthNs: 0n }, never),
  ).rejects.toMatchObject({ status: 400 });
});
