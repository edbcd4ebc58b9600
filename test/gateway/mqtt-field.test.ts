/** Failures that users of other gateways report of MQTT again and again, in a gateway as the product runs it. docs/mqtt.md has the table. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { connectAsync, type MqttClient } from 'mqtt';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { drivers } from '../../drivers/index.ts';
import { readSettings } from '../../src/datasource/settings.ts';
import { type Mosquitto, startMosquitto } from '../far/mosquitto.ts';
import { body, rig, until, user } from './rig.ts';

let broker: Mosquitto;
let far: MqttClient;
const persistence = ['persistence true', 'persistence_location {folder}/', 'autosave_on_changes true', 'autosave_interval 1'];
beforeEach(async () => {
  broker = await startMosquitto({ lines: persistence });
  far = await connectAsync(`mqtt://127.0.0.1:${broker.port}`, { reconnectPeriod: 50 });
});
afterEach(async () => {
  await far.endAsync(true);
  await broker.close();
});

function planOf(points: Record<string, Record<string, unknown>>, connection: Record<string, unknown> = {}) {
  const jsonData = JSON.stringify({
    connections: [{ id: 'house', kind: 'mqtt', url: `mqtt://127.0.0.1:${broker.port}`, timeout: '2s', ...connection }],
    devices: [{ id: 'd', connection: 'house', points: Object.entries(points).map(([id, words]) => ({ id, ...words })) }],
  });
  const plan = readSettings({ jsonData: Buffer.from(jsonData), secureJsonData: {} }, drivers);
  expect(plan.faults).toEqual([]);
  return plan;
}
const isUp = (gateway: Awaited<ReturnType<typeof rig>>['gateway']) =>
  until('the link is up', () => gateway.connections()[0]?.state === 'up');

it.each([true, false])('a broker that comes back, with the session it kept: %s, tells what is wanted now', async (keeps) => {
  const { gateway } = await rig({ factor: 1 });
  const kept = { clean: false, clientId: 'keeper' };
  const read = (topic: string) => ({ address: { topic, qos: 1 } });
  const says = (point: string, value: number) =>
    until(`${point} says ${value}`, () => gateway.last({ device: 'd', point })?.value === value);
  await gateway.apply(planOf({ stays: read('stays'), goes: read('goes') }, kept));
  await isUp(gateway);
  await far.publishAsync('stays', '1', { qos: 1 });
  await says('stays', 1);
  await broker.kill();
  await until('it is down', () => gateway.connections()[0]?.state === 'down');
  // The first time it knows the old session, the second time none.
  if (!keeps) await rm(join(broker.folder, 'mosquitto.db'), { force: true });
  // The topics change while nobody is there to be told.
  await gateway.apply(planOf({ stays: read('stays'), comes: read('comes') }, kept));
  await broker.start();
  await isUp(gateway);
  for (const topic of ['stays', 'goes', 'comes']) await far.publishAsync(topic, '2', { qos: 1 });
  await Promise.all([says('stays', 2), says('comes', 2)]);
  expect(gateway.last({ device: 'd', point: 'goes' })?.value).not.toBe(2);
  await gateway.close();
});

it('a value that changes its type is in the history each time, by type; what is no value is a bad one that says why', async () => {
  const { gateway, store } = await rig({ factor: 1, key: '1/types' });
  await gateway.apply(planOf({ v: { address: { topic: 'v', path: '$.v' } } }));
  await isUp(gateway);
  const said = [21.5, 'warm', true, null, [1, 2], 22.5, { deep: 1 }, 'cold', false];
  for (const v of said) await far.publishAsync('v', JSON.stringify({ v }), { qos: 1 });
  await until('the last is heard', () => gateway.last({ device: 'd', point: 'v' })?.value === false);
  const everything = { fromNs: 0n, toNs: 2n ** 62n };
  const range = () =>
    store.range('1/types', [{ device: 'd', point: 'v' }], everything, { quality: 'all', rowsMax: 100 }, new AbortController().signal);
  await expect
    .poll(async () => (await range()).reduce((sum, { columns }) => sum + columns.times.length, 0), { timeout: 5_000, interval: 20 })
    .toBe(said.length);
  const found = (await range()).map(({ columns: { kind, values, valid } }) => [kind, [...values].filter((_, n) => valid?.[n] !== 0)]);
  expect(Object.fromEntries(found)).toEqual({ double: [21.5, 22.5], string: ['warm', 'cold'], boolean: [1, 0] });
  await gateway.close();
});

it('a device that takes a command and keeps its old value is not believed; one that says nothing is of unknown state', async () => {
  const { gateway } = await rig({ factor: 1 });
  const write = { verify: { timeout: '500ms' } };
  await gateway.apply(
    planOf({
      stubborn: { address: { topic: 's', set: { topic: 's/set' } }, access: 'read-write', write },
      silent: { address: { topic: 'q', set: { topic: 'q/set' } }, access: 'read-write', write },
      honest: { address: { topic: 'h', set: { topic: 'h/set' } }, access: 'read-write', write },
    }),
  );
  await isUp(gateway);
  far.on('message', (topic, payload) => far.publish(topic.slice(0, 1), topic === 's/set' ? '1' : payload));
  await far.subscribeAsync(['s/set', 'h/set']);
  const set = (point: string) => gateway.set({ device: 'd', point }, body(5), user);
  const [stubborn, silent, honest] = await Promise.all([set('stubborn'), set('silent'), set('honest')]);
  expect(stubborn).toMatchObject({ state: 'mismatch', readBack: 1 });
  expect(silent).toMatchObject({ state: 'unknown' });
  expect(honest).toMatchObject({ state: 'verified', readBack: 5 });
  await gateway.close();
});
