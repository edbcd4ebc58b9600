/** Samples on their way out: live viewers, the report rule and the store, through a whole gateway. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { limits } from '../../src/contract/limits.ts';
import { silentLog } from '../../src/contract/log.ts';
import type { LiveSample } from '../../src/gateway/gateway.ts';
import { Hub } from '../../src/gateway/hub.ts';
import { plantServer } from './plant-server.ts';
import { connection, device, pause, planOf, point, rig, uint64, until } from './rig.ts';

const range = { fromNs: 0n, toNs: 2n ** 62n };

function live(value: number): LiveSample {
  return {
    key: { device: 'd', point: 'p' },
    kind: 'double',
    point: point('d', 'p'),
    sample: { timeNs: 0n, arrivalNs: 0n, value, quality: 'good', reason: '' },
  };
}

describe('the hub', () => {
  it('gives a slow viewer the newest, counts what it dropped, and does not let it slow another', async () => {
    const hub = new Hub(silentLog);
    const slow: (readonly LiveSample[])[] = [];
    let release: () => void = () => undefined;
    let quick = 0;
    hub.subscribe((samples) => {
      slow.push(samples);
      return slow.length === 1
        ? new Promise<void>((resolve) => {
            release = resolve;
          })
        : undefined;
    });
    const leave = hub.subscribe((samples) => {
      quick += samples.length;
    });
    const batches = 15;
    for (let batch = 0; batch < batches; batch += 1) {
      hub.publish(Array.from({ length: 1_000 }, (_, index) => live(batch * 1_000 + index)));
      await Promise.resolve();
    }
    await pause(1);
    expect(quick).toBe(15_000);
    release();
    await pause(1);
    expect(slow.map((samples) => samples.length)).toEqual([1_000, limits.hubQueueMax]);
    expect(slow[1]?.at(-1)?.sample.value).toBe(14_999);
    expect(hub.dropped).toBe(14_000 - limits.hubQueueMax);
    leave();
    hub.publish([live(1)]);
    await pause(1);
    expect(quick).toBe(15_000);
  });

  it('does not stumble over a viewer that throws', async () => {
    const hub = new Hub(silentLog);
    let seen = 0;
    hub.subscribe(() => {
      throw new Error('bug');
    });
    hub.subscribe((samples) => {
      seen += samples.length;
    });
    hub.publish([live(1)]);
    hub.publish([live(2)]);
    await pause(1);
    expect(seen).toBe(2);
  });
});

describe('a gateway', () => {
  it('brings exact 64-bit numbers from the wire to the store and to live viewers', async () => {
    const server = await plantServer();
    onTestFinished(() => server.stop());
    server.units.set('u1', { registers: new Map([['energy', '18446744073709551614']]) });
    const { gateway, driver, store } = await rig({ factor: 10 });
    const seen: LiveSample[] = [];
    gateway.subscribe((samples) => {
      seen.push(...samples);
    });
    await gateway.apply(planOf(connection('line', driver, { port: server.port }, [device('u1', 'line', { energy: { shape: uint64 } })])));
    await until('live', () => seen[0]);
    expect(seen[0]).toMatchObject({ kind: 'uint64', sample: { value: 18446744073709551614n } });
    const [last] = await store.last('1/test');
    expect(last).toMatchObject({ series: { device: 'u1', point: 'energy', kind: 'uint64' }, sample: { value: 18446744073709551614n } });
  });

  it('keeps only changes where it is told so, though the last value stays fresh', async () => {
    const server = await plantServer();
    onTestFinished(() => server.stop());
    server.units.set('u1', { registers: new Map([['t', '20']]) });
    const { gateway, driver, store } = await rig({ factor: 10 });
    const report = { onChange: true, deadband: 0.5 };
    await gateway.apply(
      planOf(connection('line', driver, { port: server.port }, [device('u1', 'line', { t: { report, intervalMs: 100 } })])),
    );
    for (const value of ['20.2', '20.4', '20.6', '20.8']) {
      await until('the value before', () => server.requests.length > 3);
      server.set('u1', 't', value);
      server.requests.length = 0;
    }
    await until('the newest', () => gateway.last({ device: 'u1', point: 't' })?.value === 20.8);
    await pause(20);
    await store.flush();
    const [series] = await store.range(
      '1/test',
      [{ device: 'u1', point: 't' }],
      range,
      { quality: 'all', rowsMax: 100 },
      AbortSignal.timeout(5_000),
    );
    expect(series?.columns.values).toEqual(new Float64Array([20, 20.6]));
  });

  it('knows the last values of its earlier run before anything is said', async () => {
    const server = await plantServer();
    server.units.set('u1', { registers: new Map([['t', '20']]) });
    const first = await rig({ factor: 10 });
    const plan = (it: typeof first) => planOf(connection('line', it.driver, { port: server.port }, [device('u1', 'line', { t: {} })]));
    await first.gateway.apply(plan(first));
    await until('a value', () => first.gateway.last({ device: 'u1', point: 't' })?.value === 20);
    await first.gateway.close();
    await server.stop();
    const second = await rig({ factor: 10, store: first.store });
    await second.gateway.apply(plan(second));
    const last = await until('the value of before', () => second.gateway.last({ device: 'u1', point: 't' }));
    expect(last.value).toBe(20);
  });

  it('takes a retained value as current, keeps it once, and does not believe that the device lives', async () => {
    const server = await plantServer();
    onTestFinished(() => server.stop());
    server.units.set('u1', { registers: new Map([['t', '20']]) });
    server.retained.push(['u1', 't']);
    const { gateway, driver, store } = await rig({ factor: 4 });
    const plan = (title: string) =>
      planOf(connection('line', driver, { port: server.port }, [{ ...device('u1', 'line', { t: { heard: true } }), title }]));
    await gateway.apply(plan('before'));
    await until('the retained value', () => gateway.last({ device: 'u1', point: 't' })?.value === 20);
    // Other settings: listened to anew, and told anew what is retained.
    await gateway.apply(plan('after'));
    await until('told again', () => (gateway.devices()[0]?.samples ?? 0) > 1);
    expect(gateway.devices()[0]).toMatchObject({ state: 'unknown', title: 'after' });
    server.set('u1', 't', '21');
    await until('news', () => gateway.last({ device: 'u1', point: 't' })?.value === 21);
    expect(gateway.devices()[0]?.state).toBe('online');
    await store.flush();
    const kept = async () => {
      const [series] = await store.range(
        '1/test',
        [{ device: 'u1', point: 't' }],
        range,
        { quality: 'all', rowsMax: 100 },
        AbortSignal.timeout(5_000),
      );
      return series?.columns.values;
    };
    await until('both', async () => (await kept())?.length === 2);
    expect(await kept()).toEqual(new Float64Array([20, 21]));
  });

  it('counts what the store refuses, and goes on', async () => {
    const server = await plantServer();
    onTestFinished(() => server.stop());
    server.units.set('u1', { registers: new Map([['t', '20']]) });
    const { gateway, driver, store } = await rig({ factor: 10 });
    const append = store.append.bind(store);
    store.append = () => Promise.reject(new Error('disk full'));
    await gateway.apply(planOf(connection('line', driver, { port: server.port }, [device('u1', 'line', { t: { intervalMs: 100 } })])));
    await until('counted', () => gateway.counters().dropped > 2);
    expect(gateway.last({ device: 'u1', point: 't' })?.value).toBe(20);
    store.append = append;
    await until('kept again', async () => (await store.last('1/test')).length === 1);
  });
});
