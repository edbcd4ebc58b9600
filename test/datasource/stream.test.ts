import { afterEach, describe, expect, it } from 'vitest';
import { channelPathPattern } from '../../src/contract/channel.ts';
import { fieldOf } from '../frame/read.ts';
import { clock } from './query-fixture.ts';
import { cleanUp, history, initialOf, open, query, run, until } from './stream-rig.ts';
import { Viewer } from './stream-viewer.ts';

afterEach(cleanUp);

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
