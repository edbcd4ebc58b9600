/** Edge nodes and devices of Sparkplug B from birth to death: docs/sparkplug.md names the statements of the specification. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type Mosquitto, startMosquitto } from '../far/mosquitto.ts';
import type { FarProgram } from '../far/python.ts';
import { startWire } from '../far/wire.ts';
import { until } from '../gateway/rig.ts';
import { EdgeNode, is, planOf, running, says, startNodes, there, told } from './mqtt-sparkplug-rig.ts';

let broker: Mosquitto;
let nodes: FarProgram;
let node: EdgeNode;
beforeAll(async () => {
  broker = await startMosquitto();
});
afterAll(() => broker.close());
beforeEach(async () => {
  nodes = await startNodes();
  node = new EdgeNode(nodes, 'line 3');
});
afterEach(() => nodes.kill());

const pump = [
  { name: 'Speed', type: 'Int32', value: 1450, alias: 10 },
  { name: 'Outputs/Valve', type: 'Boolean', value: false, alias: 11 },
];

describe('birth, data and death', () => {
  it('births announce edge node and device, data come by alias, death ends both', async () => {
    const gateway = await running(planOf(broker.port));
    await node.connect(broker.port, 'Plant', 'Line 3', 7);
    await node.birth({ metrics: [{ name: 'Load', type: 'Float', value: 0.5 }] }, { device: 'Pump', metrics: pump });
    const device = await there(gateway, 'Plant-Line.203-Pump');
    expect(device).toMatchObject({ title: 'Plant/Line 3/Pump', labels: { group: 'Plant', node: 'Line 3', device: 'Pump' } });
    expect(device.points.map(({ id, title, access }) => [id, title ?? '', access])).toEqual([
      ['Speed', '', 'read'],
      ['Outputs_Valve', 'Outputs/Valve', 'read'],
    ]);
    expect((await there(gateway, 'Plant-Line.203')).points.map(({ id }) => id)).toEqual(['Load']);
    await says(gateway, device.id, 'Speed', 1450);
    await says(gateway, 'Plant-Line.203', 'Load', 0.5);
    await is(gateway, device.id, 'online');

    await node.send('DDATA', 'Pump', [
      { type: 'Int32', alias: 10, value: -3 },
      { type: 'Boolean', alias: 11, value: true },
    ]);
    await node.send('NDATA', undefined, [{ type: 'Float', name: 'Load', value: 0.25 }]);
    await says(gateway, device.id, 'Speed', -3);
    await says(gateway, device.id, 'Outputs_Valve', true);
    await says(gateway, 'Plant-Line.203', 'Load', 0.25);

    await node.do({ call: 'cut' });
    await is(gateway, device.id, 'offline');
    await is(gateway, 'Plant-Line.203', 'offline');
    expect(gateway.last({ device: device.id, point: 'Speed' })).toMatchObject({ value: null, quality: 'bad', reason: 'offline' });
    expect(gateway.last({ device: 'Plant-Line.203', point: 'Load' })).toMatchObject({ quality: 'bad', reason: 'offline' });
    expect(gateway.devices().find(({ id }) => id === device.id)?.error).toMatch(/its edge node has died \(NDEATH\)/);
  });

  it('an edge node that waits for its primary host is born when this is there, without being asked', async () => {
    await node.do({ call: 'primary', hostId: 'awaited' });
    await node.do({ call: 'births', births: [{ metrics: [{ name: 'Load', type: 'Float', value: 1 }] }] });
    await node.connect(broker.port, 'Plant', 'waits');
    const gateway = await running(planOf(broker.port, { hostId: 'awaited', rebirth: false }));
    await is(gateway, 'Plant-waits', 'online');
    await says(gateway, 'Plant-waits', 'Load', 1);
    expect(await node.asked()).toBe(0);
  });

  it('a birth with thousands of metrics is taken as far as one device may be described, and the rest is told', async () => {
    const gateway = await running(planOf(broker.port));
    await node.connect(broker.port, 'Plant', 'large');
    const metrics = Array.from({ length: 5_000 }, (_, alias) => ({ name: `Area/Tag ${alias}`, type: 'Int32', value: alias, alias }));
    await node.birth({ metrics: [] }, { device: 'd', metrics });
    const device = await there(gateway, 'Plant-large-d');
    expect(device.points.length).toBeGreaterThan(1_000);
    expect(told(gateway)).toMatch(new RegExp(`${5_000 - device.points.length} of 5000 metrics of Plant/large/d are left out`));
    await node.send('DDATA', 'd', [
      { type: 'Int32', alias: 4_999, value: 1 },
      { type: 'Int32', alias: 7, value: -7 },
    ]);
    await says(gateway, device.id, 'Area_Tag_7', -7);
    expect(await node.asked()).toBe(0);
  });

  it('points that are added to the settings get their value by a new birth', async () => {
    const gateway = await running(planOf(broker.port));
    await node.do({ call: 'obey' });
    await node.connect(broker.port, 'Plant', 'added');
    await node.birth({ metrics: [] }, { device: 'Pump', metrics: pump });
    await says(gateway, 'Plant-added-Pump', 'Speed', 1450);
    const own = {
      id: 'pump',
      connection: 'plant',
      address: { sparkplug: { group: 'Plant', node: 'added', device: 'Pump' } },
      points: [{ id: 'speed', address: { metric: 'Speed', type: 'Int32' }, scale: 0.1 }],
    };
    await gateway.apply(planOf(broker.port, {}, {}, [own]));
    await says(gateway, 'pump', 'speed', 145);
    expect(await node.asked()).toBe(1);
  });

  it('a death that belongs to an earlier birth is none', async () => {
    const gateway = await running(planOf(broker.port));
    await node.connect(broker.port, 'Plant', 'bd', 5);
    await node.birth({ metrics: [{ name: 'Load', type: 'Float', value: 1 }] });
    await is(gateway, 'Plant-bd', 'online');
    await node.do({ call: 'death', bdSeq: 4 });
    await node.send('NDATA', undefined, [{ type: 'Float', name: 'Load', value: 2 }]);
    await says(gateway, 'Plant-bd', 'Load', 2);
    await node.do({ call: 'death', bdSeq: 5 });
    await is(gateway, 'Plant-bd', 'offline');
  });

  it('the death of a device is at its own time, and leaves the edge node', async () => {
    const gateway = await running(planOf(broker.port));
    await node.connect(broker.port, 'Plant', 'dd');
    const at = Date.now() - 60_000;
    await node.birth({ metrics: [] }, { device: 'Pump', metrics: pump.map((one) => ({ ...one, at: at - 1_000 })) });
    await is(gateway, 'Plant-dd-Pump', 'online');
    await node.do({ call: 'late', type: 'DDEATH', device: 'Pump', at });
    await is(gateway, 'Plant-dd-Pump', 'offline');
    expect(gateway.last({ device: 'Plant-dd-Pump', point: 'Speed' })).toMatchObject({ reason: 'offline', timeNs: BigInt(at) * 1_000_000n });
    await is(gateway, 'Plant-dd', 'online');
    // Data of the dead are not taken.
    await node.send('DDATA', 'Pump', [{ type: 'Int32', alias: 10, value: 5 }]);
    await until('it is asked for a birth', async () => (await node.asked()) === 1);
    expect(gateway.last({ device: 'Plant-dd-Pump', point: 'Speed' })?.reason).toBe('offline');
  });

  it('after a loss of the connection to the broker all is stale, and edge nodes are asked to begin anew', async () => {
    const wire = await startWire(broker.port);
    onTestFinished(() => wire.close());
    const gateway = await running(planOf(wire.port));
    await node.do({ call: 'obey' });
    await node.connect(broker.port, 'Plant', 'lost');
    await node.birth({ metrics: [] }, { device: 'Pump', metrics: pump });
    await says(gateway, 'Plant-lost-Pump', 'Speed', 1450);
    wire.cut();
    await until('it is down', () => gateway.connections()[0]?.state === 'down');
    expect(gateway.devices().find(({ id }) => id === 'Plant-lost-Pump')?.state).not.toBe('online');
    expect(gateway.last({ device: 'Plant-lost-Pump', point: 'Speed' })?.quality).toBe('bad');
    await until('it is up', () => gateway.connections()[0]?.state === 'up');
    await until('it is asked for a birth', async () => (await node.asked()) === 1);
    await is(gateway, 'Plant-lost-Pump', 'online');
    await says(gateway, 'Plant-lost-Pump', 'Speed', 1450);
  });

  it('a device that does not come back with its edge node is gone', { timeout: 30_000 }, async () => {
    const gateway = await running(planOf(broker.port));
    await node.connect(broker.port, 'Plant', 'less');
    await node.birth({ metrics: [] }, { device: 'a', metrics: pump }, { device: 'b', metrics: pump });
    await is(gateway, 'Plant-less-b', 'online');
    await node.birth({ metrics: [] }, { device: 'a', metrics: pump });
    await until('b is gone', () => gateway.devices().find(({ id }) => id === 'Plant-less-b')?.state === 'offline', 20_000);
    await is(gateway, 'Plant-less-a', 'online');
  });
});

describe('sequence', () => {
  it('runs over 255 to 0, and a gap that fills in time is none', async () => {
    const gateway = await running(planOf(broker.port));
    await node.connect(broker.port, 'Plant', 'seq');
    await node.birth({ metrics: [{ name: 'n', type: 'Int32', value: 0 }] });
    for (let n = 1; n <= 300; n++) await node.send('NDATA', undefined, [{ name: 'n', type: 'Int32', value: n }]);
    await says(gateway, 'Plant-seq', 'n', 300);
    const said: unknown[] = [];
    gateway.subscribe((samples) => void said.push(...samples.map(({ sample }) => sample.value).filter((n) => Number(n) > 300)));
    // 301 to 303 have the numbers 45 to 47: in another order.
    for (const [seq, n] of [
      [46, 302],
      [47, 303],
      [45, 301],
      [48, 304],
    ] as const)
      await node.send('NDATA', undefined, [{ name: 'n', type: 'Int32', value: n }], { seq });
    await says(gateway, 'Plant-seq', 'n', 304);
    await until('all are said', () => said.length > 3);
    expect(said).toEqual([301, 302, 303, 304]);
    expect(await node.asked()).toBe(0);
    expect(told(gateway)).toBeUndefined();
  });

  it('after a gap that stays the data are taken and a birth is asked for, as the specification has it', async () => {
    const gateway = await running(planOf(broker.port));
    await node.connect(broker.port, 'Plant', 'gap');
    await node.do({ call: 'obey' });
    await node.birth({ metrics: [{ name: 'n', type: 'Int32', value: 0 }] });
    await is(gateway, 'Plant-gap', 'online');
    await node.do({ call: 'skip' });
    await node.send('NDATA', undefined, [{ name: 'n', type: 'Int32', value: 5 }]);
    await until('it is asked for a birth', async () => (await node.asked()) === 1);
    const [request] = (await node.heard()).filter(({ topic }) => topic.includes('NCMD'));
    expect(request).toMatchObject({
      topic: 'spBv1.0/Plant/NCMD/gap',
      qos: 0,
      retain: false,
      metrics: [{ name: 'Node Control/Rebirth', alias: null, type: 'BOOLEAN', value: true }],
    });
    expect(request?.at).toBeGreaterThan(Date.now() - 60_000);
    const query = () => gateway.last({ device: 'Plant-gap', point: 'n' })?.value;
    await until('the birth counts', () => query() === 0);
    expect(told(gateway)).toBeUndefined();
  });

  it.each([
    ['data before a birth', 'NDATA', undefined, { name: 'n', type: 'Int32', value: 1 }],
    ['data of a device before its birth', 'DDATA', 'x', { name: 'n', type: 'Int32', value: 1 }],
    ['the birth of a device before that of its edge node', 'DBIRTH', 'x', { name: 'n', type: 'Int32', value: 1 }],
  ])('%s: a birth is asked for', async (what, type, device, metric) => {
    const gateway = await running(planOf(broker.port));
    const name = what.replaceAll(' ', '_').slice(0, 30);
    await node.connect(broker.port, 'Early', name);
    await node.send(type, device, [metric], { seq: 3 });
    await until('it is asked for a birth', async () => (await node.asked()) === 1);
    expect(told(gateway)).toMatch(/it speaks, and its birth was not heard/);
  });

  it.each([
    ['an unknown alias', { type: 'Int32', alias: 99, value: 1 }, /the alias 99 is not in its birth/],
    ['an unknown metric', { type: 'Int32', name: 'new', value: 1 }, /the metric "new" is not in its birth/],
  ])('%s: a birth is asked for, once in a while', async (_, metric, words) => {
    const gateway = await running(planOf(broker.port));
    await node.connect(broker.port, 'Strange', String(words).replaceAll(/\W/g, ''));
    await node.birth({ metrics: [{ name: 'n', type: 'Int32', alias: 1, value: 0 }] });
    for (let n = 0; n < 20; n++) await node.send('NDATA', undefined, [metric, { type: 'Int32', alias: 1, value: n }]);
    await until('it is told', () => words.test(told(gateway) ?? ''));
    await until('it is asked for a birth', async () => (await node.asked()) > 0);
    expect(await node.asked()).toBe(1);
    expect(gateway.connections()[0]?.state).toBe('up');
  });

  it('no birth is asked for where the settings say so', async () => {
    const gateway = await running(planOf(broker.port, { rebirth: false }));
    await node.connect(broker.port, 'Plant', 'quiet');
    await node.send('NDATA', undefined, [{ name: 'n', type: 'Int32', value: 1 }], { seq: 3 });
    await until('it is told', () => told(gateway) !== undefined);
    expect(await node.asked()).toBe(0);
  });
});
