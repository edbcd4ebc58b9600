/**
 * From the request to `verified`: a set point over Modbus TCP, written and read back, on a bus that is idle and on one that is polled as fast as it goes,
 * beside what bare modbus-serial takes for the same write and read on its own TCP port, in turns in the same run. With a history on disk: every step is
 * recorded. `node bench/commands.ts [commands a turn]`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import modbusSerial from 'modbus-serial';
import { systemClock } from '../src/contract/clock.ts';
import { silentLog } from '../src/contract/log.ts';
import { openStore } from '../src/store/open.ts';
import { startSetPoints } from './set-points.ts';

const perTurn = Number(process.argv[2] ?? 200);
const turns = 5;
const polled = 125;

const server = new Worker(
  `import { startModbusServer } from ${JSON.stringify(new URL('../simulators/modbus-server.ts', import.meta.url).href)};
   import { parentPort } from 'node:worker_threads';
   const holding = new Map(Array.from({ length: ${polled + 10} }, (_, register) => [register, register * 7]));
   const tables = { coil: new Map(), discrete: new Map(), input: new Map(), holding };
   const unit = { now: () => tables, setCoils: () => 1, setHolding: (first, values) => { values.forEach((value, i) => holding.set(first + i, value)); } };
   parentPort.postMessage((await startModbusServer({ host: '127.0.0.1', port: 0, units: new Map([[1, unit], [2, unit], [3, unit], [4, unit]]) })).port);`,
  { eval: true },
);
const port = await new Promise<number>((resolve, reject) => {
  server.once('message', resolve);
  server.once('error', reject);
});

type Command = (value: number) => Promise<void>;

/** A whole data source; `loaded` has three more units of 125 registers polled every 10 ms, each register a request's worth of waiting for its turn. */
async function ours(loaded: boolean): Promise<{ command: Command; close(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'fieldgate-bench-'));
  const store = openStore({ folder, clock: systemClock, log: silentLog });
  const address = (register: number) => ({ table: 'holding', register });
  const setpoint = { id: 'setpoint', address: address(polled + 1), access: 'read-write', interval: '1h' };
  const load = [2, 3, 4].map((unitId) => ({
    id: `load-${unitId}`,
    connection: 'plc',
    address: { unitId },
    interval: '10ms',
    points: Array.from({ length: polled }, (_, register) => ({ id: `r${register}`, address: address(register) })),
  }));
  const settings = {
    connections: [{ id: 'plc', kind: 'modbus', transport: { type: 'tcp', host: '127.0.0.1', port } }],
    devices: [{ id: 'boiler', connection: 'plc', address: { unitId: 1 }, points: [setpoint] }, ...(loaded ? load : [])],
  };
  const setPoints = startSetPoints(store, settings);
  async function command(value: number): Promise<void> {
    const fault = await setPoints.set('boiler', value);
    if (fault !== undefined) throw new Error(`it answers ${fault}`);
  }
  for (let tries = 0; ; tries++) {
    try {
      await command(1);
      break;
    } catch (error) {
      if (tries > 100) throw error;
      await systemClock.sleep(50);
    }
  }
  return {
    command,
    async close() {
      await setPoints.close();
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The bus's own round trips: a write and a read. */
async function bare(): Promise<{ command: Command; close(): Promise<void> }> {
  const client = new modbusSerial.default();
  client.setTimeout(1_000);
  await client.connectTCP('127.0.0.1', { port });
  client.setID(1);
  return {
    async command(value) {
      await client.writeRegister(polled + 1, value);
      const { data } = await client.readHoldingRegisters(polled + 1, 1);
      if (data[0] !== value) throw new Error('modbus-serial read something else');
    },
    close: () => new Promise((resolve) => client.close(resolve)),
  };
}

const percentile = (sorted: readonly number[], share: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;

for (const loaded of [false, true]) {
  const sides = { fieldgate: await ours(loaded), 'modbus-serial, write and read': await bare() };
  const took: Record<string, number[]> = Object.fromEntries(Object.keys(sides).map((name) => [name, []]));
  let value = 0;
  for (let round = 0; round <= turns; round++) {
    for (const [name, { command }] of Object.entries(sides)) {
      for (let i = 0; i < perTurn; i++) {
        value = (value + 1) % 30_000;
        const before = performance.now();
        await command(value);
        // The first round warms up.
        if (round > 0) took[name]?.push(performance.now() - before);
      }
    }
  }
  console.log(
    `set, read back and verified, one after the other, ${loaded ? `three units of ${polled} registers polled every 10 ms beside` : 'idle bus'}`,
  );
  for (const [name, times] of Object.entries(took)) {
    const sorted = times.toSorted((a, b) => a - b);
    const [p50, p99] = [percentile(sorted, 0.5), percentile(sorted, 0.99)];
    console.log(`  ${name.padEnd(30)} p50 ${p50.toFixed(2)} ms   p99 ${p99.toFixed(2)} ms   worst ${(sorted.at(-1) ?? 0).toFixed(2)} ms`);
  }
  for (const side of Object.values(sides)) await side.close();
}
await server.terminate();
