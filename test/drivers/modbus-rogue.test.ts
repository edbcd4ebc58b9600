import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { modbus } from '../../drivers/modbus/driver.ts';
import { systemClock } from '../../src/contract/clock.ts';
import type { Driver, Line, Reading, Session } from '../../src/contract/driver.ts';
import { LinkLost } from '../../src/contract/fault.ts';
import { type FarProgram, startPython } from '../far/python.ts';
import { expectBelow } from '../quickest.ts';
import { buildLine, makeHost } from './line.ts';

const driver = modbus as Driver;
const never = () => new AbortController().signal;
/** Long enough for a loaded machine, short enough to wait for again and again. */
const timeoutMs = 300;

/** test/far/modbus_rogue.py: the unit id chooses the misbehaviour, register r holds r. */
describe('Modbus against a far end that misbehaves', () => {
  let far: FarProgram;
  beforeAll(async () => {
    far = await startPython('modbus_rogue.py');
  });
  afterAll(() => far.kill());

  /** A line of devices `u<unit>` with the given holding registers `r<register>`. */
  function lineOf(units: readonly number[], registers: readonly number[], connection: Record<string, unknown> = {}): Line {
    return buildLine(driver, {
      connection: { transport: { type: 'tcp', host: '127.0.0.1', port: far.port }, timeout: `${timeoutMs}ms`, ...connection },
      devices: units.map((unitId) => ({
        id: `u${unitId}`,
        address: { unitId },
        points: registers.map((register) => ({ id: `r${register}`, address: { table: 'holding', register }, access: 'read-write' })),
      })),
    });
  }
  const pointsOf = (line: Line, unit: number) => line.devices.find(({ id }) => id === `u${unit}`)?.points ?? [];

  async function readUnit(session: Session, line: Line, unit: number, signal = never()): Promise<Reading[]> {
    const readings: Reading[] = [];
    for (const request of session.plan?.(pointsOf(line, unit)) ?? []) readings.push(...((await session.read?.(request, signal)) ?? []));
    return readings;
  }
  const say = (readings: readonly Reading[]) =>
    readings.map(({ point, value, reason }) => `${point.id}=${value}${reason && ` ${reason}`}`).join(', ');

  async function withSession<T>(
    line: Line,
    run: (session: Session, host: ReturnType<typeof makeHost>) => Promise<T>,
    host = makeHost(),
  ): Promise<T> {
    const session = await driver.open(line, host, AbortSignal.timeout(2_000));
    try {
      return await run(session, host);
    } finally {
      await session.close();
    }
  }

  it.each([
    ['is silent', 2, 'timeout', /no answer in 300 ms/, []],
    ['lets another unit answer', 4, 'decode', /unit 99 answered, unit 4 was asked/, ['unit', 'unit']],
    ['answers another transaction', 5, 'timeout', /no answer/, ['transaction', 'transaction']],
    ['answers too short', 6, 'decode', /bytes of data, 4 were asked for/, ['length', 'length']],
    ['lies about its byte count', 7, 'decode', /holds 4 bytes of data and says 2, 4 were asked for/, ['length', 'length']],
    ['refuses', 8, 'exception-4', /exception 4: server device failure/, []],
    ['lets another unit refuse', 13, 'decode', /unit 99 answered/, ['unit', 'unit']],
    ['answers another function', 16, 'decode', /answers function 4, 3 was asked/, ['function', 'function']],
    ['answers a function code and nothing else', 22, 'decode', /holds 0 bytes of data, 4 were asked for/, ['length', 'length']],
    ['answers exception 0', 100, 'exception-0', /not in the standard/, []],
  ] as const)(
    '%s: bad readings that say so, counted, the link stays, the next unit is well',
    async (_what, unit, reason, detail, discards) => {
      const line = lineOf([unit, 1], [40, 41]);
      await withSession(line, async (session, host) => {
        for (let round = 0; round < 2; round++) {
          const readings = await readUnit(session, line, unit);
          expect(say(readings)).toBe(`r40=null ${reason}, r41=null ${reason}`);
          expect(readings[0]?.detail).toMatch(detail);
          expect(say(await readUnit(session, line, 1))).toBe('r40=40, r41=41');
        }
        expect(host.losses).toEqual([]);
        expect(host.discards).toEqual(discards);
      });
    },
  );

  it('is late: a bad reading, the answer is counted when it comes, and the next unit is well', async () => {
    const line = lineOf([3, 1], [40, 41]);
    await withSession(line, async (session, host) => {
      const readings = await readUnit(session, line, 3);
      expect(say(readings)).toBe('r40=null timeout, r41=null timeout');
      expect(readings[0]?.detail).toMatch(/no answer in 300 ms/);
      await expect.poll(() => host.discards).toEqual(['late']);
      expect(say(await readUnit(session, line, 1))).toBe('r40=40, r41=41');
      expect(host.losses).toEqual([]);
    });
  });

  it.each([
    ['answers twice', 14, 2],
    ['answers byte by byte', 15, 0],
    ['sends a flood of answers nobody asked for first', 20, 4_000],
  ] as const)('%s: the right value, and the next one too', async (_what, unit, strays) => {
    const line = lineOf([unit, 1], [40, 41]);
    await withSession(line, async (session, host) => {
      for (let round = 0; round < 2; round++) {
        expect(say(await readUnit(session, line, unit))).toBe('r40=40, r41=41');
        expect(say(await readUnit(session, line, 1))).toBe('r40=40, r41=41');
      }
      expect(host.discards).toEqual(Array.from({ length: strays }, () => 'transaction'));
    });
  });

  it.each([
    ['hangs up', 10, /closed the connection/, []],
    ['resets the connection', 17, /ECONNRESET/, []],
    ['sends 100 kB of junk', 9, /does not speak Modbus TCP/, ['framing']],
    ['speaks another protocol', 23, /does not speak Modbus TCP/, ['framing']],
    ['promises more than it sends', 11, /broke off in the middle/, ['framing']],
    ['sends half a frame', 12, /broke off in the middle/, ['framing']],
  ] as const)('%s: the link is lost, said at once, and a new one is well', async (_what, unit, words, discards) => {
    const line = lineOf([unit, 1], [40, 41]);
    await withSession(line, async (session, host) => {
      const error = await readUnit(session, line, unit).then(say, (thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(LinkLost);
      expect((error as Error).message).toMatch(words);
      expect(host.losses).toEqual([error]);
      expect(host.discards).toEqual(discards);
      await expect(readUnit(session, line, 1)).rejects.toBeInstanceOf(LinkLost);
    });
    await withSession(line, async (session) => expect(say(await readUnit(session, line, 1))).toBe('r40=40, r41=41'));
  });

  it('never gives a late answer to a later request', async () => {
    const line = lineOf([3, 1], [10, 20, 30, 40]);
    await withSession(line, async (session) => {
      const requests = session.plan?.([...pointsOf(line, 3), ...pointsOf(line, 1)]) ?? [];
      expect(requests).toHaveLength(8);
      for (let round = 0; round < 12; round++) {
        const request = requests[(round * 3) % 8];
        for (const reading of request ? ((await session.read?.(request, never())) ?? []) : []) {
          if (reading.reason !== 'timeout') expect(reading.value, reading.point.id).toBe(Number(reading.point.id.slice(1)));
        }
      }
    });
  });

  // modbus-serial's own port counts transactions to 256: there the old answer would be taken for the new one.
  it.each([254, 255, 256, 511])('never gives an answer that is %i requests old to the same unit', async (between) => {
    const line = lineOf([18, 1], [10, 20]);
    await withSession(line, async (session) => {
      const [first, second] = session.plan?.(pointsOf(line, 18)) ?? [];
      const [other] = session.plan?.(pointsOf(line, 1)) ?? [];
      if (!first || !second || !other) throw new Error('the plan is not what this test needs');
      expect(say((await session.read?.(first, never())) ?? [])).toBe('r10=null timeout');
      for (let i = 0; i < between; i++) expect(say((await session.read?.(other, never())) ?? [])).toBe('r10=10');
      expect(say((await session.read?.(second, never())) ?? [])).toBe('r20=20');
    });
  });

  it('pairs answers that come out of order when more requests are in flight', async () => {
    const line = lineOf([21], [0, 2, 4, 6, 8], { maxInFlight: 5, timeout: '2s' });
    expect(driver.maxInFlight(line.connection.options)).toBe(5);
    await withSession(line, async (session) => {
      const order: number[] = [];
      await Promise.all(
        (session.plan?.(pointsOf(line, 21)) ?? []).map(async (request) => {
          const [reading] = (await session.read?.(request, never())) ?? [];
          expect(reading?.value).toBe(Number(reading?.point.id.slice(1)));
          order.push(Number(reading?.value));
        }),
      );
      expect(order, 'the far end answered the last first').toEqual([8, 6, 4, 2, 0]);
    });
  });

  it('takes a link that stays silent for lost', async () => {
    // 15 s of silence pass in 75 ms.
    const fast: ReturnType<typeof makeHost> = { ...makeHost(), clock: { ...systemClock, monotonicMs: () => performance.now() * 200 } };
    const line = lineOf([2], [10], { timeout: '20ms' });
    await withSession(
      line,
      async (session) => {
        for (let i = 0; i < 4; i++) expect(say(await readUnit(session, line, 2))).toBe('r10=null timeout');
        await expect(readUnit(session, line, 2)).rejects.toThrow(/not a byte in \d+ s, although 5 requests were sent/);
      },
      fast,
    );
  });

  it('reads the points of a refused block one by one, until one is not answered', async () => {
    const line = lineOf([24], [57, 58, 59, 60, 61, 62]);
    await withSession(line, async (session) => {
      // One timeout, not three.
      await expectBelow(2 * timeoutMs, async () => {
        const started = performance.now();
        expect(say(await readUnit(session, line, 24))).toBe('r57=57, r58=58, r59=59, r60=null timeout, r61=null timeout, r62=null timeout');
        return performance.now() - started;
      });
    });
  });

  it('but not for longer than commands may be kept waiting', async () => {
    // Of the 10 s, every answer takes at least 6.
    const fast: ReturnType<typeof makeHost> = { ...makeHost(), clock: { ...systemClock, monotonicMs: () => performance.now() * 300 } };
    const line = lineOf([24], [50, 51, 52, 53, 54, 55]);
    await withSession(
      line,
      async (session) => {
        const readings = await readUnit(session, line, 24);
        expect(readings.map(({ reason }) => reason)).toEqual(expect.arrayContaining(['', 'exception-2']));
        expect(readings[0]?.value).toBe(50);
        expect(readings.at(-1)?.reason).toBe('exception-2');
      },
      fast,
    );
  });

  it('stops waiting when its signal is aborted, and drops the answer', async () => {
    const line = lineOf([3, 1], [10]);
    await withSession(line, async (session) => {
      const stopping = new AbortController();
      const reading = readUnit(session, line, 3, stopping.signal);
      stopping.abort(new Error('not wanted'));
      await expect(reading).rejects.toThrow('not wanted');
      await expect(readUnit(session, line, 1, AbortSignal.abort(new Error('never wanted')))).rejects.toThrow('never wanted');
      await new Promise((resolve) => setTimeout(resolve, 700));
      expect(say(await readUnit(session, line, 1))).toBe('r10=10');
    });
  });

  it.each([
    ['was heard', 1, 'acknowledged', undefined],
    ['was not answered', 2, 'unknown', /no answer/],
    ['was answered by another unit', 4, 'unknown', /unit 99/],
    ['was cut off', 10, 'unknown', /closed the connection/],
    ['was confirmed as another one', 19, 'unknown', /another write/],
    ['is under way (exception 5)', 105, 'acknowledged', /under way/],
    ['met a silent device behind a gateway (exception 11)', 111, 'unknown', /exception 11/],
    ['was refused (exception 1)', 101, 'refused', /illegal function/],
    ['was refused (exception 2)', 102, 'refused', /illegal data address/],
    ['was refused (exception 3)', 103, 'refused', /illegal data value/],
    ['found no way through the gateway (exception 10)', 110, 'refused', /gateway path/],
  ] as const)('tells of a write that %s, and sends it once', async (_what, unit, state, detail) => {
    const line = lineOf([unit], [30]);
    await far.ask({ requests: true });
    await withSession(line, async (session) => {
      const [point] = pointsOf(line, unit);
      const answer = point && (await session.write?.(point, 555, never()));
      expect(answer?.state).toBe(state);
      if (detail) expect(answer?.detail).toMatch(detail);
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect((await far.ask({ requests: true })).requests).toEqual([[unit, 6, 30]]);
  });

  it('sends nothing for a value that does not fit', async () => {
    const line = lineOf([1], [30]);
    await far.ask({ requests: true });
    await withSession(line, async (session) => {
      const [point] = pointsOf(line, 1);
      if (!point) throw new Error('no point');
      for (const value of [70_000, -1, 1.5, Number.NaN, null, 'hot', 2n ** 70n]) {
        expect(await session.write?.(point, value, never())).toEqual({
          state: 'not-sent',
          detail: expect.stringMatching(/allowed for uint16 is a whole number from 0 to 65535/),
        });
      }
      expect(await session.write?.(point, 1, AbortSignal.abort(new Error('too late')))).toEqual({ state: 'not-sent', detail: 'too late' });
    });
    expect((await far.ask({ requests: true })).requests).toEqual([]);
  });

  it('rests between requests when a device asks for it', async () => {
    const line = lineOf([1], [10, 20, 30], { requestDelay: '60ms', connectDelay: '80ms' });
    await far.ask({ requests: true });
    const opening = performance.now();
    await withSession(line, async (session) => {
      expect(performance.now() - opening).toBeGreaterThan(75);
      expect(say(await readUnit(session, line, 1))).toBe('r10=10, r20=20, r30=30');
    });
    const { times = [] } = await far.ask({ requests: true });
    expect(times).toHaveLength(3);
    for (const [index, time] of times.slice(1).entries()) expect(time - (times[index] ?? 0)).toBeGreaterThan(0.055);
  });

  it('knows devices that come and go while the link stays open', async () => {
    const line = lineOf([1], [10]);
    const more = lineOf([2, 1], [10]);
    await withSession(line, async (session) => {
      const [point] = pointsOf(more, 2);
      if (!point) throw new Error('no point');
      expect(() => session.plan?.([point])).toThrow('device u2 of point r10 is not on this line');
      expect(await session.write?.(point, 1, never())).toEqual({ state: 'not-sent', detail: 'device u2 is not on this line' });
      line.devices.splice(0, line.devices.length, ...more.devices);
      expect(session.plan?.([point]).map(({ text }) => text)).toEqual(['read holding 10 of unit 2']);
      expect(say(await readUnit(session, line, 1))).toBe('r10=10');
    });
  });

  it('says in words why it cannot open', async () => {
    const open = (transport: Record<string, unknown>, signal = AbortSignal.timeout(2_000)) =>
      driver.open(buildLine(driver, { connection: { transport }, devices: [] }), makeHost(), signal);
    await expect(open({ type: 'tcp', host: '127.0.0.1', port: 1 })).rejects.toThrow(
      '127.0.0.1:1 refused the connection: nothing listens on this port',
    );
    await expect(open({ type: 'tcp', host: 'no-such-host.invalid' })).rejects.toThrow(/no-such-host.invalid could not be resolved/);
    await expect(open({ type: 'rtu', path: '/dev/ttyUSB99' })).rejects.toThrow(
      /^\/dev\/ttyUSB99 is not there: the device is not plugged in/,
    );
  });
});
