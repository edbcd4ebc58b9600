/** Serial ports through the built executable: with nothing of ours beside it but its native part, and with nothing at all. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startBoard } from '../../simulators/serial-board.ts';
import { portName } from '../far/port.ts';
import { type FarProgram, startPython } from '../far/python.ts';
import { ask, collect, launch, type Message, type Plugin, protocol, root, stopAll } from './plugin.ts';

const platform = `${process.platform === 'win32' ? 'windows' : process.platform}_${process.arch === 'x64' ? 'amd64' : process.arch}`;

let folder: string;
let uno: FarProgram;
let meters: FarProgram;
let ports: { uno: string; meters: string };
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'installed-'));
  for (const name of [`gpx_fieldgate_${platform}`, `serialport_${platform}.node`])
    cpSync(join(root, 'dist/fieldgate-iot-datasource', name), join(folder, name));
  ports = { uno: portName(), meters: portName() };
  [uno, meters] = await Promise.all([startPython('serial_device.py', ports.uno), startPython('modbus_rtu.py', ports.meters)]);
});
afterEach(stopAll);
afterAll(async () => {
  await Promise.all([uno.kill(), meters.kill()]);
  rmSync(folder, { recursive: true, force: true });
});

/** As a u-blox NEO-6M says them. */
const fix = '$GNGGA,092725.00,4717.11399,N,00833.91590,E,1,08,1.01,499.6,M,48.0,M,,*45\r\n';
const course = '$GNRMC,083559.00,A,4717.11437,N,00833.91522,E,0.004,77.52,091202,,,A*49\r\n';

const connections = () => [
  { id: 'uno', kind: 'serial', path: ports.uno, baudRate: 115_200 },
  { id: 'rs485', kind: 'modbus', transport: { type: 'rtu', path: ports.meters, turnaround: '100ms' } },
];

const devices = [
  {
    id: 'greenhouse',
    connection: 'uno',
    interval: '100ms',
    points: [
      { id: 'soil', address: { line: '^T=(?<air>[-0-9.]+);S=(?<soil>\\d+)$', field: 'soil' }, unit: 'percent' },
      {
        id: 'valve',
        address: { request: 'VALVE?\n', reply: '^VALVE=(?<value>[01])$', set: { send: 'VALVE={value}\n', ack: '^OK$' } },
        access: 'read-write',
      },
    ],
    commands: [{ id: 'reboot', title: 'Restart the controller', send: 'RESET\n', ack: '^BOOT', role: 'Admin' }],
  },
  {
    id: 'meter',
    connection: 'rs485',
    address: { unitId: 20 },
    interval: '100ms',
    points: [{ id: 'power', address: { table: 'holding', register: 2 } }],
  },
];

function contextOf(lines: unknown[], behind: unknown[] = devices): Message {
  const jsonData = Buffer.from(JSON.stringify({ version: 1, connections: lines, devices: behind }));
  return {
    orgId: 1,
    user: { login: 'ada', name: 'Ada', email: 'ada@example.org', role: 'Admin' },
    dataSourceInstanceSettings: { id: 1, uid: 'u', name: 'n', jsonData, lastUpdatedMS: 1 },
  };
}

/** A resource's answer, parsed. */
async function call(plugin: Plugin, pluginContext: Message, method: string, path: string, body?: unknown): Promise<Message> {
  const request = {
    pluginContext,
    path,
    method,
    url: path,
    headers: { 'Content-Type': { values: ['application/json'] } },
    ...(body === undefined ? {} : { body: Buffer.from(JSON.stringify(body)) }),
  };
  const parts = await collect(plugin.client(protocol.pluginv2.Resource).CallResource?.(request) as AsyncIterable<Message>);
  return JSON.parse(Buffer.concat(parts.map((part) => part.body as Buffer)).toString()) as Message;
}

/** State of each connection, and what is wrong with it. */
async function states(plugin: Plugin, pluginContext: Message): Promise<Record<string, string>> {
  const health = await ask(plugin.client(protocol.pluginv2.Diagnostics), 'CheckHealth', { pluginContext });
  const details = JSON.parse(String(health.jsonDetails)) as { connections: Record<string, { state: string; error?: string }> };
  return Object.fromEntries(
    Object.entries(details.connections).map(([id, { state, error }]) => [id, error === undefined ? state : `${state}: ${error}`]),
  );
}

const lastOf = async (plugin: Plugin, context: Message, device: string, point: string) =>
  ((await call(plugin, context, 'GET', `devices/${device}/points/${point}`)).last as Message | null)?.value;

describe('the built plugin and serial ports', () => {
  it('hears, asks, sets and acts on one port, and reads Modbus RTU on another', async () => {
    await uno.ask({ every: 0.1, say: 'T=21.5;S=43\n' });
    const plugin = await launch([join(folder, `gpx_fieldgate_${platform}`)]);
    const context = contextOf(connections());
    await expect.poll(() => lastOf(plugin, context, 'greenhouse', 'soil'), { timeout: 10_000 }).toBe(43);
    await expect.poll(() => lastOf(plugin, context, 'greenhouse', 'valve'), { timeout: 10_000 }).toBe(0);
    await expect.poll(() => lastOf(plugin, context, 'meter', 'power'), { timeout: 10_000 }).toBe(20 * 256 + 2);
    expect(await states(plugin, context)).toEqual({ uno: 'up', rs485: 'up' });
    expect(await call(plugin, context, 'POST', 'devices/greenhouse/points/valve', { value: 1 })).toMatchObject({ state: 'verified' });
    expect((await uno.ask({ held: 'valve' })).value).toBe('1');
    expect(await call(plugin, context, 'POST', 'devices/greenhouse/commands/reboot', {})).toMatchObject({ state: 'acknowledged' });
    await expect.poll(() => lastOf(plugin, context, 'greenhouse', 'valve')).toBe(0);
  });

  it('tells when one is unplugged, goes on with the other, and finds it again', async () => {
    const plugin = await launch([join(folder, `gpx_fieldgate_${platform}`)]);
    const context = contextOf(connections());
    await expect.poll(() => lastOf(plugin, context, 'greenhouse', 'valve'), { timeout: 10_000 }).toBe(0);
    await uno.ask({ unplug: true });
    await expect.poll(async () => (await states(plugin, context)).uno).toMatch(/^down: .* is (gone: it was unplugged|not there)/);
    expect((await states(plugin, context)).rs485).toBe('up');
    await uno.ask({ set: 1, point: 'valve' });
    await uno.ask({ plug: true });
    await expect.poll(() => lastOf(plugin, context, 'greenhouse', 'valve'), { timeout: 10_000 }).toBe(1);
    await uno.ask({ set: 0, point: 'valve' });
  });

  it('without its native part, serial connections say so and everything else runs', async () => {
    const bare = mkdtempSync(join(tmpdir(), 'bare-'));
    cpSync(join(folder, `gpx_fieldgate_${platform}`), join(bare, `gpx_fieldgate_${platform}`));
    const plugin = await launch([join(bare, `gpx_fieldgate_${platform}`)]);
    const far = await startPython('modbus.py');
    const tcp = { id: 'plc', kind: 'modbus', transport: { type: 'tcp', host: '127.0.0.1', port: far.port } };
    const context = contextOf([...connections(), tcp]);
    const missing = /^down: this installation cannot open serial ports: their native part did not load/;
    await expect
      .poll(() => states(plugin, context), { timeout: 10_000 })
      .toEqual({
        uno: expect.stringMatching(missing),
        rs485: expect.stringMatching(missing),
        plc: 'up',
      });
    // Also at the second try, which finds a module that did not load.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect((await states(plugin, context)).uno).toMatch(missing);
    await far.kill();
    rmSync(bare, { recursive: true, force: true });
  });

  it('one port cannot be used in two ways: the later connection is at fault, the first goes on', async () => {
    const plugin = await launch([join(folder, `gpx_fieldgate_${platform}`)]);
    const lines = [...connections(), { id: 'twin', kind: 'serial', path: ports.uno, baudRate: 9_600 }];
    const context = contextOf(lines);
    await expect.poll(() => lastOf(plugin, context, 'greenhouse', 'valve'), { timeout: 10_000 }).toBe(0);
    const health = await ask(plugin.client(protocol.pluginv2.Diagnostics), 'CheckHealth', { pluginContext: context });
    expect(health.message).toMatch(/connections\[2\].*asks for .* 9600 baud 8N1.* but connection "uno" uses it as serial, 115200 baud 8N1/);
  });

  it('profiles: a GPS receiver, a scale, a multimeter and our sketch on a microcontroller give their values and obey', async () => {
    const [gpsPath, scalePath, meterPath, boardPath] = [portName(), portName(), portName(), portName()];
    const [gps, scale, meter] = await Promise.all([gpsPath, scalePath, meterPath].map((at) => startPython('serial_instrument.py', at)));
    const board = await startBoard(boardPath);
    onTestFinished(async () => void (await Promise.all([gps?.kill(), scale?.kill(), meter?.kill(), board.close()])));
    const kind = 'serial';
    const baudRate = 9_600;
    const lines = [
      { id: 'gps', kind, path: gpsPath, baudRate, framing: { type: 'delimiter', checksum: { type: 'nmea' } } },
      { id: 'scale', kind, path: scalePath, baudRate },
      { id: 'meter', kind, path: meterPath, baudRate, timeout: '5s', turnaround: '100ms', errorQueue: {}, start: [{ send: 'OUTP ON\n' }] },
      { id: 'board', kind, path: boardPath, baudRate, timeout: '5s', turnaround: '100ms' },
    ];
    const profiles = { gps: 'nmea-gps', scale: 'weighing-scale', meter: 'scpi-multimeter', board: 'arduino-climate' };
    const behind = Object.entries(profiles).map(([connection, profile]) => ({ id: profile, connection, profile, interval: '200ms' }));
    const plugin = await launch([join(root, 'dist/fieldgate-iot-datasource', `gpx_fieldgate_${platform}`)]);
    const context = contextOf(lines, behind);
    const given = async (device: string) => {
      const { points } = (await call(plugin, context, 'GET', `devices/${device}`)) as {
        points: { id: string; last?: { value: unknown } }[];
      };
      return Object.fromEntries(points.map(({ id, last }) => [id, last?.value]));
    };
    await expect.poll(() => states(plugin, context), { timeout: 10_000 }).toEqual({ gps: 'up', scale: 'up', meter: 'up', board: 'up' });
    await gps?.ask({ talk: `${fix}${course}${fix.replace('4717', '9717')}`, every: 0.1, baudRate });
    await scale?.ask({ talk: 'ST,GS,+  12.345kg\r\n', every: 0.1, baudRate });
    const soon = { timeout: 20_000 };
    await expect
      .poll(() => given('nmea-gps'), soon)
      .toEqual({
        latitude: 47.2852332,
        longitude: 8.565265,
        altitude: 499.6,
        // Whole numbers of 64 bits are text in JSON, so that a browser does not round them.
        fix: '1',
        satellites: '8',
        hdop: 1.01,
        speed: 0.004,
        course: 77.52,
      });
    await expect.poll(() => given('weighing-scale'), soon).toEqual({ weight: 12.345, stable: 'ST', kind: 'GS' });
    await expect
      .poll(() => given('scpi-multimeter'), soon)
      .toEqual({
        identity: 'MAKER,DMM 7,0,1.0',
        voltage_dc: 4.999123,
        voltage_ac: 0.2301,
        current_dc: -0.0015,
        // Overload.
        resistance: null,
        frequency: 50.01,
      });
    await expect
      .poll(() => given('arduino-climate'), soon)
      .toEqual({ air: expect.any(Number), humidity: expect.any(Number), uptime: expect.stringMatching(/^\d+$/), fan: '30' });
    const act = (place: string, body: unknown) => call(plugin, context, 'POST', `devices/${place}`, body);
    expect(await act('weighing-scale/commands/tare', {})).toMatchObject({ state: 'acknowledged' });
    // What was sent has left us when it is acknowledged; the far end reads it a moment later.
    await expect.poll(async () => (await scale?.ask({ heard: true }))?.value, soon).toEqual(['T']);
    expect(await act('scpi-multimeter/commands/display', { parameters: { text: 'hello' } })).toMatchObject({ state: 'acknowledged' });
    await expect.poll(async () => (await meter?.ask({ heard: true }))?.value, soon).toContain('DISP:TEXT "hello"');
    expect(await act('arduino-climate/points/fan', { value: 75 })).toMatchObject({ state: 'verified', readBack: '75' });
  }, 60_000);
});
