/**
 * A plant of Modbus devices, each on a connection of its own with contiguous floats, polled into a history on disk: samples a second that are
 * kept, what the process takes for it (its own threads, the store's among them), and meanwhile set points written and read back, from the request to
 * `verified`. The far end is libmodbus in C, in another process. `node bench/modbus-load.ts [connections] [floats of each] [interval in ms] [seconds]`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../src/contract/clock.ts';
import { silentLog } from '../src/contract/log.ts';
import { openStore } from '../src/store/open.ts';
import { compile } from '../test/far/compile.ts';
import { startProgram } from '../test/far/python.ts';
import { startSetPoints } from './set-points.ts';

const [connections = 100, floats = 100, intervalMs = 100, seconds = 20] = process.argv.slice(2).map(Number);
const commandsPerSecond = 10;
const firstFloat = 1_000;

const server = await startProgram('libmodbus_server', compile('libmodbus_server.c', ['modbus']), ['0', String(connections)]);
const folder = mkdtempSync(join(tmpdir(), 'fieldgate-bench-'));
const store = openStore({ folder, clock: systemClock, log: silentLog });
let kept = 0;
const append = store.append.bind(store);
store.append = (key, entries, options) => {
  // Whoever holds the samples themselves until their commit would be measured too: an async function does.
  const { length } = entries;
  return append(key, entries, options).then(() => {
    kept += length;
  });
};
const points = Array.from({ length: floats }, (_, index) => ({
  id: `f${index}`,
  address: { table: 'holding', register: firstFloat + index * 2, type: 'float32' },
}));
const setpoint = { id: 'setpoint', address: { table: 'holding', register: 0 }, access: 'read-write', interval: '1h' };
const names = Array.from({ length: connections }, (_, index) => index + 1);
const settings = {
  version: 1,
  connections: names.map((n) => ({ id: `c${n}`, kind: 'modbus', transport: { type: 'tcp', host: `127.0.0.${n}`, port: server.port } })),
  devices: names.map((n) => ({ id: `d${n}`, connection: `c${n}`, profile: 'floats', interval: `${intervalMs}ms` })),
  profiles: [{ id: 'floats', points: [...points, setpoint] }],
};
const setPoints = startSetPoints(store, settings);
const command = async (device: number, value: number) => (await setPoints.set(`d${device}`, value)) === undefined;

while (!(await command(connections, 1))) await systemClock.sleep(200);
// The first second is that of opening and planning; the store has its first fold behind it then too.
await systemClock.sleep(8_000);
const before = { kept, cpu: process.cpuUsage(), atMs: performance.now() };
let peakBytes = 0;
const took: number[] = [];
let failed = 0;
while (performance.now() < before.atMs + seconds * 1_000) {
  const started = performance.now();
  if (await command(1 + (took.length % connections), took.length % 1_000)) took.push(performance.now() - started);
  else failed += 1;
  peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
  await systemClock.sleep(1_000 / commandsPerSecond);
}
const { user, system } = process.cpuUsage(before.cpu);
const elapsedMs = performance.now() - before.atMs;
const sorted = took.toSorted((a, b) => a - b);
const percentile = (share: number) => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(1);
const rate = Math.round(((kept - before.kept) / elapsedMs) * 1_000);
console.log(`${connections} connections of ${floats} floats each, every ${intervalMs} ms, for ${seconds} s`);
console.log(
  `  into history   ${rate.toLocaleString('en')} samples/s   ${((user + system) / 1_000 / elapsedMs).toFixed(2)} cores   ${Math.round(peakBytes / 1e6)} MB`,
);
console.log(`  set points     p50 ${percentile(0.5)} ms   p99 ${percentile(0.99)} ms to verified, of ${took.length}; ${failed} failed`);
console.log('  published by NeuronEX (4 cores): 100,000 tags/s   30 % of 4 cores   497 MB   control 523 ms on average');
await setPoints.close();
await store.close();
await server.kill();
rmSync(folder, { recursive: true, force: true });
