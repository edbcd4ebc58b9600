/**
 * Lines a second from a pty into the history, through driver, gateway and store, beside a bare serialport with its line parser and beside
 * pyserial, both of which match and parse the same line; then request and reply, our driver's session beside bare serialport. In turns, in the same run.
 * The far end writes lines that are made beforehand, as fast as they are taken. `node bench/serial.ts [lines a turn]`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ReadlineParser, SerialPort } from 'serialport';
import { serial } from '../drivers/serial/driver.ts';
import { systemClock as clock } from '../src/contract/clock.ts';
import { pointSchema } from '../src/contract/device.ts';
import type { Driver, Host } from '../src/contract/driver.ts';
import { silentLog } from '../src/contract/log.ts';
import { settingsSchema } from '../src/contract/settings.ts';
import { openGateway } from '../test/gateway/open.ts';

const lines = Number(process.argv[2] ?? 2_000_000);
const turns = 5;
const asks = 2_000;
const far = fileURLToPath(new URL('../test/far/serial_pump.py', import.meta.url));
const env = { ...process.env, PYTHONPATH: fileURLToPath(new URL('../.far/python', import.meta.url)) };
/** Processor time of the main thread, in microseconds a line: on a busy machine it says more than the lines a second. */
const costs: Record<'ours' | 'bare', number[]> = { ours: [], bare: [] };
const folder = mkdtempSync(join(tmpdir(), 'fieldgate-bench-'));
let ports = 0;

async function pump(count = 0): Promise<{ path: string; child: ChildProcess }> {
  ports += 1;
  const path = join(folder, `port${ports}`);
  const child = spawn('python3', ['-u', far, path, String(count)], { stdio: ['pipe', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: child.stdout })) if (line.startsWith('ready')) break;
  return { path, child };
}

function lineOf(path: string, address: Record<string, unknown>) {
  const { interval: _interval, address: _address, ...rest } = pointSchema.parse({ id: 'air', address });
  const options = serial.connection.parse({ path, baudRate: 115_200, turnaround: '0ms' });
  const point = { ...rest, device: 'uno', address: serial.address.parse(address), intervalMs: 1_000 };
  const device = { id: 'uno', title: 'uno', connection: 'bench', address: {}, labels: {}, points: [point], actions: [] };
  return { connection: { id: 'bench', kind: 'serial', title: 'bench', options }, devices: [device] };
}

function costOf(before: NodeJS.CpuUsage): number {
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / lines;
}

async function ours(): Promise<number> {
  const { path, child } = await pump(lines);
  const { gateway, store, close } = openGateway({ key: 'bench', folder: join(folder, `data${ports}`) });
  const line = lineOf(path, { line: '^T=(?<air>[-0-9.]+);S=\\d+$', set: { send: '{value}\n' } });
  const points = line.devices.map((device) => ({
    ...device,
    points: device.points.map((point) => ({ ...point, access: 'read-write' as const })),
  }));
  const planned = { ...line, driver: serial as Driver, devices: points, secrets: {} };
  await gateway.apply({ connections: [planned], settings: settingsSchema.parse({}), faults: [] });
  while (gateway.connections()[0]?.state !== 'up') await clock.sleep(5);
  await clock.sleep(200);
  const started = performance.now();
  const thread = process.threadCpuUsage();
  child.stdin?.write(`G${lines}\n`);
  while (gateway.last({ device: 'uno', point: 'air' })?.value !== lines - 1) await clock.sleep(2);
  await store.flush();
  costs.ours.push(costOf(thread));
  const rate = lines / ((performance.now() - started) / 1_000);
  await close();
  child.kill('SIGKILL');
  return rate;
}

async function bare(): Promise<number> {
  const { path, child } = await pump(lines);
  const port = new SerialPort({ path, baudRate: 115_200 });
  const parser = port.pipe(new ReadlineParser({ delimiter: '\n' }));
  await new Promise((resolve) => port.once('open', resolve));
  let count = 0;
  let total = 0;
  const whole = Promise.withResolvers<void>();
  parser.on('data', (line: string) => {
    total += Number(/^T=(?<air>[-0-9.]+);S=\d+$/.exec(line)?.groups?.air);
    count += 1;
    if (count === lines) whole.resolve();
  });
  const started = performance.now();
  const thread = process.threadCpuUsage();
  port.write(`G${lines}\n`);
  await whole.promise;
  costs.bare.push(costOf(thread));
  const rate = lines / ((performance.now() - started) / 1_000);
  if (total !== (lines * (lines - 1)) / 2) throw new Error('bare serialport read something else');
  await new Promise((resolve) => port.close(resolve));
  child.kill('SIGKILL');
  return rate;
}

/** It reads byte by byte; a fiftieth of the lines is enough to see it. */
async function pyserial(): Promise<number> {
  const { path, child } = await pump(Math.ceil(lines / 50));
  const reader = spawn('python3', ['-u', far, '--read', path, String(Math.ceil(lines / 50))], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  for await (const text of reader.stdout) said += String(text);
  child.kill('SIGKILL');
  return Number(said);
}

async function askOurs(): Promise<number[]> {
  const { path, child } = await pump();
  const line = lineOf(path, { request: 'V=1\n', reply: '^V=(?<v>\\d+)$' });
  const memory = { get: () => undefined, set: () => {} };
  const host: Host = { log: silentLog, clock, secret: () => undefined, memory, shared: new Map(), lost: () => {} };
  const session = await serial.open(line, host, AbortSignal.timeout(5_000));
  const [request] = session.plan?.(line.devices[0]?.points ?? []) ?? [];
  const never = new AbortController().signal;
  const took: number[] = [];
  for (let i = 0; i < asks; i++) {
    const before = performance.now();
    const readings = request && (await session.read?.(request, never));
    if (readings?.[0]?.value !== 1) throw new Error('our driver read something else');
    took.push(performance.now() - before);
  }
  await session.close();
  child.kill('SIGKILL');
  return took.slice(asks / 10);
}

async function askBare(): Promise<number[]> {
  const { path, child } = await pump();
  const port = new SerialPort({ path, baudRate: 115_200 });
  const parser = port.pipe(new ReadlineParser({ delimiter: '\n' }));
  await new Promise((resolve) => port.once('open', resolve));
  const took: number[] = [];
  for (let i = 0; i < asks; i++) {
    const before = performance.now();
    const reply = new Promise<string>((resolve) => parser.once('data', resolve));
    port.write('V=1\n');
    if ((await reply) !== 'V=1') throw new Error('bare serialport read something else');
    took.push(performance.now() - before);
  }
  await new Promise((resolve) => port.close(resolve));
  child.kill('SIGKILL');
  return took.slice(asks / 10);
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const percentile = (values: readonly number[], share: number) => values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? 0;

const sides = { 'fieldgate, into history': ours, 'serialport 13.0.0, bare': bare, 'pyserial 3.5': pyserial };
const rates: Record<string, number[]> = {};
for (let turn = 0; turn < turns; turn++) {
  for (const [name, run] of Object.entries(sides)) {
    rates[name] ??= [];
    rates[name].push(await run());
  }
}
console.log(`${lines} lines "T=…;S=40" from a pty, median of ${turns} turns`);
for (const [name, values] of Object.entries(rates)) console.log(`  ${name.padEnd(26)} ${Math.round(median(values))} lines/s`);
const [own = 0, peer = 1] = Object.values(rates).map(median);
console.log(`  ratio to bare serialport   ${(own / peer).toFixed(2)}`);
console.log(`  main thread                ${median(costs.ours).toFixed(2)} µs a line, bare ${median(costs.bare).toFixed(2)} µs`);
const askSides = { 'fieldgate session': askOurs, 'serialport 13.0.0, bare': askBare };
const times: Record<string, number[]> = {};
for (let turn = 0; turn < 3; turn++)
  for (const [name, run] of Object.entries(askSides)) times[name] = [...(times[name] ?? []), ...(await run())];
console.log('request and reply over a pty');
for (const [name, values] of Object.entries(times))
  console.log(
    `  ${name.padEnd(26)} p50 ${(percentile(values, 0.5) * 1_000).toFixed(0)} µs   p99 ${(percentile(values, 0.99) * 1_000).toFixed(0)} µs`,
  );
rmSync(folder, { recursive: true, force: true });
