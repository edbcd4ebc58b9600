import { type AddressInfo, createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { limits } from '../../src/contract/limits.ts';
import type { HealthAnswer } from '../../src/datasource/questions.ts';
import { freePort, type Mosquitto, startMosquitto } from '../far/mosquitto.ts';
import { type FarProgram, startPython } from '../far/python.ts';
import { demoSettings, type Plant, startPlant } from './plant.ts';

let far: FarProgram;
let broker: Mosquitto;
const plants: Plant[] = [];

beforeAll(async () => {
  [far, broker] = await Promise.all([startPython('modbus.py'), startMosquitto()]);
});
afterEach(() => Promise.all(plants.splice(0).map((plant) => plant.close())));
afterAll(async () => {
  await Promise.all([far?.kill(), broker?.close()]);
});

const settings = () => demoSettings({ modbus: far.port, mqtt: broker.port });

async function start(...args: Parameters<typeof startPlant>): Promise<Plant> {
  const plant = await startPlant(...args);
  plants.push(plant);
  return plant;
}

async function healthUntil(plant: Plant, wanted: (health: HealthAnswer) => boolean): Promise<HealthAnswer> {
  const end = Date.now() + 10_000;
  for (;;) {
    const health = await plant.health();
    if (wanted(health)) return health;
    if (Date.now() > end) throw new Error(`health did not become as wanted: ${health.message}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe('health', () => {
  it('tells the truth right after the first save', async () => {
    const health = await (await start(settings())).health();
    expect(health).toMatchObject({
      status: 'ok',
      message: '2 of 2 connections up, 1 of 2 devices online, 1 not heard from yet, history on disk.',
    });
    expect(health.details).toMatchObject({
      version: '0.0.0-test',
      storage: { mode: 'disk' },
      connections: {
        plc: { state: 'up', since: expect.any(Number), endpoint: expect.stringContaining(String(far.port)) },
        broker: { state: 'up' },
      },
      devices: { boiler: { state: 'online', connection: 'plc', samples: expect.any(Number) }, room: { state: 'unknown' } },
      faults: [],
    });
  });

  it('names a port nobody listens on, in bounded time', async () => {
    const plant = await start(demoSettings({ modbus: await freePort(), mqtt: broker.port }));
    const started = Date.now();
    const health = await plant.health();
    expect(Date.now() - started).toBeLessThan(limits.healthWaitMs + 1_000);
    expect(health.status).toBe('error');
    expect(health.message).toMatch(/^1 of 2 connections down: plc \(.*refused.*, for \d+s\)\.$/);
    expect(health.details.connections).toMatchObject({
      plc: { state: 'down', error: expect.stringContaining('refused'), since: expect.any(Number) },
      broker: { state: 'up' },
    });

    const seen = await plant.health('Viewer');
    expect(seen.message).toMatch(/^1 of 2 connections down: plc \(for \d+s\)\.$/);
    expect(JSON.stringify(seen)).not.toMatch(/127\.0\.0\.1|refused|endpoint|topic/);
  });

  it('waits for the end of a first attempt, so that a broker without a word is called that', async () => {
    const mute = createServer((socket) => socket.on('error', () => {}).resume());
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    const plant = await start(demoSettings({ modbus: far.port, mqtt: (mute.address() as AddressInfo).port }));
    const health = await plant.health();
    expect(health.status).toBe('error');
    expect(health.message).toMatch(/^1 of 2 connections down: broker \((?!connecting).+, for \d+s\)\.$/);
    mute.close();
  });

  it('notices that a device went away and came back', async () => {
    let own = await startPython('modbus.py');
    const plant = await start(demoSettings({ modbus: own.port, mqtt: broker.port }));
    await healthUntil(plant, ({ status }) => status === 'ok');
    await own.kill();
    expect((await healthUntil(plant, ({ status }) => status === 'error')).message).toMatch(/^1 of 2 connections down: plc \(/);
    own = await startPython('modbus.py', own.port);
    expect((await healthUntil(plant, ({ status }) => status === 'ok')).message).toContain('2 of 2 connections up');
    await own.kill();
  });

  it('fails when the settings say so, and names what is down in any case', async () => {
    const port = await freePort();
    const sound = demoSettings({ modbus: port, mqtt: broker.port });
    const plant = await start(sound);
    const seen: Record<string, string> = {};
    for (const failWhen of ['any-connection', 'any-device', 'all-connections', 'never']) {
      plant.save({ ...sound, health: { failWhen } });
      const health = await plant.health();
      seen[failWhen] = health.status;
      expect(health.message).toContain('1 of 2 connections down: plc (');
    }
    expect(seen).toEqual({ 'any-connection': 'error', 'any-device': 'error', 'all-connections': 'ok', never: 'ok' });
    plant.save({ ...sound, connections: sound.connections.slice(0, 1), health: { failWhen: 'all-connections' } });
    expect((await plant.health()).status).toBe('error');
  });

  it('knows a unit that does not answer from a connection that is down', async () => {
    const mute = createServer((socket) => socket.on('error', () => {}).resume());
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    const sound = settings();
    const line = {
      id: 'mute',
      kind: 'modbus',
      transport: { type: 'tcp', host: '127.0.0.1', port: (mute.address() as AddressInfo).port },
      timeout: '100ms',
    };
    const ghost = { ...sound.devices[0], id: 'ghost', connection: 'mute' };
    const haunted = { ...sound, connections: [...sound.connections, line], devices: [...sound.devices, ghost] };
    const plant = await start({ ...haunted, health: { failWhen: 'any-connection' } });
    const named = /1 of 3 devices offline: ghost \(.+, for \d+s\)/;
    expect(await healthUntil(plant, ({ message }) => named.test(message))).toMatchObject({ status: 'ok' });
    plant.save({ ...haunted, health: { failWhen: 'any-device' } });
    expect(await plant.health()).toMatchObject({ status: 'error', message: expect.stringMatching(named) });
    mute.close();
  });

  it('names what is wrong with the settings, and what runs all the same', async () => {
    const sound = settings();
    const plant = await start({ ...sound, devices: [...sound.devices, { id: 'lost', connection: 'plcc' }] });
    const health = await plant.health();
    expect(health).toMatchObject({
      status: 'error',
      details: { faults: [{ severity: 'error', place: 'devices[2].connection' }], connections: { plc: { state: 'up' } } },
    });
    expect(health.message).toMatch(/^the settings have a fault: devices\[2\]\.connection is "plcc".*did you mean "plc"\?\.$/);
    expect((await plant.health('Viewer')).message).toBe('the settings have a fault.');
  });

  it('says that settings are no JSON', async () => {
    const plant = await start({});
    plant.save('{"connections": [}');
    expect(await plant.health()).toMatchObject({ status: 'error', message: expect.stringContaining('line 1, column 18') });
  });

  it('says that nothing is set up yet', async () => {
    expect(await (await start({})).health()).toMatchObject({ status: 'ok', message: 'nothing runs yet: add a connection and a device.' });
  });

  it('says that history is in memory only', async () => {
    const health = await (await start(settings(), { memory: true })).health();
    expect(health).toMatchObject({ status: 'ok', details: { storage: { mode: 'memory' } } });
    expect(health.message).toContain('history is kept in memory only and lost at a restart');
  });

  it('answers without a data source', async () => {
    const plant = await start({});
    const { instance: _, ...caller } = plant.caller();
    expect(await plant.datasource.checkHealth(caller)).toMatchObject({
      status: 'ok',
      message: 'Fieldgate 0.0.0-test runs.',
      details: { version: '0.0.0-test' },
    });
  });
});
