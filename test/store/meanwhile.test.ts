/** What comes while something is deleted: nothing of it is lost, and the catalogue says what is there. */
import { expect, it } from 'vitest';
import { always, entry, gateway, never, openForTest, temperature, temporaryFolder } from './fixtures.ts';

const rows = { quality: 'all', rowsMax: 1_000_000 } as const;

it('a sample that waits for its commit keeps its series', async () => {
  const store = openForTest(temporaryFolder(), { flushIntervalMs: 60_000 });
  await store.append(gateway, [entry(1n, 1)], { now: true });
  const waiting = store.append(gateway, [entry(100n, 2)]);
  expect(await store.expire(gateway, 50n)).toBe(1);
  await waiting;
  await store.append(gateway, [entry(101n, 3)], { now: true });
  expect(await store.series(gateway)).toMatchObject([{ firstNs: 100n, lastNs: 101n }]);
  const [found] = await store.range(gateway, [temperature], always, rows, never);
  expect([...(found?.columns.times ?? [])]).toEqual([100n, 101n]);
});

it('a series that gets samples all the time says where it begins', async () => {
  const store = openForTest(temporaryFolder());
  let index = 0;
  let done = false;
  const feed = async () => {
    while (!done) {
      const batch = Array.from({ length: 2_000 }, () => entry(BigInt(index++), 1));
      await store.append(gateway, batch, { now: true });
    }
  };
  const feeding = feed();
  for (const beforeNs of [5_000n, 9_000n]) {
    while (index < Number(beforeNs)) await new Promise((resolve) => setTimeout(resolve, 1));
    await store.expire(gateway, beforeNs);
    expect(await store.series(gateway)).toMatchObject([{ firstNs: beforeNs }]);
  }
  // Late ones that come meanwhile count too.
  const expiry = store.expire(gateway, 9_500n);
  await store.append(gateway, [entry(20n, 1)], { now: true });
  await expiry;
  const [found] = await store.range(gateway, [temperature], always, { quality: 'all', rowsMax: 10_000_000 }, never);
  const [series] = await store.series(gateway);
  expect(series?.firstNs).toBeLessThanOrEqual(found?.columns.times[0] ?? 0n);
  done = true;
  await feeding;
});

it('a series of which nothing is committed yet expires too', async () => {
  const store = openForTest(temporaryFolder(), { flushIntervalMs: 60_000 });
  void store.append(gateway, [entry(10n, 1), entry(20n, 2), entry(30n, 3)]);
  expect(await store.expire(gateway, 25n)).toBe(2);
  expect((await store.series(gateway))[0]).toMatchObject({ firstNs: 30n, lastNs: 30n });
  void store.append(gateway, [entry(5n, 1, { key: { device: 'late', point: 'only' } })]);
  expect(await store.expire(gateway, 25n)).toBe(1);
  expect(await store.series(gateway)).toHaveLength(1);
});
