/**
 * Reads of 125 holding registers, each in turns against the same server in the same run. `node bench/modbus.ts [seconds a turn]`.
 *
 * 1. Loopback, against a server in C (libmodbus): our driver's session, which makes 125 readings of each, beside bare modbus-serial on its own TCP
 *    port, libmodbus' own client in C, and pymodbus; one after the other, their turns in turns, and ours and modbus-serial eight at once.
 * 2. A device that takes 5 ms for each answer, eight in flight.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import modbusSerial from 'modbus-serial';
import { modbus } from '../drivers/modbus/driver.ts';
import { systemClock } from '../src/contract/clock.ts';
import { pointSchema } from '../src/contract/device.ts';
import type { Host } from '../src/contract/driver.ts';
import { silentLog } from '../src/contract/log.ts';
import { compile } from '../test/far/compile.ts';
import { startProgram } from '../test/far/python.ts';

const registers = 125;
const turns = 5;
const secondsPerTurn = Number(process.argv[2] ?? 1);

const server = await startProgram('libmodbus_server', compile('libmodbus_server.c', ['modbus']), ['0']);
const { port } = server;

type Read = () => Promise<void>;

async function ours(port: number): Promise<{ read: Read; close(): Promise<void> }> {
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

async function bare(port: number): Promise<{ read: Read; close(): Promise<void> }> {
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

interface Side {
  read: Read;
  close(): Promise<void>;
}

/** `programs` say their reads a second themselves; only one after the other. */
async function compare(
  title: string,
  sides: Record<string, Side>,
  atOnce: number,
  programs: Record<string, [command: string, words: string[]]> = {},
): Promise<void> {
  const rates: Record<string, number[]> = {};
  const latencies: Record<string, number[]> = {};
  const rateOf = (name: string, rate: number) => {
    rates[name] ??= [];
    rates[name].push(rate);
  };
  for (const side of Object.values(sides)) await turn(side.read, atOnce, []);
  for (let round = 0; round < turns; round++) {
    for (const [name, side] of Object.entries(sides)) {
      latencies[name] ??= [];
      rateOf(name, await turn(side.read, atOnce, latencies[name]));
    }
    for (const [name, [command, words]] of Object.entries(programs))
      rateOf(name, Number(execFileSync(command, [...words, String(port), String(secondsPerTurn)], { encoding: 'utf8', env: python })));
  }
  console.log(`${title}, median of ${turns} turns each, in turns`);
  for (const [name, perSecond] of Object.entries(rates)) {
    const sorted = (latencies[name] ?? []).toSorted((a, b) => a - b);
    const times =
      sorted.length > 0 ? `   p50 ${percentile(sorted, 0.5).toFixed(0)} µs   p99 ${percentile(sorted, 0.99).toFixed(0)} µs` : '';
    console.log(`  ${name.padEnd(22)} ${Math.round(median(perSecond))} reads/s${times}`);
  }
}

const folder = fileURLToPath(new URL('../test/far/', import.meta.url));
const python = { ...process.env, PYTHONPATH: fileURLToPath(new URL('../.far/python', import.meta.url)), PYTHONDONTWRITEBYTECODE: '1' };

let sides = { fieldgate: await ours(port), 'modbus-serial 8.0.25': await bare(port) };
await compare('125 holding registers from a server in C, one after the other', sides, 1, {
  'libmodbus (C)': [compile('libmodbus_client.c', ['modbus']), []],
  'pymodbus 3.16.1': ['python3', [`${folder}pymodbus_client.py`]],
});
await compare('The same, 8 at once', sides, 8);
for (const side of Object.values(sides)) await side.close();
await server.kill();

/** A device with 5 ms of latency, which takes requests while it thinks. */
const slow = await startProgram('modbus_slow', 'python3', ['-u', `${folder}modbus_slow.py`, '0']);
sides = { fieldgate: await ours(slow.port), 'modbus-serial 8.0.25': await bare(slow.port) };
await compare('125 holding registers from a device that takes 5 ms, 8 in flight', sides, 8);
for (const side of Object.values(sides)) await side.close();
await slow.kill();
