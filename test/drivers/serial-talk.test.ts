/** Conversations: start-up dialogue, several devices on a line, numbered requests, an instrument's error queue; traffic, probe and scan. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { probeSchema } from '../../drivers/serial/survey/settings.ts';
import { portName } from '../far/port.ts';
import { type FarProgram, startPython } from '../far/python.ts';
import { pointOf } from './line.ts';
import { driver, hostWith, lineTo, listen, never, open, read, survey } from './serial-rig.ts';

const path = portName();
let far: FarProgram;
beforeAll(async () => {
  far = await startPython('serial_instrument.py', path);
});
beforeEach(() => far.ask({ heard: true }));
afterAll(() => far.kill());

const idn = { idn: { request: '*IDN?\n', reply: '^(?<it>MAKER,.*)$' } };
const heard = async () => (await far.ask({ heard: true })).value as string[];
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

it('says its start-up dialogue after each opening, and nobody sees the secret although the device echoes it', async () => {
  const start = [{ send: 'OUTP OFF\n' }, { send: 'LOGIN {password}\n', expect: '^OK' }];
  const line = lineTo({ path, start }, idn);
  for (let i = 0; i < 2; i++) {
    const host = hostWith({ password: 'open sesame' });
    const session = await open(line, host);
    expect((await read(session, line, 'idn'))?.value).toBe('MAKER,DMM 7,0,1.0');
    await session.close();
    expect(await heard()).toEqual(['OUTP OFF', 'LOGIN open sesame', '*IDN?']);
    const seen = host.seen.map(({ direction, bytes }) => `${direction} ${text(bytes).trim()}`);
    expect(seen).toEqual(['out OUTP OFF', 'out LOGIN ***', 'in LOGIN ***', 'in OK', 'out *IDN?', 'in MAKER,DMM 7,0,1.0']);
    expect(host.seen.at(-1)).toMatchObject({ meaning: 'reply', unit: 'it' });
  }
});

it('an opening whose dialogue fails says at which step, without the secret, and gives the port back', async () => {
  const line = lineTo({ path, start: [{ send: 'LOGIN {password}\n', expect: '^OK', timeout: '200ms' }] }, idn);
  await expect(open(line, hostWith({ password: 'wrong' }))).rejects.toThrow(
    /start-up dialogue failed at start\[0\]: what it expects did not come in 200ms; the last it said is "DENIED"$/,
  );
  await expect(open(line, hostWith())).rejects.toThrow(/start\[0\]: the secret "password" of the connection is not set/);
  expect((await read(await open(lineTo({ path }, idn)), lineTo({ path }, idn), 'idn'))?.reason).toBe('');
});

it('a step that is not answered is said again as often as it may be, and the next one comes after its quiet time', async () => {
  // READ answers after the time given here, once.
  await far.ask({ late: 0.3 });
  const start = [
    { send: '#7 READ\n', expect: '^#7 [0-9]+$', timeout: '150ms', retries: 3, wait: '300ms' },
    { send: 'OUTP ON\n', timeout: '100ms' },
  ];
  const host = hostWith();
  const sentAt = new Map<string, number>();
  host.traffic = ({ direction, bytes }) => void (direction === 'out' && sentAt.set(text(bytes).trim(), performance.now()));
  const line = lineTo({ path, start }, idn);
  const session = await open(line, host);
  expect((await read(session, line, 'idn'))?.reason).toBe('');
  await session.close();
  expect((await heard()).slice(0, 2)).toEqual(['#7 READ', '#7 READ']);
  expect((sentAt.get('OUTP ON') ?? 0) - (sentAt.get('#7 READ') ?? 0)).toBeGreaterThanOrEqual(300);
  await expect(
    open(lineTo({ path, start: [{ send: '@09 T?\n', expect: 'T=', timeout: '50ms', retries: 2 }] }, idn), hostWith()),
  ).rejects.toThrow(/start\[0\]: what it expects did not come in 50ms, 3 times; it said nothing$/);
});

it('several devices on one line are asked by their ids, and one that is not there is silent alone', async () => {
  const line = lineTo(
    { path, timeout: '300ms' },
    { t: { request: '@{id} T?\n', reply: '^@{id} T=(?<t>[0-9.]+)$' } },
    { a: '01', b: '02', c: '03' },
  );
  const session = await open(line);
  const plan = session.plan?.(line.devices.flatMap(({ points }) => points)) ?? [];
  expect(plan.map(({ unit }) => unit)).toEqual(['a', 'b', 'c']);
  const readings = await Promise.all([0, 1, 2].map((device) => read(session, line, 't', device)));
  expect(readings.map((one) => one?.value ?? one?.reason)).toEqual([21.5, 22.5, 'timeout']);
  expect(() => lineTo({ path }, { t: { request: '@{id} T?\n', reply: '^@{id} T=(?<t>.*)$' } })).toThrow(
    /has the place \{id\}, and devices\[0\].address.id is missing/,
  );
});

it('a numbered reply that is late is not taken for that to the next request, which need not wait', async () => {
  const line = lineTo(
    { path, timeout: '300ms', turnaround: '10s' },
    { n: { request: '#{sequence} READ\n', reply: '^#{sequence} (?<n>\\d+)$' } },
  );
  const session = await open(line);
  const first = Number((await read(session, line, 'n'))?.value);
  await far.ask({ late: 0.45 });
  expect((await read(session, line, 'n'))?.reason).toBe('timeout');
  expect((await read(session, line, 'n'))?.value).toBe(first + 2);
  expect((await read(session, line, 'n'))?.value).toBe(first + 3);
});

it('commands of an instrument end as its error queue says, and old errors are not theirs', async () => {
  const points = {
    volt: { request: 'VOLT?\n', reply: '^(?<v>[0-9.]+)$', set: { send: 'VOLT {value}\n' } },
    bad: { set: { send: 'VLOT {value}\n' } },
  };
  const line = lineTo({ path, errorQueue: {} }, points);
  const session = await open(line);
  await far.ask({ error: '-350,"Queue overflow"' });
  expect(await session.write?.(pointOf(line, 'volt'), 12, never())).toEqual({ state: 'acknowledged' });
  expect((await read(session, line, 'volt'))?.value).toBe(12);
  expect(await session.write?.(pointOf(line, 'volt'), 99, never())).toMatchObject({
    state: 'refused',
    detail: expect.stringContaining('Data out of range'),
  });
  expect(await session.write?.(pointOf(line, 'bad'), 1, never())).toMatchObject({
    state: 'refused',
    detail: expect.stringContaining('-113'),
  });
  expect((await read(session, line, 'volt'))?.value).toBe(12);
});

it('a session that is closed does not go on asking for errors on a line others still use', async () => {
  const shared = new Map<string, unknown>();
  const volt = { volt: { set: { send: 'VOLT {value}\n' } } };
  // Nobody answers this one.
  const line = lineTo({ path, timeout: '5s', errorQueue: { request: 'OUTP OFF\n' } }, volt);
  const [session, other] = [await open(line, hostWith({}, { shared })), await open(lineTo({ path }, idn), hostWith({}, { shared }))];
  const command = session.write?.(pointOf(line, 'volt'), 12, never());
  await expect.poll(heard).toEqual(['OUTP OFF']);
  await session.close();
  expect(await command).toEqual({ state: 'not-sent', detail: 'reading the error queue was given up' });
  expect((await read(other, lineTo({ path }, idn), 'idn'))?.reason).toBe('');
});

const gga = '$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47\r\n';

it.each([
  ['NMEA', 4_800, gga, { type: 'delimiter', delimiter: '\n', checksum: { type: 'nmea' } }, 'altitude', '545.4'],
  ['pairs', 19_200, 'T=21.5;H=40\r\n', { type: 'delimiter', delimiter: '\n' }, 'T', '21.5'],
  ['pairs with decimal commas', 19_200, 'T=21,5;H=40,1\r\n', { type: 'delimiter', delimiter: '\n' }, 'T', '21.5'],
  ['fields with decimal commas', 19_200, 'ST;21,5;kg\r\n', { type: 'delimiter', delimiter: '\n' }, 'field_1', '21.5'],
  ['JSON', 9_600, '{"temp":21.5,"in":{"rh":40}}\n', { type: 'json-lines' }, 'in_rh', '40'],
])(
  'a probe finds the speed and the form of %s, and what it proposes works as it is',
  async (_what, baudRate, said, framing, point, value) => {
    await far.ask({ talk: said, baudRate, every: 0.02 });
    const line = lineTo({ path, baudRate: 57_600 }, idn);
    const session = await open(line, hostWith({}, { trial: true }));
    const told = survey();
    await session.probe?.(probeSchema.parse({ listen: '300ms', baudRates: [115_200, 4_800, 9_600, 19_200] }), told, never());
    await session.close();
    const best = told.findings.toSorted((one, other) => (other.score ?? 0) - (one.score ?? 0))[0];
    expect(best?.proposes?.connection).toEqual({ baudRate, framing });
    expect(best?.score).toBeGreaterThan(0.8);
    expect(told.findings.every(({ score = 0, values }) => values.baudRate === baudRate || score < 0.3)).toBe(true);
    expect(await heard(), 'nothing was sent').toEqual([]);
    const points = (best?.proposes?.points ?? []) as { id: string; address: Record<string, unknown> }[];
    const proposed = lineTo({ path, ...best?.proposes?.connection }, Object.fromEntries(points.map(({ id, address }) => [id, address])));
    const ear = listen(await open(proposed), proposed);
    await expect.poll(() => ear.find((one) => new RegExp(`(^|_)${point}=${value}$`).test(one)), { timeout: 5_000 }).toBeDefined();
    await far.ask({ talk: '' });
  },
);

it('a probe on the running session only listens, and the session goes on', async () => {
  await far.ask({ talk: 'T=21.5;H=40\r\n', baudRate: 115_200, every: 0.02 });
  const line = lineTo({ path }, idn);
  const session = await open(line);
  const told = survey();
  const probing = session.probe?.(probeSchema.parse({ listen: '400ms' }), told, never());
  expect((await read(session, line, 'idn'))?.reason).toBe('');
  await probing;
  expect(told.findings).toHaveLength(1);
  expect(told.findings[0]).toMatchObject({ kind: 'line', proposes: { connection: { baudRate: 115_200 } } });
  expect((await far.ask({ settings: true })).value).toMatchObject({ baudRate: 115_200 });
  const stopping = new AbortController();
  const aborted = session.probe?.(probeSchema.parse({ listen: '30s' }), survey(), stopping.signal);
  stopping.abort(new Error('enough'));
  await expect(aborted).rejects.toThrow('enough');
  await far.ask({ talk: '' });
});

it('a silent line is said to be silent; a port that is not there ends the probe in words', async () => {
  const told = survey();
  const session = await open(lineTo({ path }, idn), hostWith({}, { trial: true }));
  await session.probe?.(probeSchema.parse({ listen: '100ms', baudRates: [9_600] }), told, never());
  expect(told.findings).toMatchObject([{ text: expect.stringContaining('nothing was heard'), score: 0 }]);
  const absent = await open(lineTo({ path: '/dev/ttyUSB99' }, idn), hostWith({}, { trial: true }));
  await expect(absent.probe?.(probeSchema.parse({ listen: '100ms' }), told, never())).rejects.toThrow(
    /is not there: the device is not plugged in/,
  );
});

it('a scan lists ports without opening one', async () => {
  const told = survey();
  const session = await open(lineTo({ path: '/dev/ttyUSB99' }, idn), hostWith({}, { trial: true }));
  await session.scan?.(driver.survey?.scan?.parse(undefined), told, never());
  for (const { kind, values } of told.findings) expect([kind, typeof values.path]).toEqual(['port', 'string']);
  expect(told.steps.at(-1)).toMatch(/done|no serial port/);
});
