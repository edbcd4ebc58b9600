import { expect, it } from 'vitest';
import { systemClock } from '../../src/contract/clock.ts';
import { type Point, pointSchema } from '../../src/contract/device.ts';
import type { Driver } from '../../src/contract/driver.ts';
import { silentLog } from '../../src/contract/log.ts';
import { Hub } from '../../src/gateway/hub.ts';
import { Intake } from '../../src/gateway/intake.ts';
import { News } from '../../src/gateway/news.ts';
import { Plant } from '../../src/gateway/plant.ts';
import type { Entry, Store } from '../../src/store/store.ts';

const msNs = 1_000_000n;

/** The clock stands where a step puts it: what comes within a millisecond is nothing that a wire can be made to repeat. */
function standing() {
  const kept: [timeNs: bigint, value: unknown][] = [];
  let nowNs = 1_700_000_000_000n * msNs;
  const clock = { ...systemClock, nowNs: () => nowNs, nowMs: () => Number(nowNs / msNs), arrivalNs: () => nowNs };
  const store = {
    append: async (_: string, entries: Entry[]) =>
      void kept.push(...entries.map(({ sample: { timeNs, value } }) => [timeNs - startNs, value] as [bigint, unknown])),
    appendConnectivity: () => Promise.resolve(),
    flush: () => Promise.resolve(),
  } as unknown as Store;
  const startNs = nowNs;
  const deps = { key: 'burst', store, clock, log: silentLog };
  const plant = new Plant({ ...deps, news: new News(silentLog) });
  const intake = new Intake({ ...deps, plant, hub: new Hub(silentLog) });
  intake.retentionMs = 86_400_000;
  const { interval: _, ...filled } = pointSchema.parse({ id: 'n', address: null });
  const point: Point = { ...filled, device: 'd', address: null, intervalMs: 1_000 };
  const driver = { shape: () => ({ type: 'integer', min: 0n, max: 65_535n }) } as unknown as Driver;
  plant.place({ id: 'd', title: '', connection: 'c', address: null, labels: {}, points: [point], actions: [] }, driver);
  return {
    /** `atMs` of the device's clock, if it sends a time; `arrivesMs` by ours. */
    say: (value: number, arrivesMs: number, atMs?: number) => {
      nowNs = startNs + BigInt(arrivesMs) * msNs;
      intake.take([{ point, value, reason: '', ...(atMs === undefined ? {} : { timeNs: startNs + BigInt(atMs) * msNs }) }]);
    },
    last: () => plant.point({ device: 'd', point: 'n' })?.last?.value,
    kept: async () => {
      await intake.close();
      return kept.sort(([one], [other]) => Number(one - other)).map(([, value]) => value);
    },
  };
}

it('what is said within a millisecond is kept whole and in order, with and without times of the device', async () => {
  const { say, last, kept } = standing();
  say(1, 5, 5);
  // The same moment by both clocks: put behind the one before.
  say(2, 5, 5);
  // It is on its way for longer; by its time it would be the first again, and older than the last.
  say(3, 7, 5);
  expect(last()).toBe(3);
  say(4, 7);
  say(5, 7);
  expect(last()).toBe(5);
  expect(await kept()).toEqual([1, 2, 3, 4, 5]);
});

it('what is older by a millisecond or more stays where it belongs, and is not the last', async () => {
  const { say, last, kept } = standing();
  say(1, 5, 5);
  say(2, 5, 5);
  say(3, 9, 4);
  expect(last()).toBe(2);
  expect(await kept()).toEqual([3, 1, 2]);
});
