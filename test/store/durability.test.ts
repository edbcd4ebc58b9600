import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { entry, gateway, openForTest, startChild, temporaryFolder, until } from './fixtures.ts';

/** How often a process waited for the medium while it committed twenty times; the calls are counted by the system's own tracer. */
async function syncsOf(job: string): Promise<{ syncs: number; ms: number }> {
  const folder = temporaryFolder();
  const trace = join(temporaryFolder(), 'trace');
  const child = startChild(job, folder, ['strace', '-D', '-f', '-e', 'trace=fsync,fdatasync', '-o', trace]);
  await until(() => child.lines.includes('begin'), 20_000);
  const before = countSyncs(trace);
  await until(() => child.lines.includes('end'), 30_000);
  const syncs = countSyncs(trace) - before;
  const ms = Number(child.lines.find((line) => line.startsWith('took '))?.slice(5));
  child.process.kill('SIGKILL');
  return { syncs, ms };
}

function countSyncs(trace: string): number {
  return readFileSync(trace, 'utf8').match(/\b(fsync|fdatasync)\(/g)?.length ?? 0;
}

describe('durability', () => {
  it('commit waits for no medium, power-loss for each commit, and for no more of them a second than was said', async () => {
    expect((await syncsOf('commits')).syncs).toBeLessThan(10);
    const safe = await syncsOf('commits-safe');
    expect(safe.syncs).toBeGreaterThanOrEqual(20);
    // 20 commits one after the other at 50 a second; only the least is sure on a busy machine.
    expect(safe.ms).toBeGreaterThanOrEqual(19 * 20 - 5);
  }, 60_000);

  it('is what the database says of itself', async () => {
    for (const durability of ['commit', 'power-loss'] as const) {
      const store = openForTest(temporaryFolder(), { durability });
      await store.append(gateway, [entry(1n, 1)], { now: true });
      expect(store.status().durability).toBe(durability);
    }
    const store = openForTest(undefined, { durability: 'power-loss' });
    await store.append(gateway, [entry(1n, 1)], { now: true });
    expect(store.status().durability).toBeUndefined();
  });

  it('gathers what comes faster into the commits there may be', async () => {
    const store = openForTest(temporaryFolder(), { durability: 'power-loss', syncsPerSecondMax: 20 });
    await store.append(gateway, [entry(0n, 0)], { now: true });
    const before = store.status().commits;
    const beginMs = performance.now();
    const waiting: Promise<void>[] = [];
    for (let index = 1; performance.now() - beginMs < 500; index++) {
      waiting.push(store.append(gateway, [entry(BigInt(index), index)], { now: true }));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await Promise.all(waiting);
    const commits = store.status().commits - before;
    expect(commits).toBeGreaterThan(1);
    expect(commits).toBeLessThanOrEqual(Math.ceil((performance.now() - beginMs) / 50) + 1);
    expect(store.status().committed).toBe(waiting.length + 1);
  });
});

describe('the bound of series', () => {
  it('refuses new ones by name and keeps the rest', async () => {
    const store = openForTest(temporaryFolder(), { seriesMax: 2 });
    const at = (point: string, time: bigint) => entry(time, 1, { key: { device: 'd', point } });
    await expect(
      store.append(gateway, [at('a', 1n), at('b', 1n), at('c', 1n), at('a', 2n), at('d', 1n)], { now: true }),
    ).rejects.toMatchObject({
      type: 'too-many-series',
      refused: [2, 4],
    });
    expect(store.status()).toMatchObject({ committed: 3, dropped: 2 });
    expect(store.cardinality(gateway)).toEqual({ series: 2, ofAll: 2, max: 2, refused: 2, lastRefused: { device: 'd', point: 'd' } });
    expect(store.cardinality('2/other')).toEqual({ series: 0, ofAll: 2, max: 2, refused: 0 });
    // What is there goes on, and there is room again when one is gone.
    await store.append(gateway, [at('b', 2n)], { now: true });
    await store.erase(gateway);
    await store.append(gateway, [at('c', 3n), at('d', 3n)], { now: true });
  });
});
