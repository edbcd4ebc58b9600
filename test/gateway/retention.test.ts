import { statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/contract/clock.ts';
import { silentLog } from '../../src/contract/log.ts';
import { longestRetentionMs, settingsSchema } from '../../src/contract/settings.ts';
import { keep } from '../../src/gateway/keep.ts';
import { openStore } from '../../src/store/open.ts';

const hour = 3_600_000;
const day = 24 * hour;

it('keeps each series as long as the first rule that matches says, and gives the space back', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'fieldgate-retention-'));
  const startMs = Date.parse('2026-06-01');
  let nowMs = startMs;
  let jumpedMs = 0;
  // Timers are for the test to fire.
  const timers: (() => void)[] = [];
  const wall = { nowMs: () => nowMs, nowNs: () => BigInt(nowMs) * 1_000_000n, monotonicMs: () => nowMs - startMs - jumpedMs };
  const store = openStore({
    folder,
    clock: { ...systemClock, nowMs: wall.nowMs, nowNs: wall.nowNs, monotonicMs: wall.monotonicMs },
    log: silentLog,
  });
  onTestFinished(async () => {
    await store.close();
    await rm(folder, { recursive: true });
  });
  const after = (_delayMs: number, run: () => void) => {
    timers.push(run);
    return () => {};
  };
  const keeping = keep({
    key: '1/home',
    store,
    clock: { ...systemClock, ...wall, after },
    log: silentLog,
    labelsOf: ({ device, point }) => (device === 'gone' ? undefined : { site: device.startsWith('n') ? 'north' : 'south', point }),
  });
  const { history } = settingsSchema.parse({
    history: {
      retention: '10d',
      exceptions: [
        { devices: ['n*'], points: ['fast'], retention: '1d' },
        { labels: { site: 'north' }, retention: '30d' },
        { points: ['/^noise$/'], retention: '2d' },
      ],
    },
  });
  expect(longestRetentionMs(history)).toBe(30 * day);
  const series = ['n1.fast', 'n1.slow', 's1.fast', 's1.noise', 'gone.fast', 'gone.noise'];
  const count = 40 * 24 * 4;
  for (const name of series) {
    const [device = '', point = ''] = name.split('.');
    await store.append(
      '1/home',
      Array.from({ length: count }, (_, index) => {
        // Each quarter of an hour, the last just now.
        const timeNs = BigInt(startMs - (count - 1 - index) * (hour / 4)) * 1_000_000n;
        const sample = { timeNs, arrivalNs: timeNs, value: Math.random(), quality: 'good', reason: '' } as const;
        return { key: { device, point }, kind: 'double', sample };
      }),
      { now: true },
    );
  }
  const ages = async () =>
    Object.fromEntries(
      (await store.series('1/home')).map(({ device, point, firstNs }) => [
        `${device}.${point}`,
        (nowMs - Number(firstNs / 1_000_000n)) / day,
      ]),
    );
  keeping.use(history);
  const expire = async (wanted: () => Promise<boolean>) => {
    for (const run of timers.splice(0)) run();
    for (let look = 0; !(await wanted()); look++) {
      if (look > 500) throw new Error(`not deleted: ${JSON.stringify(await ages())}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  await expire(async () => Number((await ages())['n1.slow']) <= 30);
  // One whose labels are not known is kept for the longest that may be meant.
  expect(await ages()).toEqual({ 'n1.fast': 1, 'n1.slow': 30, 's1.fast': 10, 's1.noise': 2, 'gone.fast': 30, 'gone.noise': 30 });
  const before = statSync(join(folder, 'fieldgate.db')).size;

  // The clock jumps fifty years ahead: nothing goes. Then it is set right.
  jumpedMs = 50 * 365 * day;
  nowMs += jumpedMs;
  for (const run of timers.splice(0)) run();
  await store.believedNowNs();
  await store.flush();
  expect((await store.series('1/home')).some(({ firstNs }) => firstNs === BigInt(startMs - 30 * day) * 1_000_000n)).toBe(true);
  expect(store.status().clock).toContain('ahead');
  nowMs -= jumpedMs;
  jumpedMs = 0;
  // All of it is old at last.
  for (let step = 0; step < 40; step++) {
    nowMs += day;
    await store.believedNowNs();
  }
  await store.append('1/home', [], { now: true });
  keeping.use(history);
  await expire(async () => (await store.series('1/home')).length === 0);
  keeping.stop();
  await store.close();
  // What is left are the pages of the tables themselves, one and more of each.
  expect(statSync(join(folder, 'fieldgate.db')).size).toBeLessThan(before * 0.6);
});
