/** What the packets of a live query carry, how many there are, and how they end. */
import { afterEach, describe, expect, it } from 'vitest';
import { limits } from '../../src/contract/limits.ts';
import { expectBelow } from '../quickest.ts';
import { type Bench, clock } from './query-fixture.ts';
import { cleanUp, history, initialOf, open, run, until } from './stream-rig.ts';
import { Viewer } from './stream-viewer.ts';

afterEach(cleanUp);

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
    await expectBelow(100, async () => {
      const { running } = await watch(bench);
      return running.stop();
    });
    const { path } = await history(bench, { devices: ['boiler'] });
    await expectBelow(100, async () => {
      let asked = false;
      const stuck = run(bench, path, () => {
        asked = true;
        return new Promise(() => {});
      });
      await until(() => asked);
      return stuck.stop();
    });
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
