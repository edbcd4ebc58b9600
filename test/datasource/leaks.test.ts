/** What Viewers may not read (DESIGN §7): hosts, topics, secrets. Everything a Viewer can ask is asked while everything is wrong that can be. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Caller, Role } from '../../src/contract/caller.ts';
import { routes } from '../../src/contract/rights.ts';
import { freePort, type Mosquitto, startMosquitto } from '../far/mosquitto.ts';
import { type FarProgram, startPython } from '../far/python.ts';
import { demoSettings, type Plant, startPlant } from './plant.ts';

let far: FarProgram;
let broker: Mosquitto;
let plant: Plant;
let closed: number;

/** In every host, topic, name and secret of the settings; in no id, title or label. */
const mark = 'hidden';
const secrets = { 'broker.password': `${mark}-secret`, 'dead.password': `${mark}-secret` };

beforeAll(async () => {
  [far, broker, closed] = await Promise.all([startPython('modbus.py'), startMosquitto(), freePort()]);
  await far.ask({ set: 215, table: 'input', register: 0, type: 'int16', order: 'AB' });
  plant = await startPlant({});
  plant.save(settings(), { secrets });
  await plant.until('devices/boiler/points/temp', ({ json }) => json.last?.quality === 'good');
  await plant.until('connections', ({ json }) => json.connections.filter(({ state }: { state: string }) => state === 'down').length === 2);
  await plant.ask('devices/boiler/points/stubborn', { method: 'POST', body: { value: 1, reason: `${mark} reason` } });
});
afterAll(async () => {
  await plant?.close();
  await Promise.all([far?.kill(), broker?.close()]);
});

function settings() {
  const demo = demoSettings({ modbus: far.port, mqtt: broker.port });
  const [plc, house] = demo.connections;
  const [boiler] = demo.devices;
  return {
    ...demo,
    connections: [
      { ...plc },
      { ...house, clientId: `${mark}-client-${process.pid}`, username: `${mark}-user` },
      { id: 'dead', kind: 'mqtt', url: `mqtt://127.0.0.1:${closed}`, clientId: `${mark}-dead`, username: `${mark}-user` },
      { id: 'lost', kind: 'modbus', transport: { type: 'tcp', host: `${mark}-host.invalid` } },
      { id: 'wrong', kind: 'modbus', transport: { type: 'tcp', host: `${mark} host` } },
    ],
    devices: [
      boiler,
      { id: 'room', connection: 'broker', points: [{ id: 'temperature', address: { topic: `${mark}/kitchen`, path: `$.${mark}` } }] },
      {
        id: 'silent',
        connection: 'dead',
        points: [{ id: 'x', address: { topic: `${mark}/x`, set: { topic: `${mark}/set` } }, access: 'read-write' }],
      },
      { id: 'gone', connection: 'lost', address: { unitId: 1 }, points: [{ id: 'y', address: { table: 'input', register: 1 } }] },
      { id: 'broken', connection: 'broker', points: [{ id: 'z', address: { topic: `${mark}/#/wrong` } }] },
    ],
    profiles: [
      {
        id: 'own',
        title: 'A profile',
        notes: `${mark} notes`,
        points: [{ id: 'p', title: 'P', address: { topic: `${mark}/p` }, unit: { [mark]: 1 } }],
        commands: [{ id: 'c', topic: `${mark}/c` }],
      },
    ],
  };
}

/** The text, and for binary frames the bytes as Latin letters: UTF-8 of a mark is the mark. */
function expectClean(answer: Uint8Array | string, what: string) {
  const text = typeof answer === 'string' ? answer : Buffer.from(answer).toString('latin1');
  for (const word of [mark, '127.0.0.1', String(far.port), String(broker.port), String(closed)]) {
    expect(
      text.includes(word),
      `${word} in ${what}: …${text.slice(Math.max(0, text.indexOf(word) - 200), text.indexOf(word) + 100)}…`,
    ).toBe(false);
  }
}

const viewers = [
  ['a Viewer', 'Viewer', 'vera'],
  ['a public dashboard', 'Viewer', ''],
] as const;

describe.each(viewers)('%s', (_name, role, login) => {
  const words = ['devices', 'points', 'labels', 'values', 'commands', 'connections', 'profiles'];
  const ids = {
    device: ['boiler', 'room', 'silent', 'gone', 'broken', 'none'],
    point: ['temp', 'temperature', 'x', 'y', 'z'],
    profile: ['own', 'eastron-sdm630'],
  };

  function pathsOf(path: string): string[] {
    if (path === 'suggest')
      return words.flatMap((what) => [`suggest?what=${what}&name=site`, `suggest?what=${what}&prefix=${mark.slice(0, 3)}`]);
    let paths = [path];
    for (const [name, values] of Object.entries(ids)) {
      if (path.includes(`{${name}}`)) paths = paths.flatMap((one) => values.map((value) => one.replace(`{${name}}`, value)));
    }
    return paths.map((one) => one.replace(/\{\w+\}/, 'none'));
  }

  it.each(routes)('reads nothing of that in $method $path', async ({ method, path }) => {
    for (const one of pathsOf(path)) {
      for (const asked of [{}, { headers: { accept: 'text/plain' } }, { datasource: false }, { body: '{' }]) {
        const answer = await plant.ask(one, { method, role, login, ...asked });
        // The ports may stand in numbers of the answer by chance only in times, which are longer.
        expectClean(`${JSON.stringify(answer.headers)} ${answer.text.replaceAll(/\d{12,}/g, '')}`, `${method} ${one}`);
      }
    }
  });

  it('reads nothing of that in refusals', async () => {
    for (const path of [
      'nothing',
      'devices/%ff',
      'devices?label=x',
      'suggest?what=x',
      'suggest?device=/(/',
      'devices/gone/points/y?fresh=1',
      'devices/gone/points/y?fresh=2',
    ]) {
      const answer = await plant.ask(path, { role, login });
      expect(answer.status, path).toBeGreaterThanOrEqual(400);
      expectClean(answer.text, path);
    }
  });

  it('reads nothing of that in health', async () => {
    const { status, message, details } = await plant.datasource.checkHealth(caller(role, login));
    expect(status).toBe('error');
    expect(message).toMatch(/dead/);
    expectClean(`${message} ${JSON.stringify(details).replaceAll(/\d{12,}/g, '')}`, 'health');
  });

  it('reads nothing of that in frames, notices and live packets', async () => {
    const query = (queryType: string, more = {}) => Buffer.from(JSON.stringify({ queryType, devices: ['*'], ...more }));
    const kinds = [
      query('telemetry'),
      query('telemetry', { quality: 'all', live: true }),
      query('telemetry', { format: 'long', quality: 'all' }),
      query('telemetry', { aggregate: 'avg' }),
      query('latest'),
      query('status'),
      query('commands'),
      query('telemetry', { devices: ['nobody'] }),
      query('status', { devices: ['nobody'] }),
      Buffer.from('{'),
    ];
    const now = Date.now();
    const queries = kinds.map((json, i) => ({
      refId: `Q${i}`,
      json,
      intervalMs: 1_000,
      maxDataPoints: 100,
      fromMs: now - 60_000,
      toMs: now + 60_000,
    }));
    const who = caller(role, login);
    const answers = await plant.datasource.queryData(who, queries, new AbortController().signal);
    expect(answers.size).toBe(kinds.length);
    let channel: string | undefined;
    for (const [refId, { frames, error = '' }] of answers) {
      expectClean(error, refId);
      for (const pieces of frames) {
        const frame = Buffer.concat([...pieces]);
        expectClean(frame, refId);
        channel ??= /ds\/plant\/(live\/[A-Za-z0-9_-]+)/.exec(frame.toString('latin1'))?.[1];
      }
    }
    expect(channel).toBeDefined();
    const subscribed = await plant.datasource.subscribeStream(who, channel ?? '');
    expect(subscribed.status).toBe('ok');
    expectClean(subscribed.initial ?? '', 'the first packet');
    const stop = new AbortController();
    let packets = 0;
    const take = (packet: Uint8Array) => {
      expectClean(
        Buffer.from(packet)
          .toString()
          .replaceAll(/\d{12,}/g, ''),
        'a packet',
      );
      if (++packets === 3) stop.abort();
      return Promise.resolve();
    };
    await plant.datasource.runStream(who, channel ?? '', take, stop.signal).catch(() => undefined);
    expect(packets).toBe(3);
  });
});

it('Editors do read what helps them', async () => {
  const { text } = await plant.ask('connections', { role: 'Editor' });
  expect(text).toContain(`${mark}-host.invalid`);
  expect((await plant.ask('devices/room', { role: 'Editor' })).text).toContain(`${mark}/kitchen`);
});

it('nobody reads a secret, whatever the role', async () => {
  for (const role of ['Viewer', 'Editor', 'Admin'] as const) {
    for (const { method, path } of routes.filter(({ path }) => path !== 'events')) {
      const answer = await plant.ask(path.replaceAll(/\{\w+\}/g, 'boiler'), { method, role, body: method === 'POST' ? {} : undefined });
      expect(answer.text, path).not.toContain(secrets['broker.password']);
    }
    expect(JSON.stringify(await plant.health(role))).not.toContain(secrets['broker.password']);
  }
});

it('metrics name nothing of that', async () =>
  expectClean((await plant.datasource.collectMetrics()).replaceAll(/ [\d.e+]+$/gm, ''), 'metrics'));

function caller(role: Role, login: string): Caller {
  return plant.caller(role, login);
}
