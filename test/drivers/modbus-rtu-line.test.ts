/** What goes wrong on a serial line, and that no value ever lands on the wrong point for it. */
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { modbus } from '../../drivers/modbus/driver.ts';
import { findFrame, isWhole, silenceMs } from '../../drivers/modbus/rtu-frame.ts';
import type { Point } from '../../src/contract/device.ts';
import type { Driver, Line, Reading, Session } from '../../src/contract/driver.ts';
import { LinkLost } from '../../src/contract/fault.ts';
import { portName } from '../far/port.ts';
import { type FarProgram, startPython } from '../far/python.ts';
import { expectBelow } from '../quickest.ts';
import { buildLine, makeHost } from './line.ts';

const driver = modbus as Driver;
const rounds = process.env.FIELDGATE_SOAK ? 400 : 8;
const lateRounds = process.env.FIELDGATE_SOAK ? 40 : 3;
const never = () => new AbortController().signal;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const path = portName();
let far: FarProgram;
beforeAll(async () => {
  far = await startPython('modbus_rtu.py', path);
});
beforeEach(() => far.ask({ reset: true }));
afterAll(() => far.kill());

interface LineOptions {
  timeout?: string;
  requestDelay?: string;
  transport?: Record<string, unknown>;
  registers?: number[];
}

/** Points of one register each, far enough apart to be asked for one by one. */
function lineTo(units: number[], options: LineOptions = {}): Line {
  const { transport, timeout = '500ms', registers = [2, 4, 6], ...rest } = options;
  return buildLine(driver, {
    connection: { transport: { type: 'rtu', path, baudRate: 38_400, turnaround: '40ms', ...transport }, timeout, ...rest },
    devices: units.map((unitId) => ({
      id: `unit-${unitId}`,
      address: { unitId },
      points: registers.map((register) => ({
        id: `u${unitId}r${register}`,
        address: { table: 'holding', register },
        access: 'read-write',
      })),
    })),
  });
}

async function open(line: Line, host = makeHost()): Promise<Session> {
  const session = await driver.open(line, host, AbortSignal.timeout(5_000));
  onTestFinished(() => session.close());
  return session;
}

async function readAll(session: Session, line: Line): Promise<Reading[]> {
  const readings: Reading[] = [];
  for (const request of session.plan?.(pointsOf(line)) ?? []) readings.push(...((await session.read?.(request, never())) ?? []));
  return readings;
}

const pointsOf = (line: Line): Point[] => line.devices.flatMap((device) => device.points);

/** What the devices of the far end hold there: each value says where it belongs. */
function belongs({ point, value }: Reading): boolean {
  const [, unit, register] = /^u(\d+)r(\d+)$/.exec(point.id) ?? [];
  return value === Number(unit) * 256 + Number(register);
}

async function readOne(unit: number, options: LineOptions = {}): Promise<Reading> {
  const line = lineTo([unit], options);
  const session = await open(line);
  const [request] = session.plan?.(pointsOf(line)) ?? [];
  const [reading] = (request && (await session.read?.(request, never()))) ?? [];
  await session.close();
  if (!reading) throw new Error('nothing was read');
  return reading;
}

describe('an answer that is late', () => {
  it.each([
    ['every answer 1.1 times the timeout late', 0.55],
    ['every answer as late as it likes, up to nearly twice the timeout', [0, 0.8]],
    ['every answer just at the timeout', [0.48, 0.52]],
  ])(
    '%s: no value lands on the wrong point',
    async (_what, late) => {
      await far.ask({ late });
      // A turnaround is not given: what holds by itself is what counts.
      const line = lineTo([3, 20, 21], { transport: { turnaround: undefined } });
      const session = await open(line);
      const readings: Reading[] = [];
      for (let i = 0; i < lateRounds; i++) readings.push(...(await readAll(session, line)));
      expect(readings.length).toBe(lateRounds * 9);
      for (const reading of readings) {
        if (reading.reason === '') expect(reading, reading.point.id).toSatisfy(belongs);
        else expect(reading.reason, reading.detail).toBe('timeout');
      }
      const slow = readings.filter(({ point }) => point.device === 'unit-3');
      // A busy machine looks at the clock late, and then an answer that came too late is there and is taken.
      if (late === 0.55) expect(slow.filter(({ reason }) => reason === 'timeout').length).toBeGreaterThan(slow.length / 2);
      else expect(new Set(slow.map(({ reason }) => reason))).toEqual(new Set(['', 'timeout']));
      // The neighbours are well, and in time.
      for (const reading of readings) if (!slow.includes(reading)) expect(reading.reason).toBe('');
    },
    600_000,
  );

  it('ends the quiet time when it has come, and the line is silent before the next request', async () => {
    await far.ask({ late: 0.6 });
    const line = lineTo([3, 20], { transport: { turnaround: '2s' } });
    const host = makeHost();
    const session = await open(line, host);
    const [slow, , , quick] = session.plan?.(pointsOf(line)) ?? [];
    await expectBelow(1_500, async () => {
      await session.read?.(slow as never, never());
      const started = performance.now();
      expect((await session.read?.(quick as never, never()))?.[0]).toSatisfy(belongs);
      return performance.now() - started;
    });
    expect(host.discards).toContain('late');
  });

  it('waits out the quiet time after silence, also for what was sent and given up', async () => {
    const line = lineTo([4, 20], { transport: { turnaround: '700ms' } });
    const session = await open(line);
    const [silent, , , quick] = session.plan?.(pointsOf(line)) ?? [];
    expect((await session.read?.(silent as never, never()))?.[0]).toMatchObject({ reason: 'timeout', detail: 'no answer in 500 ms' });
    const started = performance.now();
    await session.read?.(quick as never, never());
    expect(performance.now() - started).toBeGreaterThan(680);
    const stopping = new AbortController();
    const given = session.read?.(silent as never, stopping.signal);
    await pause(50);
    stopping.abort(new Error('given up'));
    await expect(given).rejects.toThrow('given up');
    const again = performance.now();
    await session.read?.(quick as never, never());
    expect(performance.now() - again).toBeGreaterThan(680);
  });

  it('is not taken for an answer by a session opened right after', async () => {
    await far.ask({ late: 0.6 });
    const first = lineTo([3], { timeout: '1s' });
    const session = await open(first);
    const stopping = new AbortController();
    const [request] = session.plan?.(pointsOf(first)) ?? [];
    void session.read?.(request as never, stopping.signal)?.catch(() => {});
    await pause(100);
    stopping.abort(new Error('other settings'));
    await session.close();
    await far.ask({ late: 0.01 });
    const second = lineTo([3], { timeout: '1s', transport: { turnaround: undefined } });
    for (const reading of await readAll(await open(second), second)) expect(reading).toSatisfy(belongs);
  });
});

describe('a device that misbehaves', () => {
  it.each([
    ['is silent', 4, 'timeout', /^no answer in 500 ms$/, []],
    ['sends a wrong checksum', 5, 'crc', /^the checksum of the answer is wrong$/, ['checksum']],
    ['is answered for by another unit', 6, 'timeout', /; unit 99 answered instead$/, ['unit']],
    ['sends half a frame', 7, 'timeout', /; only 3 bytes came$/, ['framing']],
    ['refuses', 8, 'exception-4', /^exception 4: server device failure$/, []],
    ['sends one register too few', 11, 'decode', /does not fit the request/, ['length']],
    ['floods the line', 12, 'crc', /no answer with a right checksum/, ['checksum']],
    ['answers another function', 13, 'decode', /does not fit the request/, ['function']],
  ] as const)('that %s gives a bad reading, counted, and spoils no neighbour', async (_what, unit, reason, detail, discards) => {
    const line = lineTo([unit, 20], { registers: [2] });
    const host = makeHost();
    const session = await open(line, host);
    for (const reading of await readAll(session, line)) {
      if (reading.point.device === 'unit-20') expect(reading).toSatisfy(belongs);
      else expect(reading).toMatchObject({ value: null, reason, detail: expect.stringMatching(detail) });
    }
    expect(host.discards).toEqual(discards);
  });

  it.each([
    ['noise around the answer', 9],
    ['byte by byte', 10],
    ['twice', 14],
    ['after the echo of the request', 17],
  ])('an answer that comes %s is understood', async (_what, unit) => {
    for (let i = 0; i < 3; i++) expect(await readOne(unit)).toSatisfy(belongs);
  });

  it('a wrong checksum is told as soon as the line is silent, not at the timeout', async () => {
    await expectBelow(1_000, async () => {
      const started = performance.now();
      expect((await readOne(5, { timeout: '3s' })).reason).toBe('crc');
      return performance.now() - started;
    });
  });

  it.each([15, 16])(
    'damage and noise of every kind (unit %i): a reading is right or bad, never wrong',
    async (unit) => {
      const line = lineTo([unit, 20], { timeout: '100ms', registers: [2] });
      const session = await open(line);
      const good = { noisy: 0, neighbour: 0 };
      for (let i = 0; i < rounds * 3; i++) {
        for (const reading of await readAll(session, line)) {
          if (reading.reason !== '') continue;
          expect(reading).toSatisfy(belongs);
          good[reading.point.device === 'unit-20' ? 'neighbour' : 'noisy'] += 1;
        }
      }
      expect(good.neighbour, 'good readings of the unit beside it').toBeGreaterThan(rounds);
    },
    600_000,
  );

  it('a write whose answer is damaged or missing is unknown; one that another confirms too', async () => {
    const line = lineTo([4, 5, 18]);
    const host = makeHost();
    const session = await open(line, host);
    const write = (id: string) => session.write?.(pointsOf(line).find((point) => point.id === id) as never, 7, never());
    expect(await write('u4r2')).toMatchObject({ state: 'unknown', detail: 'no answer in 500 ms' });
    expect(await write('u5r2')).toMatchObject({ state: 'unknown', detail: expect.stringMatching(/checksum/) });
    expect(await write('u18r2')).toMatchObject({ state: 'unknown', detail: expect.stringMatching(/does not fit/) });
    expect(host.discards).toEqual(['checksum', 'echo']);
  });

  it('a line that is never quiet is not spoken on', async () => {
    const line = lineTo([20], { requestDelay: '1s' });
    const session = await open(line);
    await far.ask({ babble: true });
    const [request] = session.plan?.(pointsOf(line)) ?? [];
    const [reading] = (await session.read?.(request as never, never())) ?? [];
    expect(reading).toMatchObject({ value: null, reason: 'crc', detail: expect.stringMatching(/never quiet/) });
    expect(await session.write?.(pointsOf(line)[0] as never, 7, never())).toMatchObject({
      state: 'not-sent',
      detail: expect.stringMatching(/never quiet/),
    });
    expect((await far.ask({ requests: true })).requests).toEqual([]);
    await far.ask({ babble: false });
    for (const after of await readAll(session, line)) expect(after).toSatisfy(belongs);
  }, 30_000);
});

describe('the line', () => {
  it('is set as the settings say', async () => {
    await open(lineTo([20], { transport: { baudRate: 9_600, parity: 'odd', stopBits: 2 } }));
    expect((await far.ask({ settings: true })).value).toEqual({
      baudRate: 9_600,
      odd: true,
      stopBits: 2,
      hardware: false,
      software: false,
    });
  });

  it('is silent between two requests for as long as the device needs', async () => {
    const line = lineTo([20], { requestDelay: '50ms' });
    const session = await open(line);
    for (let i = 0; i < 3; i++) await readAll(session, line);
    const { times = [] } = await far.ask({ requests: true });
    expect(times.length).toBe(9);
    for (const [i, time] of times.entries()) if (i > 0) expect((time - (times[i - 1] ?? 0)) * 1_000).toBeGreaterThan(48);
  });

  it('is shared by two connections: one request at a time, and a late answer to one does not land on the other', async () => {
    await far.ask({ late: 0.55 });
    const shared = new Map<string, unknown>();
    const slow = lineTo([3], { transport: { turnaround: undefined } });
    const quick = lineTo([20, 21], { transport: { turnaround: undefined } });
    const [first, second] = await Promise.all([open(slow, makeHost({}, shared)), open(quick, makeHost({}, shared))]);
    const readings = (
      await Promise.all(Array.from({ length: 2 }, async () => [...(await readAll(first, slow)), ...(await readAll(second, quick))]))
    ).flat();
    expect(readings.length).toBe(2 * 9);
    for (const reading of readings) {
      if (reading.point.device === 'unit-3' && reading.reason !== '') expect(reading.reason).toMatch(/^(timeout|crc)$/);
      else expect(reading).toSatisfy(belongs);
    }
    expect(readings.some(({ reason }) => reason !== '')).toBe(true);
    await first.close();
    for (const reading of await readAll(second, quick)) expect(reading).toSatisfy(belongs);
    await second.close();
    expect(shared.size).toBe(0);
    // Whoever comes now opens the port anew.
    for (const reading of await readAll(await open(quick, makeHost({}, shared)), quick)) expect(reading).toSatisfy(belongs);
  }, 30_000);

  it('tells both that it was unplugged, and both find it again under the same name', async () => {
    const shared = new Map<string, unknown>();
    const line = lineTo([20]);
    const hosts = [makeHost({}, shared), makeHost({}, shared)];
    const sessions = await Promise.all(hosts.map((host) => open(line, host)));
    await far.ask({ unplug: true });
    await expect.poll(() => hosts.map(({ losses }) => losses.length)).toEqual([1, 1]);
    for (const { losses } of hosts) {
      expect(losses[0]).toBeInstanceOf(LinkLost);
      expect(losses[0]?.message).toBe(`${path} is gone: it was unplugged, or the other end closed it`);
    }
    await Promise.all(sessions.map((session) => session.close()));
    await expect(driver.open(line, makeHost({}, shared), never())).rejects.toThrow(/is not there: the device is not plugged in$/);
    await far.ask({ plug: true });
    const again = await Promise.all(hosts.map((host) => open(line, host)));
    for (const session of again) for (const reading of await readAll(session, line)) expect(reading).toSatisfy(belongs);
  });

  it('that hangs up with bytes still unread is noticed, and costs no processor time', async () => {
    for (let i = 0; i < 10; i++) {
      const host = makeHost();
      const session = await open(lineTo([20]), host);
      await far.ask({ say: '55'.repeat(300 * (i + 1)) });
      await far.ask({ unplug: true });
      await expect.poll(() => host.losses.length).toBe(1);
      await session.close();
      await far.ask({ plug: true });
    }
    await expectBelow(150, async () => {
      const before = process.cpuUsage();
      await pause(200);
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1_000;
    });
  });

  it('says who holds it when another program has it alone', async () => {
    await far.ask({ occupy: true });
    await expect(driver.open(lineTo([20]), makeHost(), never())).rejects.toThrow(
      new RegExp(`^${path} is busy: it is in use by python3 \\(process ${far.pid}\\)$`),
    );
    await far.ask({ vacate: true });
    await open(lineTo([20]));
  });
});

describe('frames of RTU', () => {
  it('knows the checksum of the standard (V1.02 §6.2.2) and finds no frame in noise', () => {
    expect(isWhole(Buffer.from('02074112', 'hex'))).toBe(true);
    expect(isWhole(Buffer.from('02074113', 'hex'))).toBe(false);
    expect(isWhole(Buffer.alloc(2))).toBe(false);
    const shapes = [{ prefix: Buffer.from([1, 3, 2]), bytes: 5 }];
    const good = Buffer.from('010302002a39 9b'.replace(' ', ''), 'hex');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 300 }), (before, after) => {
        const noise = Buffer.concat([before, after]);
        const found = findFrame(Buffer.concat([before, good, after]), shapes);
        expect(found).toBeDefined();
        if (!isSomewhere(noise)) expect(found?.toString('hex')).toBe('010302002a');
      }),
      { numRuns: process.env.FIELDGATE_SOAK ? 20_000 : 300 },
    );
  });

  it('takes the silence from the speed (V1.02 §2.5.1.1)', () => {
    expect([1_200, 9_600, 19_200, 38_400, 115_200].map((baud) => Math.round(silenceMs(baud) * 100) / 100)).toEqual([
      32.08, 4.01, 2.01, 1.75, 1.75,
    ]);
  });
});

/** Noise that happens to begin like an answer of unit 1. */
function isSomewhere(noise: Buffer): boolean {
  return noise.includes(Buffer.from([1, 3, 2]));
}
