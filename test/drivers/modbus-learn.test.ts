/** What the planner goes round, what it learns from a device that refuses, and how it says all this: test/far/modbus_rogue.py, register r holds r. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { modbus } from '../../drivers/modbus/driver.ts';
import { type Clock, systemClock } from '../../src/contract/clock.ts';
import type { Driver, Host, Line, Reading, Session, Traffic } from '../../src/contract/driver.ts';
import { LinkLost } from '../../src/contract/fault.ts';
import { type FarProgram, startPython } from '../far/python.ts';
import { buildLine, makeHost } from './line.ts';

const driver = modbus as Driver;
const never = () => new AbortController().signal;
let far: FarProgram;
beforeAll(async () => {
  far = await startPython('modbus_rogue.py');
});
afterAll(() => far.kill());

function lineOf(
  unitId: number,
  addresses: Record<string, unknown>[],
  device: Record<string, unknown> = {},
  connection: Record<string, unknown> = {},
): Line {
  return buildLine(driver, {
    connection: { transport: { type: 'tcp', host: '127.0.0.1', port: far.port }, timeout: '2s', ...connection },
    devices: [
      {
        id: 'a',
        address: { unitId, ...device },
        points: addresses.map((address) => ({
          id: `r${address.register}`,
          address: { table: 'holding', ...address },
          access: 'read-write',
        })),
      },
    ],
  });
}
const registers = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, index) => ({ register: first + index }));
const points = (line: Line) => line.devices[0]?.points ?? [];
const texts = (session: Session, line: Line) => session.plan?.(points(line)).map(({ text }) => text.replace(/ of unit \d+/, '')) ?? [];

function hearing(host = makeHost()): Host & { losses: Error[]; heard: Traffic[]; replans: number } {
  const heard: Traffic[] = [];
  const full = Object.assign(host, {
    heard,
    replans: 0,
    traffic: (message: Traffic) => void heard.push(message),
    replan() {
      full.replans += 1;
    },
  });
  return full;
}
/** What was asked since the last time. */
const asked = (host: { heard: Traffic[] }) =>
  host.heard
    .splice(0)
    .filter(({ direction }) => direction === 'out')
    .map(({ meaning }) => meaning);

async function withSession<T>(line: Line, host: Host, run: (session: Session) => Promise<T>): Promise<T> {
  const session = await driver.open(line, host, AbortSignal.timeout(3_000));
  try {
    return await run(session);
  } finally {
    await session.close();
  }
}
async function readAll(session: Session, line: Line): Promise<Reading[]> {
  const readings: Reading[] = [];
  for (const request of session.plan?.(points(line)) ?? []) readings.push(...((await session.read?.(request, never())) ?? []));
  return readings.toSorted((a, b) => Number(a.point.id.slice(1)) - Number(b.point.id.slice(1)));
}
const say = (readings: readonly Reading[]) =>
  readings.map(({ point, value, reason }) => (reason ? `${point.id} ${reason}` : `${point.id}=${value}`)).join(' ');

describe('the plan', () => {
  it.each<[string, Record<string, unknown>[], Record<string, unknown>, string[]]>([
    [
      'never reads what must not be read',
      [...registers(0, 1), ...registers(5, 6)],
      { gap: 10, neverRead: [{ table: 'holding', first: 3, last: 3 }] },
      ['read holding 0-1', 'read holding 5-6'],
    ],
    [
      'but only in that table',
      [...registers(0, 1), ...registers(5, 6)],
      { gap: 10, neverRead: [{ table: 'input', first: 3, last: 3 }] },
      ['read holding 0-6'],
    ],
    ['asks one by one', registers(0, 2), { oneRequestPerPoint: true }, ['read holding 0', 'read holding 1', 'read holding 2']],
    [
      'begins bits at zero',
      [
        { table: 'coil', register: 9 },
        { table: 'coil', register: 40 },
      ],
      { startAtZero: true },
      ['read coil 0-40'],
    ],
    [
      'but not beyond what the device gives',
      [{ table: 'coil', register: 40 }],
      { startAtZero: true, bitsPerRequest: 16 },
      ['read coil 40'],
    ],
    ['reads a scale factor along', [{ register: 2, scaleFactor: 10 }], {}, ['read holding 2-10']],
    [
      'or apart where something between must not be read',
      [{ register: 2, scaleFactor: 10 }],
      { neverRead: [{ table: 'holding', first: 5, last: 5 }] },
      ['read holding 2 and 10'],
    ],
  ])('%s', async (_what, addresses, device, expected) => {
    const line = lineOf(1, addresses, device);
    await withSession(line, makeHost(), async (session) => expect(texts(session, line)).toEqual(expected));
  });

  it('says what each request costs, and why it stands alone', async () => {
    const line = lineOf(
      1,
      [...registers(0, 1), { register: 5 }, { register: 60 }, { register: 120, type: 'float64' }, { table: 'input', register: 3 }],
      { gap: 70, registersPerRequest: 100, neverRead: [{ table: 'holding', first: 30, last: 30 }] },
    );
    await withSession(line, makeHost(), (session) => {
      expect(session.plan?.(points(line)).map(({ cost }) => cost)).toEqual([
        { places: 6, wasted: 3 },
        { places: 64, wasted: 59, breaks: 'neverRead between 6 and 59' },
        { places: 1, wasted: 0, breaks: 'another table' },
      ]);
      return Promise.resolve();
    });
    // On a serial line the time is known too; nothing is opened for it.
    const { planReads } = await import('../../drivers/modbus/plan.ts');
    const devices = new Map(line.devices.map((device) => [device.id, device]));
    const plan = planReads(points(line) as never, devices as never, undefined, (_table, count) => count * 2);
    expect(plan.map(({ cost }) => cost?.wireMs)).toEqual([12, 128, 2]);
  });

  it.each<[Record<string, unknown>, Record<string, unknown>[], RegExp]>([
    [{ neverRead: [{ table: 'holding', first: 4, last: 2 }] }, [], /is below first/],
    [
      { neverRead: [{ table: 'holding', first: 2, last: 4 }] },
      [{ register: 1, type: 'float32' }],
      /points\[0\].address: lies in .*neverRead \(holding 2 to 4\)/,
    ],
    [{ unitId: 0, broadcast: true }, [], /broadcast: is true for unitId 0 over tcp; allowed only for unitId 0 on a serial line/],
  ])('refuses %j', (device, addresses, words) => {
    expect(() => lineOf(1, addresses, device)).toThrow(words);
  });
});

describe('a device that refuses', () => {
  it('an undefined register in the middle: split once, then gone round, also after a restart, and tried again after a day', async () => {
    const days = { past: 0 };
    const clock: Clock = { ...systemClock, nowMs: () => Date.now() + days.past * 86_400_000 };
    const host = hearing(Object.assign(makeHost(), { clock }));
    const line = lineOf(26, registers(48, 56));
    const well = 'r48=48 r49=49 r50 exception-2 r51 exception-2 r52 exception-2 r53 exception-2 r54=54 r55=55 r56=56';
    await withSession(line, host, async (session) => {
      expect(texts(session, line)).toEqual(['read holding 48-56']);
      expect(say(await readAll(session, line))).toBe(well);
      expect(asked(host), 'the block, then each of the nine').toHaveLength(10);
      expect(host.replans).toBe(1);
      expect(texts(session, line).slice(0, 2)).toEqual(['read holding 48-49', 'read holding 54-56']);
      expect(say(await readAll(session, line))).toBe(well);
      expect(asked(host)).toHaveLength(6);
      expect(host.replans).toBe(1);
    });
    await withSession(line, host, async (session) => {
      expect(texts(session, line).slice(0, 2)).toEqual(['read holding 48-49', 'read holding 54-56']);
      expect(
        session
          .plan?.(points(line))
          .map(({ cost }) => cost?.breaks)
          .slice(1, 3),
      ).toEqual(['the device refuses 50-53', 'the device has refused it']);
      days.past = 1.1;
      // The next answer is when it is noticed.
      await readAll(session, line);
      expect(host.replans).toBe(2);
      expect(texts(session, line)).toEqual(['read holding 48-56']);
    });
  });

  it('a gap that must not be read over', async () => {
    const host = hearing();
    const line = lineOf(26, [{ register: 48 }, { register: 49 }, { register: 55 }], { gap: 20 });
    await withSession(line, host, async (session) => {
      expect(texts(session, line)).toEqual(['read holding 48-55']);
      expect(say(await readAll(session, line))).toBe('r48=48 r49=49 r55=55');
      expect(texts(session, line)).toEqual(['read holding 48-49', 'read holding 55']);
      expect(say(await readAll(session, line))).toBe('r48=48 r49=49 r55=55');
    });
  });

  it('more than it gives at once: half as much each time', async () => {
    const host = hearing();
    const line = lineOf(25, registers(0, 11));
    await withSession(line, host, async (session) => {
      for (const count of [12, 6, 3]) {
        const plan = texts(session, line);
        expect(plan).toHaveLength(12 / count);
        expect(say(await readAll(session, line))).toBe(
          registers(0, 11)
            .map(({ register }) => `r${register}=${register}`)
            .join(' '),
        );
      }
      asked(host);
      await readAll(session, line);
      expect(asked(host)).toEqual(['read holding 0-2', 'read holding 3-5', 'read holding 6-8', 'read holding 9-11']);
    });
  });

  it('bits that are not read from 0 on, and those too far from it', async () => {
    const host = hearing();
    const coils = (...places: number[]) => places.map((register) => ({ register, table: 'coil' }));
    const line = lineOf(30, coils(3, 9, 30), { startAtZero: true });
    await withSession(line, host, async (session) => {
      expect(texts(session, line)).toEqual(['read coil 0-30']);
      const well = 'r3=true r9=true r30 exception-2';
      expect(say(await readAll(session, line))).toBe(well);
      expect(asked(host), 'each from 0, too').toEqual(['read coil 0-30', 'read coil 0-3', 'read coil 0-9', 'read coil 0-30']);
      expect(texts(session, line)).toEqual(['read coil 0-9', 'read coil 0-30']);
      expect(say(await readAll(session, line))).toBe(well);
    });
    const limited = lineOf(30, coils(3, 9, 15, 20, 30), { startAtZero: true, bitsPerRequest: 16 });
    await withSession(limited, hearing(), async (session) =>
      expect(texts(session, limited), 'what lies beyond the limit is read like anything else').toEqual([
        'read coil 0-15',
        'read coil 20-30',
      ]),
    );
  });

  it('more bits than it gives at once from 0 on, as another device behind the same unit has learned', async () => {
    const host = hearing();
    host.memory.set('refused', [{ u: 30, t: 'coil', m: 12, at: Math.floor(Date.now() / 1_000) }]);
    const line = lineOf(
      30,
      [3, 9, 15].map((register) => ({ register, table: 'coil' })),
      { startAtZero: true },
    );
    await withSession(line, host, (session) => Promise.resolve(expect(texts(session, line)).toEqual(['read coil 0-9', 'read coil 15'])));
  });

  it('everything: nothing is learned, it may be starting up', async () => {
    const host = hearing();
    const line = lineOf(102, registers(0, 2));
    await withSession(line, host, async (session) => {
      await readAll(session, line);
      expect(texts(session, line)).toEqual(['read holding 0-2']);
      expect(host.replans).toBe(0);
    });
  });

  it('because it is busy (exception 6), or needs longer (exception 5): the host is told to ask again', async () => {
    for (const [unit, code] of [
      [105, 5],
      [106, 6],
    ] as const) {
      const line = lineOf(unit, registers(0, 0), { busyRetries: 2, busyPause: '50ms' });
      const [reading] = await withSession(line, makeHost(), (session) => readAll(session, line));
      expect(reading).toMatchObject({ reason: `exception-${code}`, again: { afterMs: 50, times: 2 } });
    }
    const off = lineOf(106, registers(0, 0), { busyRetries: 0 });
    expect((await withSession(off, makeHost(), (session) => readAll(session, off)))[0]?.again).toBeUndefined();
  });

  it('function 22: said with what to do, and modify goes without it', async () => {
    const mask = lineOf(29, [{ register: 7, bit: 3 }]);
    const refused = await withSession(
      mask,
      makeHost(),
      async (session) => points(mask)[0] && session.write?.(points(mask)[0] as never, true, never()),
    );
    expect(refused).toEqual({ state: 'refused', detail: expect.stringMatching(/exception 1: illegal function.*writeAs.*modify/) });
    const host = hearing();
    const modify = lineOf(29, [{ register: 7, bit: 3, writeAs: 'modify' }]);
    const done = await withSession(
      modify,
      host,
      async (session) => points(modify)[0] && session.write?.(points(modify)[0] as never, true, never()),
    );
    expect(done?.state).toBe('acknowledged');
    expect(asked(host)).toEqual(['read holding 7', 'write holding 7 = 0x000f']);
  });

  it('a write that has to read first is not sent when that fails', async () => {
    for (const unit of [102, 2]) {
      const line = lineOf(unit, [{ register: 7, bit: 3, writeAs: 'modify' }], {}, { timeout: '100ms' });
      const host = hearing();
      const answer = await withSession(
        line,
        host,
        async (session) => points(line)[0] && session.write?.(points(line)[0] as never, true, never()),
      );
      expect(answer).toEqual({ state: 'not-sent', detail: expect.stringMatching(/^the register could not be read before: /) });
      expect(asked(host)).toEqual(['read holding 7']);
    }
  });
});

describe('the traffic', () => {
  it('every frame in and out, with what it means and what is wrong with it', async () => {
    const host = hearing();
    const line = lineOf(1, registers(40, 41));
    await withSession(line, host, async (session) => {
      await readAll(session, line);
      await session.write?.(points(line)[0] as never, 555, never());
    });
    expect(host.heard.map(({ direction, meaning, unit, isFault }) => [direction, meaning, unit, isFault ?? false])).toEqual([
      ['out', 'read holding 40-41', '1', false],
      ['in', 'holding 40-41: 0x0028 0x0029', '1', false],
      ['out', 'write holding 40 = 0x022b', '1', false],
      ['in', 'done: write holding 40 = 0x022b', '1', false],
    ]);
    expect(Buffer.from(host.heard[0]?.bytes ?? []).toString('hex')).toMatch(/^....0000000601030028000[2]$/);
  });

  it.each<[number, string, RegExp]>([
    [4, 'another unit', /unit 99 answered, unit 4 was asked/],
    [5, 'another transaction', /nobody waits for/],
    [14, 'twice', /nobody waits for/],
    [16, 'another function', /answers function 4, 3 was asked/],
    [102, 'a refusal', /exception 2: illegal data address/],
  ])('unit %i: %s is a fault of its own', async (unit, _what, words) => {
    const host = hearing();
    const line = lineOf(unit, registers(40, 40), {}, { timeout: '150ms' });
    await withSession(line, host, async (session) => {
      await readAll(session, line);
      await expect
        .poll(() =>
          host.heard
            .filter(({ isFault }) => isFault)
            .map(({ meaning }) => meaning)
            .join('; '),
        )
        .toMatch(words);
    });
  });
});

describe('a connection that is closed between polls', () => {
  it('is opened again for the next request, and a link that cannot be opened is a lost one', async () => {
    const own = await startPython('modbus_rogue.py');
    try {
      const line = lineOf(1, registers(1, 1), {}, { closeAfterPoll: true, transport: { type: 'tcp', host: '127.0.0.1', port: own.port } });
      const host = hearing();
      await withSession(line, host, async (session) => {
        expect(say(await readAll(session, line))).toBe('r1=1');
        await expect.poll(() => process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length).toBe(0);
        expect(say(await readAll(session, line))).toBe('r1=1');
        await expect.poll(() => process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length).toBe(0);
        expect(host.losses).toEqual([]);
        await own.kill();
        await expect(readAll(session, line)).rejects.toThrow(LinkLost);
        expect(host.losses).toHaveLength(1);
        expect(await session.write?.(points(line)[0] as never, 1, never())).toMatchObject({ state: 'not-sent' });
      });
    } finally {
      await own.kill();
    }
  });
});
