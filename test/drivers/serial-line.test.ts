/** Everything on one port: lines that are heard, replies that are asked for, commands; and what goes wrong with them. */
import { spawn } from 'node:child_process';
import { chmodSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { serialActionSchema } from '../../drivers/serial/action.ts';
import { serial } from '../../drivers/serial/driver.ts';
import { DelimiterFramer } from '../../drivers/serial/framing/delimiter.ts';
import { actionSchema, type Device, type Point } from '../../src/contract/device.ts';
import type { Answer, Driver, Line, Reading, Session } from '../../src/contract/driver.ts';
import { LinkLost } from '../../src/contract/fault.ts';
import { limits } from '../../src/contract/limits.ts';
import { portName } from '../far/port.ts';
import { type FarProgram, startPython } from '../far/python.ts';
import { fastClock } from '../gateway/clocks.ts';
import { buildLine, makeHost, pointOf } from './line.ts';

const driver = serial as Driver;
const soak = process.env.FIELDGATE_SOAK !== undefined;
const never = () => new AbortController().signal;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const path = portName();
let far: FarProgram;
beforeAll(async () => {
  far = await startPython('serial_device.py', path);
});
beforeEach(() => far.ask({ reset: true }));
afterAll(() => far.kill());

type Address = Record<string, unknown>;
const climate = '^T=(?<air>[-0-9.]+);S=(?<soil>\\d+)$';
const valve: Address = {
  request: 'VALVE?\n',
  reply: '^VALVE=(?<value>[01])$',
  set: { send: 'VALVE={value}\n', ack: '^OK$', nak: '^ERR' },
};

function lineTo(points: Record<string, Address>, connection: Record<string, unknown> = {}): Line {
  return buildLine(driver, {
    connection: { path, baudRate: 115_200, timeout: '3s', turnaround: '100ms', ...connection },
    devices: [
      {
        id: 'uno',
        points: Object.entries(points).map(([id, address]) => ({
          id,
          address,
          access: !address.set ? 'read' : address.line || address.request ? 'read-write' : 'write',
        })),
      },
    ],
  });
}

async function open(line: Line, host = makeHost()): Promise<Session> {
  const session = await driver.open(line, host, AbortSignal.timeout(5_000));
  onTestFinished(() => session.close());
  return session;
}

async function read(session: Session, line: Line, ...ids: string[]): Promise<Reading[]> {
  const requests = session.plan?.(ids.map((id) => pointOf(line, id))) ?? [];
  const readings: Reading[] = [];
  for (const request of requests) readings.push(...((await session.read?.(request, never())) ?? []));
  return readings;
}

interface Ear {
  readings: Reading[];
  troubles: Map<string, string | undefined>;
  ended: Promise<unknown>;
}

function listen(session: Session, line: Line): Ear {
  const stopping = new AbortController();
  onTestFinished(() => stopping.abort());
  const ear: Ear = { readings: [], troubles: new Map(), ended: Promise.resolve() };
  const points: Point[] = line.devices.flatMap((device) => device.points);
  ear.ended = (
    session.listen?.(
      points,
      {
        sample: (reading) => {
          ear.readings.push(reading);
          return Promise.resolve();
        },
        samples: (readings) => void ear.readings.push(...readings),
        trouble: (point, message) => void ear.troubles.set(point.id, message),
        device: () => undefined,
        announce: () => undefined,
        withdraw: () => {},
        misunderstood: () => {},
        availability: () => {},
      },
      stopping.signal,
    ) ?? Promise.resolve()
  ).then(
    () => undefined,
    (error: unknown) => error,
  );
  return ear;
}

const heard = async () => (await far.ask({ heard: true })).value as string[];
const valuesOf = (ear: Ear, id: string) => ear.readings.filter(({ point }) => point.id === id).map(({ value }) => value);

describe('lines and replies on one port', () => {
  it('keeps what the device says by itself apart from what it answers', async () => {
    const line = lineTo({ air: { line: climate, field: 'air' }, soil: { line: climate, field: 'soil' }, valve });
    const session = await open(line);
    const ear = listen(session, line);
    await far.ask({ every: 0.003, say: 'T=21.5;S=40\n' });
    const rounds = soak ? 2_000 : 60;
    for (let i = 0; i < rounds; i++) {
      const wanted = i % 2;
      expect(await session.write?.(pointOf(line, 'valve'), wanted, never())).toEqual({ state: 'acknowledged' });
      const [reading] = await read(session, line, 'valve');
      expect(reading).toMatchObject({ value: wanted, reason: '' });
    }
    expect(ear.readings.length).toBeGreaterThan(20);
    expect(new Set(valuesOf(ear, 'air'))).toEqual(new Set([21.5]));
    expect(new Set(valuesOf(ear, 'soil'))).toEqual(new Set([40]));
    expect(valuesOf(ear, 'valve')).toEqual([]);
  }, 600_000);

  it('gives a line that fits the pending reply to the request, and the same line to the listeners when nothing is asked', async () => {
    const line = lineTo({ valve, news: { line: '^VALVE=(?<value>[01])$' } });
    const session = await open(line);
    const ear = listen(session, line);
    expect((await read(session, line, 'valve'))[0]?.value).toBe(0);
    expect(ear.readings).toEqual([]);
    await far.ask({ say: 'VALVE=1\n' });
    await expect.poll(() => valuesOf(ear, 'news')).toEqual([1]);
  });

  it('a line that is no reply is not taken for one, and is not lost for those who listen', async () => {
    const points = { wrong: { request: 'WRONG?\n', reply: '^WRONG=(?<value>.*)$' }, any: { line: '^(?<value>this.*)$', type: 'text' } };
    const line = lineTo(points, { timeout: '500ms' });
    const session = await open(line);
    const ear = listen(session, line);
    expect(await read(session, line, 'wrong')).toMatchObject([{ value: null, reason: 'timeout', detail: 'no reply in 500ms' }]);
    expect(valuesOf(ear, 'any')).toEqual(['this is no reply']);
  });

  it.each([
    ['1.1 times the timeout late', 0.55],
    ['as late as they like, up to nearly twice the timeout', [0, 0.8]],
  ])(
    'replies of the same form %s never land on the wrong point',
    async (_what, late) => {
      await far.ask({ late });
      const number = (n: number): Address => ({ request: `NUMBER?${n}\n`, reply: '^NUMBER=(?<value>\\d+)$' });
      const line = lineTo({ n1: number(1), n2: number(2), n3: number(3) }, { timeout: '500ms', turnaround: '500ms' });
      const session = await open(line);
      const readings: Reading[] = [];
      for (let i = 0; i < (soak ? 100 : 3); i++) readings.push(...(await read(session, line, 'n1', 'n2', 'n3')));
      for (const { point, value, reason } of readings) {
        if (reason === '') expect(`n${value}`).toBe(point.id);
        else expect(reason).toBe('timeout');
      }
      if (late === 0.55) expect(readings.every(({ reason }) => reason === 'timeout')).toBe(true);
    },
    600_000,
  );

  it('a reply to whoever had the port before is not the reply to the first question', async () => {
    await far.ask({ late: 0.6 });
    const number = (n: number): Address => ({ request: `NUMBER?${n}\n`, reply: '^NUMBER=(?<value>\\d+)$' });
    const line = lineTo({ n1: number(1), n2: number(2) }, { timeout: '1s', turnaround: '1s' });
    const before = await open(line);
    const asked = read(before, line, 'n1');
    asked.catch(() => {});
    await expect.poll(heard, { timeout: 5_000 }).toEqual(['NUMBER?1']);
    await before.close();
    await asked.catch(() => {});
    expect(await read(await open(line), line, 'n2')).toMatchObject([{ value: 2, reason: '' }]);
  });

  it('asks one question at a time, whoever asks, and rests in between', async () => {
    const number = (n: number): Address => ({ request: `NUMBER?${n}\n`, reply: '^NUMBER=(?<value>\\d+)$' });
    const line = lineTo({ n1: number(1), n2: number(2), n3: number(3) }, { requestDelay: '50ms' });
    const session = await open(line);
    const started = performance.now();
    const all = await Promise.all(['n1', 'n2', 'n3', 'n1', 'n2'].map((id) => read(session, line, id)));
    expect(all.flat().map(({ value }) => value)).toEqual([1, 2, 3, 1, 2]);
    expect(performance.now() - started).toBeGreaterThan(4 * 50);
  });

  it('points that ask the same share the request', async () => {
    const address = { request: 'NUMBER?17\n', reply: '^NUMBER=(?<tens>\\d)(?<ones>\\d)$' };
    const line = lineTo({ tens: { ...address, field: 'tens' }, ones: { ...address, field: 'ones' } });
    const session = await open(line);
    const plan = session.plan?.(line.devices[0]?.points ?? []) ?? [];
    expect(plan.map(({ unit, text, points }) => [unit, text, points.length])).toEqual([['uno', 'ask uno "NUMBER?17"', 2]]);
    expect((await read(session, line, 'tens', 'ones')).map(({ value }) => value)).toEqual([1, 7]);
    expect(await heard()).toEqual(['NUMBER?17']);
  });

  it('waits after opening for a board that starts anew', async () => {
    const line = lineTo({ valve }, { connectDelay: '500ms' });
    const started = performance.now();
    const session = await open(line);
    expect(performance.now() - started).toBeLessThan(300);
    await read(session, line, 'valve');
    expect(performance.now() - started).toBeGreaterThan(490);
  });
});

describe('values', () => {
  it.each([
    ['21.5', 'auto', 21.5, ''],
    [' -3 ', 'auto', -3, ''],
    ['+1e3', 'auto', 1_000, ''],
    ['007', 'auto', 7, ''],
    ['open', 'auto', 'open', ''],
    ['', 'auto', '', ''],
    ['0x10', 'auto', '0x10', ''],
    ['1,5', 'number', null, 'decode'],
    ['nan', 'number', Number.NaN, ''],
    ['-inf', 'auto', Number.NaN, ''],
    ['12', 'text', '12', ''],
    ['9223372036854775807', 'integer', 9223372036854775807n, ''],
    ['-42', 'integer', -42, ''],
    ['9223372036854775808', 'integer', null, 'decode'],
    ['1.0', 'integer', null, 'decode'],
  ])('%j as %s is %s', async (text, type, value, reason) => {
    const line = lineTo({ it: { line: '^V\\[(?<value>.*)\\]$', type } });
    const session = await open(line);
    const ear = listen(session, line);
    await pause(limits.serialSettleMs);
    await far.ask({ say: `V[${text}]\r\n` });
    await expect.poll(() => ear.readings.length).toBe(1);
    expect(ear.readings[0]).toMatchObject({ value, reason });
    if (reason !== '') expect(ear.readings[0]?.detail).toMatch(/no (whole )?number|beyond 64 bits/);
  });

  it('a group that took no part is a bad value of its point, and no other', async () => {
    const line = lineTo({
      a: { line: '^A=(?<a>\\d+)(;B=(?<b>\\d+))?$', field: 'a' },
      b: { line: '^A=(?<a>\\d+)(;B=(?<b>\\d+))?$', field: 'b' },
    });
    const session = await open(line);
    const ear = listen(session, line);
    await pause(limits.serialSettleMs);
    await far.ask({ say: 'A=1\n' });
    await expect
      .poll(() => ear.readings.map(({ point, value, reason }) => [point.id, value, reason]))
      .toEqual([
        ['a', 1, ''],
        ['b', null, 'decode'],
      ]);
  });

  it('tells of an expression that nothing fits, until something does', async () => {
    const line = lineTo({ air: { line: climate, field: 'air' } });
    const session = await open(line);
    const ear = listen(session, line);
    await far.ask({ say: 'TEMP 20.5\n'.repeat(40) });
    await expect
      .poll(() => ear.troubles.get('air'))
      .toMatch(/^none of the 20 lines heard so far fits its expression; the last was "TEMP 20.5"$/);
    await far.ask({ say: 'T=1;S=2\n' });
    await expect.poll(() => valuesOf(ear, 'air')).toEqual([1]);
    expect(ear.troubles.get('air')).toBeUndefined();
  });
});

describe('commands', () => {
  const orders: Record<string, Address> = {
    valve,
    mute: { set: { send: 'MUTE={value}\n', ack: '^OK$' } },
    stubborn: { set: { send: 'STUBBORN={value}\n', ack: '^OK$', nak: '^ERR' } },
    unheard: { set: { send: 'STUBBORN={value}\n', ack: '^OK$' } },
    pulse: { set: { send: 'PULSE{value}\n' } },
    mode: { set: { send: 'MODE={value}\n', ack: '^OK$' } },
  };

  it.each([
    ['valve', 1, { state: 'acknowledged' }],
    ['stubborn', 1, { state: 'refused', detail: 'the device said "ERR STUBBORN=1"' }],
    ['unheard', 1, { state: 'unknown', detail: 'sent "STUBBORN=1\\n", and no line said yes or no in 500ms' }],
    ['mute', 1, { state: 'unknown', detail: 'sent "MUTE=1\\n", and no line said yes or no in 500ms' }],
    ['pulse', '', { state: 'acknowledged', detail: 'sent; the device confirms nothing' }],
    ['mode', 'away', { state: 'acknowledged' }],
    ['mode', 'a\nRESET', { state: 'not-sent', detail: 'value has a line end or another control character in it, which cannot be sent' }],
    ['mode', null, { state: 'not-sent', detail: 'there is no value to send' }],
    ['mode', Number.NaN, { state: 'not-sent', detail: 'value is NaN, which cannot be sent' }],
  ])('setting %s to %j: %j', async (id, value, answer) => {
    const line = lineTo(orders, { timeout: answer.state === 'unknown' ? '500ms' : '3s' });
    const session = await open(line);
    expect(await session.write?.(pointOf(line, id), value, never())).toEqual(answer);
    // What needs no answer may still be on its way.
    if (answer.state === 'not-sent') expect(await heard()).toEqual([]);
    else await expect.poll(heard).toHaveLength(1);
  });

  it('nothing that is sent can be divided into two commands, in any encoding', async () => {
    const line = lineTo({ mode: { set: { send: 'MODE={value}\n' } } }, { encoding: 'latin1' });
    const session = await open(line);
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 12 }), async (text) => {
        const answer = await session.write?.(pointOf(line, 'mode'), text, never());
        const sent = answer?.state === 'acknowledged';
        if (sent) await expect.poll(heard, { interval: 1 }).toHaveLength(1);
        else expect(await heard()).toEqual([]);
      }),
      { numRuns: soak ? 3_000 : 60, examples: [['Ċ'], ['\n'], ['\r'], ['a\u0000b'], ['ok']] },
    );
  }, 600_000);

  it('a late yes is not the yes to the next command', async () => {
    await far.ask({ late: 0.7 });
    const slow = { set: { send: 'NUMBER?{value}\n', ack: '^NUMBER=' } };
    const line = lineTo({ slow, quick: { set: { send: 'MUTE={value}\n', ack: '^NUMBER=' } } }, { timeout: '500ms', turnaround: '500ms' });
    const session = await open(line);
    expect(await session.write?.(pointOf(line, 'slow'), 1, never())).toMatchObject({ state: 'unknown' });
    expect(await session.write?.(pointOf(line, 'quick'), 1, never())).toMatchObject({ state: 'unknown' });
  });

  function action(raw: Record<string, unknown>) {
    const { id, title, confirm, role, ...own } = actionSchema.parse(raw);
    return { ...(serialActionSchema.parse(own) as object), id, confirm, ...(title && { title }), ...(role && { role }) };
  }
  const device = (line: Line) => line.devices[0] as Device;

  it('named actions are sent with their parameters, and end as the device says', async () => {
    const line = lineTo({ valve });
    const session = await open(line);
    const act = (raw: Record<string, unknown>, parameters: Record<string, unknown> = {}) =>
      session.act?.(device(line), action({ id: 'it', ...raw }), parameters, never());
    const speed = { send: 'SPEED={speed}\n', ack: '^OK$', parameters: { speed: { type: 'integer', min: 0, max: 100 } } };
    expect(await act({ send: 'RESET\n', ack: '^BOOT' })).toEqual({ state: 'acknowledged' });
    expect(await act(speed, { speed: 42 })).toEqual({ state: 'acknowledged' });
    expect((await far.ask({ held: 'speed' })).value).toBe('42');
    expect(await act({ send: 'JUMP\n', ack: '^OK$', nak: '^ERR' })).toMatchObject({ state: 'refused' });
    await heard();
    for (const [parameters, detail] of [
      [{}, 'parameter speed is missing; allowed is a whole number from 0 to 100'],
      [{ speed: 101 }, 'parameter speed is 101; allowed is a whole number from 0 to 100'],
      [{ speed: 1.5 }, 'parameter speed is 1.5; allowed is a whole number from 0 to 100'],
      [{ speed: '7' }, 'parameter speed is "7"; allowed is a whole number from 0 to 100'],
      [{ speed: 1, haste: 2 }, 'there is no parameter "haste"; allowed are speed'],
    ] as const)
      expect(await act(speed, parameters)).toEqual({ state: 'not-sent', detail });
    const mode = { send: 'MODE={mode}\n', ack: '^OK$', parameters: { mode: { type: 'text', options: ['a', 'b'], default: 'b' } } };
    expect(await act(mode, { mode: 'c' })).toEqual({ state: 'not-sent', detail: 'parameter mode is "c"; allowed is "a", "b"' });
    expect(await heard()).toEqual([]);
    expect(await act(mode)).toEqual({ state: 'acknowledged' });
    expect(await heard()).toEqual(['MODE=b']);
  });
});

describe('the stream', () => {
  it('finds its place again after garbage, half a line and a line that is too long', async () => {
    const line = lineTo({ air: { line: climate, field: 'air' } }, { framing: { type: 'delimiter', delimiter: '\n', maxLength: 100 } });
    const session = await open(line);
    const ear = listen(session, line);
    await pause(limits.serialSettleMs);
    await far.ask({ hex: '00fffe80'.repeat(10) });
    await far.ask({ say: 'T=1;S=1\n' }); // Ends the line the garbage began.
    await far.ask({ say: 'T=2;S=2\n' });
    await far.ask({ say: 'T=3;' });
    await far.ask({ say: 'S=3\nT=4;S=4\n' });
    await far.ask({ say: `T=${'5'.repeat(300)};S=5\nT=6;S=6\n` });
    await far.ask({ drip: 'T=7;S=7\r\n' });
    await expect.poll(() => valuesOf(ear, 'air')).toEqual([2, 3, 4, 6, 7]);
  });

  it('does not take the rest of a line for a line when it is opened in the middle of one', async () => {
    const line = lineTo({ number: { line: '^(?<value>\\d+)$' } });
    await far.ask({ every: 0.001, say: '12345' });
    await far.ask({ every: 0.001, say: '6789\n' });
    for (let i = 0; i < 5; i++) {
      const session = await open(line);
      const ear = listen(session, line);
      await expect.poll(() => ear.readings.length).toBeGreaterThan(2);
      expect(new Set(valuesOf(ear, 'number'))).toEqual(new Set([6789]));
      await session.close();
    }
  });

  it('answers questions in a flood, and hears all of it', async () => {
    const line = lineTo({ number: { line: '^N=(?<value>\\d+)$' }, valve });
    const session = await open(line);
    const ear = listen(session, line);
    await pause(limits.serialSettleMs);
    const numbers = Array.from({ length: 20_000 }, (_, i) => i);
    const asked = [];
    for (let from = 0; from < numbers.length; from += 400) {
      // A pty holds little that nobody has read yet; what is more falls beside it, as on a real line.
      await expect.poll(() => from - ear.readings.length).toBeLessThan(401);
      const said = far.ask({
        say: numbers
          .slice(from, from + 400)
          .map((n) => `N=${n}\n`)
          .join(''),
      });
      if (from % 4_000 === 0) asked.push(await read(session, line, 'valve'));
      await said;
    }
    await expect.poll(() => ear.readings.length).toBe(numbers.length);
    expect(valuesOf(ear, 'number')).toEqual(numbers);
    expect(asked.flat().map(({ value }) => value)).toEqual(asked.map(() => 0));
  }, 60_000);

  it('a line as long as is allowed is one, although its delimiter comes in two pieces', () => {
    const dropped: string[] = [];
    const framer = new DelimiterFramer({ delimiter: Buffer.from('\r\n'), maxLength: 4 }, (why) => void dropped.push(why));
    const frames = ['12', '34\r', '\nabcde', '\r', '\nok\r\n'].flatMap((text) => [...framer.push(Buffer.from(text))]);
    expect(frames.map(String)).toEqual(['1234', 'ok']);
    expect(dropped).toEqual(['too-long']);
  });

  it('whatever comes, in whatever pieces, gives the lines a plain look at the bytes gives', () => {
    const run = { numRuns: soak ? 50_000 : 1_000 };
    const piece = fc.oneof(
      fc.constantFrom('\n', '\r\n', 'T=1;S=2', ';', '\u00e9', ''),
      fc.string({ unit: 'binary', maxLength: 30 }),
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
    );
    fc.assert(
      fc.property(
        fc.constantFrom('\n', ';', '\r\n', '::='),
        fc.array(piece, { maxLength: 40 }),
        fc.integer({ min: 1, max: 60 }),
        (delimiter, pieces, maxLength) => {
          const got: string[] = [];
          let dropped = 0;
          const framer = new DelimiterFramer({ delimiter: Buffer.from(delimiter), maxLength }, () => {
            dropped += 1;
          });
          const bytes = pieces.map((text) => Buffer.from(text, 'latin1'));
          for (const part of bytes) for (const frame of framer.push(part)) got.push(frame.toString('latin1'));
          const all = Buffer.concat(bytes).toString('latin1').split(delimiter).slice(0, -1);
          const short = all.filter((line) => line.length <= maxLength);
          expect(got).toEqual(delimiter === '\n' ? short.map((line) => line.replace(/\r$/, '')) : short);
          expect(dropped).toBe(all.length - short.length);
        },
      ),
      run,
    );
  });

  it('random bytes for a while: the session lives, and what comes after is heard', async () => {
    const line = lineTo({ air: { line: climate, field: 'air' }, valve }, { timeout: '2s' });
    const session = await open(line);
    const ear = listen(session, line);
    await pause(limits.serialSettleMs);
    let state = 42;
    const chance = () => {
      state = (state * 16_807) % 2_147_483_647;
      return state & 0xff;
    };
    for (let i = 0; i < (soak ? 3_000 : 100); i++) {
      const bytes = Buffer.from(Array.from({ length: 200 }, chance));
      await far.ask({ hex: bytes.toString('hex') });
    }
    // Said until there is room for it: what the line cannot hold is lost, here as on a real one.
    const said = async () => {
      await far.ask({ say: '\nT=5;S=5\n' });
      return valuesOf(ear, 'air').at(-1);
    };
    await expect.poll(said).toBe(5);
    expect(new Set(valuesOf(ear, 'air'))).toEqual(new Set([5]));
    expect(await read(session, line, 'valve')).toMatchObject([{ value: 0 }]);
  }, 600_000);
});

describe('the port', () => {
  it('is set as the settings say', async () => {
    await open(lineTo({ valve }, { baudRate: 9_600, parity: 'odd', stopBits: 2, flowControl: 'software' }));
    expect((await far.ask({ settings: true })).value).toEqual({ baudRate: 9_600, odd: true, stopBits: 2, hardware: false, software: true });
  });

  it('unplugged, ends listening, asking and commands with the reason, and is found again under the same name', async () => {
    const line = lineTo(
      { air: { line: climate, field: 'air' }, valve, ping: { request: 'PING\n', reply: '^PONG(?<value>.*)$' } },
      { timeout: '5s' },
    );
    const host = makeHost();
    const session = await open(line, host);
    const ear = listen(session, line);
    const asked = read(session, line, 'ping');
    asked.catch(() => {});
    await expect.poll(heard).toEqual(['PING']);
    const command = session.write?.(pointOf(line, 'valve'), 1, never());
    await far.ask({ unplug: true });
    const gone = `${path} is gone: it was unplugged, or the other end closed it`;
    await expect(asked).rejects.toThrow(gone);
    await expect(asked).rejects.toBeInstanceOf(LinkLost);
    expect(await ear.ended).toMatchObject({ name: 'LinkLost', message: gone });
    expect(await command).toEqual({ state: 'not-sent', detail: gone });
    expect(host.losses.map(({ message }) => message)).toEqual([gone]);
    expect(await session.write?.(pointOf(line, 'valve'), 1, never())).toEqual({ state: 'not-sent', detail: gone });
    await session.close();
    await expect(open(line)).rejects.toThrow(`${path} is not there: the device is not plugged in`);
    await far.ask({ plug: true });
    expect(await read(await open(line), line, 'valve')).toMatchObject([{ value: 0 }]);
  });

  it('that takes no bytes any more is given up, closed and opened again', async () => {
    const line = lineTo({ mode: { set: { send: 'MODE={value}\n' } }, valve });
    // Time runs faster for the driver, so that its 5 s are half of one.
    const host = { ...makeHost(), clock: fastClock(10) };
    const session = await open(line, host);
    await far.ask({ deaf: true });
    const filling = (async () => {
      let last: Answer | undefined;
      for (let i = 0; i < 500 && host.losses.length === 0; i++)
        last = await session.write?.(pointOf(line, 'mode'), 'x'.repeat(900), never());
      return last;
    })();
    await expect
      .poll(() => host.losses.map(({ message }) => message), { timeout: 10_000 })
      .toEqual([`${path} took no bytes for 5 s: is flow control right, and the other end awake?`]);
    expect((await filling)?.state).toMatch(/^(unknown|not-sent)$/);
    await session.close();
    await far.ask({ reset: true });
    expect(await read(await open(line), line, 'valve')).toMatchObject([{ value: 0 }]);
  }, 30_000);

  it('is shared by connections that agree; a reply goes to whoever asked', async () => {
    const shared = new Map<string, unknown>();
    const first = lineTo({ valve, air: { line: climate, field: 'air' } });
    const second = lineTo({ mode: { request: 'MODE?\n', reply: '^MODE=(?<value>.+)$' }, soil: { line: climate, field: 'soil' } });
    const [one, two] = await Promise.all([open(first, makeHost({}, shared)), open(second, makeHost({}, shared))]);
    const [oneEar, twoEar] = [listen(one, first), listen(two, second)];
    for (let i = 0; i < 5; i++) {
      const [a, b] = await Promise.all([read(one, first, 'valve'), read(two, second, 'mode')]);
      expect([a[0]?.value, b[0]?.value]).toEqual([0, 'auto']);
    }
    await far.ask({ say: 'T=1;S=2\n' });
    await expect.poll(() => [valuesOf(oneEar, 'air'), valuesOf(twoEar, 'soil')]).toEqual([[1], [2]]);
    await one.close();
    expect(await one.write?.(pointOf(first, 'valve'), 1, never())).toMatchObject({ state: 'not-sent' });
    expect((await read(two, second, 'mode'))[0]?.value).toBe('auto');
    await two.close();
    expect(shared.size).toBe(0);
    expect(serial.terms?.(serial.connection.parse({ path, baudRate: 9_600 }))).toBe(
      '9600 baud 8N1, utf-8 lines of at most 4096 bytes that end with "\\n"',
    );
  });

  it.each([
    [
      '/dev/ttyUSB99',
      /^\/dev\/ttyUSB99 is not there: the device is not plugged in, or this service may not see it \(.*PrivateDevices=false/,
    ],
    ['/dev/null', /^\/dev\/null is no serial port$/],
    ['/tmp', /^\/tmp is no serial port$/],
  ])('says what is wrong with %s', async (wrong, words) => {
    await expect(open(lineTo({ valve }, { path: wrong }))).rejects.toThrow(words);
  });

  it('says who holds it: another program, or we ourselves under another name', async () => {
    await far.ask({ occupy: true });
    await expect(open(lineTo({ valve }))).rejects.toThrow(`${path} is busy: it is in use by python3 (process ${far.pid})`);
    await far.ask({ vacate: true });
    const line = lineTo({ valve });
    await open(line);
    await expect(open(lineTo({ valve }, { path: realpathSync(path) }))).rejects.toThrow(
      /is busy: it is in use by this gateway itself under another name; write the same path in all its connections$/,
    );
  });

  it('says what to do when permission is denied', async () => {
    chmodSync(path, 0o600);
    const script = `
      import { serial } from ${JSON.stringify(join(resolve(import.meta.dirname, '../..'), 'drivers/serial/driver.ts'))};
      const options = serial.connection.parse({ path: ${JSON.stringify(path)}, baudRate: 9600 });
      const host = { log: console, clock: { monotonicMs: () => 0 }, shared: new Map(), secret() {}, lost() {} };
      serial.open({ connection: { options }, devices: [] }, host, new AbortController().signal).catch((error) => console.log(error.message));`;
    // Whoever runs the tests may open everything as root, and owns the pty otherwise.
    const other = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    if (process.getuid?.() !== 0) chmodSync(path, 0o000);
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { ...other, cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += String(text)));
    await new Promise((done) => child.once('close', done));
    expect(said).toMatch(
      /: permission denied for user \S+; add it to the group \S+ that owns the port \(usermod -aG \S+ \S+\).*SupplementaryGroups=dialout/,
    );
  });
});
