/** The state this host application keeps at the broker, and the commands it sends; read by edge nodes of another library. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { drivers } from '../../drivers/index.ts';
import { readSettings } from '../../src/datasource/settings.ts';
import { type Mosquitto, startMosquitto } from '../far/mosquitto.ts';
import type { FarProgram } from '../far/python.ts';
import { startWire } from '../far/wire.ts';
import { body, until, user } from '../gateway/rig.ts';
import { EdgeNode, is, planOf, running, says, startNodes, type Told, there } from './mqtt-sparkplug-rig.ts';

let broker: Mosquitto;
let nodes: FarProgram;
let node: EdgeNode;
beforeAll(async () => {
  broker = await startMosquitto();
});
afterAll(() => broker.close());
beforeEach(async () => {
  nodes = await startNodes();
  node = new EdgeNode(nodes, 'watcher');
});
afterEach(() => nodes.kill());

const states = async (hostId: string): Promise<Told[]> => (await node.heard()).filter(({ topic }) => topic === `spBv1.0/STATE/${hostId}`);

describe('STATE', () => {
  it('says online when all is subscribed, and offline on leaving, each kept with QoS 1', async () => {
    await node.connect(broker.port, 'W', 'watch1');
    const before = Date.now();
    const gateway = await running(planOf(broker.port, { hostId: 'orderly' }));
    await until('it is online', async () => (await states('orderly')).at(-1)?.state?.online);
    const [born] = await states('orderly');
    expect(born).toMatchObject({ qos: 1, state: { online: true } });
    expect(born?.state?.timestamp).toBeGreaterThanOrEqual(before);
    // Who comes later is told by the broker.
    const late = new EdgeNode(nodes, 'late');
    await late.connect(broker.port, 'W', 'watch2');
    await until('the broker keeps it', async () => (await late.heard()).some(({ topic, retain }) => topic.endsWith('/orderly') && retain));
    await gateway.close();
    await until('it is offline', async () => (await states('orderly')).at(-1)?.state?.online === false);
    expect((await states('orderly')).at(-1)?.state?.timestamp).toBeGreaterThanOrEqual(born?.state?.timestamp ?? Number.POSITIVE_INFINITY);
  });

  it('its last will has the time of its birth; after a loss both are new', async () => {
    await node.connect(broker.port, 'W', 'watch3');
    const wire = await startWire(broker.port);
    onTestFinished(() => wire.close());
    const gateway = await running(planOf(wire.port, { hostId: 'lost' }));
    await until('it is online', async () => (await states('lost')).at(-1)?.state?.online);
    wire.cut();
    // The last will may come after the new birth, which is then said again.
    const first = (await states('lost'))[0]?.state;
    await until('it is gone, and there again', async () => {
      const said = (await states('lost')).map(({ state }) => state);
      return said.some((state) => state?.online === false) && said.at(-1)?.online && said.at(-1)?.timestamp !== first?.timestamp;
    });
    const said = (await states('lost')).map(({ state }) => state);
    expect(said.filter((state) => state?.online === false)).toEqual([{ online: false, timestamp: first?.timestamp }]);
    expect(said.at(-1)?.timestamp).toBeGreaterThan(first?.timestamp ?? Number.POSITIVE_INFINITY);
    expect(gateway.connections()[0]?.state).toBe('up');
  });

  it('whoever says that it is offline is contradicted, with the same time; what is no state is left', async () => {
    await node.connect(broker.port, 'W', 'watch4');
    await running(planOf(broker.port, { hostId: 'denied' }));
    await until('it is online', async () => (await states('denied')).at(-1)?.state?.online);
    const timestamp = (await states('denied')).at(-1)?.state?.timestamp;
    await node.do({ call: 'text', topic: 'spBv1.0/STATE/denied', text: '[]', retain: true });
    await node.do({ call: 'text', topic: 'spBv1.0/STATE/denied', text: JSON.stringify({ online: false, timestamp: 1 }), retain: true });
    await until('it contradicts', async () => {
      const said = await states('denied');
      return said.findIndex(({ state }) => state?.online === false) >= 0 && said.at(-1)?.state?.online;
    });
    expect((await states('denied')).at(-1)?.state).toEqual({ online: true, timestamp });
  });

  /** What a broker sees of a client, packet by packet: types by name, and what CONNECT says. */
  it.each([4, 5])(
    'MQTT version %i: clean, last will of QoS 1 kept, subscribed before the first publish, which is its birth',
    async (version) => {
      const seen: Buffer[] = [];
      const wire = await startWire(broker.port, { seen: (chunk: Buffer) => void seen.push(Buffer.from(chunk)) });
      onTestFinished(() => wire.close());
      await node.connect(broker.port, 'W', `watch5-${version}`);
      await running(planOf(wire.port, { hostId: `order${version}` }, { protocolVersion: version }));
      await until('it is online', async () => (await states(`order${version}`)).at(-1)?.state?.online);
      const packets = packetsOf(Buffer.concat(seen));
      const names = packets.map(({ type }) => type);
      expect(names.slice(0, 1)).toEqual(['connect']);
      const firstPublish = packets.find(({ type }) => type === 'publish');
      expect(firstPublish?.body.toString('latin1')).toMatch(new RegExp(`spBv1.0/STATE/order${version}.*"online":true`, 's'));
      expect(names.indexOf('subscribe')).toBeGreaterThan(0);
      expect(names.lastIndexOf('subscribe')).toBeLessThan(names.indexOf('publish'));
      const subscribed = packets
        .filter(({ type }) => type === 'subscribe')
        .map(({ body: text }) => text.toString('latin1'))
        .join();
      for (const filter of [`spBv1.0/STATE/order${version}`, 'spBv1.0/+/NBIRTH/+', 'spBv1.0/+/DDATA/+/+', 'spBv1.0/+/NDEATH/+'])
        expect(subscribed).toContain(filter);
      const connected = packets[0]?.body ?? Buffer.alloc(0);
      expect(connected[6]).toBe(version);
      // Will retain, will QoS 1, will flag, clean (MQTT 5 §3.1.2.3).
      expect((connected[7] ?? 0) & 0b0011_1110).toBe(0b0010_1110);
      if (version === 5) expect(propertiesOf(connected)).not.toContain(0x11);
      const will = JSON.parse(/\{"online":false,"timestamp":\d+\}/.exec(connected.toString('latin1'))?.[0] ?? '{}') as {
        timestamp?: number;
      };
      expect(will.timestamp).toBe((await states(`order${version}`)).at(-1)?.state?.timestamp);
    },
  );

  it('settings that go against it are told', () => {
    const faults = (more: Record<string, unknown>) => planOf(1, {}, more).faults.map(({ place, message }) => `${place} ${message}`);
    const notice = { topic: 'a', payload: 'b' };
    expect(faults({ will: notice })).toEqual([expect.stringMatching(/will cannot be with "sparkplug"/)]);
    expect(faults({ birth: notice })).toEqual([expect.stringMatching(/birth cannot be with "sparkplug"/)]);
    expect(faults({ clean: false, clientId: 'x' })).toEqual([expect.stringMatching(/clean is false; a host application/)]);
    const jsonData = Buffer.from(
      JSON.stringify({
        connections: [{ id: 'b', kind: 'mqtt', url: 'mqtt://127.0.0.1:1' }],
        devices: [
          { id: 'd', connection: 'b', address: { sparkplug: { group: 'g', node: 'n' } }, points: [] },
          { id: 'e', connection: 'b', points: [{ id: 'p', address: { metric: 'm', type: 'Float' } }] },
          { id: 'f', connection: 'b', points: [{ id: 'p', address: { metric: 'm', type: 'Floot', topic: 'a' } }] },
          { id: 'g', connection: 'b', points: [{ id: 'p', address: { topic: 'a', type: 'Float' } }] },
        ],
      }),
    );
    const told = readSettings({ jsonData, secureJsonData: {} }, drivers).faults.map(({ message }) => message);
    expect(told.join('\n')).toMatch(/needs "sparkplug" at the connection/);
    expect(told.join('\n')).toMatch(/needs "sparkplug" in the address of the device/);
    expect(told.join('\n')).toMatch(/allowed is "Int8", /);
    expect(told.join('\n')).toMatch(/needs "metric"/);
  });
});

describe('commands', () => {
  const metrics = [
    {
      name: 'Setpoint',
      type: 'Float',
      value: 20,
      alias: 7,
      properties: { engUnit: ['String', '°C'], engLow: ['Float', 5], engHigh: ['Float', 30] },
    },
    { name: 'Count', type: 'Int64', value: '-9007199254740993' },
    { name: 'Run', type: 'Boolean', value: false },
    { name: 'Mode', type: 'String', value: 'auto' },
    { name: 'Small', type: 'Int8', value: 0 },
    { name: 'When', type: 'DateTime', value: 1795348800000 },
    { name: 'Fixed', type: 'Int32', value: 3, properties: { readOnly: ['Boolean', true] } },
    { name: 'Table', type: 'Bytes', value: '00' },
  ] as const;
  const births = [
    { metrics: [{ name: 'Rate', type: 'UInt32', value: 10 }] },
    { device: 'Oven', metrics: metrics.map((one) => ({ ...one })) },
  ];

  it('set metrics by alias or name with DCMD, verified by what the device says', async () => {
    const gateway = await running(planOf(broker.port, { commands: 'devices' }));
    await node.do({ call: 'obey' });
    await node.connect(broker.port, 'C', 'line');
    await node.do({ call: 'birth', births });
    const device = await there(gateway, 'C-line-Oven');
    expect(device.points.map(({ id, access }) => `${id} ${access}`)).toEqual([
      'Setpoint read-write',
      'Count read-write',
      'Run read-write',
      'Mode read-write',
      'Small read-write',
      'When read-write',
      'Fixed read',
      'Table read',
    ]);
    expect(device.points[0]).toMatchObject({ unit: 'celsius', write: { min: 5, max: 30 } });
    expect((await there(gateway, 'C-line')).points).toMatchObject([{ id: 'Rate', access: 'read' }]);
    await says(gateway, device.id, 'Setpoint', 20);
    for (const [point, value] of [
      ['Setpoint', 21.5],
      ['Count', '-9007199254740995'],
      ['Run', true],
      ['Mode', 'hand'],
      ['Small', -5],
    ] as const)
      expect(await gateway.set({ device: device.id, point }, body(value), user), point).toMatchObject({ state: 'verified' });
    await gateway.set({ device: device.id, point: 'When' }, body(1795348801000, { wait: 0 }), user);
    await until('all have come', async () => (await node.heard()).filter(({ topic }) => topic === 'spBv1.0/C/DCMD/line/Oven').length === 6);
    const sent = (await node.heard()).filter(({ topic }) => topic.includes('DCMD'));
    expect(sent.every(isOrder)).toBe(true);
    expect(sent.flatMap((one) => (one.metrics ?? []).map(({ name, alias, type, value }) => [name ?? alias, type, value]))).toEqual([
      [7, 'FLOAT', 21.5],
      ['Count', 'INT64', '-9007199254740995'],
      ['Run', 'BOOLEAN', true],
      ['Mode', 'STRING', 'hand'],
      ['Small', 'INT8', -5],
      ['When', 'DATETIME', '2026-11-22T12:00:01+00:00'],
    ]);
    await expect(gateway.set({ device: device.id, point: 'Setpoint' }, body(31), user)).rejects.toThrow(/allowed is 5 to 30/);
    await expect(gateway.set({ device: device.id, point: 'Small' }, body(128), user)).rejects.toThrow(/128/);
  });

  it('set metrics of edge nodes with NCMD only if the settings say so; buttons are pressed', async () => {
    const gateway = await running(planOf(broker.port, { commands: 'all' }));
    await node.do({ call: 'obey' });
    await node.connect(broker.port, 'C', 'all');
    await node.do({ call: 'birth', births: [births[0]] });
    const device = await there(gateway, 'C-all');
    expect(device.points.map(({ id, access, momentary }) => `${id} ${access} ${momentary}`)).toEqual([
      'Node_Control_Rebirth write true',
      'Rate read-write false',
    ]);
    await gateway.set({ device: device.id, point: 'Rate' }, body(4_000_000_000, { wait: 0 }), user);
    await gateway.set({ device: device.id, point: 'Node_Control_Rebirth' }, body(true), user);
    await until('both have come', async () => (await node.heard()).filter(({ topic }) => topic === 'spBv1.0/C/NCMD/all').length === 2);
    const sent = (await node.heard()).filter(({ topic }) => topic.includes('NCMD'));
    expect(sent.every(isOrder)).toBe(true);
    expect(sent.flatMap((one) => one.metrics ?? [])).toMatchObject([
      { name: 'Rate', type: 'UINT32', value: 4_000_000_000 },
      { name: 'Node Control/Rebirth', value: true },
    ]);
  });

  it('nothing is sent to the dead, or where the settings allow nothing', async () => {
    const own = {
      id: 'oven',
      connection: 'plant',
      address: { sparkplug: { group: 'C', node: 'dead', device: 'Oven' } },
      points: [{ id: 'temperature', access: 'read-write', address: { metric: 'Setpoint', type: 'Float' }, unit: 'fahrenheit' }],
    };
    const gateway = await running(planOf(broker.port, {}, {}, [own]));
    const set = () => gateway.set({ device: 'oven', point: 'temperature' }, body(6), user);
    await expect(set()).resolves.toMatchObject({ state: 'rejected', detail: expect.stringMatching(/has not announced this metric/) });
    await node.connect(broker.port, 'C', 'dead');
    await node.do({ call: 'birth', births });
    // A point of the settings shows the metric too, in its own words.
    await says(gateway, 'oven', 'temperature', 20);
    await expect(set()).resolves.toMatchObject({
      state: 'failed',
      detail: expect.stringMatching(/"sparkplug.commands" of the connection is "none"/),
    });
    await node.do({ call: 'cut' });
    await is(gateway, 'oven', 'offline');
    await expect(set()).resolves.toMatchObject({ state: 'rejected', detail: expect.stringMatching(/is dead/) });
  });
});

/** As commands have to be: QoS 0, not kept, with the time of sending and without a number. */
const isOrder = ({ qos, retain, at, numbered }: Told) => qos === 0 && !retain && numbered === false && (at ?? 0) > Date.now() - 60_000;

/** MQTT packets of a client (MQTT 5 §2.1): their types, and what follows the fixed header. */
function packetsOf(bytes: Buffer): { type: string; body: Buffer }[] {
  const names: Record<number, string> = { 1: 'connect', 3: 'publish', 8: 'subscribe' };
  const packets: { type: string; body: Buffer }[] = [];
  for (let at = 0; at < bytes.length; ) {
    const type = names[(bytes[at] ?? 0) >> 4] ?? 'other';
    let length = 0;
    let shift = 0;
    at += 1;
    for (let more = true; more; at++, shift += 7) {
      length |= ((bytes[at] ?? 0) & 0x7f) << shift;
      more = (bytes[at] ?? 0) >= 0x80;
    }
    packets.push({ type, body: bytes.subarray(at, at + length) });
    at += length;
  }
  return packets;
}

/** The properties of a CONNECT (MQTT 5 §3.1.2.11) that we may send, by their numbers; 17 is the session expiry. */
function propertiesOf(connected: Buffer): number[] {
  const sizes: Record<number, number> = { 17: 4, 33: 2, 34: 2, 39: 4 };
  const found: number[] = [];
  for (let at = 11; at < 11 + (connected[10] ?? 0); ) {
    const property = connected[at] ?? 0;
    const size = sizes[property];
    if (size === undefined) throw new Error(`the property ${property} is not known here`);
    found.push(property);
    at += 1 + size;
  }
  return found;
}
