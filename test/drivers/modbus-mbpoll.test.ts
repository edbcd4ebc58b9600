/** mbpoll, a master that is not ours, reads back what we write to a device that is not ours, and we what it writes. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { modbus } from '../../drivers/modbus/driver.ts';
import type { Driver, Line, Session } from '../../src/contract/driver.ts';
import { compile } from '../far/compile.ts';
import { type FarProgram, startProgram } from '../far/python.ts';
import { buildLine, makeHost, pointOf } from './line.ts';

const driver = modbus as Driver;
const run = promisify(execFile);
const points = {
  word: { table: 'holding', register: 700, type: 'uint16' },
  float: { table: 'holding', register: 702, type: 'float32', order: 'ABCD' },
  swapped: { table: 'holding', register: 704, type: 'float32', order: 'CDAB' },
  whole: { table: 'holding', register: 706, type: 'int32', order: 'ABCD' },
  coil: { table: 'coil', register: 12 },
} as const;
type Id = keyof typeof points;

let far: FarProgram;
let line: Line;
let session: Session;
beforeAll(async () => {
  far = await startProgram('libmodbus_server', compile('libmodbus_server.c', ['modbus']), ['0']);
  line = buildLine(driver, {
    connection: { transport: { type: 'tcp', host: '127.0.0.1', port: far.port }, timeout: '5s' },
    devices: [{ id: 'a', points: Object.entries(points).map(([id, address]) => ({ id, address, access: 'read-write' })) }],
  });
  session = await driver.open(line, makeHost(), AbortSignal.timeout(5_000));
});
afterAll(async () => {
  await session?.close();
  await far?.kill();
});

/** What mbpoll says is there, by its words for type and word order; with `value` it writes that first. */
async function mbpoll(id: Id, type: string, more: string[] = [], value?: string): Promise<number> {
  const place = ['-m', 'tcp', '-p', String(far.port), '-a', '1', '-0', '-r', String(points[id].register), '-t', type, '-o', '5', ...more];
  if (value !== undefined) await run('mbpoll', [...place, '127.0.0.1', '--', value]);
  const { stdout } = await run('mbpoll', [...place, '-c', '1', '-1', '127.0.0.1']);
  const [, said] = /^\[\d+\]:\s+(\S+)/m.exec(stdout) ?? [];
  if (said === undefined) throw new Error(`mbpoll said ${stdout}`);
  return Number(said);
}

const never = () => new AbortController().signal;
const write = (id: Id, value: number | boolean) => session.write?.(pointOf(line, id), value, never());
async function read(id: Id): Promise<unknown> {
  const [request] = session.plan?.([pointOf(line, id)]) ?? [];
  return (request && (await session.read?.(request, never())))?.[0]?.value;
}

it.each<[Id, string, string[], number]>([
  ['word', '4', [], 54_321],
  ['float', '4:float', ['-B'], -273.25],
  ['swapped', '4:float', [], 1234.5],
  ['whole', '4:int', ['-B'], -123_456_789],
])('%s: either reads what the other wrote', async (id, type, more, value) => {
  expect(await write(id, value)).toEqual({ state: 'acknowledged' });
  expect(await mbpoll(id, type, more)).toBe(value);
  const other = id === 'word' ? 7 : value / -2;
  const written = id === 'whole' ? Math.round(other) : other;
  expect(await mbpoll(id, type, more, String(written))).toBe(written);
  expect(await read(id)).toBe(written);
});

it('coil: either reads what the other wrote', async () => {
  expect(await write('coil', true)).toEqual({ state: 'acknowledged' });
  expect(await mbpoll('coil', '0')).toBe(1);
  expect(await mbpoll('coil', '0', [], '0')).toBe(0);
  expect(await read('coil')).toBe(false);
});
