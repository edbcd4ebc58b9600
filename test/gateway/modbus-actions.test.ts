/** Named commands of a Modbus device, and points that are read once: from settings through the gateway to pymodbus. */
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { drivers } from '../../drivers/index.ts';
import { actBodySchema, type CommandRecord } from '../../src/contract/command.ts';
import { readSettings } from '../../src/datasource/settings.ts';
import { type FarProgram, startPython } from '../far/python.ts';
import { openGateway } from './open.ts';
import { user } from './rig.ts';

const coil = (register: number) => ({ table: 'coil', register });
const holding = (register: number, more: Record<string, unknown> = {}) => ({ table: 'holding', register, ...more });

const commands = [
  {
    id: 'start',
    write: [
      { address: holding(40, { type: 'uint32', order: 'CDAB' }), parameter: 'seconds' },
      { address: holding(42, { bit: 3 }), value: true },
      { address: coil(7), value: true },
    ],
    parameters: { seconds: { type: 'integer', min: 1, max: 100_000, default: 600 } },
  },
  { id: 'stubborn', write: [{ address: holding(300), value: 1 }] },
  {
    id: 'half',
    write: [
      { address: holding(44), value: 5 },
      { address: holding(300), value: 1 },
    ],
  },
  { id: 'later', write: [{ address: holding(301), value: 1 }] },
  {
    id: 'too_large',
    write: [
      { address: holding(45), value: 5 },
      { address: holding(46), value: 70_000 },
    ],
  },
];

const settingsOf = (port: number, more: Record<string, unknown>) => ({
  version: 1,
  connections: [{ id: 'plc', kind: 'modbus', transport: { type: 'tcp', host: '127.0.0.1', port } }],
  devices: [{ id: 'd', connection: 'plc', ...more }],
});
const read = (settings: unknown) => readSettings({ jsonData: Buffer.from(JSON.stringify(settings)), secureJsonData: {} }, drivers);

let far: FarProgram;
const { gateway, close } = openGateway({ key: '1/actions' });

beforeAll(async () => {
  far = await startPython('modbus.py');
  const points = [
    { id: 'often', address: holding(0) },
    { id: 'maker', address: holding(100, { type: 'string', length: 4 }), interval: 'once' },
    // Undefined in this device: it is tried again until there is one.
    { id: 'missing', address: holding(200), interval: 'once' },
  ];
  await far.ask({ unit: 1, ...holding(100), type: 'string', length: 4, order: 'AB', set: 'ACME' });
  const plan = read(settingsOf(far.port, { interval: '50ms', points, commands }));
  expect(plan.faults).toEqual([]);
  await gateway.apply(plan);
  await vi.waitFor(() => expect(gateway.connections()[0]?.state).toBe('up'), 10_000);
});
afterAll(async () => {
  await close();
  await far?.kill();
});

const act = (id: string, parameters: Record<string, unknown> = {}): Promise<CommandRecord> =>
  gateway.act('d', id, actBodySchema.parse({ parameters, wait: '20s', expires: '20s' }), user);
const held = async (address: Record<string, unknown>, more: Record<string, unknown> = {}) =>
  (await far.ask({ unit: 1, type: 'uint16', order: 'AB', ...address, ...more, get: true })).value;

it('writes what it names, in its order: a parameter over registers, a bit beside others, a coil', async () => {
  await far.ask({ unit: 1, ...holding(42), type: 'uint16', order: 'AB', set: 0x8000 });
  expect(await act('start', { seconds: 70_000 })).toMatchObject({ state: 'acknowledged' });
  expect(await held(holding(40), { type: 'uint32', order: 'CDAB' })).toBe(70_000);
  expect(await held(holding(42))).toBe(0x8008);
  expect(await held(coil(7))).toBe(true);
  expect(await act('start')).toMatchObject({ state: 'acknowledged' });
  expect(await held(holding(40), { type: 'uint32', order: 'CDAB' })).toBe(600);
});

it.each([
  ['stubborn', {}, { state: 'failed', detail: expect.stringMatching(/exception 3/) }],
  ['half', {}, { state: 'unknown', detail: expect.stringMatching(/1 of 2 writes were done, the next was not: exception 3/) }],
  ['later', {}, { state: 'acknowledged', detail: expect.stringMatching(/exception 5/) }],
  ['too_large', {}, { detail: expect.stringMatching(/70000/) }],
] as const)('%s %o: the end is told as it is', async (id, parameters, end) => {
  expect(await act(id, parameters)).toMatchObject(end);
});

it.each([
  [{ seconds: 0 }, /parameter seconds is 0; allowed is a whole number from 1 to 100000/],
  [{ hours: 1 }, /there is no parameter "hours"; allowed are seconds/],
])('%o is refused before it is a command, and so is a list with it', async (parameters, why) => {
  await far.ask({ unit: 1, ...holding(40), type: 'uint32', order: 'CDAB', set: 5 });
  await expect(act('start', parameters)).rejects.toMatchObject({ status: 422, type: 'limit', message: expect.stringMatching(why) });
  const wish = (given: Record<string, unknown>) => ({
    wish: { device: 'd', command: 'start', body: actBodySchema.parse({ parameters: given }) },
    sender: { user },
  });
  const outcomes = await gateway.commands.sendAll([wish({ seconds: 9 }), wish(parameters)], 20_000);
  expect(outcomes).toMatchObject([{ type: 'not-sent' }, { status: 422 }]);
  expect(await held(holding(40), { type: 'uint32', order: 'CDAB' })).toBe(5);
});

it('sends nothing if one of its values does not fit', async () => {
  await far.ask({ unit: 1, ...holding(45), type: 'uint16', order: 'AB', set: 1 });
  await act('too_large');
  expect(await held(holding(45))).toBe(1);
});

it('is refused in settings with the place and what is allowed', () => {
  const faultsOf = (command: unknown) =>
    read(settingsOf(1, { points: [{ id: 'p', address: holding(0) }], commands: [command] })).faults.map(
      ({ place, message }) => `${place} ${message}`,
    );
  expect(faultsOf({ id: 'a', write: [{ address: { table: 'input', register: 1 }, value: 1 }] })[0]).toMatch(
    /^devices\[0\]\.commands\[0\]\.write\[0\]\.address is in table input, which can only be read/,
  );
  expect(faultsOf({ id: 'a', write: [{ address: holding(1) }] })[0]).toMatch(/write\[0\]\.value is missing/);
  expect(faultsOf({ id: 'a', write: [{ address: holding(1), parameter: 'x' }] })[0]).toMatch(
    /write\[0\]\.parameter is "x", and there is no such parameter/,
  );
  expect(faultsOf({ id: 'a', write: [] })[0]).toMatch(/write/);
});

it('a point that is read once is asked until it has a value, and again after each opening', async () => {
  const seen = new Map<number, number>();
  /** When the one that is not there was tried. */
  const tries = new Set<bigint | undefined>();
  const count = async () => {
    const { requests = [] } = await far.ask({ requests: true });
    for (const [, register] of requests) seen.set(register, (seen.get(register) ?? 0) + 1);
  };
  const polledOften = (least: number) =>
    vi.waitFor(
      async () => {
        await count();
        expect(seen.get(0)).toBeGreaterThan(least);
        expect(tries.add(gateway.last({ device: 'd', point: 'missing' })?.arrivalNs).size).toBeGreaterThan(3);
      },
      { timeout: 10_000, interval: 50 },
    );
  await polledOften(20);
  expect(seen.get(100)).toBe(1);
  expect(gateway.last({ device: 'd', point: 'maker' })).toMatchObject({ value: 'ACME', reason: '' });
  expect(gateway.last({ device: 'd', point: 'missing' })).toMatchObject({ value: null, reason: 'exception-2' });

  const { port } = far;
  await far.kill();
  await vi.waitFor(() => expect(gateway.connections()[0]?.state).not.toBe('up'), 10_000);
  far = await startPython('modbus.py', port);
  seen.clear();
  tries.clear();
  await far.ask({ unit: 1, ...holding(100), type: 'string', length: 4, order: 'AB', set: 'OTHER' });
  await vi.waitFor(() => expect(gateway.connections()[0]?.state).toBe('up'), 20_000);
  await polledOften(10);
  expect(seen.get(100)).toBe(1);
});
