/** Types and parts of registers: told as bytes by Python, and what they mean worked out by hand from the standards, not by our code. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { modbus } from '../../drivers/modbus/driver.ts';
import type { Driver, Session } from '../../src/contract/driver.ts';
import type { Value } from '../../src/contract/sample.ts';
import { type FarProgram, startPython } from '../far/python.ts';
import { buildLine, makeHost, type RawLine } from './line.ts';

const driver = modbus as Driver;
const never = () => new AbortController().signal;
let far: FarProgram;
beforeAll(async () => {
  far = await startPython('modbus.py');
});
afterAll(() => far.kill());

async function withPoint<T>(
  address: Record<string, unknown>,
  more: Record<string, unknown>,
  run: (session: Session, line: ReturnType<typeof buildLine>) => Promise<T>,
): Promise<T> {
  const raw: RawLine = {
    connection: { transport: { type: 'tcp', host: '127.0.0.1', port: far.port }, timeout: '5s' },
    devices: [{ id: 'a', points: [{ id: 'p', access: 'read-write', address: { table: 'holding', register: 20, ...address }, ...more }] }],
  };
  const line = buildLine(driver, raw);
  const session = await driver.open(line, makeHost(), AbortSignal.timeout(5_000));
  try {
    return await run(session, line);
  } finally {
    await session.close();
  }
}

async function readOnce(session: Session, line: ReturnType<typeof buildLine>) {
  const requests = session.plan?.(line.devices[0]?.points ?? []) ?? [];
  expect(requests).toHaveLength(1);
  const [request] = requests;
  return request && (await session.read?.(request, never()))?.[0];
}
const hold = (bytes: string, register = 20) => far.ask({ set: bytes, table: 'holding', register, type: 'raw', order: 'AB' });
const held = async (registers: number, register = 20) =>
  (await far.ask({ get: true, table: 'holding', register, type: 'raw', order: 'AB', length: registers })).value;

it.each<[Record<string, unknown>, string, Value]>([
  [{ type: 'float16' }, '3c00', 1],
  [{ type: 'float16' }, 'c000', -2],
  [{ type: 'float16' }, '3555', 0.333251953125],
  [{ type: 'float16' }, '7bff', 65_504],
  [{ type: 'float16' }, '0001', 2 ** -24],
  [{ type: 'float16', order: 'BA' }, '003c', 1],
  [{ type: 'bcd16' }, '1234', 1_234],
  [{ type: 'bcd16' }, '0000', 0],
  [{ type: 'bcd32' }, '12345678', 12_345_678],
  [{ type: 'bcd32', order: 'CDAB' }, '56781234', 12_345_678],
  [{ type: 'int8', byte: 'high' }, 'ff7f', -1],
  [{ type: 'int8', byte: 'low' }, 'ff7f', 127],
  [{ type: 'int8' }, '0080', -128],
  [{ type: 'uint8', byte: 'high' }, 'fe01', 254],
  [{ type: 'uint16', mask: '0x0ff0' }, 'abcd', 0xbc],
  [{ type: 'uint16', mask: 0x0ff0, shift: 0 }, 'abcd', 0xbc0],
  [{ type: 'uint32', mask: '0xff00ff00', order: 'CDAB' }, '33441122', 0x110033],
  [{ type: 'uint64', mask: '0xffffffffffffff00' }, 'ffffffffffffff12', 2n ** 56n - 1n],
  [{ bit: 15 }, '8000', true],
  [{ type: 'string', length: 4, byte: 'low' }, '0041004200430000', 'ABC'],
  [{ type: 'string', length: 4, byte: 'high' }, '4100420043000000', 'ABC'],
  [{ type: 'string', length: 3, order: 'BA' }, '424144430045', 'ABCDE'],
  [{ type: 'string', length: 3, trim: 'both' }, '202041422020', 'AB'],
  [{ type: 'string', length: 3, trim: 'none' }, '202041422020', '  AB  '],
  [{ type: 'string', length: 3, encoding: 'latin1' }, 'e4f6fc000000', 'äöü'],
])('%j: %s is %s, and written it is the same bytes', async (address, bytes, value) => {
  await withPoint(address, {}, async (session, line) => {
    await hold(bytes);
    expect(await readOnce(session, line)).toMatchObject({ value, reason: '' });
    const point = line.devices[0]?.points[0];
    if (!point) throw new Error('no point');
    const isPart = address.mask !== undefined || address.bit !== undefined || address.type === 'int8' || address.type === 'uint8';
    // What is around a part stays as it is: the rest of the registers is inverted to see it.
    if (!isPart) await hold('5a'.repeat(bytes.length / 2));
    expect((await session.write?.(point, value, never()))?.state).toBe('acknowledged');
    // A text that was trimmed is written without its blanks.
    if (address.trim !== 'both') expect(await held(bytes.length / 4)).toBe(bytes);
    expect(await readOnce(session, line)).toMatchObject({ value, reason: '' });
  });
});

it.each<[Record<string, unknown>, string, Value, string]>([
  [{ type: 'int8', byte: 'high' }, '1234', -2, 'fe34'],
  [{ type: 'uint8' }, '1234', 255, '12ff'],
  [{ type: 'uint16', mask: '0x0ff0' }, 'abcd', 1, 'a01d'],
  [{ type: 'uint16', mask: '0x0ff0', order: 'BA' }, 'cdab', 1, '1da0'],
  [{ type: 'uint16', mask: '0x0ff0', writeAs: 'modify' }, 'abcd', 1, 'a01d'],
  [{ type: 'uint16', mask: '0x0ff0', order: 'BA', writeAs: 'modify' }, 'cdab', 1, '1da0'],
  [{ type: 'uint32', mask: '0x00ffff00', order: 'CDAB' }, '33441122', 0, '00441100'],
  [{ bit: 0, writeAs: 'modify' }, '8000', true, '8001'],
  [{ bit: 15, writeAs: 'modify' }, '8001', false, '0001'],
])('%j: %s with %s written is %s, the rest untouched', async (address, before, value, after) => {
  await withPoint(address, {}, async (session, line) => {
    await hold(before);
    const point = line.devices[0]?.points[0];
    const answer = point && (await session.write?.(point, value, never()));
    expect(answer?.state).toBe('acknowledged');
    const twoRequests = address.writeAs === 'modify' || address.type === 'uint32';
    expect(answer?.detail ?? '').toBe(twoRequests ? 'read, changed and written back in two requests: not atomic' : '');
    expect(await held(before.length / 4)).toBe(after);
  });
});

it.each<[Record<string, unknown>, Value, RegExp]>([
  [{ type: 'bcd16' }, 10_000, /0 to 9999/],
  [{ type: 'int8' }, 128, /-128 to 127/],
  [{ type: 'float16' }, 70_000, /65504/],
  [{ type: 'uint16', mask: '0x0ff0' }, 256, /0 to 255/],
  [{ type: 'uint16', mask: '0x0f0f' }, 0x10, /within its bits/],
  [{ type: 'string', length: 2, byte: 'low' }, 'ABC', /3 bytes; allowed are 2/],
])('%j: %s is not sent', async (address, value, words) => {
  await withPoint(address, {}, async (session, line) => {
    const point = line.devices[0]?.points[0];
    expect(point && (await session.write?.(point, value, never()))).toEqual({ state: 'not-sent', detail: expect.stringMatching(words) });
  });
});

it('says that half bytes above 9 are no BCD', async () => {
  await withPoint({ type: 'bcd16' }, {}, async (session, line) => {
    await hold('12a4');
    expect(await readOnce(session, line)).toMatchObject({
      value: null,
      reason: 'decode',
      detail: expect.stringMatching(/0x12a4 is no BCD/),
    });
  });
});

it.each<[string, Record<string, unknown>, string, string, object]>([
  ['with its factor beside it', { type: 'int16', scaleFactor: 21 }, '08fd', 'ffff', { value: 230.1, reason: '' }],
  ['a factor far away, in the same call', { type: 'int16', scaleFactor: 180 }, '08fd', 'fffe', { value: 23.01, reason: '' }],
  ['a factor above one', { type: 'uint32', scaleFactor: 30 }, '00000017', '0003', { value: 23_000, reason: '' }],
  ['exact decimals', { type: 'int16', scaleFactor: 21 }, '0003', 'ffff', { value: 0.3, reason: '' }],
  ['not available', { type: 'int16', scaleFactor: 21 }, '8000', 'ffff', { value: null, reason: 'sentinel' }],
  ['no factor', { type: 'int16', scaleFactor: 21 }, '0001', '8000', { value: null, reason: 'sentinel' }],
  ['a factor that is none', { type: 'int16', scaleFactor: 21 }, '0001', '0063', { value: null, reason: 'decode' }],
])('a value %s', async (_what, address, value, factor, expected) => {
  await withPoint(address, { invalid: ['-32768'] }, async (session, line) => {
    await hold(value);
    await hold(factor, Number(address.scaleFactor));
    expect(await readOnce(session, line)).toMatchObject(expected);
  });
});

it('a value with a scale factor is written as what the register holds, and refused where it cannot be', async () => {
  await withPoint({ type: 'int16', scaleFactor: 21 }, {}, async (session, line) => {
    await hold('0000fffe');
    const point = line.devices[0]?.points[0];
    if (!point) throw new Error('no point');
    expect(await session.write?.(point, 12.34, never())).toEqual({ state: 'acknowledged' });
    expect(await held(2)).toBe('04d2fffe');
    expect(await session.write?.(point, 12.345, never())).toEqual({
      state: 'not-sent',
      detail: 'the value is 12.345; allowed are multiples of 0.01, by the scale factor of this place',
    });
    expect(await session.write?.(point, 400, never())).toEqual({ state: 'not-sent', detail: expect.stringMatching(/-32768 to 32767/) });
  });
});

it.each<[Record<string, unknown>, RegExp]>([
  [{ type: 'float32', byte: 'high' }, /byte.*allowed only for int8, uint8, string/],
  [{ type: 'int8', byte: 'high', order: 'BA' }, /together with byte/],
  [{ type: 'int16', mask: 1 }, /allowed for uint16, uint32, uint64/],
  [{ type: 'uint16', mask: '0x10000' }, /0x1 to 0xffff/],
  [{ type: 'uint16', mask: '0x0ff0', shift: 5 }, /allowed is 0 to 4/],
  [{ type: 'uint16', shift: 5 }, /without mask/],
  [{ type: 'float32', scaleFactor: 5 }, /allowed for int8/],
  [{ type: 'int32', scaleFactor: 21 }, /where the value itself is/],
  [{ type: 'uint16', writeAs: 'modify' }, /is modify, which is for a bit, a byte or a mask/],
  [{ type: 'uint32', mask: 1, writeAs: 'mask' }, /function 22 cannot change together/],
])('refuses %j', (address, words) => {
  const { success, error } = modbus.address.safeParse({ table: 'holding', register: 20, ...address });
  expect(success).toBe(false);
  expect(error?.issues.map(({ path, message }) => `${path.join('.')} ${message}`).join('; ')).toMatch(words);
});
