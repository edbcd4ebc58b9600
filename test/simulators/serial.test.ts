/** The simulated serial ports, asked by the product's own drivers: what the settings beside them describe, and each misbehaviour. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { drivers } from '../../drivers/index.ts';
import type { Driver, Line, Reading, Session } from '../../src/contract/driver.ts';
import { readBuiltIn } from '../../src/datasource/built-in.ts';
import { readSettings } from '../../src/datasource/settings.ts';
import { readFolder } from '../../src/executable.ts';
import { buildLine, makeHost } from '../drivers/line.ts';
import { watch } from '../drivers/watch.ts';
import { portName } from '../far/port.ts';

const root = resolve(import.meta.dirname, '../..');
const places = { serialPath: portName(), rtuPath: portName(), gpsPath: portName(), boardPath: portName() };
const { serialPath, rtuPath } = places;
const driverOf = (kind: string) => drivers.find((driver) => driver.kind === kind) as Driver;
const never = () => new AbortController().signal;

let sim: ChildProcess;
beforeAll(async () => {
  const paths = Object.entries(places).flatMap(([name, path]) => [`--${name.replace('Path', '-path')}`, path]);
  const args = ['--mqtt-port', '0', '--modbus-port', '0', ...paths, '--for', '3m'];
  sim = spawn(process.execPath, [join(root, 'simulators/main.ts'), ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const { stdout } = sim;
  if (!stdout) throw new Error('no standard output');
  const line = await new Promise<string>((done) => createInterface({ input: stdout }).once('line', done));
  expect(JSON.parse(line)).toMatchObject(places);
});
afterAll(async () => {
  const ended = new Promise((done) => sim.once('exit', done));
  sim.kill('SIGTERM');
  await ended;
  expect(Object.values(places).filter(existsSync), 'names left behind').toEqual([]);
});

async function open(line: Line, host = makeHost()): Promise<Session> {
  const session = await driverOf(line.connection.kind).open(line, host, AbortSignal.timeout(5_000));
  onTestFinished(() => session.close());
  return session;
}

/** A connection of simulators/gateway.json, at this run's port. */
function described(id: string): Line {
  const text = readFileSync(join(root, 'simulators/gateway.json'), 'utf8')
    .replace('/tmp/fieldgate-uno', serialPath)
    .replace('/tmp/fieldgate-rs485', rtuPath)
    .replace('/tmp/fieldgate-gps', places.gpsPath)
    .replace('/tmp/fieldgate-board', places.boardPath);
  const plan = readSettings({ jsonData: Buffer.from(text), secureJsonData: {} }, drivers, readBuiltIn(readFolder('profiles')).profiles);
  const planned = plan.connections.find(({ connection }) => connection.id === id);
  if (!planned) throw new Error(`no connection ${id}`);
  return planned;
}

it.each(['uno', 'rs485', 'gps', 'board'])(
  'connection %s of simulators/gateway.json gives a value of every point',
  async (id) => {
    const line = described(id);
    const session = await open(line);
    const watching = watch(session, line);
    for (const { id: point } of line.devices.flatMap((device) => device.points))
      expect((await watching.next(point, ({ reason }) => reason === '', 8_000)).value).toEqual(expect.any(Number));
    await watching.stop();
  },
  40_000,
);

it('the microcontroller opens its valve, starts anew, and is there again after it was unplugged', async () => {
  const line = described('uno');
  const host = makeHost();
  const session = await open(line, host);
  const [device] = line.devices;
  const valve = device?.points.find(({ id }) => id === 'valve');
  const reboot = device?.actions[0];
  if (!device || !valve || !reboot) throw new Error('not as described');
  const read = async (from: Session) => (await from.read?.(from.plan?.([valve])[0] as never, never()))?.[0]?.value;
  expect(await session.write?.(valve, 1, never())).toEqual({ state: 'acknowledged' });
  expect(await read(session)).toBe(1);
  expect(await session.write?.(valve, 2, never())).toMatchObject({ state: 'refused', detail: 'the device said "ERR VALVE=2"' });
  expect(await session.act?.(device, reboot, {}, never())).toEqual({ state: 'acknowledged' });
  expect(await read(session)).toBe(0);
  const pull = { ...reboot, send: 'UNPLUG!\n' };
  expect(await session.act?.(device, pull, {}, never())).toMatchObject({ state: 'unknown', detail: /is gone/ });
  expect(host.losses.length).toBe(1);
  await session.close();
  await expect.poll(() => existsSync(serialPath), { timeout: 10_000 }).toBe(true);
  expect(await read(await open(line))).toBe(0);
});

describe('units of the RS-485 line that misbehave', () => {
  async function readUnit(unitId: number): Promise<Reading> {
    const line = buildLine(driverOf('modbus'), {
      connection: { transport: { type: 'rtu', path: rtuPath, turnaround: '600ms' }, timeout: '1s' },
      devices: [{ id: 'one', address: { unitId }, points: [{ id: 'voltage', address: { table: 'input', register: 0 } }] }],
    });
    const session = await driverOf('modbus').open(line, makeHost(), AbortSignal.timeout(5_000));
    try {
      const [request] = session.plan?.(line.devices[0]?.points ?? []) ?? [];
      return (await session.read?.(request as never, never()))?.[0] as Reading;
    } finally {
      await session.close();
    }
  }

  it.each([
    [7, ''],
    [101, 'timeout'],
    [102, ''],
    [103, 'decode'],
    [104, 'crc'],
    [105, 'timeout'],
    [106, 'exception-4'],
    [107, 'timeout'],
    [109, 'crc'],
    [110, 'timeout'],
    [7, ''],
  ])('unit %i: %s', async (unit, reason) => {
    const reading = await readUnit(unit);
    expect(reading).toMatchObject({ reason });
    if (reason === '') expect(reading.value).toBeGreaterThan(2_000);
  });

  it('unit 108 pulls the plug', async () => {
    await expect(readUnit(108)).rejects.toThrow(/is gone/);
    await expect.poll(() => existsSync(rtuPath), { timeout: 10_000 }).toBe(true);
    expect((await readUnit(7)).reason).toBe('');
  });
});
