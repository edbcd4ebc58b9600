/** Discovered devices in a gateway: a real broker, its own client as the far end, a real store. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/contract/clock.ts';
import { limits } from '../../src/contract/limits.ts';
import { silentLog } from '../../src/contract/log.ts';
import { parseTemplateId } from '../../src/contract/template-id.ts';
import type { Gateway } from '../../src/gateway/gateway.ts';
import { openStore } from '../../src/store/open.ts';
import { type Mosquitto, startMosquitto } from '../far/mosquitto.ts';
import { planFor, roomTemplate, states } from './discovered-plant.ts';
import { body, rig, until, user } from './rig.ts';

let broker: Mosquitto;
beforeAll(async () => {
  broker = await startMosquitto();
});
afterAll(() => broker.close());
/** Nothing is kept from one test to the next. */
let kept: string[] = [];
beforeEach(async () => {
  for (const topic of kept.splice(0)) await broker.publish(topic, '', { retain: true });
  kept = [];
});
async function keep(topic: string, payload: string): Promise<void> {
  kept.push(topic);
  await broker.publish(topic, payload, { retain: true });
}

async function running(devices: readonly unknown[], options: Parameters<typeof rig>[0] = {}) {
  const made = await rig({ factor: 1, ...options });
  const plan = planFor(broker.port, devices);
  expect(plan.faults).toEqual([]);
  await made.gateway.apply(plan);
  await up(made.gateway);
  return made;
}
const up = (gateway: Gateway) => until('the link is up', () => gateway.connections()[0]?.state === 'up');
const climate = (room: string, t: number) => broker.publish(`home/north/${room}/climate`, JSON.stringify({ t, ts: Date.now() }));
const heard = (gateway: Gateway, device: string, point = 'temperature') => gateway.last({ device, point })?.value;
const idOf = (room: string) => parseTemplateId('{building}-{room}').fill({ building: 'north', room });
/** Says it until it is heard: the subscription may still be under way. */
async function spoken(gateway: Gateway, room: string, t = 20): Promise<void> {
  await until(`${room} is heard`, async () => {
    if (heard(gateway, idOf(room)) === t) return true;
    await climate(room, t);
    return false;
  });
}

describe('a template', () => {
  it('makes rooms into labelled devices, whose values, states and history are those of any device', async () => {
    const { gateway, store } = await running([roomTemplate()]);
    expect(gateway.devices()).toEqual([]);
    for (const room of ['kitchen', 'living-room', 'Küche 2.OG']) await spoken(gateway, room, room.length);
    const ids = ['north-kitchen', 'north-living.2droom', 'north-K.c3.bcche.202.2eOG'];
    expect(new Set(states(gateway))).toEqual(new Set(ids.map((id) => `${id} online`)));
    expect(gateway.plan.connections[0]?.devices.map(({ id }) => id)).toEqual(ids);
    expect(gateway.device('north-living.2droom')).toMatchObject({
      title: 'north-living-room',
      labels: { building: 'north', room: 'living-room', site: 'home' },
      points: [{ unit: 'celsius', labels: { room: 'living-room' } }, {}, { title: 'Light of living-room' }],
    });
    expect(gateway.discoveries()).toEqual([{ template: '{building}-{room}', connection: 'broker', devices: 3, refused: 0 }]);
    await store.flush();
    expect(new Set((await store.series('1/test')).map(({ device, point }) => `${device}.${point}`))).toEqual(
      new Set(ids.map((id) => `${id}.temperature`)),
    );
  });

  it('is commanded by the topic the device is called by, and verified', async () => {
    const { gateway } = await running([roomTemplate()]);
    const far = await connectAsync(`mqtt://127.0.0.1:${broker.port}`);
    far.on('message', (topic, payload) => void far.publish(topic.replace(/set$/, 'state'), payload));
    await far.subscribeAsync('home/+/+/light/set');
    await broker.publish('home/north/a {b} c/light/state', 'OFF');
    await until('it is heard', async () => {
      await broker.publish('home/north/a {b} c/light/state', 'OFF');
      return gateway.devices().length === 1;
    });
    const [device] = gateway.devices();
    const record = await gateway.set({ device: device?.id ?? '', point: 'light' }, body('on'), user);
    expect(record).toMatchObject({ state: 'verified', value: 'ON', readBack: 'ON' });
    await until('the far end obeyed', () => heard(gateway, device?.id ?? '', 'light') === 'ON');
    await far.endAsync();
  });
});

describe('after a restart', () => {
  it('devices are there before they speak, until their template is gone', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'fieldgate-discovery-'));
    const open = () => openStore({ folder, clock: systemClock, log: silentLog });
    const first = open();
    const one = await running([roomTemplate()], { store: first });
    await spoken(one.gateway, 'kitchen');
    await spoken(one.gateway, 'a-b');
    await one.gateway.close();
    await first.close();

    const second = open();
    const two = await running([roomTemplate()], { store: second });
    await until('they are there', () => two.gateway.devices().length === 2);
    expect(states(two.gateway)).toEqual(['north-a.2db unknown', 'north-kitchen unknown']);
    expect(two.gateway.device('north-a.2db')?.labels).toMatchObject({ room: 'a-b' });
    await until('what it said is known', () => heard(two.gateway, 'north-kitchen') === 20);
    // A mistake in the settings forgets nothing.
    await two.gateway.apply(planFor(broker.port, [roomTemplate({ points: 'none' })]));
    expect(two.gateway.devices()).toEqual([]);
    await two.gateway.close();
    const three = await running([roomTemplate()], { store: second });
    await until('they are there again', () => three.gateway.devices().length === 2);
    await three.gateway.apply(planFor(broker.port, []));
    expect(three.gateway.devices()).toEqual([]);
    await three.gateway.close();
    const four = await running([roomTemplate()], { store: second });
    await second.flush();
    expect(four.gateway.devices()).toEqual([]);
    await four.gateway.close();
    await second.close();
    await rm(folder, { recursive: true });
  });
});

describe('a change of the settings', () => {
  it('of the template keeps who is online and forgets the others until they speak; of others it keeps all', async () => {
    const { gateway } = await running([roomTemplate()]);
    await spoken(gateway, 'kitchen');
    await keep('home/north/attic/light/state', 'ON');
    // Another device on the link changes nothing for these.
    const other = { id: 'other', connection: 'broker', points: [{ id: 'p', address: { topic: 'other' } }] };
    await gateway.apply(planFor(broker.port, [roomTemplate(), other]));
    await broker.publish('home/north/attic/plain', '1');
    await until('both are there', async () => {
      await broker.publish('home/north/attic/plain', '1');
      return gateway.device('north-attic');
    });
    expect(states(gateway)).toEqual(['north-attic online', 'north-kitchen online', 'other unknown']);
    await broker.kill();
    await until('the link is down', () => gateway.connections()[0]?.state === 'down');
    await broker.start();
    await up(gateway);
    await spoken(gateway, 'kitchen', 21);
    expect(states(gateway)).toEqual(['north-attic unknown', 'north-kitchen online', 'other unknown']);
    await gateway.apply(planFor(broker.port, [roomTemplate({ labels: { floor: 'of {room}' } }), other]));
    expect(states(gateway)).toEqual(['north-kitchen online', 'other unknown']);
    expect(gateway.device('north-kitchen')?.labels).toEqual({ floor: 'of kitchen' });
    expect(heard(gateway, 'north-kitchen')).toBe(21);
    await until('it is back with its next message', async () => {
      await broker.publish('home/north/attic/plain', '2');
      return heard(gateway, 'north-attic', 'plain') === 2;
    });
    await spoken(gateway, 'kitchen', 22);
  });
});

describe('who may not run', () => {
  it('a device that takes the id of a discovered one gets none of its values, also behind another connection', async () => {
    const { gateway } = await running([roomTemplate()]);
    await spoken(gateway, 'kitchen', 20);
    const taking = { id: 'north-kitchen', connection: 'second', points: [{ id: 'temperature', address: { topic: 'elsewhere' } }] };
    await gateway.apply(planFor(broker.port, [roomTemplate(), taking]));
    await spoken(gateway, 'office', 30);
    for (const t of [31, 32]) await climate('kitchen', t);
    await until('the new one is heard', async () => {
      await broker.publish('elsewhere', '7');
      return heard(gateway, 'north-kitchen') === 7;
    });
    await climate('kitchen', 33);
    await spoken(gateway, 'office', 34);
    expect(heard(gateway, 'north-kitchen')).toBe(7);
    expect(gateway.discoveries()).toMatchObject([{ devices: 1, refused: 1 }]);
  });

  it('is counted and told once: taken ids, ids that are too long, devices beyond the bound', async () => {
    const configured = {
      id: 'north-kitchen',
      connection: 'broker',
      points: [{ id: 'own', address: { topic: 'home/north/kitchen/plain' } }],
    };
    const twin = { id: '{a}-{b}', connection: 'broker', points: [{ id: 'p', address: { topic: 'home/{a}/{b}/climate', path: '$.t' } }] };
    const { gateway } = await running([roomTemplate(), configured]);
    await spoken(gateway, 'office');
    for (let i = 0; i < 3; i++) await climate('kitchen', 20);
    await climate('x'.repeat(70), 20);
    await broker.publish('home/north/kitchen/plain', '5');
    await until('the configured device is heard', () => heard(gateway, 'north-kitchen', 'own') === 5);
    expect(states(gateway)).toEqual(['north-kitchen online', 'north-office online']);
    expect(gateway.device('north-kitchen')?.points.map(({ id }) => id)).toEqual(['own']);
    expect(gateway.discoveries()).toMatchObject([
      { devices: 1, refused: 2, error: expect.stringMatching(/room "x{70}" would have an id of 76 characters/) },
    ]);

    await gateway.apply(planFor(broker.port, [roomTemplate(), twin]));
    await until('the twin is told', async () => {
      await climate('office', 22);
      return (gateway.discoveries()[1]?.refused ?? 0) > 0;
    });
    expect(gateway.discoveries()[1]).toMatchObject({
      template: '{a}-{b}',
      devices: 0,
      refused: 1,
      error: 'a "north", b "office" would be the device north-office, which is discovered by {building}-{room} already',
    });
    expect(heard(gateway, 'north-office')).toBe(22);
  });

  it(`no more than ${limits.discoveredDevicesMax} are made, and those are heard on`, async () => {
    const { gateway } = await running([roomTemplate()]);
    await spoken(gateway, 'kitchen');
    const far = await connectAsync(`mqtt://127.0.0.1:${broker.port}`);
    const beyond = 100;
    for (let i = 1; i < limits.discoveredDevicesMax + beyond; i++) far.publish(`home/b/r${i}/plain`, String(i));
    await until('all are there', () => (gateway.discoveries()[0]?.refused ?? 0) >= beyond, 20_000);
    expect(gateway.discoveries()).toMatchObject([
      { devices: limits.discoveredDevicesMax, refused: beyond, error: expect.stringMatching(/one too many: 5000/) },
    ]);
    expect(gateway.devices()).toHaveLength(limits.discoveredDevicesMax);
    await far.endAsync();
    await spoken(gateway, 'kitchen', 23);
  });
});
