import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { limits } from '../../src/contract/limits.ts';
import { type Mosquitto, startMosquitto } from '../far/mosquitto.ts';
import { type FarProgram, startPython } from '../far/python.ts';
import { demoSettings, type Plant, startPlant } from './plant.ts';

let far: FarProgram;
let broker: Mosquitto;
let plant: Plant;

beforeAll(async () => {
  [far, broker] = await Promise.all([startPython('modbus.py'), startMosquitto()]);
});
afterAll(() => Promise.all([far?.kill(), broker?.close()]));
afterEach(() => plant?.close());

const settings = () => demoSettings({ modbus: far.port, mqtt: broker.port });
const applied = () => plant.logged.filter((message) => message === 'settings read').length;

/** `opens` and `since` of each connection once all are up. */
async function links(): Promise<Record<string, { opens: number; since: number }>> {
  const { json } = await plant.until('connections', (answer) =>
    answer.json.connections.every(({ state }: { state: string }) => state === 'up'),
  );
  return Object.fromEntries(
    json.connections.map(({ id, opens, since }: { id: string; opens: number; since: number }) => [id, { opens, since }]),
  );
}

describe('instances', () => {
  it('are made once, however many ask at the same time', async () => {
    plant = await startPlant(settings());
    const answers = await Promise.all(Array.from({ length: 30 }, () => plant.ask('devices')));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(applied()).toBe(1);
    expect(await links()).toMatchObject({ plc: { opens: 1 }, broker: { opens: 1 } });
  });

  it('take new settings and leave running what did not change', async () => {
    const sound = settings();
    plant = await startPlant(sound);
    const before = await links();
    const changed = structuredClone(sound);
    changed.connections[1] = { ...changed.connections[1], clientId: 'fieldgate-another' } as (typeof changed.connections)[1];
    plant.save(changed);
    await plant.ask('devices');
    const after = await links();
    expect(after.plc).toEqual(before.plc);
    expect(after.broker?.since).toBeGreaterThan(before.broker?.since ?? 0);

    plant.save({ ...changed, devices: changed.devices.slice(0, 1) });
    expect((await plant.ask('devices')).json.devices.map(({ id }: { id: string }) => id)).toEqual(['boiler']);
    expect((await links()).plc).toEqual(before.plc);
  });

  it('do nothing when only the time of the change is new', async () => {
    const same = settings();
    plant = await startPlant(same);
    const before = await links();
    for (let count = 0; count < 5; count++) {
      plant.save(structuredClone(same));
      await plant.ask('devices');
    }
    expect(applied()).toBe(1);
    expect(await links()).toEqual(before);
  });

  it('take new secrets at once', async () => {
    plant = await startPlant({});
    await plant.ask('devices');
    plant.save({}, { secrets: { 'broker.password': 'one' } });
    await plant.ask('devices');
    plant.save({}, { secrets: { 'broker.password': 'two' } });
    await plant.ask('devices');
    expect(applied()).toBe(3);
  });

  it('ignore settings from before a change, until nobody names the newer ones any more', async () => {
    const device = async () => (await plant.ask('devices')).json.devices.map(({ id }: { id: string }) => id);
    const newer = settings();
    const older = { ...newer, devices: newer.devices.slice(0, 1) };
    plant = await startPlant({});
    plant.save(newer, { lastUpdatedMs: 5_000 });
    expect(await device()).toEqual(['boiler', 'room']);
    plant.save(older, { lastUpdatedMs: 4_000 });
    expect(await device()).toEqual(['boiler', 'room']);
    plant.advance(limits.olderSettingsAfterMs - 1_000);
    expect(await device()).toEqual(['boiler', 'room']);
    plant.save(newer, { lastUpdatedMs: 5_000 });
    expect(await device()).toEqual(['boiler', 'room']);
    plant.advance(2_000);
    plant.save(older, { lastUpdatedMs: 4_000 });
    expect(await device(), 'the newer ones were named 2 s ago').toEqual(['boiler', 'room']);
    plant.advance(limits.olderSettingsAfterMs);
    expect(await device()).toEqual(['boiler']);
  });

  it('are kept apart by organisation', async () => {
    plant = await startPlant(settings());
    await plant.ask('devices/boiler');
    const other = plant.caller('Admin', 'eve', 2);
    const health = await plant.datasource.checkHealth({
      ...other,
      instance: { ...other.instance, jsonData: Buffer.from('{}') } as NonNullable<typeof other.instance>,
    });
    expect(health.message).toContain('nothing runs yet');
    expect((await plant.ask('devices')).json.devices).toHaveLength(2);
  });

  it('are bounded', async () => {
    plant = await startPlant({});
    for (let count = 0; count < limits.instancesMax; count++) {
      plant.save({}, { uid: `uid-${count}` });
      expect((await plant.ask('devices')).status).toBe(200);
    }
    plant.save({}, { uid: 'one-too-many' });
    expect(await plant.ask('devices')).toMatchObject({ status: 503, json: { type: 'urn:fieldgate:problem:too-many-instances' } });
    expect(await plant.health()).toMatchObject({ status: 'error', message: expect.stringContaining('data sources run already') });
    plant.save({}, { uid: 'uid-0' });
    expect((await plant.ask('devices')).status).toBe(200);
  });

  it('end with the process, and are not made anew then', async () => {
    plant = await startPlant(settings());
    await links();
    await Promise.all([plant.datasource.close(), plant.datasource.close()]);
    expect(await plant.ask('devices')).toMatchObject({ status: 503, json: { type: 'urn:fieldgate:problem:shutting-down' } });
  });
});
