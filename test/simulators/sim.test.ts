import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drivers } from '../../drivers/index.ts';
import { startHouse } from '../../simulators/mqtt-house.ts';
import { readBuiltIn } from '../../src/datasource/built-in.ts';
import { readSettings } from '../../src/datasource/settings.ts';
import { readFolder } from '../../src/executable.ts';
import { makeHost } from '../drivers/line.ts';
import { listen } from '../drivers/mqtt-session.ts';
import { portName } from '../far/port.ts';

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '../..');
const main = join(root, 'simulators/main.ts');
const soon = { timeout: 8_000, interval: 20 };

function start(args: string[]): {
  child: ChildProcess;
  ready: Promise<{ mqttPort: number; modbusPort: number }>;
  ended: Promise<number | null>;
  said: () => string;
} {
  const paths = ['serial', 'rtu', 'gps', 'board'].flatMap((name) => [`--${name}-path`, portName()]);
  const child = spawn(process.execPath, [main, ...paths, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let said = '';
  child.stderr?.on('data', (chunk) => {
    said += chunk;
  });
  const ended = new Promise<number | null>((done) => child.once('exit', done));
  const ready = new Promise<{ mqttPort: number; modbusPort: number }>((done, fail) => {
    child.stdout?.on('data', (chunk) => {
      out += chunk;
      if (out.includes('\n')) done(JSON.parse(out.slice(0, out.indexOf('\n'))));
    });
    void ended.then(() => fail(new Error(`the simulators ended: ${said}`)));
  });
  ready.catch(() => {});
  return { child, ready, ended, said: () => said };
}

describe('npm run sim', () => {
  let sim: ReturnType<typeof start>;
  let ports: { mqttPort: number; modbusPort: number };
  beforeAll(async () => {
    sim = start(['--mqtt-port', '0', '--modbus-port', '0', '--for', '2m']);
    ports = await sim.ready;
  });
  afterAll(() => sim.child.kill('SIGKILL'));

  it('obeys a light switch and a plug, and ignores nonsense', async () => {
    const at = ['-h', '127.0.0.1', '-p', String(ports.mqttPort)];
    const publish = (topic: string, payload: string) => run('mosquitto_pub', [...at, '-t', topic, '-m', payload]);
    const kept = async (topic: string) => (await run('mosquitto_sub', [...at, '-t', topic, '-C', '1', '-W', '5'])).stdout.trim();
    const light = 'home/north/kitchen/light';
    expect(await kept(`${light}/state`)).toBe('ON');
    await publish(`${light}/set`, 'OFF');
    await expect.poll(() => kept(`${light}/state`), soon).toBe('OFF');
    for (const nonsense of ['on', '', 'x'.repeat(100_000), '\u0001']) await publish(`${light}/set`, nonsense);
    await publish('zigbee2mqtt/plug/set', '{"state":');
    expect(await kept(`${light}/state`)).toBe('OFF');
    await publish('zigbee2mqtt/plug/set', '{"state":"OFF"}');
    await expect.poll(async () => JSON.parse(await kept('zigbee2mqtt/plug')) as unknown, soon).toMatchObject({ state: 'OFF', power: 0 });
    expect(await kept('home/south/lab/status')).toBe('online');
  });

  it('is what simulators/gateway.json describes: no fault, and every MQTT point is heard', async () => {
    const text = readFileSync(join(root, 'simulators/gateway.json'), 'utf8')
      .replace(':1883', `:${ports.mqttPort}`)
      .replace('1502', String(ports.modbusPort));
    const plan = readSettings({ jsonData: Buffer.from(text), secureJsonData: {} }, drivers, readBuiltIn(readFolder('profiles')).profiles);
    expect(plan.faults).toEqual([]);
    const planned = plan.connections.find(({ driver }) => driver.kind === 'mqtt');
    if (!planned) throw new Error('no MQTT connection');
    const { devices, templates = [] } = planned;
    const points = [...devices, ...templates].flatMap((device) => device.points);
    const rooms = ['north-kitchen', 'north-office', 'south-lab'];
    const expected = [
      ...devices.flatMap((device) => device.points.map(({ id }) => `${device.id}.${id}`)),
      ...rooms.flatMap((room) => templates.flatMap((template) => template.points.map(({ id }) => `${room}.${id}`))),
    ];
    expect(expected.length).toBeGreaterThan(10);
    const session = await planned.driver.open(
      { connection: planned.connection, devices: [...devices, ...templates] },
      makeHost(),
      AbortSignal.timeout(6_000),
    );
    try {
      const ear = listen(session, points);
      const good = () =>
        new Set(
          ear.readings
            .filter((reading) => reading.reason === '' && reading.value !== null)
            .map(({ point }) => `${point.device}.${point.id}`),
        );
      await expect.poll(good, soon).toEqual(new Set(expected));
      expect(new Set(ear.words.map(({ device, state }) => `${device} ${state}`))).toEqual(new Set(rooms.map((room) => `${room} online`)));
      expect(ear.readings.filter((reading) => reading.reason !== '')).toEqual([]);
      await ear.stop();
    } finally {
      await session.close();
    }
  });

  it('says which port is taken and what is allowed', async () => {
    const taken = start(['--mqtt-port', String(ports.mqttPort), '--modbus-port', '0']);
    expect(await taken.ended).toBe(1);
    expect(taken.said()).toMatch(new RegExp(`MQTT port ${ports.mqttPort} is taken`));
    const wrong = start(['--mqtt-port', 'x']);
    expect(await wrong.ended).toBe(1);
    expect(wrong.said()).toMatch(/x is no port; allowed are --mqtt-port N/);
  });

  it('ends by itself and when it is asked to', async () => {
    const short = start(['--mqtt-port', '0', '--modbus-port', '0', '--for', '100ms']);
    await short.ready;
    expect(await short.ended).toBe(0);
    sim.child.kill('SIGTERM');
    expect(await sim.ended).toBe(0);
  });
});

describe('the house', () => {
  it('makes the same day of the same clock and chance, and another of another', () => {
    const day = (seed: number): string[] => {
      let now = 1_795_348_800_000;
      let state = seed;
      const said: string[] = [];
      const running: { everyMs: number; run: () => void }[] = [];
      const house = startHouse({
        broker: { publish: (topic, payload, options) => void said.push(`${topic} ${payload} ${options?.retain ?? false}`), obey: () => {} },
        nowMs: () => now,
        random: () => {
          state = (state * 16_807) % 2_147_483_647;
          return state / 2_147_483_647;
        },
        every: (everyMs, each) => {
          running.push({ everyMs, run: each });
          return () => {};
        },
      });
      for (let tick = 1; tick <= 120; tick++) {
        now += 500;
        for (const { everyMs, run: each } of running) if ((tick * 500) % everyMs === 0) each();
      }
      house.stop();
      return said;
    };
    expect(day(1)).toEqual(day(1));
    expect(day(1)).not.toEqual(day(2));
    expect(day(1).at(-1)).toBe('home/south/lab/status offline true');
    const kitchen = day(1)
      .filter((line) => line.startsWith('home/north/kitchen/climate'))
      .map((line) => (JSON.parse(line.split(' ')[1] ?? '') as { temperature: number }).temperature);
    expect(Math.max(...kitchen) - Math.min(...kitchen), 'the temperature lives').toBeGreaterThan(0.5);
    expect(Math.min(...kitchen)).toBeGreaterThan(18);
  });
});
