/**
 * Lines that set the pace. 1. RTU at 19200 baud on a pty that is as slow as its wire: our driver's session, one read after the other; how much of what
 * the wire allows. 2. Ten units behind a gateway, one of them silent: how often the other nine are polled, of what they are at the same time behind a
 * gateway where all ten answer; beside Telegraf in the same way where `TELEGRAF` names one (it builds with the tags custom, inputs, inputs.modbus,
 * outputs, outputs.file, serializers, serializers.influx). `node bench/modbus-line.ts [seconds]`.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { modbus } from '../drivers/modbus/driver.ts';
import { systemClock as clock } from '../src/contract/clock.ts';
import type { Driver } from '../src/contract/driver.ts';
import { settingsSchema } from '../src/contract/settings.ts';
import { buildLine, makeHost } from '../test/drivers/line.ts';
import { startProgram, startPython } from '../test/far/python.ts';
import { openGateway } from '../test/gateway/open.ts';

const seconds = Number(process.argv[2] ?? 20);
const folder = mkdtempSync(join(tmpdir(), 'fieldgate-bench-'));
const driver = modbus as Driver;

async function paced(registers: number): Promise<void> {
  const script = fileURLToPath(new URL('../test/far/modbus_paced.py', import.meta.url));
  const path = join(folder, `port${registers}`);
  const far = await startProgram('modbus_paced.py', 'python3', ['-u', script, path, '19200']);
  const points = Array.from({ length: registers }, (_, register) => ({ id: `r${register}`, address: { table: 'holding', register } }));
  const transport = { type: 'rtu', path, baudRate: 19_200, turnaround: '0ms' };
  const line = buildLine(driver, { connection: { transport }, devices: [{ id: 'd', points }] });
  const session = await driver.open(line, makeHost(), AbortSignal.timeout(5_000));
  const [request] = session.plan?.(line.devices[0]?.points ?? []) ?? [];
  const never = new AbortController().signal;
  const read = async () => {
    const readings = request && (await session.read?.(request, never));
    if (readings?.at(-1)?.value !== (registers - 1) * 7) throw new Error(`it read something else: ${JSON.stringify(readings?.at(-1))}`);
  };
  for (let warm = 0; warm < 5; warm++) await read();
  await far.ask({ wire: true });
  const started = performance.now();
  const times: number[] = [];
  for (let before = started; before < started + seconds * 500; ) {
    await read();
    const after = performance.now();
    times.push(after - before);
    before = after;
  }
  const took = (performance.now() - started) / 1_000;
  const [count = 0, least = 0, early = 0] = (await far.ask({ wire: true })).value as number[];
  // On a busy machine some reads are late by much; the one in the middle says what the driver costs.
  const usual = ((least / count) * 100_000) / (times.toSorted((a, b) => a - b)[times.length >> 1] ?? 0);
  console.log(
    `  ${String(registers).padStart(3)} registers   ${(count / took).toFixed(1)} reads/s, ${((least / took) * 100).toFixed(1)} % of what the wire allows, the usual read ${usual.toFixed(1)} %; ${early} before the silence was over`,
  );
  await session.close();
  await far.kill();
}

const units = Array.from({ length: 10 }, (_, index) => index + 1);
const registers = Array.from({ length: 10 }, (_, register) => register);

type Far = Awaited<ReturnType<typeof startPython>>;

/** Polls all ten units every second; resolves with what ends it. */
async function fieldgate(far: Far): Promise<() => Promise<void>> {
  const line = buildLine(driver, {
    connection: { transport: { type: 'tcp', host: '127.0.0.1', port: far.port } },
    devices: units.map((unitId) => ({
      id: `u${unitId}`,
      address: { unitId },
      points: registers.map((register) => ({ id: `r${register}`, address: { table: 'holding', register }, interval: '1s' })),
    })),
  });
  const { gateway, close } = openGateway({ key: `bench ${far.port}` });
  await gateway.apply({ connections: [{ ...line, driver, secrets: {} }], settings: settingsSchema.parse({}), faults: [] });
  return close;
}

function telegraf(program: string, far: Far): Promise<() => Promise<void>> {
  const inputs = units.map((unit) =>
    [
      '[[inputs.modbus]]',
      `name = "u${unit}"`,
      `controller = "tcp://127.0.0.1:${far.port}"`,
      `timeout = "1s"`,
      'configuration_type = "request"',
      '[[inputs.modbus.request]]',
      `slave_id = ${unit}`,
      'register = "holding"',
      `fields = [${registers.map((register) => `{ address = ${register}, name = "r${register}", type = "UINT16" }`).join(', ')}]`,
    ].join('\n'),
  );
  const file = join(folder, `telegraf${far.port}.conf`);
  writeFileSync(file, ['[agent]', 'interval = "1s"', 'quiet = true', '[[outputs.file]]', 'files = ["/dev/null"]', ...inputs].join('\n'));
  const child = spawn(program, ['--config', file], { stdio: 'ignore' });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return Promise.resolve(async () => {
    child.kill('SIGKILL');
    await gone;
  });
}

const pollers: Record<string, (far: Far) => Promise<() => Promise<void>>> = {
  fieldgate,
  ...(process.env.TELEGRAF ? { telegraf: telegraf.bind(undefined, process.env.TELEGRAF) } : {}),
};

/** All at the same time, so that a busy machine is as busy for each. */
async function tenUnits(): Promise<void> {
  const runs = await Promise.all(
    Object.entries(pollers).map(async ([name, start]) => {
      const [well, ill] = await Promise.all([startPython('modbus_units.py'), startPython('modbus_units.py')]);
      await ill.ask({ silent: 10 });
      return { name, well, ill, stops: await Promise.all([start(well), start(ill)]) };
    }),
  );
  await clock.sleep(5_000);
  await Promise.all(runs.flatMap(({ well, ill }) => [well.ask({}), ill.ask({})]));
  await clock.sleep(seconds * 1_000);
  for (const { name, well, ill, stops } of runs) {
    const [rates, poorer] = (await Promise.all([well.ask({}), ill.ask({})])).map(({ value }) => value as Record<string, number>);
    const sum = (answers: Record<string, number> = {}) => units.slice(0, 9).reduce((total, unit) => total + (answers[unit] ?? 0), 0);
    const shares = units.slice(0, 9).map((unit) => (poorer?.[unit] ?? 0) / (rates?.[unit] ?? 0));
    console.log(
      `  ${name.padEnd(12)} ${((sum(poorer) / sum(rates)) * 100).toFixed(1)} % of the rate of ten good ones, the worst unit ${(Math.min(...shares) * 100).toFixed(1)} %`,
    );
    for (const stop of stops) await stop();
    await Promise.all([well.kill(), ill.kill()]);
  }
}

console.log('RTU, 19200 baud 8E1, a pty at the speed of its wire');
await paced(125);
await paced(10);
console.log(`Ten units behind one gateway, polled every second, one of them silent, timeout 1 s, for ${seconds} s`);
await tenUnits();
rmSync(folder, { recursive: true, force: true });
