/** Who is there and what kept values and devices' own times are worth: a real broker, its own client as the far end, a real store. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/contract/clock.ts';
import { silentLog } from '../../src/contract/log.ts';
import type { Sample } from '../../src/contract/sample.ts';
import type { Gateway } from '../../src/gateway/gateway.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { type Mosquitto, startMosquitto } from '../far/mosquitto.ts';
import { planFor, states } from './discovered-plant.ts';
import { pause, rig, until } from './rig.ts';

let broker: Mosquitto;
beforeAll(async () => {
  broker = await startMosquitto();
});
afterAll(() => broker.close());

let areas = 0;
/** Rooms below a topic of their own, so that nothing kept meets another test. */
async function rooms(
  availability: Record<string, unknown> = {},
  options: { store?: Store; area?: string; keep?: string[]; t?: Record<string, unknown> } = {},
) {
  const area = options.area ?? `area${++areas}`;
  for (const [topic, payload] of (options.keep ?? []).map((text) => text.split(' ')))
    await broker.publish(`${area}/${topic}`, payload ?? '', { retain: true });
  const template = {
    id: '{room}',
    connection: 'broker',
    points: [
      { id: 't', address: { topic: `${area}/{room}/climate`, path: '$.t', time: '$.ts' }, ...options.t },
      { id: 'light', address: { topic: `${area}/{room}/light`, format: 'text' } },
    ],
    availability: { topic: `${area}/{room}/status`, ...availability },
  };
  const { gateway, store } = await rig({ factor: 1, ...(options.store ? { store: options.store } : {}) });
  const plan = planFor(broker.port, [template]);
  expect(plan.faults).toEqual([]);
  await gateway.apply(plan);
  await until('the link is up', () => gateway.connections()[0]?.state === 'up');
  const say = (topic: string, payload: string, retain = false) => broker.publish(`${area}/${topic}`, payload, { retain });
  /** Says it until the gateway has it: the subscription may still be under way. */
  const sayUntil = async (topic: string, payload: string, seen: () => unknown) => {
    await until(`${topic} ${payload}`, async () => {
      if (seen()) return true;
      await say(topic, payload);
      await pause(20);
      return seen();
    });
  };
  return { gateway, store, area, say, sayUntil, last: (point: string, room = 'attic') => gateway.last({ device: room, point }) };
}

const range = { fromNs: 0n, toNs: BigInt(Date.now() + 3_600_000) * 1_000_000n };
/** From its first word on: it is discovered by it, mostly within the same millisecond. */
async function connectivity(store: Store, device = 'attic'): Promise<string[]> {
  await store.flush();
  const changes = await store.connectivity('1/test', [device], range, new AbortController().signal);
  return changes.filter(({ state }) => state !== 'unknown').map(({ state, reason }) => `${state} ${reason}`.trim());
}
/** What is kept of a point: `ON good`. A good value that was said twice, because nobody knew whether it was heard, counts once. */
async function history(store: Store, point: string): Promise<string[]> {
  await pause(30);
  await store.flush();
  const results = await store.range(
    '1/test',
    [{ device: 'attic', point }],
    range,
    { quality: 'all', rowsMax: 1_000 },
    new AbortController().signal,
  );
  const rows = results.flatMap(({ columns }) =>
    Array.from(columns.times, (_, i) =>
      [columns.valid[i] ? columns.values[i] : 'null', ['good', 'uncertain', 'bad'][columns.quality[i] ?? 2], columns.reasons?.[i]]
        .filter(Boolean)
        .join(' '),
    ),
  );
  return rows.filter((row, i) => !(row.endsWith('good') && row === rows[i - 1]));
}
const device = (gateway: Gateway) => gateway.devices()[0];

describe('what a device says of itself', () => {
  it('online and offline by its word, also a kept one; its values are bad once while it is gone, and it comes back by its next message', async () => {
    const { gateway, store, say, sayUntil, last } = await rooms();
    await sayUntil('attic/light', 'ON', () => last('light')?.value === 'ON');
    expect(states(gateway)).toEqual(['attic online']);
    for (let i = 0; i < 2; i++) await say('attic/status', 'offline');
    await until('it is offline', () => device(gateway)?.state === 'offline');
    expect(device(gateway)?.error).toBe('said "offline"');
    expect(last('light')).toMatchObject({ value: null, quality: 'bad', reason: 'offline' });
    expect(last('t')).toBeUndefined();
    await say('attic/status', 'online');
    await until('it is online', () => device(gateway)?.state === 'online');
    await say('attic/status', 'offline');
    await until('it is offline', () => device(gateway)?.state === 'offline');
    await say('attic/light', 'OFF');
    await until('it is back', () => device(gateway)?.state === 'online');
    expect(await history(store, 'light')).toEqual(['ON good', 'null bad offline', 'OFF good']);
    expect(await connectivity(store)).toEqual(['online', 'offline said "offline"', 'online', 'offline said "offline"', 'online']);
  });

  it('a kept "offline" is known before kept values, which are then worth nothing', async () => {
    const { gateway, store, last } = await rooms(
      {},
      { keep: ['attic/light ON', 'attic/status offline', 'hall/light ON', 'hall/status online', 'loft/light ON'] },
    );
    await until('all three are there', () => gateway.devices().length === 3 && last('light', 'hall') && last('light', 'loft'));
    expect(states(gateway)).toEqual(['attic offline', 'hall online', 'loft unknown']);
    expect(last('light')).toBeUndefined();
    expect(await history(store, 'light')).toEqual([]);
    expect(gateway.devices().map(({ lastSeenMs }) => lastSeenMs)).toEqual([undefined, undefined, undefined]);
  });

  it('a word nobody knows is told at the device until a clear one comes', async () => {
    const { gateway, sayUntil } = await rooms();
    await sayUntil('attic/status', 'asleep', () => gateway.devices().length === 1);
    expect(device(gateway)).toMatchObject({
      state: 'unknown',
      error: 'its availability topic says "asleep"; known are "online" and "offline"',
    });
    await sayUntil('attic/status', 'online', () => device(gateway)?.state === 'online');
    expect(device(gateway)?.error).toBeUndefined();
  });

  it('a device that is gone stays gone when other settings change', async () => {
    const { gateway, area, sayUntil } = await rooms();
    await sayUntil('attic/status', 'offline', () => device(gateway)?.state === 'offline');
    const template = gateway.plan.connections[0]?.templates?.[0];
    const other = { id: 'other', connection: 'broker', points: [{ id: 'p', address: { topic: `${area}/other` } }] };
    const settings = {
      id: template?.id,
      connection: 'broker',
      points: template?.points.map(({ id, address }) => ({ id, address })),
      availability: { topic: `${area}/{room}/status` },
    };
    await gateway.apply(planFor(broker.port, [settings, other]));
    await sayUntil('other', '1', () => gateway.last({ device: 'other', point: 'p' }));
    expect(states(gateway)).toEqual(['attic offline', 'other online']);
  });
});

describe('staleAfter', () => {
  it('a silent device is offline, its values stale once; it comes back with the next message', async () => {
    const { gateway, store, say, sayUntil, last } = await rooms({ staleAfter: '1s' });
    const ts = Date.now();
    await sayUntil('attic/light', 'ON', () => last('light')?.value === 'ON');
    await say('attic/climate', JSON.stringify({ t: 20, ts }));
    await until('it is heard', () => last('t'));
    await until('it is stale', () => device(gateway)?.state === 'offline', 3_000);
    expect(device(gateway)?.error).toBe('stale: nothing heard for 1 s');
    expect(last('light')).toMatchObject({ value: null, quality: 'bad', reason: 'stale' });
    await pause(600);
    expect(await history(store, 'light')).toEqual(['ON good', 'null bad stale']);
    expect(await history(store, 't')).toEqual(['20 good', 'null bad stale']);
    await say('attic/light', 'ON');
    await until('it is back', () => device(gateway)?.state === 'online');
    expect(await history(store, 'light')).toEqual(['ON good', 'null bad stale', 'ON good']);
    expect(await connectivity(store)).toEqual(['online', 'offline stale: nothing heard for 1 s', 'online']);
  });

  it('of a point: it alone is stale, once, while its device is there, and good again with the next message', async () => {
    const { gateway, store, say, sayUntil, last } = await rooms({}, { t: { staleAfter: '1s' } });
    const climate = (t: number) => JSON.stringify({ t, ts: Date.now() });
    await sayUntil('attic/climate', climate(20), () => last('t')?.value === 20);
    await until('it is stale', async () => {
      await say('attic/light', 'ON');
      return last('t')?.reason === 'stale';
    });
    expect(last('t')).toMatchObject({ value: null, quality: 'bad' });
    expect(last('light')).toMatchObject({ value: 'ON', quality: 'good' });
    expect(device(gateway)?.state).toBe('online');
    await pause(600);
    await say('attic/climate', climate(21));
    await until('it is good again', () => last('t')?.value === 21);
    expect(await history(store, 't')).toEqual(['20 good', 'null bad stale', '21 good']);
    expect(await connectivity(store)).toEqual(['online']);
  });

  it('one that speaks often enough is not; one that was never heard is, and what is kept does not count as speaking', async () => {
    const { gateway, say } = await rooms({ staleAfter: '1s' }, { keep: ['kept/light ON'] });
    await until('the kept one is stale', async () => {
      await say('attic/light', 'ON');
      return gateway.devices().some(({ id, state }) => id === 'kept' && state === 'offline');
    });
    await say('attic/light', 'ON');
    expect(states(gateway)).toEqual(['attic online', 'kept offline']);
    expect(gateway.last({ device: 'kept', point: 'light' })).toMatchObject({ quality: 'bad', reason: 'stale' });
  });
});

describe('kept values', () => {
  it('are current and no news: recorded once, and nobody is online by them', async () => {
    const store = openStore({ folder: undefined, clock: systemClock, log: silentLog });
    const first = await rooms({}, { store, keep: ['attic/light ON'] });
    await until('it is there', () => first.last('light'));
    expect(states(first.gateway)).toEqual(['attic unknown']);
    expect(first.last('light')).toMatchObject({ value: 'ON', quality: 'good' });
    await first.gateway.close();
    const again = await rooms({}, { store, area: first.area });
    await until('it is there again', () => again.last('light'));
    await pause(100);
    expect(await history(store, 'light')).toEqual(['ON good']);
    await again.gateway.close();
    await store.close();
  });

  it('with a time that is older than the history are recorded once too, at their arrival and uncertain', async () => {
    const store = openStore({ folder: undefined, clock: systemClock, log: silentLog });
    const first = await rooms({}, { store, keep: [`attic/climate ${JSON.stringify({ t: 7, ts: Date.now() - 400 * 86_400_000 })}`] });
    await until('it is there', () => first.last('t'));
    await first.gateway.close();
    const again = await rooms({}, { store, area: first.area });
    await until('it is there again', () => again.last('t'));
    await pause(100);
    expect(await history(store, 't')).toEqual(['7 uncertain clock']);
    await again.gateway.close();
    await store.close();
  });
});

describe("a device's own time", () => {
  const now = Date.now();
  const day = 86_400_000;
  const cases: [string, unknown, number | undefined][] = [
    ['seconds', Math.floor(now / 1_000), Math.floor(now / 1_000) * 1_000],
    ['seconds with a fraction', now / 1_000, now],
    ['milliseconds', now, now],
    ['milliseconds as text', String(now), now],
    ['microseconds', now * 1_000, now],
    ['nanoseconds', BigInt(now) * 1_000_000n, now],
    ['ISO 8601', new Date(now).toISOString(), now],
    ['ISO 8601 of another zone', new Date(now + 3_600_000).toISOString().replace('Z', '+01:00'), now],
    ['29 days ago, within the history', now - 29 * day, now - 29 * day],
    ['half a minute ahead', now + 30_000, now + 30_000],
    ['31 days ago, older than the history', now - 31 * day, undefined],
    ['2 minutes ahead', now + 120_000, undefined],
    ['a time without a zone', '2026-11-22T12:00:00', undefined],
    ['zero', 0, undefined],
    ['before 1970', -1, undefined],
    ['nothing', null, undefined],
    ['beyond all calendars', 1e30, undefined],
  ];
  it('is taken from the unit it is in, and replaced by the arrival where it cannot be believed', async () => {
    const { gateway, sayUntil } = await rooms();
    for (const [name, ts, timeMs] of cases) {
      const value = Math.random();
      const text = JSON.stringify({ t: value, ts: typeof ts === 'bigint' ? '#' : ts }).replace('"#"', String(ts));
      let seen: Sample | undefined;
      const stop = gateway.subscribe((samples) => {
        for (const { sample } of samples) if (sample.value === value) seen = sample;
      });
      const before = Date.now();
      await sayUntil('attic/climate', text, () => seen);
      stop();
      expect(seen, name).toMatchObject(timeMs === undefined ? { quality: 'uncertain', reason: 'clock' } : { quality: 'good', reason: '' });
      const saidMs = Number((seen?.timeNs ?? 0n) / 1_000_000n);
      expect(saidMs, name).toBe(timeMs ?? Number((seen?.arrivalNs ?? 0n) / 1_000_000n));
      if (timeMs !== undefined) continue;
      expect(saidMs, name).toBeGreaterThanOrEqual(before);
      expect(saidMs, name).toBeLessThanOrEqual(Date.now());
    }
  });
});
