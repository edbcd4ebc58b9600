import { describe, expect, it } from 'vitest';
import { limits } from '../../src/contract/limits.ts';
import { expectBelow } from '../quickest.ts';
import { always, entry, gateway, never, openForTest, temperature, temporaryFolder } from './fixtures.ts';

describe('group commit', () => {
  it('commits what is asked for at once together with everything that waits', async () => {
    const store = openForTest(temporaryFolder(), { flushIntervalMs: 60_000 });
    await store.append(gateway, [entry(0n, 0)], { now: true });
    const before = store.status().commits;
    const patient = store.append(gateway, [entry(1n, 1)]);
    await store.append(gateway, [entry(2n, 2)], { now: true });
    await patient;
    expect(store.status().commits - before).toBe(1);
  });

  it('lets many that cannot wait share a commit', async () => {
    const store = openForTest(temporaryFolder());
    await store.append(gateway, [entry(0n, 0)], { now: true });
    const before = store.status();
    await Promise.all(Array.from({ length: 500 }, (_, index) => store.append(gateway, [entry(BigInt(index), index)], { now: true })));
    expect(store.status().committed - before.committed).toBe(500);
    expect(store.status().commits - before.commits).toBeLessThan(5);
  });

  it('writes a record by itself, without the samples that are not due, and with those that are', async () => {
    const store = openForTest(temporaryFolder(), { flushIntervalMs: 60_000 });
    await store.append(gateway, [entry(0n, 0)], { now: true });
    const before = store.status();
    const patient = store.append(gateway, [entry(1n, 1)]);
    await store.remember(gateway, 'test', 'key', 1);
    expect(store.status()).toMatchObject({ committed: before.committed, commits: before.commits + 1, pending: 1 });
    await Promise.all([store.append(gateway, [entry(2n, 2)], { now: true }), patient, store.remember(gateway, 'test', 'key', 2)]);
    expect(store.status()).toMatchObject({ committed: before.committed + 2, commits: before.commits + 2, pending: 0 });
    expect(await store.recall(gateway, 'test')).toEqual(new Map([['key', 2]]));
  });

  it('waits no longer than the flush interval, or than an append says', async () => {
    const slow = openForTest(temporaryFolder(), { flushIntervalMs: 1_500 });
    await slow.append(gateway, [entry(0n, 0)], { now: true });
    const wait = async (options: { withinMs?: number }) => {
      const begin = performance.now();
      await slow.append(gateway, [entry(1n, 1)], options);
      return performance.now() - begin;
    };
    expect(await wait({})).toBeGreaterThan(1_400);
    await expectBelow(1_200, () => wait({ withinMs: 20 }));
  });

  it('divides a large append, and a read sees all of it', async () => {
    const store = openForTest(temporaryFolder(), { flushIntervalMs: 60_000 });
    const count = limits.storeCommitRowsMax * 2 + 7;
    const appended = store.append(
      gateway,
      Array.from({ length: count }, (_, index) => entry(BigInt(index), index)),
    );
    const [result] = await store.range(gateway, [temperature], always, { quality: 'all', rowsMax: count }, never);
    expect(result?.columns.times.length).toBe(count);
    await appended;
    expect(store.status()).toMatchObject({ committed: count, commits: 3, pending: 0 });
  });

  it('refuses beyond its bound, counts it, and keeps what it took', async () => {
    const store = openForTest(temporaryFolder(), { flushIntervalMs: 60_000 });
    // The workers are still opening, so nothing is taken from the queue meanwhile.
    const one = entry(1n, 1);
    const most = store.append(gateway, new Array(limits.storeQueueMax - 1).fill(one));
    await expect(store.append(gateway, [one, entry(9n, 9)])).rejects.toMatchObject({ name: 'Fault', type: 'storage-full', status: 503 });
    expect(store.status()).toMatchObject({ dropped: 2, pending: limits.storeQueueMax - 1 });
    await store.flush();
    await most;
    expect((await store.last(gateway))[0]?.sample.timeNs).toBe(1n);
  });

  it('bounds the texts that wait too', async () => {
    const store = openForTest(undefined, { flushIntervalMs: 60_000 });
    const text = 'x'.repeat(1024 * 1024);
    const fitting = limits.storeQueueTextMax / text.length + 1;
    const all = Array.from({ length: fitting + 2 }, (_, index) => store.append(gateway, [entry(BigInt(index), text, { kind: 'string' })]));
    const outcomes = Promise.allSettled(all);
    expect(store.status()).toMatchObject({ pending: fitting, dropped: 2 });
    await store.flush();
    expect((await outcomes).map(({ status }) => status)).toEqual([...new Array(fitting).fill('fulfilled'), 'rejected', 'rejected']);
    // There is room again.
    await store.append(gateway, [entry(-1n, text, { kind: 'string' })], { now: true });
    expect(store.status()).toMatchObject({ pending: 0, dropped: 2 });
  });
});
