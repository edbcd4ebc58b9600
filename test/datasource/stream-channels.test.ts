/** Channels of live queries: which there are, how many, and what becomes of them after a restart. */
import { afterEach, describe, expect, it } from 'vitest';
import { limits } from '../../src/contract/limits.ts';
import { type Bench, clock, openBench } from './query-fixture.ts';
import { cleanUp, cleanups, devices, history, initialOf, open, query, run, until } from './stream-rig.ts';
import { Viewer } from './stream-viewer.ts';

afterEach(cleanUp);

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
