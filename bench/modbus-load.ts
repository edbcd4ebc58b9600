/**
 * A plant of Modbus devices, each on a connection of its own with contiguous floats, polled by the built executable into a history on disk: samples a
 * second that are kept, what that process takes for it, and meanwhile set points written and read back, from the request over gRPC to `verified`. The
 * far end is libmodbus in C, in another process. `npm run build`, then `node bench/modbus-load.ts [connections] [floats of each] [interval in ms] [seconds]`.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { executablePath } from '../console/launch.ts';
import { systemClock } from '../src/contract/clock.ts';
import { compile } from '../test/far/compile.ts';
import { startProgram } from '../test/far/python.ts';
import { ask, collect, hostEnv, launch, type Message, protocol, root } from '../test/wire/plugin.ts';

const [connections = 100, floats = 100, intervalMs = 100, seconds = 20] = process.argv.slice(2).map(Number);
const commandsPerSecond = 10;
const firstFloat = 1_000;
// Opening, planning and the first fold of the history are behind it then.
const settleMs = 8_000;

const server = await startProgram('libmodbus_server', compile('libmodbus_server.c', ['modbus']), ['0', String(connections)]);
const folder = mkdtempSync(join(tmpdir(), 'fieldgate-bench-'));
const executable = executablePath(join(root, 'dist/fieldgate-iot-datasource'));
const plugin = await launch([executable], { ...hostEnv, GF_PLUGIN_DATA_PATH: folder });
const resource = plugin.client(protocol.pluginv2.Resource);
const diagnostics = plugin.client(protocol.pluginv2.Diagnostics);
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
const pluginContext = {
  orgId: 1,
  user: { login: 'bench', name: 'Bench', email: 'bench@example.org', role: 'Editor' },
  dataSourceInstanceSettings: { id: 1, uid: 'bench', name: 'bench', jsonData: Buffer.from(JSON.stringify(settings)), lastUpdatedMS: 1 },
};

while (!(await command(connections, 1))) await systemClock.sleep(200);
await systemClock.sleep(settleMs);
const before = { ...(await used()), atMs: performance.now() };
let peakBytes = 0;
const took: number[] = [];
let failed = 0;
while (performance.now() < before.atMs + seconds * 1_000) {
  const started = performance.now();
  if (await command(1 + (took.length % connections), took.length % 1_000)) took.push(performance.now() - started);
  else failed += 1;
  peakBytes = Math.max(peakBytes, residentBytes());
  await systemClock.sleep(1_000 / commandsPerSecond);
}
const after = await used();
const elapsedMs = performance.now() - before.atMs;
const sorted = took.toSorted((a, b) => a - b);
const percentile = (share: number) => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(1);
const rate = Math.round(((after.kept - before.kept) / elapsedMs) * 1_000);
console.log(`${connections} connections of ${floats} floats each, every ${intervalMs} ms, for ${seconds} s`);
console.log(
  `  into history   ${rate.toLocaleString('en')} samples/s   ${(((after.cpuSeconds - before.cpuSeconds) * 1_000) / elapsedMs).toFixed(2)} cores   ${Math.round(peakBytes / 1e6)} MB at most`,
);
console.log(`  set points     p50 ${percentile(0.5)} ms   p99 ${percentile(0.99)} ms to verified, of ${took.length}; ${failed} failed`);
console.log('  published by NeuronEX (4 cores): 100,000 tags/s   30 % of 4 cores   497 MB   control 523 ms on average');
await plugin.stop();
await server.kill();
rmSync(folder, { recursive: true, force: true });

/** Whether the set point was written and read back. */
async function command(device: number, value: number): Promise<boolean> {
  const path = `devices/d${device}/points/setpoint`;
  const headers = { 'Content-Type': { values: ['application/json'] } };
  const request = { pluginContext, path, url: path, method: 'POST', headers, body: Buffer.from(JSON.stringify({ value })) };
  const parts = await collect(resource.CallResource?.(request) as AsyncIterable<Message>);
  return parts[0]?.code === 200 && Buffer.concat(parts.map((part) => part.body as Buffer)).includes('"state":"verified"');
}

/** What the executable says it has kept and used so far. */
async function used(): Promise<{ kept: number; cpuSeconds: number }> {
  const { metrics } = (await ask(diagnostics, 'CollectMetrics', { pluginContext })) as { metrics: { prometheus: Buffer } };
  const text = metrics.prometheus.toString();
  const value = (name: string) => {
    const found = new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(text)?.[1];
    if (found === undefined) throw new Error(`the executable has no metric ${name}`);
    return Number(found);
  };
  return { kept: value('fieldgate_store_committed_samples_total'), cpuSeconds: value('process_cpu_seconds_total') };
}

/** Of the executable, shared pages included. */
function residentBytes(): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${plugin.process.pid}/status`, 'utf8'))?.[1]) * 1024;
}
