/** Links and polls over a real wire: what fails in the field (facts/gateways.md §3) must not fail here. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { fastClock } from './clocks.ts';
import { type PlantServer, plantServer } from './plant-server.ts';
import { connection, device, pause, planOf, type Rig, rig, until } from './rig.ts';

async function plant(units: Record<string, Record<string, string>>): Promise<PlantServer> {
  const server = await plantServer();
  for (const [name, registers] of Object.entries(units)) server.units.set(name, { registers: new Map(Object.entries(registers)) });
  onTestFinished(() => server.stop());
  return server;
}
const range = { fromNs: 0n, toNs: 2n ** 62n };

describe('polling', () => {
  it('one silent unit of ten leaves the other nine at 95 % of their rate or more', async () => {
    const names = Array.from({ length: 10 }, (_, index) => `u${index}`);
    const registers = Object.fromEntries(names.map((name) => [name, { t: '1' }]));
    const [server, healthy] = [await plant(registers), await plant(registers)];
    // Beside it ten that all answer, at the same time: what this machine costs, both pay.
    const clock = fastClock(10);
    const rigs = [await rig({ clock }), await rig({ clock, key: '1/healthy' })] as const;
    const connect = (it: Rig, at: PlantServer) =>
      it.gateway.apply(
        planOf(
          connection(
            'line',
            it.driver,
            { port: at.port, timeoutMs: 500 },
            names.map((name) => device(name, 'line', { t: {} })),
          ),
        ),
      );
    (server.units.get('u3') as { silent?: boolean }).silent = true;
    await connect(rigs[0], server);
    await connect(rigs[1], healthy);
    const { gateway } = rigs[0];
    await until(
      'the first answers',
      () => gateway.devices().filter((one) => one.state === 'online').length === 9 && healthy.requests.length > 9,
    );
    const before = [server.requests.length, healthy.requests.length];
    await until('the silent one is offline', () => gateway.devices().find((one) => one.id === 'u3')?.state === 'offline');
    const endMs = clock.monotonicMs() + 50_000;
    await until('50 s have passed', () => clock.monotonicMs() > endMs, 20_000);
    const counted = [server, healthy].map((one, index) => Map.groupBy(one.requests.slice(before[index]), (request) => request.unit));
    const others = names.filter((one) => one !== 'u3');
    const [polls, usual] = counted.map((far) => others.map((name) => far.get(name)?.length ?? 0));
    expect(Math.min(...(usual ?? []))).toBeGreaterThan(25);
    // A busy machine takes a poll from one or the other; the nine together show what the silent one takes.
    const sum = (counts: number[] = []) => counts.reduce((all, one) => all + one, 0);
    expect(sum(polls) / sum(usual), `${polls} of ${usual}`).toBeGreaterThan(0.95);
    for (const [i, count] of (polls ?? []).entries()) expect(count / (usual?.[i] ?? 0), others[i]).toBeGreaterThan(0.8);
    // Three silences and a probe after 2, 4, 8, 16 and 32 s: not one a second.
    expect(counted[0]?.get('u3')?.length ?? 0).toBeLessThan(12);
    expect(gateway.last({ device: 'u3', point: 't' })).toMatchObject({ value: null, quality: 'bad', reason: 'timeout' });
  });

  it('a unit that comes back is asked again at once, also for points of a long interval', async () => {
    const server = await plant({ u1: { fast: '1', slow: '2' }, u2: { t: '3' } });
    const unit = server.units.get('u1');
    if (unit) unit.silent = true;
    const { gateway, driver } = await rig({ factor: 20 });
    const slow = device('u1', 'line', { fast: {}, slow: { intervalMs: 3_600_000 } });
    await gateway.apply(planOf(connection('line', driver, { port: server.port }, [slow, device('u2', 'line', { t: {} })])));
    await until('set aside', () => gateway.devices()[0]?.state === 'offline');
    if (unit) unit.silent = false;
    await until('the slow point', () => gateway.last({ device: 'u1', point: 'slow' })?.value === 2);
    expect(gateway.devices()[0]?.state).toBe('online');
  });

  it('a silent unit leaves one bad sample a point in the history, not one a poll', async () => {
    const server = await plant({ u1: { t: '1' }, u2: { t: '1' } });
    const { gateway, driver, store } = await rig({ factor: 20 });
    await gateway.apply(
      planOf(connection('line', driver, { port: server.port }, [device('u1', 'line', { t: {} }), device('u2', 'line', { t: {} })])),
    );
    await until('a value', () => gateway.last({ device: 'u1', point: 't' })?.value === 1);
    const unit = server.units.get('u1');
    if (unit) unit.silent = true;
    await until('offline', () => gateway.devices()[0]?.state === 'offline');
    await pause(600);
    const [series] = await store.range(
      '1/test',
      [{ device: 'u1', point: 't' }],
      range,
      { quality: 'all', rowsMax: 1_000 },
      AbortSignal.timeout(5_000),
    );
    expect(series?.columns.quality.filter((quality) => quality === 2).length).toBe(1);
    const states = (await store.connectivity('1/test', ['u1'], range, AbortSignal.timeout(5_000))).map((change) => change.state);
    expect(states).toEqual(['unknown', 'online', 'offline']);
  });

  it('an exception is an answer: the point is bad, the device online', async () => {
    const server = await plant({ u1: { t: '1' } });
    const { gateway, driver } = await rig();
    await gateway.apply(planOf(connection('line', driver, { port: server.port }, [device('u1', 'line', { t: { register: 'nowhere' } })])));
    await until('a sample', () => gateway.last({ device: 'u1', point: 't' }));
    expect(gateway.last({ device: 'u1', point: 't' })).toMatchObject({ value: null, quality: 'bad', reason: 'exception-2' });
    expect(gateway.devices()[0]).toMatchObject({ state: 'online', error: 't: exception 2' });
  });

  it('counts a poll that is due again while it still waits, and never queues it twice', async () => {
    const server = await plant({ u1: { t: '1' } });
    const unit = server.units.get('u1');
    if (unit) unit.delayMs = 120;
    const { gateway, driver } = await rig({ factor: 10 });
    await gateway.apply(
      planOf(connection('line', driver, { port: server.port, timeoutMs: 5_000 }, [device('u1', 'line', { t: { intervalMs: 500 } })])),
    );
    await until('overruns', () => (gateway.connections()[0]?.overruns ?? 0) > 3);
    expect(gateway.connections()[0]?.queued).toBeLessThanOrEqual(1);
    expect(server.overlaps).toBe(0);
  });
});

describe('a link', () => {
  it('that hangs up in the middle of a read is opened again and data resumes', async () => {
    const server = await plant({ u1: { t: '1' } });
    const { gateway, driver, store } = await rig({ factor: 20 });
    await gateway.apply(planOf(connection('line', driver, { port: server.port }, [device('u1', 'line', { t: {} })])));
    await until('online', () => gateway.devices()[0]?.state === 'online');
    server.set('u1', 't', '2');
    server.hangUp();
    await until('a new value', () => gateway.last({ device: 'u1', point: 't' })?.value === 2);
    expect(gateway.connections()[0]).toMatchObject({ state: 'up', opens: 2 });
    const states = await store.connectivity('1/test', ['u1'], range, AbortSignal.timeout(5_000));
    expect(states.map((change) => change.state)).toEqual(['unknown', 'online', 'offline', 'online']);
    const [series] = await store.range(
      '1/test',
      [{ device: 'u1', point: 't' }],
      range,
      { quality: 'all', rowsMax: 1_000 },
      AbortSignal.timeout(5_000),
    );
    expect(series?.columns.reasons?.filter((reason) => reason === 'offline').length).toBe(1);
  });

  it('that nobody listens on is tried again and again, says why, and comes up when it can', async () => {
    const server = await plant({ u1: { t: '1' } });
    await server.stop();
    const { gateway, driver } = await rig({ factor: 20 });
    await gateway.apply(planOf(connection('line', driver, { port: server.port }, [device('u1', 'line', { t: {} })])));
    const down = await until('down', () => gateway.connections().find((one) => one.state === 'down'));
    expect(down.error).toContain('ECONNREFUSED');
    expect(gateway.last({ device: 'u1', point: 't' })).toMatchObject({ quality: 'bad', reason: 'offline' });
    expect(gateway.devices()[0]).toMatchObject({ state: 'offline' });
    await server.start();
    await until('a value', () => gateway.last({ device: 'u1', point: 't' })?.value === 1);
    await server.stop();
    await until('down again', () => gateway.connections()[0]?.state === 'down');
    await server.start();
    await until('up again', () => gateway.devices()[0]?.state === 'online');
    expect(gateway.connections()[0]?.opens).toBe(2);
  });

  it('that is half open is noticed and opened anew', async () => {
    const server = await plant({ u1: { t: '1' }, u2: { t: '1' } });
    const { gateway, driver } = await rig({ factor: 20 });
    await gateway.apply(
      planOf(connection('line', driver, { port: server.port }, [device('u1', 'line', { t: {} }), device('u2', 'line', { t: {} })])),
    );
    await until('online', () => gateway.devices().every((one) => one.state === 'online'));
    server.deaf = true;
    await until('noticed', () => gateway.connections()[0]?.state === 'down');
    expect(gateway.connections()[0]?.error).toContain('none of the 2 units');
    server.deaf = false;
    await until('online again', () => gateway.devices().every((one) => one.state === 'online'));
  });

  it.each([
    ['throws in read', { throwsOnRead: true }],
    ['never ends a read', { hangsOnRead: true }],
    ['throws in plan', { throwsOnPlan: true }],
    ['never opens', { hangsOnOpen: true }],
  ])('whose driver %s does not disturb another, and recovers', async (_, bug) => {
    const bad = await plant({ u1: { t: '1' } });
    const good = await plant({ u2: { t: '2' } });
    const bugs: Record<string, boolean> = { ...bug };
    const { gateway, driver } = await rig({ factor: 200, bugs });
    const healthy = await rig({ key: '1/other', factor: 20 });
    await gateway.apply(planOf(connection('bad', driver, { port: bad.port }, [device('u1', 'bad', { t: {} })])));
    await healthy.gateway.apply(planOf(connection('good', healthy.driver, { port: good.port }, [device('u2', 'good', { t: {} })])));
    await until('the bad one is noticed', () => gateway.last({ device: 'u1', point: 't' })?.quality === 'bad');
    await until('the good one works', () => healthy.gateway.last({ device: 'u2', point: 't' })?.value === 2);
    for (const name of Object.keys(bugs)) bugs[name] = false;
    if ('throwsOnPlan' in bug) bad.hangUp();
    await until('the bad one works', () => gateway.last({ device: 'u1', point: 't' })?.value === 1);
  });

  it('whose driver hangs in close does not keep the gateway from closing', async () => {
    const server = await plant({ u1: { t: '1' } });
    const { gateway, driver } = await rig({ bugs: { hangsOnClose: true }, factor: 1 });
    await gateway.apply(planOf(connection('line', driver, { port: server.port }, [device('u1', 'line', { t: {} })])));
    await until('a value', () => gateway.last({ device: 'u1', point: 't' }));
    const startMs = performance.now();
    await gateway.close();
    expect(performance.now() - startMs).toBeLessThan(5_000);
  });
});

describe('what speaks by itself', () => {
  it('is heard, committed, and heard again after the link was lost', async () => {
    const server = await plant({ u1: { t: '1' } });
    const { gateway, driver } = await rig({ factor: 20 });
    await gateway.apply(planOf(connection('line', driver, { port: server.port }, [device('u1', 'line', { t: { heard: true } })])));
    await until('up', () => gateway.connections()[0]?.state === 'up');
    await until('heard', () => {
      server.set('u1', 't', '5');
      return gateway.last({ device: 'u1', point: 't' })?.value === 5;
    });
    expect(gateway.devices()[0]?.state).toBe('online');
    server.hangUp();
    await until('down or up again', () => (gateway.connections()[0]?.opens ?? 0) > 1);
    expect(gateway.devices()[0]?.state).not.toBe('online');
    await until('waited for', () => gateway.devices()[0]?.state === 'unknown');
    expect(gateway.devices()[0]?.error, 'why the link was down is over').toBeUndefined();
    await until('heard again', () => {
      server.set('u1', 't', '6');
      return gateway.last({ device: 'u1', point: 't' })?.value === 6;
    });
  });
});

describe('apply', () => {
  it('restarts only what changed', async () => {
    const a = await plant({ u1: { t: '1', x: '7' } });
    const b = await plant({ u2: { t: '2' } });
    const { gateway, driver } = await rig({ factor: 20 });
    const plan = (noteOfA: string, pointsOfA: Record<string, object>) =>
      planOf(
        connection('a', driver, { port: a.port, note: noteOfA }, [device('u1', 'a', pointsOfA)]),
        connection('b', driver, { port: b.port }, [device('u2', 'b', { t: {} })]),
      );
    const opens = () => Object.fromEntries(gateway.connections().map((one) => [one.id, one.opens]));
    await gateway.apply(plan('first', { t: {} }));
    await until('both', () => gateway.devices().every((one) => one.state === 'online'));
    expect(opens()).toEqual({ a: 1, b: 1 });

    // The same again, as Grafana sends it with every request.
    await gateway.apply(plan('first', { t: {} }));
    // Another point: asked over the same session.
    await gateway.apply(plan('first', { t: {}, x: {} }));
    await until('the new point', () => gateway.last({ device: 'u1', point: 'x' })?.value === 7);
    expect(opens()).toEqual({ a: 1, b: 1 });
    expect(a.connections).toBe(1);

    // Another option: opened anew, the neighbour untouched.
    await gateway.apply(plan('second', { t: {}, x: {} }));
    await until('opened anew', () => a.connections === 2);
    await until('online', () => gateway.devices().every((one) => one.state === 'online'));
    expect(opens()).toEqual({ a: 2, b: 1 });

    // A new device behind b: its unit is found though the session is older than it.
    b.units.set('u3', { registers: new Map([['t', '3']]) });
    await gateway.apply(planOf(connection('b', driver, { port: b.port }, [device('u2', 'b', { t: {} }), device('u3', 'b', { t: {} })])));
    await until('the new device', () => gateway.last({ device: 'u3', point: 't' })?.value === 3);
    expect(opens()).toEqual({ b: 1 });
    expect(gateway.device('u1')).toBeUndefined();
    expect(gateway.last({ device: 'u1', point: 't' })).toBeUndefined();
    await until('a is closed', async () => {
      const before = a.requests.length;
      await pause(200);
      return a.requests.length === before;
    });
  });

  it('two connections with one endpoint share one bus', async () => {
    const server = await plant({ u1: { t: '1' }, u2: { t: '2' } });
    for (const unit of server.units.values()) unit.delayMs = 3;
    const { gateway, driver } = await rig({ factor: 20 });
    await gateway.apply(
      planOf(
        connection('a', driver, { port: server.port, timeoutMs: 30_000 }, [device('u1', 'a', { t: { intervalMs: 100 } })]),
        connection('b', driver, { port: server.port, timeoutMs: 30_000 }, [device('u2', 'b', { t: { intervalMs: 100 } })]),
      ),
    );
    await until('many requests', () => server.requests.length > 100);
    expect(server.connections).toBe(2);
    expect(server.overlaps).toBe(0);
  });
});
