import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Role, roleAtLeast, roles } from '../../src/contract/caller.ts';
import { limits } from '../../src/contract/limits.ts';
import { type Route, routes } from '../../src/contract/rights.ts';
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

const concrete = (path: string) =>
  path.replace('{device}', 'boiler').replace('{point}', 'setpoint').replace('{id}', 'none').replace('{uid}', 'none');
/** Asked as its place in the table says: of a data source, or of none. */
const datasourceOf = (path: string) => !routes.some((route: Route) => route.path === path && route.without !== undefined);
const unknownOnes = ['commands/{id}', 'instances/{uid}'];
const bodies: Record<string, unknown> = { 'devices/{device}/points/{point}': { value: 50 }, 'config/check': {} };
const atLeast = (least: Role | 'command'): Role => (least === 'command' ? 'Editor' : least);

describe('the door', () => {
  const walk = routes.flatMap((route) => [...roles, 'nobody' as const].map((role) => ({ ...route, role })));
  it.each(walk)('$method $path as $role', async ({ method, path, least, role }) => {
    const answer = await plant.ask(concrete(path), {
      method,
      role,
      datasource: datasourceOf(path),
      ...(method === 'POST' ? { body: bodies[path] } : {}),
    });
    if (role === 'nobody') expect(answer.status).toBe(401);
    else if (!roleAtLeast(role, atLeast(least))) expect(answer.status).toBe(403);
    else expect(answer.status).toBe(unknownOnes.includes(path) ? 404 : 200);
    expect(answer.headers['content-type']).toBe(answer.status === 200 ? 'application/json' : 'application/problem+json');
    if (answer.status !== 200)
      expect(answer.json).toMatchObject({
        type: expect.stringMatching(/^urn:fieldgate:problem:[a-z-]+$/),
        title: expect.any(String),
        status: answer.status,
        detail: expect.any(String),
      });
  });

  const paths = [...new Set(routes.map(({ path }) => path))];
  it.each(
    paths.flatMap((path) =>
      ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'get', ''].map((method) => ({ path, method })),
    ),
  )('$method on $path', async ({ path, method }) => {
    const there = routes.filter((route) => route.path === path).map((route) => route.method as string);
    const allowed = there.includes('GET') ? ['HEAD', ...there] : there;
    const answer = await plant.ask(concrete(path), { method, body: bodies[path], datasource: datasourceOf(path) });
    if (allowed.includes(method)) expect(answer.status).not.toBe(405);
    else {
      expect(answer.status).toBe(405);
      expect(new Set(answer.headers.allow?.split(', '))).toEqual(new Set(allowed));
    }
    if (method === 'HEAD' && allowed.includes('HEAD') && answer.status === 200) expect(answer.text).toBe('');
  });

  it.each(routes.filter(({ path }) => !datasourceOf(path)))('$method $path of a data source', async ({ method, path }) => {
    const answer = await plant.ask(concrete(path), { method });
    expect(answer).toMatchObject({ status: 400, json: { type: 'urn:fieldgate:problem:not-of-a-data-source' } });
  });

  it.each(routes.filter(({ path }) => datasourceOf(path)))('$method $path without a data source', async ({ method, path }) => {
    const answer = await plant.ask(concrete(path), { method, datasource: false, ...(method === 'POST' ? { body: bodies[path] } : {}) });
    expect(answer.status).toBe(400);
    expect(answer.json.type).toBe('urn:fieldgate:problem:no-data-source');
  });

  it.each([
    ['application/json', 200],
    ['application/json; charset=utf-8', 200],
    ['APPLICATION/JSON', 200],
    [undefined, 415],
    ['', 415],
    ['text/plain', 415],
    ['text/plain; application/json', 415],
    ['application/x-www-form-urlencoded', 415],
    ['application/json-patch+json', 415],
    ['application/json, text/plain', 415],
    ['application/json; charset=latin1', 415],
  ])('content type %j', async (type, status) => {
    for (const [path, body] of Object.entries(bodies)) {
      const answer = await plant.ask(concrete(path), { method: 'POST', body, headers: { 'content-type': type } });
      expect(answer.status, path).toBe(status);
    }
  });

  it('takes the method that was sent, whatever a header says', async () => {
    const headers = { 'x-http-method-override': 'POST', 'x-http-method': 'POST', 'x-method-override': 'POST' };
    const answer = await plant.ask('devices/boiler/points/setpoint', { headers, body: { value: 21 } });
    expect(answer.json).toMatchObject({ id: 'setpoint', last: expect.any(Object) });
    expect((await plant.ask('devices/boiler/points/setpoint?_method=POST')).status).toBe(200);
    expect((await plant.ask('commands', {})).json.commands).not.toContainEqual(expect.objectContaining({ value: 21 }));
  });

  it.each([
    ['devices/boiler%2Fpoints', 400],
    ['devices/..%2Fschema', 400],
    ['devices/..', 400],
    ['devices/.', 400],
    ['devices/%2e%2e/schema', 400],
    ['devices/%252e%252e', 400],
    ['devices/boiler%00', 400],
    ['devices/%ff', 400],
    ['devices/%', 400],
    ['devices/boil er', 400],
    ['devices/bo%5Cler', 400],
    ['devices/__proto__', 404],
    ['devices/constructor/points', 404],
    [`devices/${'x'.repeat(65)}`, 400],
    [`devices/boiler/points/${'x'.repeat(100_000)}`, 400],
    ['devices/boiler/points/set.point', 404],
    ['', 404],
    ['devices/', 404],
    ['devices//points', 404],
    ['/devices', 404],
    ['schema/', 404],
    ['Devices', 404],
    ['{device}', 400],
    ['devices/boiler/points/setpoint/x', 404],
    ['devices/boiler/commands/reboot', 404],
    ['%64evices', 200],
    ['devices/b%6Filer', 200],
    ['devices/b%256Filer', 400],
  ])('path %j', async (path, status) => {
    const answer = await plant.ask(path);
    expect(answer.status).toBe(status);
    expect(answer.text.length).toBeLessThan(20_000);
  });

  it('bounds the body, and says where JSON breaks', async () => {
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

describe('who may command', () => {
  const set = (asked: Parameters<Plant['ask']>[1]) =>
    plant.ask('devices/boiler/points/setpoint', { method: 'POST', body: { value: 50 }, ...asked });

  it.each([
    ['an alert rule', { role: 'Admin', login: 'grafana_scheduler' }],
    ['a visitor who is not signed in, with the role Admin', { role: 'Admin', login: '' }],
    ['a public dashboard', { role: 'Viewer', login: '' }],
  ] as const)('never %s', async (_name, asked) => {
    expect(await set(asked)).toMatchObject({ status: 403, json: { type: 'urn:fieldgate:problem:forbidden' } });
    expect((await plant.ask('access/me', asked)).json.may.command).toBe(false);
  });

  it('goes by the rights of the settings', async () => {
    plant.save({ ...settings, rights: { command: 'Admin' } });
    expect(await set({ role: 'Editor' })).toMatchObject({
      status: 403,
      json: { detail: 'commands need the role Admin here, and yours is Editor' },
    });
    expect((await plant.ask('access/me', { role: 'Editor' })).json).toEqual({
      user: { login: 'ada', name: 'Ada', role: 'Editor' },
      may: { read: true, readNow: true, command: false, configure: false },
      rights: { command: 'Admin' },
      why: 'commands need the role Admin here, and yours is Editor',
    });
    expect((await set({ role: 'Admin' })).status).toBe(200);
    plant.save(settings);
    expect((await set({ role: 'Editor' })).status).toBe(200);
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
    expect(points.setpoint.write).toEqual({ min: 20, max: 90, step: 0.5 });
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
    expect(json.drivers).toMatchObject([
      { kind: 'modbus', address: expect.any(Object) },
      { kind: 'mqtt', secrets: expect.arrayContaining(['password']) },
    ]);
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
