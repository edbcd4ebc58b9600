import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { modbus } from '../../drivers/modbus/driver.ts';
import { planApart, planReads } from '../../drivers/modbus/plan.ts';
import type { Driver, Line } from '../../src/contract/driver.ts';
import { readSettings } from '../../src/datasource/settings.ts';
import { buildLine } from './line.ts';

const driver = modbus as Driver;
const transport = { type: 'tcp', host: '127.0.0.1' };

function lineOf(devices: { id: string; address?: unknown; addresses: Record<string, unknown>[] }[]): Line {
  return buildLine(driver, {
    connection: { transport },
    devices: devices.map(({ id, address, addresses }) => ({
      id,
      address,
      points: addresses.map((at, index) => ({ id: `p${index}`, address: at })),
    })),
  });
}
function requestsOf(line: Line) {
  const devices = new Map(line.devices.map((device) => [device.id, device]));
  return planReads(line.devices.flatMap(({ points }) => points) as never, devices as never);
}
const texts = (line: Line) => requestsOf(line).map(({ text }) => text);
const holding = (register: number, type = 'uint16', more: Record<string, unknown> = {}) => ({ table: 'holding', register, type, ...more });

describe('what is read together', () => {
  it('neighbours of one unit and table, in any order they are written, and nothing else', () => {
    const line = lineOf([
      {
        id: 'a',
        address: { unitId: 1 },
        addresses: [
          holding(2, 'float32'),
          holding(0),
          holding(1),
          { table: 'input', register: 4 },
          { table: 'coil', register: 1 },
          { table: 'coil', register: 0 },
          holding(9),
        ],
      },
      { id: 'b', address: { unitId: 2 }, addresses: [holding(4)] },
    ]);
    expect(texts(line)).toEqual([
      'read holding 0-3 of unit 1',
      'read holding 9 of unit 1',
      'read input 4 of unit 1',
      'read coil 0-1 of unit 1',
      'read holding 4 of unit 2',
    ]);
    expect(requestsOf(line).map(({ unit }) => unit)).toEqual(['1', '1', '1', '1', '2']);
  });

  it('never divides a value, and stays within 125 registers and 2000 bits', () => {
    const line = lineOf([
      { id: 'a', addresses: Array.from({ length: 100 }, (_, index) => holding(index * 4, 'float64')) },
      { id: 'b', address: { unitId: 2 }, addresses: Array.from({ length: 2_500 }, (_, register) => ({ table: 'discrete', register })) },
    ]);
    const requests = requestsOf(line);
    expect(requests.map(({ detail }) => detail.count)).toEqual([124, 124, 124, 28, 2_000, 500]);
    expect(requests.flatMap(({ points }) => points)).toHaveLength(2_600);
    for (const { detail, points } of requests) {
      for (const { address } of points) {
        expect(address.register).toBeGreaterThanOrEqual(detail.start);
        expect(address.register + address.width).toBeLessThanOrEqual(detail.start + detail.count);
      }
    }
  });

  it('joins over a gap only if it is told to, and honours a smaller limit', () => {
    const addresses = [holding(0), holding(3), holding(8)];
    expect(texts(lineOf([{ id: 'a', addresses }]))).toHaveLength(3);
    expect(texts(lineOf([{ id: 'a', address: { gap: 2 }, addresses }]))).toEqual([
      'read holding 0-3 of unit 1',
      'read holding 8 of unit 1',
    ]);
    expect(texts(lineOf([{ id: 'a', address: { gap: 124 }, addresses }]))).toEqual(['read holding 0-8 of unit 1']);
    const row = Array.from({ length: 10 }, (_, register) => holding(register));
    expect(texts(lineOf([{ id: 'a', address: { registersPerRequest: 4 }, addresses: row }]))).toEqual([
      'read holding 0-3 of unit 1',
      'read holding 4-7 of unit 1',
      'read holding 8-9 of unit 1',
    ]);
  });

  it('takes points at the same place, overlapping ones and the last register', () => {
    const line = lineOf([
      {
        id: 'a',
        addresses: [holding(65_535), holding(65_532, 'float64'), holding(65_532), { table: 'holding', register: 65_532, bit: 3 }],
      },
    ]);
    expect(texts(line)).toEqual(['read holding 65532-65535 of unit 1']);
    const [request] = requestsOf(line);
    expect(
      request &&
        planApart(request, new Map(line.devices.map((device) => [device.id, device])) as never).map(
          ({ text, points }) => `${text}: ${points.length}`,
        ),
    ).toEqual(['read holding 65532 of unit 1: 2', 'read holding 65532-65535 of unit 1: 1', 'read holding 65535 of unit 1: 1']);
  });
});

describe('settings of Modbus', () => {
  const address = (input: unknown) => modbus.address.parse(input);

  it('fills in what is not said', () => {
    expect(modbus.connection.parse({ transport })).toEqual({
      transport: { ...transport, port: 502 },
      timeout: 1_000,
      connectDelay: 0,
      requestDelay: 0,
      maxInFlight: 1,
      closeAfterPoll: false,
    });
    expect(modbus.connection.parse({ transport: { type: 'rtu', path: 'COM3' } }).transport).toEqual({
      type: 'rtu',
      path: 'COM3',
      baudRate: 19_200,
      parity: 'even',
      dataBits: 8,
      stopBits: 1,
    });
    expect(modbus.device.parse(undefined)).toEqual({
      unitId: 1,
      registersPerRequest: 125,
      bitsPerRequest: 2_000,
      gap: 0,
      neverRead: [],
      oneRequestPerPoint: false,
      startAtZero: false,
      busyRetries: 3,
      busyPause: 200,
      broadcast: false,
    });
    expect(address({ table: 'holding', register: 5 })).toMatchObject({ type: 'uint16', order: 'AB', width: 1, writeAs: 'single' });
    expect(address({ table: 'holding', register: 5, type: 'float32' })).toMatchObject({ order: 'ABCD', width: 2, writeAs: 'multiple' });
    expect(address({ table: 'input', register: 5, bit: 3 })).toMatchObject({ type: 'bool', bit: 3, width: 1 });
    expect(address({ table: 'coil', register: 5 })).toMatchObject({ type: 'bool', width: 1, writeAs: 'single' });
  });

  it.each([
    [40_021, 'holding', 20],
    [400_021, 'holding', 20],
    ['40001', 'holding', 0],
    [465_536, 'holding', 65_535],
    [30_001, 'input', 0],
    [10_001, 'discrete', 0],
    [1, 'coil', 0],
    ['00004', 'coil', 3],
    ['065536', 'coil', 65_535],
  ])('reads the reference %s', (reference, table, register) => expect(address({ reference })).toMatchObject({ table, register }));

  it.each([0, 40_000, 20_001, 50_001, 465_537, 4_000_001, -1, '4001', '4 0001', '+40001', '', '40001.5'])(
    'refuses the reference %s',
    (reference) => {
      const result = modbus.address.safeParse({ reference });
      expect(result.error?.issues[0]?.path).toEqual(['reference']);
      expect(result.error?.issues[0]?.message).toMatch(/allowed are five or six digits such as 40021/);
    },
  );

  it.each([
    [{}, 'table', /missing; allowed are coil, discrete, input, holding/],
    [{ table: 'holding' }, 'register', /missing; allowed is 0 to 65535/],
    [{ table: 'holdings', register: 1 }, 'table', /"holdings"; allowed is "coil"/],
    [{ table: 'holding', register: 70_000 }, 'register', /70000; allowed is a whole number from 0 to 65535/],
    [{ table: 'holding', register: 1.5 }, 'register', /1.5; allowed is a whole number/],
    [{ table: 'holding', register: '1' }, 'register', /"1"; allowed is a whole number/],
    [{ table: 'holding', register: 65_535, type: 'uint32' }, 'register', /65535 for 2 registers; .* allowed is 0 to 65534/],
    [{ reference: 465_536, type: 'float32' }, 'reference', /allowed is 0 to 65534/],
    [{ reference: 40_001, table: 'holding' }, 'reference', /together with table or register/],
    [{ table: 'holding', register: 1, type: 'float24' }, 'type', /"float24"; allowed is "bool", "int8"/],
    [{ table: 'coil', register: 1, type: 'int16' }, 'type', /int16 in table coil, which holds bits; allowed is bool/],
    [{ table: 'coil', register: 1, bit: 1 }, 'bit', /already holds bits/],
    [{ table: 'coil', register: 1, order: 'BA' }, 'order', /a bit has no byte order/],
    [{ table: 'holding', register: 1, type: 'bool' }, 'bit', /missing; .* 0 \(least significant\) to 15/],
    [{ table: 'holding', register: 1, bit: 16 }, 'bit', /16; allowed is a whole number from 0 to 15/],
    [{ table: 'holding', register: 1, type: 'int16', bit: 2 }, 'bit', /type int16; allowed only for bool/],
    [{ table: 'holding', register: 1, type: 'int16', order: 'ABCD' }, 'order', /ABCD for type int16; allowed are AB, BA/],
    [{ table: 'holding', register: 1, type: 'float32', order: 'AB' }, 'order', /allowed are ABCD, CDAB, BADC, DCBA/],
    [{ table: 'holding', register: 1, type: 'float64', order: 'CDAB' }, 'order', /allowed are ABCDEFGH, GHEFCDAB/],
    [{ table: 'holding', register: 1, type: 'float32', order: 'ACBD' }, 'order', /"ACBD"; allowed is "AB"/],
    [{ table: 'holding', register: 1, type: 'string' }, 'length', /missing; a string needs its registers, 1 to 125/],
    [{ table: 'holding', register: 1, type: 'string', length: 126 }, 'length', /126; allowed is a whole number from 1 to 125/],
    [{ table: 'holding', register: 1, length: 2 }, 'length', /allowed only for string/],
    [{ table: 'holding', register: 1, type: 'int32', writeAs: 'single' }, 'writeAs', /allowed are auto and multiple/],
  ])('says what is wrong with the address %j', (input, place, message) => {
    const connection = { id: 'plc', kind: 'modbus', transport };
    const device = { id: 'a', connection: 'plc', address: {}, points: [{ id: 'p', address: input }] };
    const jsonData = Buffer.from(JSON.stringify({ version: 1, connections: [connection], devices: [device] }));
    const { faults } = readSettings({ jsonData, secureJsonData: {} }, [driver]);
    const fault = faults.find((one) => one.place === `devices[0].points[0].address.${place}`);
    expect(fault?.message, JSON.stringify(faults)).toMatch(message);
    expect(fault?.severity).toBe('error');
  });

  it.each([
    [{ table: 'holding', register: 1, registr: 2 }, modbus.address],
    [{ transport, hots: 'x' }, modbus.connection],
    [{ transport: { ...transport, prot: 1 } }, modbus.connection],
    [{ transport: { type: 'udp' } }, modbus.connection],
    [{ transport: { ...transport, host: 'http://x' } }, modbus.connection],
    [{ transport: { ...transport, port: 0 } }, modbus.connection],
    [{ transport, timeout: '1h' }, modbus.connection],
    [{ transport, maxInFlight: 17 }, modbus.connection],
    [{ unitId: 256 }, modbus.device],
    [{ unitId: -1 }, modbus.device],
    [{ unitId: 1, gap: 200 }, modbus.device],
  ])('refuses %j', (input, schema) => expect(schema.safeParse(input).success).toBe(false));

  const faultsOf = (line: Parameters<typeof modbus.check>[0]) =>
    modbus.check(line).map(({ severity, place, message }) => `${severity} ${place} ${message}`);
  const checked = (connection: unknown, device: unknown, point: Record<string, unknown>, access = 'read') => {
    const line = lineOf([{ id: 'a', addresses: [holding(0)] }]);
    line.connection.options = modbus.connection.parse(connection);
    const [first] = line.devices;
    if (!first?.points[0]) throw new Error('no device');
    first.address = modbus.device.parse(device);
    Object.assign(first.points[0], { address: modbus.address.parse(point), access });
    return faultsOf(line as never);
  };

  it('checks what needs more than one field', () => {
    expect(checked({ transport }, { unitId: 0 }, holding(0))).toEqual([]);
    expect(checked({ transport }, { registersPerRequest: 3 }, holding(0, 'float64'))).toEqual([
      expect.stringMatching(/^error devices\[0\]\.points\[0\]\.address takes 4 registers, but .* is 3/),
    ]);
    expect(checked({ transport }, {}, holding(0, 'string', { length: 124 }))).toEqual([]);
    expect(checked({ transport }, {}, holding(0, 'string', { length: 124 }), 'read-write')).toEqual([
      expect.stringMatching(/^error devices\[0\]\.points\[0\]\.address\.length is 124 .* at most 123/),
    ]);
    expect(checked({ transport: { type: 'rtu', path: 'COM3', dataBits: 7 }, maxInFlight: 2 }, { unitId: 0 }, holding(0))).toEqual([
      expect.stringMatching(/^error connection\.maxInFlight is 2; .* allowed is 1/),
      expect.stringMatching(/^error connection\.transport\.dataBits is 7/),
      expect.stringMatching(/^error devices\[0\]\.address\.unitId is 0; .* allowed is 1 to 247/),
    ]);
  });

  it('says what a place can hold and do', () => {
    expect(modbus.shape(address(holding(0, 'int16')))).toEqual({ type: 'integer', min: -32_768n, max: 32_767n });
    expect(modbus.shape(address(holding(0, 'uint64')))).toEqual({ type: 'integer', min: 0n, max: 2n ** 64n - 1n });
    expect(modbus.shape(address({ table: 'coil', register: 0 }))).toEqual({ type: 'boolean' });
    expect(modbus.shape(address(holding(0, 'string', { length: 1 })))).toEqual({ type: 'string' });
    expect(modbus.abilities(address({ table: 'input', register: 0 }))).toEqual({ read: true, write: false });
    expect(modbus.abilities(address({ table: 'discrete', register: 0 }))).toEqual({ read: true, write: false });
    expect(modbus.endpoint(modbus.connection.parse({ transport: { type: 'tcp', host: '::1', port: 1502 } }))).toBe('tcp://[::1]:1502');
    expect(modbus.endpoint(modbus.connection.parse({ transport: { type: 'rtu', path: '/dev/ttyUSB0' } }))).toBe('/dev/ttyUSB0');
  });

  it('draws a form: every field has a text', () => {
    for (const schema of [modbus.connection, modbus.device, modbus.address]) {
      const json = z.toJSONSchema(schema, { io: 'input' }) as { properties?: Record<string, { description?: string }> };
      expect(Object.keys(json.properties ?? {}).length).toBeGreaterThan(2);
      for (const [name, field] of Object.entries(json.properties ?? {})) expect(field.description, name).toMatch(/\w+ \w+/);
    }
  });
});
