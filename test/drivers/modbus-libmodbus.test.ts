/** libmodbus, in C: its float orders are the golden ones, and it is another server than pymodbus. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { modbus } from '../../drivers/modbus/driver.ts';
import type { Driver, Line, Session } from '../../src/contract/driver.ts';
import { compile } from '../far/compile.ts';
import { type FarProgram, startProgram } from '../far/python.ts';
import { buildLine, makeHost } from './line.ts';

const driver = modbus as Driver;
const never = () => new AbortController().signal;
const orders = ['ABCD', 'BADC', 'CDAB', 'DCBA'] as const;
const values = [1, -1, 123.456, 3.4028234663852886e38, 1.17549435e-38, 0, 230.4, -0.001];

let far: FarProgram;
let line: Line;
let session: Session;
beforeAll(async () => {
  far = await startProgram('libmodbus_server', compile('libmodbus_server.c', ['modbus']), ['0']);
  line = buildLine(driver, {
    connection: { transport: { type: 'tcp', host: '127.0.0.1', port: far.port }, timeout: '5s', maxInFlight: 8 },
    devices: [
      {
        id: 'a',
        points: [
          ...orders.map((order, index) => ({
            id: order,
            access: 'read-write',
            address: { table: 'holding', register: 900 + index * 10, type: 'float32', order },
          })),
          ...Array.from({ length: 500 }, (_, register) => ({ id: `r${register}`, address: { table: 'holding', register } })),
          { id: 'far', address: { table: 'holding', register: 3_000 } },
          { id: 'coil', access: 'read-write', address: { table: 'coil', register: 99 } },
          { id: 'bit', access: 'read-write', address: { table: 'holding', register: 600, bit: 9 } },
        ],
      },
    ],
  });
  session = await driver.open(line, makeHost(), AbortSignal.timeout(5_000));
});
afterAll(async () => {
  await session?.close();
  await far?.kill();
});

async function read(ids: (id: string) => boolean): Promise<Record<string, unknown>> {
  const points = line.devices[0]?.points.filter(({ id }) => ids(id)) ?? [];
  const readings = await Promise.all((session.plan?.(points) ?? []).map((request) => session.read?.(request, never())));
  return Object.fromEntries(readings.flatMap((some) => (some ?? []).map(({ point, value, reason }) => [point.id, reason || value])));
}
async function write(id: string, value: number | boolean) {
  const point = line.devices[0]?.points.find((one) => one.id === id);
  return point && (await session.write?.(point, value, never()));
}

/**
 * Up to 3.1.6 (Debian 12) libmodbus' setters name the bytes as they lie in the memory of a little-endian machine, its getters and later versions
 * as they go over the wire: then the bytes of each register are the other way round.
 */
let setsByMemory = false;
beforeAll(async () => {
  await far.ask({ set: 'abcd', register: 900, value: 1 });
  await far.ask({ set: 'abcd', register: 910, value: 1 });
  const { ABCD, BADC } = await read((id) => id === 'ABCD' || id === 'BADC');
  setsByMemory = BADC === 1;
  expect([ABCD, BADC]).toContain(1);
});
const setterOf = (order: string) => (setsByMemory ? `${order[1]}${order[0]}${order[3]}${order[2]}` : order).toLowerCase();

it.each(orders)('float32 %s is what libmodbus means by it, both ways', async (order) => {
  const register = 900 + orders.indexOf(order) * 10;
  for (const value of values.map(Math.fround)) {
    await far.ask({ set: setterOf(order), register, value });
    expect(await read((id) => id === order)).toEqual({ [order]: value });
    await far.ask({ set: setterOf(order), register, value: 77 });
    expect(await write(order, value)).toEqual({ state: 'acknowledged' });
    expect(Math.fround(Number((await far.ask({ get: order.toLowerCase(), register })).value))).toBe(value);
  }
});

it('500 registers in four requests at once, and what it does not have', async () => {
  const got = await read((id) => /^r\d/.test(id));
  expect(got).toEqual(Object.fromEntries(Array.from({ length: 500 }, (_, register) => [`r${register}`, register * 7])));
  expect(await read((id) => id === 'far')).toEqual({ far: 'exception-2' });
});

it('coils and bits of registers', async () => {
  expect(await write('coil', true)).toEqual({ state: 'acknowledged' });
  expect(await read((id) => id === 'coil')).toEqual({ coil: true });
  for (const state of [true, false]) {
    expect(await write('bit', state)).toEqual({ state: 'acknowledged' });
    expect(await read((id) => id === 'bit')).toEqual({ bit: state });
  }
});
