import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { limits } from '../../src/contract/limits.ts';
import { type Mosquitto, startMosquitto } from '../far/mosquitto.ts';
import { type FarProgram, startPython } from '../far/python.ts';
import { demoSettings, type Plant, startPlant } from './plant.ts';

let far: FarProgram;
let broker: Mosquitto;
let plant: Plant;
let settings: ReturnType<typeof demoSettings>;

beforeAll(async () => {
  [far, broker] = await Promise.all([startPython('modbus.py'), startMosquitto()]);
  await far.ask({ set: 215, table: 'input', register: 0, type: 'int16', order: 'AB' });
  await far.ask({ set: '18446744073709551615', table: 'holding', register: 14, type: 'uint64', order: 'ABCDEFGH' });
  await far.ask({ set: true, table: 'coil', register: 3 });
  await far.ask({ set: 500, table: 'holding', register: 30, type: 'int16', order: 'AB' });
  settings = demoSettings({ modbus: far.port, mqtt: broker.port });
  plant = await startPlant(settings);
  await plant.until('devices/boiler/points/setpoint', ({ json }) => json.last?.quality === 'good');
});
afterAll(async () => {
  await plant?.close();
  await Promise.all([far?.kill(), broker?.close()]);
});

describe('the body', () => {
  it('is bounded, and an answer says where its JSON breaks', async () => {
    const large = await plant.ask('config/check', { method: 'POST', body: `{"x":"${'x'.repeat(limits.bodyBytesMax)}"}` });
    expect(large).toMatchObject({ status: 413, json: { type: 'urn:fieldgate:problem:body-too-large' } });
    const broken = await plant.ask('devices/boiler/points/setpoint', { method: 'POST', body: '{\n "value": 5O }' });
    expect(broken).toMatchObject({
      status: 400,
      json: { type: 'urn:fieldgate:problem:bad-json', detail: expect.stringContaining('line 2, column 12') },
    });
    expect((await plant.ask('devices/boiler/points/setpoint', { method: 'POST', body: '' })).json.detail).toContain('the text ends');
  });

  it('says which resources there are, not how we are built', async () => {
    const { json } = await plant.ask('nothing');
    expect(json).toEqual({
      type: 'urn:fieldgate:problem:not-found',
      title: 'Not found',
      status: 404,
      place: 'path',
      detail: expect.stringContaining('no such resource'),
    });
  });
});

describe('what is answered', () => {
  it('devices, all or by label', async () => {
    const all = await plant.ask('devices', { role: 'Viewer' });
    expect(all.json.devices.map(({ id }: { id: string }) => id)).toEqual(['boiler', 'room']);
    expect((await plant.ask('devices?label=site:north')).json.devices).toEqual([
      expect.objectContaining({
        id: 'boiler',
        title: 'Boiler',
        labels: { site: 'north' },
        connection: 'plc',
        state: 'online',
        since: expect.any(Number),
      }),
    ]);
    expect((await plant.ask('devices?label=site:north&label=site:south')).json.devices).toEqual([]);
    expect((await plant.ask('devices?label=__proto__:x')).json.devices).toEqual([]);
    expect(await plant.ask('devices?label=north')).toMatchObject({ status: 400, json: { place: 'label' } });
  });

  it('a device with its points, and their last values', async () => {
    const { json } = await plant.until('devices/boiler', (answer) =>
      answer.json.points.every(({ id, last }: { id: string; last: unknown }) => id === 'stubborn' || last),
    );
    const points = Object.fromEntries(json.points.map((point: { id: string }) => [point.id, point]));
    expect(points.temp).toMatchObject({
      device: 'boiler',
      type: 'integer',
      unit: 'celsius',
      access: 'read',
      labels: { site: 'north' },
      last: { value: 21.5, quality: 'good', reason: '' },
    });
    expect(points.energy.last.value).toBe('18446744073709551615');
    expect(points.pump).toMatchObject({ type: 'boolean', last: { value: true, text: 'on' } });
    expect(points.setpoint.write).toEqual({ min: 20, max: 90, step: 0.5, confirm: false });
    expect(Math.abs(points.temp.last.arrival - Date.now())).toBeLessThan(10_000);
    expect((await plant.ask('devices/boiler/points')).json.points.map(({ id }: { id: string }) => id)).toEqual(
      json.points.map(({ id }: { id: string }) => id),
    );
  });

  it('a value that the device is asked for now', async () => {
    plant.save({ ...settings, devices: settings.devices.map((device) => ({ ...device, interval: '1h' })) });
    await plant.ask('devices');
    await far.ask({ set: 333, table: 'input', register: 0, type: 'int16', order: 'AB' });
    const fresh = await plant.until('devices/boiler/points/temp?fresh=1', ({ status }) => status === 200, { role: 'Editor' });
    expect(fresh.json.last).toMatchObject({ value: 33.3, quality: 'good' });
    expect((await plant.ask('devices/boiler/points/temp?fresh=1', { role: 'Viewer' })).status).toBe(403);
    expect((await plant.ask('devices/boiler/points/temp?fresh=maybe')).json.place).toBe('fresh');
    expect((await plant.ask('devices/room/points/temperature?fresh=1')).status).toBe(409);
    plant.save(settings);
  });

  it('a command, its record and its list', async () => {
    const body = { value: 55.5, reason: 'a cold night' };
    const done = await plant.ask('devices/boiler/points/setpoint', {
      method: 'POST',
      role: 'Editor',
      body,
      headers: { 'Idempotency-Key': 'night-1' },
    });
    expect(done).toMatchObject({
      status: 200,
      json: {
        state: 'verified',
        value: 55.5,
        readBack: 55.5,
        device: 'boiler',
        point: 'setpoint',
        reason: 'a cold night',
        user: { login: 'ada', role: 'Editor' },
        times: { ended: expect.any(Number) },
      },
    });
    expect((await far.ask({ get: true, table: 'holding', register: 30, type: 'int16', order: 'AB' })).value).toBe(555);
    const again = await plant.ask('devices/boiler/points/setpoint', {
      method: 'POST',
      role: 'Editor',
      body,
      headers: { 'Idempotency-Key': 'night-1' },
    });
    expect(again.json.id).toBe(done.json.id);
    expect((await plant.ask(`commands/${done.json.id}`, { role: 'Editor' })).json).toEqual(done.json);
    expect((await plant.ask('commands?limit=1', { role: 'Editor' })).json.commands).toEqual([done.json]);
  });

  it.each([
    ['a value out of range', 'setpoint', { value: 95 }, 422],
    ['a value off the step', 'setpoint', { value: 50.3 }, 422],
    ['a value of another kind', 'setpoint', { value: 'hot' }, 400, 'value'],
    ['no value', 'setpoint', {}, 400, 'value'],
    ['a value that is no value', 'setpoint', { value: [1] }, 400, 'value'],
    ['a field nobody knows', 'setpoint', { value: 50, weit: '1s' }, 400, 'weit'],
    ['a wait that is none', 'setpoint', { value: 50, wait: 5 }, 400, 'wait'],
    ['an expectation that does not hold', 'setpoint', { value: 50, expect: 12 }, 409],
    ['a point that is read only', 'temp', { value: 1 }, 422],
    ['a point that is not there', 'lamp', { value: 1 }, 404, 'point'],
    ['a device that says no', 'stubborn', { value: 1 }, 502],
    ['a body that is no object', 'setpoint', [1], 400, ''],
  ] as const)('%s', async (_name, point, body, status, place?: string) => {
    const answer = await plant.ask(`devices/boiler/points/${point}`, { method: 'POST', body });
    expect(answer.json.detail.length).toBeGreaterThan(10);
    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toBe('application/problem+json');
    if (place !== undefined) expect(answer.json.place).toBe(place);
    if (status === 502)
      expect(answer.json).toMatchObject({ type: 'urn:fieldgate:problem:command-failed', state: 'failed', point: 'stubborn' });
  });

  it.each(['', ' ', 'a b', 'é', 'x'.repeat(129)])('idempotency key %j', async (key) => {
    const answer = await plant.ask('devices/boiler/points/setpoint', {
      method: 'POST',
      body: { value: 50 },
      headers: { 'Idempotency-Key': key },
    });
    expect(answer).toMatchObject({ status: 400, json: { place: 'Idempotency-Key' } });
  });

  it.each(['0', '-1', 'x', '1e3', '1001', '99999999999999999999'])('limit %j', async (limit) => {
    expect(await plant.ask(`commands?limit=${limit}`)).toMatchObject({ status: 400, json: { place: 'limit' } });
  });

  it('settings that are only checked', async () => {
    const body = {
      connections: [{ id: 'far', kind: 'modbus', transport: { type: 'tcp', host: '10.0.0.5' } }],
      devices: [{ id: 'a', connection: 'far', address: { unitId: 900 } }],
    };
    const answer = await plant.ask('config/check', { method: 'POST', body });
    expect(answer.json).toEqual({
      ok: false,
      faults: [{ severity: 'error', place: 'devices[0].address.unitId', message: expect.any(String) }],
      runs: { connections: 1, devices: 0, points: 0 },
    });
    expect((await plant.ask('connections')).json.connections.map(({ id }: { id: string }) => id)).toEqual(['plc', 'broker']);
  });

  it('schemas that draw a form', async () => {
    expect((await plant.ask('schema')).json).toMatchObject({
      type: 'object',
      properties: { connections: { items: { anyOf: expect.any(Array) } } },
    });
    const { json } = await plant.ask('drivers');
    expect(json.drivers).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ kind: 'modbus', address: expect.any(Object) }),
        expect.objectContaining({ kind: 'mqtt', secrets: expect.arrayContaining(['password']) }),
      ]),
    );
  });

  it('nothing to a Viewer that a dashboard does not need', async () => {
    for (const path of [
      'connections',
      'devices',
      'devices/boiler',
      'devices/room',
      'devices/room/points',
      'devices/boiler/points/temp',
      'access/me',
    ]) {
      const { text } = await plant.ask(path, { role: 'Viewer' });
      expect(text, path).not.toMatch(/127\.0\.0\.1|kitchen|register|clientId/);
      expect((await plant.ask(path, { role: 'Viewer' })).text.length, path).toBeGreaterThan(20);
    }
    const { json } = await plant.ask('connections', { role: 'Editor' });
    expect(json.connections[0]).toMatchObject({
      id: 'plc',
      title: 'The controller',
      kind: 'modbus',
      state: 'up',
      endpoint: expect.stringContaining(String(far.port)),
      requests: expect.any(Number),
    });
  });
});
