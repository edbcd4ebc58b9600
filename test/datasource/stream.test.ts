import { afterEach, describe, expect, it } from 'vitest';
import { channelPathPattern } from '../../src/contract/channel.ts';
import { limits } from '../../src/contract/limits.ts';
import { fieldOf } from '../frame/read.ts';
import { type Bench, clock, device, openBench } from './query-fixture.ts';
import { Viewer } from './stream-viewer.ts';

const devices = () => [
  device('boiler', { flow_temp: { unit: 'celsius' }, pump: {}, mode: {}, energy: {} }, { site: 'north' }, 'Boiler'),
  device('tank', { level: {} }),
];
const query = (more: Record<string, unknown> = {}) => ({ queryType: 'telemetry', devices: ['*'], live: true, ...more });

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

function open(): Bench {
  const bench = openBench(devices());
  cleanups.push(() => bench.close());
  return bench;
}

/** The history of a live query and the path of its channel. */
async function history(bench: Bench, more: Record<string, unknown> = {}, range: { fromMs?: number; toMs?: number } = {}) {
  const [frame, other] = await bench.frames(query(more), range);
  if (!frame || other) throw new Error('a live answer is one frame');
  const channel = (frame.meta as { channel?: string }).channel ?? '';
  return { frame, channel, path: channel.replace('ds/abc/', '') };
}

interface Running {
  stop(): Promise<void>;
  /** When `run` had ended after the abort. */
  endedAfterMs: number;
  done: Promise<void>;
}

function run(bench: Bench, path: string, send: (packet: Uint8Array) => Promise<void>): Running {
  const cancel = new AbortController();
  const running: Running = {
    endedAfterMs: Number.NaN,
    done: bench.streams.run(bench.instance, path, send, cancel.signal),
    async stop() {
      const began = performance.now();
      cancel.abort();
      await running.done;
      running.endedAfterMs = performance.now() - began;
    },
  };
  running.done.catch(() => undefined);
  cleanups.unshift(() => (cancel.signal.aborted ? Promise.resolve() : running.stop()));
  return running;
}

async function until(what: () => boolean, withinMs = 8_000): Promise<void> {
  const end = performance.now() + withinMs;
  while (!what()) {
    if (performance.now() > end) throw new Error(`not within ${withinMs} ms: ${what}`);
    await clock.sleep(5);
  }
}

async function initialOf(bench: Bench, path: string): Promise<Uint8Array> {
  const answer = await bench.streams.subscribe(bench.instance, path);
  if (answer.status !== 'ok') throw new Error(answer.status);
  return answer.initial;
}

describe('a live query', () => {
  it('answers history and an address that Grafana takes', async () => {
    const bench = open();
    await bench.gateway.say('boiler.flow_temp', { value: 20 });
    const { frame, channel, path } = await history(bench);
    expect(channel).toMatch(/^ds\/abc\/live\/[0-9a-f]{32}$/);
    expect(`1/${channel}`.length).toBeLessThanOrEqual(160);
    expect(path).toMatch(channelPathPattern);
    expect(frame.meta).toMatchObject({ type: 'timeseries-wide', typeVersion: [0, 1] });
    expect(fieldOf(frame, 'boiler.flow_temp')).toMatchObject({
      values: [20],
      labels: { device: 'boiler', site: 'north' },
      config: { unit: 'celsius' },
    });
  });

  it('gives one channel to queries that mean the same, and another to another range', async () => {
    const bench = open();
    const path = async (more: Record<string, unknown>, range?: { fromMs: number; toMs: number }) =>
      (await history(bench, more, range)).path;
    const nowMs = clock.nowMs();
    const first = await path({ devices: ['a', 'b'], labels: { x: '1', y: '2' } });
    expect(await path({ devices: ['b', 'a', 'b'], labels: { y: '2', x: '1' }, format: 'long', fill: 'null' })).toBe(first);
    expect(await path({ devices: ['a', 'b'], labels: { x: '1', y: '2' } }, { fromMs: nowMs - 3_600_040, toMs: nowMs })).toBe(first);
    expect(await path({ devices: ['a', 'c'], labels: { x: '1', y: '2' } })).not.toBe(first);
    // The browser keeps the rows of a channel it has: a longer history needs another channel.
    expect(await path({ devices: ['a', 'b'], labels: { x: '1', y: '2' } }, { fromMs: nowMs - 7_200_000, toMs: nowMs })).not.toBe(first);
  });

  it('of a range that is past has no channel', async () => {
    const bench = open();
    const nowMs = clock.nowMs();
    const [frame] = await bench.frames(query(), { fromMs: nowMs - 7_200_000, toMs: nowMs - 3_600_000 });
    expect(frame?.meta).not.toHaveProperty('channel');
  });

  it('goes on without a gap and without a repetition, whenever a sample comes', async () => {
    const bench = open();
    const said: number[] = [];
    let value = 0;
    const say = async () => {
      value += 1;
      said.push(value);
      await bench.gateway.say('boiler.flow_temp', { value });
      // Slower than what is reduced to its extremes.
      await clock.sleep(12);
    };
    for (let i = 0; i < 5; i += 1) await say();
    // A device that talks all the time, while the browser asks, subscribes and listens.
    let talking = true;
    const talk = (async () => {
      while (talking) await say();
    })();
    await clock.sleep(20);
    const { frame, path } = await history(bench);
    const viewer = new Viewer(frame);
    await clock.sleep(50);
    viewer.take(await initialOf(bench, path));
    await clock.sleep(50);
    const running = run(bench, path, async (packet) => {
      viewer.take(packet);
      await Promise.resolve();
    });
    await clock.sleep(400);
    talking = false;
    await talk;
    await until(() => viewer.values('boiler.flow_temp').length >= said.length);
    await clock.sleep(250);
    expect(viewer.values('boiler.flow_temp')).toEqual(said);
    expect(said.length).toBeGreaterThan(25);
    await running.stop();
  });

  it('brings a second viewer from its own history to the running stream', async () => {
    const bench = open();
    await bench.gateway.say('boiler.flow_temp', { value: 1 });
    const first = await history(bench);
    const viewer = new Viewer(first.frame);
    viewer.take(await initialOf(bench, first.path));
    const viewers = [viewer];
    run(bench, first.path, async (packet) => {
      for (const one of viewers) one.take(packet);
      await Promise.resolve();
    });
    await bench.gateway.say('boiler.flow_temp', { value: 2 });
    await until(() => viewer.values('boiler.flow_temp').length === 2);
    const second = await history(bench);
    expect(second.path).toBe(first.path);
    const late = new Viewer(second.frame);
    await clock.sleep(5);
    // Sent to the first viewer after the history of the second, before the second listens.
    await bench.gateway.say('boiler.flow_temp', { value: 3 });
    await until(() => viewer.values('boiler.flow_temp').length === 3);
    late.take(await initialOf(bench, second.path));
    viewers.push(late);
    await bench.gateway.say('boiler.flow_temp', { value: 4 });
    await until(() => viewer.values('boiler.flow_temp').length === 4);
    expect(viewer.values('boiler.flow_temp')).toEqual([1, 2, 3, 4]);
    expect(late.values('boiler.flow_temp')).toEqual([1, 2, 3, 4]);
    expect(bench.gateway.viewers).toBe(1);
  });
});

describe('packets', () => {
  async function watch(bench: Bench, more: Record<string, unknown> = {}) {
    const { frame, path } = await history(bench, more);
    const viewer = new Viewer(frame);
    viewer.take(await initialOf(bench, path));
    const running = run(bench, path, async (packet) => {
      viewer.take(packet);
      await Promise.resolve();
    });
    await until(() => viewer.packets.length >= 2);
    return { viewer, running, path };
  }

  it('carry the schema first and only data after; a new series brings the schema again and keeps the old rows', async () => {
    const bench = open();
    await bench.gateway.say('boiler.flow_temp', { value: 1 });
    const { viewer } = await watch(bench);
    await bench.gateway.say('boiler.flow_temp', { value: 2 });
    await until(() => viewer.packets.length >= 3);
    expect(viewer.packets.map(({ schema }) => schema !== undefined)).toEqual([true, true, false]);
    expect(viewer.packets[1]?.schema).toMatchObject({
      refId: 'A',
      meta: { type: 'timeseries-wide', channel: expect.stringContaining('ds/abc/live/') },
    });
    await bench.gateway.say('tank.level', { value: 40 });
    await until(() => viewer.packets.length >= 4);
    expect(viewer.packets[3]?.schema?.fields.map(({ name }) => name)).toEqual(['time', 'boiler.flow_temp', 'tank.level']);
    expect(viewer.values('boiler.flow_temp')).toEqual([1, 2]);
    expect(viewer.values('tank.level')).toEqual([40]);
    // A hole is undefined to a chart, which draws across it; null would break the line.
    expect(viewer.frame.fields.find(({ name }) => name === 'boiler.flow_temp')?.values.at(-1)).toBeUndefined();
  });

  it('carry every kind of value, and only the quality asked for', async () => {
    const bench = open();
    const { viewer } = await watch(bench);
    await bench.gateway.say(
      'boiler.flow_temp',
      { value: 1.5 },
      { value: null, atMs: clock.nowMs() + 3 },
      { value: Number.MAX_VALUE, quality: 'uncertain', reason: 'clock', atMs: clock.nowMs() + 5 },
    );
    await bench.gateway.say('boiler.pump', { value: true });
    await bench.gateway.say('boiler.mode', { value: 'heat "now"\u0000' });
    await bench.gateway.say('boiler.energy', { value: 9007199254740993n });
    await until(() => viewer.values('boiler.energy').length === 1 && viewer.values('boiler.flow_temp').length === 2);
    expect(viewer.values('boiler.flow_temp')).toEqual([1.5, Number.MAX_VALUE]);
    expect(viewer.values('boiler.pump')).toEqual([true]);
    expect(viewer.values('boiler.mode')).toEqual(['heat "now"\u0000']);
    expect(viewer.values('boiler.energy')).toEqual([9007199254740992]);
  });

  it('say with quality all what is wrong with a bad sample, as the history does', async () => {
    const bench = open();
    await bench.gateway.say('boiler.flow_temp', { value: 1 });
    await clock.sleep(5);
    await bench.gateway.say('boiler.flow_temp', { value: null, reason: 'crc', quality: 'bad' });
    const { viewer } = await watch(bench, { devices: ['boiler'], points: ['flow_temp'], quality: 'all' });
    await clock.sleep(5);
    await bench.gateway.say('boiler.flow_temp', { value: null, reason: 'exception-77', quality: 'bad' });
    await clock.sleep(5);
    await bench.gateway.say('boiler.flow_temp', { value: 2, reason: 'clock', quality: 'uncertain' });
    await until(() => viewer.values('boiler.flow_temp').includes(2));
    const { fields } = viewer.frame;
    const column = (name: string) => fields.find((field) => field.name === name);
    expect(fields.map(({ name }) => name)).toEqual(['time', 'boiler.flow_temp', 'boiler.flow_temp quality', 'boiler.flow_temp reason']);
    expect(column('boiler.flow_temp')?.values).toEqual([1, null, null, 2]);
    expect(column('boiler.flow_temp quality')?.values).toEqual([0, 2, 2, 1]);
    expect(column('boiler.flow_temp quality')?.config.type?.enum?.text).toEqual(['good', 'uncertain', 'bad']);
    expect(column('boiler.flow_temp reason')?.values).toEqual(['', 'crc', 'exception-77', 'clock']);
  });

  it('are at most ten a second, and a point faster than that keeps its extremes', async () => {
    const bench = open();
    const { viewer } = await watch(bench);
    const before = viewer.packets.length;
    const began = performance.now();
    const baseMs = clock.nowMs();
    for (let i = 0; i < 20; i += 1) {
      // 1 kHz: fifty samples, all within one packet or two.
      const wave = Array.from({ length: 50 }, (_, k) => ({
        value: k === 20 ? -500 - i : k === 30 ? 500 + i : k,
        atMs: baseMs + i * 50 + k,
      }));
      await bench.gateway.say('boiler.flow_temp', ...wave);
      await clock.sleep(45);
    }
    await until(() => viewer.values('boiler.flow_temp').includes(519));
    await clock.sleep(150);
    const seconds = (performance.now() - began) / 1_000;
    expect(viewer.packets.length - before).toBeLessThanOrEqual(Math.ceil(seconds * limits.livePacketsPerSecondMax) + 1);
    const values = viewer.values('boiler.flow_temp') as number[];
    expect(values.length).toBeLessThan(200);
    expect(values).toContain(519);
    expect(values).toContain(-519);
    expect(values.at(-1)).toBe(49);
  });

  it('a reader that stands still costs a bounded buffer, loses the oldest, and it is counted', async () => {
    const bench = open();
    const { path } = await history(bench, { devices: ['boiler'] });
    await initialOf(bench, path);
    const viewer = new Viewer();
    let release = () => {};
    const stuck = new Promise<void>((resolve) => {
      release = resolve;
    });
    let sends = 0;
    run(bench, path, async (packet) => {
      sends += 1;
      await stuck;
      viewer.take(packet);
    });
    await until(() => sends === 1);
    const baseMs = clock.nowMs() - 100_000;
    const total = limits.hubQueueMax * 3;
    for (let i = 0; i < total; i += 1_000) {
      await bench.gateway.say('boiler.flow_temp', ...Array.from({ length: 1_000 }, (_, k) => ({ value: i + k, atMs: baseMs + i + k })));
    }
    expect(sends).toBe(1);
    release();
    await until(() => viewer.values('boiler.flow_temp').includes(total - 1));
    expect(Math.min(...(viewer.values('boiler.flow_temp') as number[]))).toBeGreaterThanOrEqual(total - limits.hubQueueMax * 1.25 - 1_000);
    expect(bench.streams.counters().dropped).toBeGreaterThan(limits.hubQueueMax);
  });

  it('stop within 100 ms of the abort, also when nobody takes them, and leave nothing behind', async () => {
    const bench = open();
    const { running } = await watch(bench);
    await running.stop();
    expect(running.endedAfterMs).toBeLessThan(100);
    const { path } = await history(bench, { devices: ['boiler'] });
    let asked = false;
    const stuck = run(bench, path, () => {
      asked = true;
      return new Promise(() => {});
    });
    await until(() => asked);
    await stuck.stop();
    expect(stuck.endedAfterMs).toBeLessThan(100);
    expect(bench.streams.counters().streams).toBe(0);
    bench.streams.close();
    expect(bench.gateway.viewers).toBe(0);
  });

  it('a viewer that fails ends the stream with its error, so that Grafana makes a new one', async () => {
    const bench = open();
    const { path } = await history(bench);
    await expect(
      bench.streams.run(bench.instance, path, () => Promise.reject(new Error('gone')), new AbortController().signal),
    ).rejects.toThrow('gone');
  });
});

describe('channels', () => {
  it('that nobody asked for are not found', async () => {
    const bench = open();
    expect(await bench.streams.subscribe(bench.instance, 'live/00000000000000000000000000000000')).toEqual({ status: 'not-found' });
    expect(await bench.streams.subscribe(bench.instance, 'else/where')).toEqual({ status: 'not-found' });
    await expect(bench.streams.run(bench.instance, 'live/0', () => Promise.resolve(), new AbortController().signal)).rejects.toMatchObject({
      status: 404,
    });
    const { path } = await history(bench);
    const other = { ...bench.instance, key: '2/abc' };
    expect(await bench.streams.subscribe(other, path)).toEqual({ status: 'not-found' });
  });

  describe('after a restart of the plugin', () => {
    /** The same store, and streams that know nothing yet. */
    const restart = (bench: Bench) => {
      bench.streams.close();
      const after = openBench(devices(), bench);
      cleanups.push(() => Promise.resolve(after.streams.close()));
      return after;
    };

    it('go on, first with what was stored since it started', async () => {
      const bench = open();
      await bench.gateway.say('boiler.flow_temp', { value: 1 });
      const { frame, path } = await history(bench);
      const viewer = new Viewer(frame);
      viewer.take(await initialOf(bench, path));
      const after = restart(bench);
      await clock.sleep(5);
      await bench.gateway.say('boiler.flow_temp', { value: 2 });
      await bench.gateway.say('tank.level', { value: 7 });
      await clock.sleep(5);
      await bench.gateway.say('boiler.flow_temp', { value: 3 });
      run(after, path, async (packet) => Promise.resolve(viewer.take(packet)));
      await until(() => viewer.values('boiler.flow_temp').length === 3);
      await bench.gateway.say('boiler.flow_temp', { value: 4 });
      await until(() => viewer.values('boiler.flow_temp').length === 4);
      expect(viewer.values('boiler.flow_temp')).toEqual([1, 2, 3, 4]);
      expect(viewer.values('tank.level')).toEqual([7]);
      expect(viewer.packets[1]?.schema).toMatchObject({ meta: { channel: `ds/abc/${path}` } });
    });

    it('give a viewer that comes back without a query what it missed, and only once', async () => {
      const bench = open();
      await bench.gateway.say('boiler.flow_temp', { value: 1 });
      const { frame, path } = await history(bench);
      const after = restart(bench);
      await clock.sleep(5);
      await bench.gateway.say('boiler.flow_temp', { value: 2 });
      const viewer = new Viewer(frame);
      viewer.take(await initialOf(after, path));
      run(after, path, async (packet) => Promise.resolve(viewer.take(packet)));
      await clock.sleep(5);
      await bench.gateway.say('boiler.flow_temp', { value: 3 });
      await until(() => viewer.values('boiler.flow_temp').includes(3));
      expect(viewer.values('boiler.flow_temp')).toEqual([1, 2, 3]);
      // Whoever asks has the history; the stream that runs adds nothing to it.
      const second = await history(after);
      const late = new Viewer(second.frame);
      late.take(await initialOf(after, second.path));
      expect(late.values('boiler.flow_temp')).toEqual([1, 2, 3]);
    });

    it('of intervals go on with the one that was not sent', async () => {
      const bench = open();
      const more = { devices: ['boiler'], points: ['flow_temp'], aggregate: 'count', interval: '5s' };
      const now = clock.nowMs();
      const start = now - (now % 5_000);
      await bench.gateway.say('boiler.flow_temp', ...Array.from({ length: 20 }, (_, i) => ({ value: i, atMs: start - 10_000 + i * 500 })));
      const { frame, path } = await history(bench, more, { fromMs: start - 20_000, toMs: clock.nowMs() + 1 });
      const viewer = new Viewer(frame);
      const sent = viewer.rows('boiler.flow_temp').map(([time]) => time);
      const before = run(bench, path, async (packet) => Promise.resolve(viewer.take(packet)));
      await until(() => bench.streams.counters().streams === 1);
      await clock.sleep(50);
      await before.stop();
      const after = restart(bench);
      run(after, path, async (packet) => Promise.resolve(viewer.take(packet)));
      await bench.gateway.say('boiler.flow_temp', { value: 1 });
      await until(() => viewer.rows('boiler.flow_temp').length === sent.length + 1, 11_000);
      const times = viewer.rows('boiler.flow_temp').map(([time]) => time);
      expect(times).toEqual([...new Set(times)].sort((a, b) => a - b));
      expect(times.at(-1)).toBeGreaterThan(sent.at(-1) ?? 0);
    });
  });

  it('are one subscription of the gateway, however many watch', async () => {
    const bench = open();
    await bench.gateway.say('boiler.flow_temp', { value: 1 });
    const { path } = await history(bench);
    await Promise.all(Array.from({ length: 200 }, () => initialOf(bench, path)));
    for (let i = 0; i < 20; i += 1) await history(bench, {}, { fromMs: clock.nowMs() - 3_600_000 - i, toMs: clock.nowMs() + 1 });
    const running = run(bench, path, () => Promise.resolve());
    await until(() => bench.streams.counters().packets > 0);
    expect(bench.streams.counters()).toMatchObject({ channels: 1, streams: 1 });
    expect(bench.gateway.viewers).toBe(1);
    await running.stop();
  });

  it('are bounded: the least recently used gives way', async () => {
    const bench = open();
    const first = await history(bench, { devices: ['first'] });
    const second = await history(bench, { devices: ['second'] });
    bench.streams.close();
    for (let i = 0; i < limits.channelsMax - 2; i += 1) {
      await history(bench, { devices: [`d${i}`] });
      if (i % 100 === 0) bench.streams.close();
    }
    await history(bench, { devices: ['first'] });
    await history(bench, { devices: ['one more'] });
    bench.streams.close();
    expect((await bench.streams.subscribe(bench.instance, second.path)).status).toBe('not-found');
    expect((await bench.streams.subscribe(bench.instance, first.path)).status).toBe('ok');
    expect((await bench.store.recall(bench.instance.key, 'channels')).size).toBe(limits.channelsMax);
  });

  it('open at once are bounded: one more is answered with history and a word', async () => {
    const bench = open();
    for (let i = 0; i < limits.liveOpenMax; i += 1) await history(bench, { devices: [`d${i}`] });
    const [frame] = await bench.frames(query({ devices: ['one more'] }));
    expect(JSON.stringify(frame?.meta)).toContain(`Not live: ${limits.liveOpenMax} live channels are open already.`);
    expect(frame?.meta).not.toHaveProperty('channel');
  });
});

describe('live aggregates', () => {
  it('send each interval once, when it is over, as the history would have it', async () => {
    const bench = open();
    const more = { devices: ['boiler'], points: ['flow_temp'], aggregate: 'count', interval: '200ms' };
    let said = 0;
    let talking = true;
    const talk = (async () => {
      while (talking) {
        await bench.gateway.say('boiler.flow_temp', { value: said });
        said += 1;
        await clock.sleep(15);
      }
    })();
    await clock.sleep(450);
    const { frame, path } = await history(bench, more, { fromMs: clock.nowMs() - 60_000, toMs: clock.nowMs() });
    const viewer = new Viewer(frame);
    viewer.take(await initialOf(bench, path));
    run(bench, path, async (packet) => Promise.resolve(viewer.take(packet)));
    await clock.sleep(900);
    talking = false;
    await talk;
    const sum = () => (viewer.values('boiler.flow_temp') as number[]).reduce((all, count) => all + count, 0);
    await until(() => sum() >= said);
    expect(sum()).toBe(said);
    const times = viewer.rows('boiler.flow_temp').map(([time]) => time);
    expect(times).toEqual([...new Set(times)].sort((a, b) => a - b));
    expect(times.every((time) => time % 200 === 0)).toBe(true);
  });
});
