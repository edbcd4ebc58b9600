/**
 * The plug is pulled a thousand times with a question under way and half a line heard: descriptors, timers and memory before, meanwhile and after, of our driver and
 * of a bare serialport in the same process, one after the other. `node bench/serial-plug.ts [cycles]`.
 */
import { readdirSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { SerialPort } from 'serialport';
import { serial } from '../drivers/serial/driver.ts';
import { systemClock as clock } from '../src/contract/clock.ts';
import type { Driver } from '../src/contract/driver.ts';
import { buildLine, makeHost } from '../test/drivers/line.ts';
import { portName } from '../test/far/port.ts';
import { type FarProgram, startPython } from '../test/far/python.ts';

const cycles = Number(process.argv[2] ?? 1_000);
const warmUp = 50;
/** What stays flat is seen on the way better than at the end. */
const looks = 5;
const path = portName();
const driver = serial as Driver;
const sink = {
  commit: () => Promise.resolve(),
  samples: () => {},
  trouble: () => {},
  device: () => undefined,
  announce: () => undefined,
  withdraw: () => {},
  misunderstood: () => {},
  availability: () => {},
};

/** Whatever is waited for here is an event of another process. */
async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await clock.sleep(1);
}

async function ours(far: FarProgram): Promise<void> {
  const points = [
    { id: 'idn', address: { request: '*IDN?\n', reply: '(?<it>MAKER)' } },
    { id: 'heard', address: { line: '^T=(?<t>.*)$' } },
  ];
  const line = buildLine(driver, { connection: { path, baudRate: 115_200, timeout: '1s' }, devices: [{ id: 'it', points }] });
  const host = makeHost();
  const lost = Promise.withResolvers<void>();
  host.lost = () => lost.resolve();
  const session = await driver.open(line, host, AbortSignal.timeout(5_000));
  const all = line.devices[0]?.points ?? [];
  const ended = new AbortController();
  const listening = session.listen?.(all, sink, ended.signal).catch(() => {});
  const [request] = session.plan?.(all) ?? [];
  const asked = request && session.read?.(request, ended.signal).catch(() => {});
  await far.ask({ say: 'half a l' });
  await far.ask({ unplug: true });
  await lost.promise;
  await session.close();
  await Promise.all([listening, asked]);
}

async function bare(far: FarProgram): Promise<void> {
  const port = new SerialPort({ path, baudRate: 115_200 });
  await new Promise((resolve) => port.once('open', resolve));
  let over = false;
  port.on('data', () => {});
  port.on('close', () => {
    over = true;
  });
  port.on('error', () => {});
  port.write('*IDN?\n');
  await far.ask({ say: 'half a l' });
  await far.ask({ unplug: true });
  // It may never notice that bytes were left unread: then it is closed, as a program would after its time-out.
  const timer = setTimeout(() => port.close(() => {}), 1_000);
  await until(() => over);
  clearTimeout(timer);
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

async function state() {
  await clock.sleep(1_500);
  collect();
  const { rss, heapUsed } = process.memoryUsage();
  const timers = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  return { descriptors: readdirSync('/proc/self/fd').length, timers, heapMb: heapUsed / 2 ** 20, rssMb: rss / 2 ** 20 };
}

for (const [name, cycle] of Object.entries({ 'fieldgate session': ours, 'serialport 13.0.0, bare': bare })) {
  const far = await startPython('serial_instrument.py', path);
  const run = async () => {
    await cycle(far);
    await far.ask({ plug: true });
  };
  for (let i = 0; i < warmUp; i++) await run();
  const seen = [await state()];
  const started = performance.now();
  let waitedMs = 0;
  for (let i = 1; i <= cycles; i++) {
    await run();
    if (i % Math.ceil(cycles / looks) !== 0 && i !== cycles) continue;
    const from = performance.now();
    seen.push(await state());
    waitedMs += performance.now() - from;
  }
  const perCycleMs = (performance.now() - started - waitedMs) / cycles;
  await far.kill();
  console.log(`${name}: ${cycles} times unplugged, ${perCycleMs.toFixed(1)} ms each; at the beginning, and ${looks} times on the way`);
  for (const [what, digits] of Object.entries({ descriptors: 0, timers: 0, heapMb: 1, rssMb: 1 }))
    console.log(`  ${what.padEnd(12)} ${seen.map((one) => one[what as keyof typeof one].toFixed(digits)).join('  ')}`);
}
