/**
 * Reads of 125 holding registers, one after the other and eight at once: our driver's session, which makes 125 readings of each, beside
 * bare modbus-serial on its own TCP port, in turns against the same server in the same run. `node bench/modbus.ts [seconds a turn]`.
 */
import { Worker } from 'node:worker_threads';
import modbusSerial from 'modbus-serial';
import { modbus } from '../drivers/modbus/driver.ts';
import { systemClock } from '../src/contract/clock.ts';
import { pointSchema } from '../src/contract/device.ts';
import type { Host } from '../src/contract/driver.ts';
import { silentLog } from '../src/contract/log.ts';

const registers = 125;
const turns = 5;
const secondsPerTurn = Number(process.argv[2] ?? 1);

const server = new Worker(
  `import { startModbusServer } from ${JSON.stringify(new URL('../simulators/modbus-server.ts', import.meta.url).href)};
   import { parentPort } from 'node:worker_threads';
   const holding = new Map(Array.from({ length: ${registers} }, (_, register) => [register, register * 7]));
   const tables = { coil: new Map(), discrete: new Map(), input: new Map(), holding };
   const unit = { now: () => tables, setCoils: () => 1, setHolding: () => 1 };
   parentPort.postMessage((await startModbusServer({ host: '127.0.0.1', port: 0, units: new Map([[1, unit]]) })).port);`,
  { eval: true },
);
const port = await new Promise<number>((resolve, reject) => {
  server.once('message', resolve);
  server.once('error', reject);
});

type Read = () => Promise<void>;

async function ours(): Promise<{ read: Read; close(): Promise<void> }> {
  const options = modbus.connection.parse({ transport: { type: 'tcp', host: '127.0.0.1', port }, maxInFlight: 8 });
  const points = Array.from({ length: registers }, (_, register) => {
    const { address, interval: _interval, ...rest } = pointSchema.parse({ id: `r${register}`, address: { table: 'holding', register } });
    return { ...rest, device: 'a', address: modbus.address.parse(address), intervalMs: 1_000 };
  });
  const device = { id: 'a', title: 'a', connection: 'bench', address: modbus.device.parse({}), labels: {}, points, actions: [] };
  const host: Host = {
    log: silentLog,
    clock: systemClock,
    secret: () => undefined,
    memory: { get: () => undefined, set: () => {} },
    shared: new Map(),
    lost: () => {},
  };
  const line = { connection: { id: 'bench', kind: 'modbus', title: 'bench', options }, devices: [device] };
  const session = await modbus.open(line, host, AbortSignal.timeout(5_000));
  const [request] = session.plan?.(points) ?? [];
  const never = new AbortController().signal;
  return {
    async read() {
      const readings = request && (await session.read?.(request, never));
      if (readings?.length !== registers || readings[124]?.value !== 868) throw new Error('our driver read something else');
    },
    close: () => session.close(),
  };
}

async function bare(): Promise<{ read: Read; close(): Promise<void> }> {
  const client = new modbusSerial.default();
  client.setTimeout(1_000);
  await client.connectTCP('127.0.0.1', { port });
  client.setID(1);
  return {
    async read() {
      const { data } = await client.readHoldingRegisters(0, registers);
      if (data.length !== registers || data[124] !== 868) throw new Error('modbus-serial read something else');
    },
    close: () => new Promise((resolve) => client.close(resolve)),
  };
}

async function turn(read: Read, atOnce: number, latenciesMs: number[]): Promise<number> {
  const started = performance.now();
  const end = started + secondsPerTurn * 1_000;
  let count = 0;
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let before = performance.now(); before < end; ) {
        await read();
        const after = performance.now();
        latenciesMs.push(after - before);
        before = after;
        count++;
      }
    }),
  );
  return count / ((performance.now() - started) / 1_000);
}

const percentile = (sorted: readonly number[], share: number) => (sorted[Math.floor(sorted.length * share)] ?? 0) * 1_000;
const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

const sides = { fieldgate: await ours(), 'modbus-serial 8.0.25': await bare() };
for (const atOnce of [1, 8]) {
  const rates: Record<string, number[]> = {};
  const latencies: Record<string, number[]> = {};
  for (const side of Object.values(sides)) await turn(side.read, atOnce, []);
  for (let round = 0; round < turns; round++) {
    for (const [name, side] of Object.entries(sides)) {
      latencies[name] ??= [];
      rates[name] ??= [];
      rates[name].push(await turn(side.read, atOnce, latencies[name]));
    }
  }
  console.log(`125 holding registers, ${atOnce === 1 ? 'one after the other' : `${atOnce} at once`}, median of ${turns} turns`);
  for (const name of Object.keys(sides)) {
    const sorted = (latencies[name] ?? []).toSorted((a, b) => a - b);
    console.log(
      `  ${name.padEnd(22)} ${Math.round(median(rates[name] ?? []))} reads/s   p50 ${percentile(sorted, 0.5).toFixed(0)} µs   p99 ${percentile(sorted, 0.99).toFixed(0)} µs`,
    );
  }
  const [own, peer] = Object.keys(sides).map((name) => median(rates[name] ?? []));
  console.log(`  ratio ${((own ?? 0) / (peer ?? 1)).toFixed(2)}`);
}
for (const side of Object.values(sides)) await side.close();
await server.terminate();
