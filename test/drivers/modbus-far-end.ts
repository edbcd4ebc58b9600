/** A far end behind any of the transports, for the suite of all drivers: pymodbus, or another program that answers the same questions. */
import type { Value } from '../../src/contract/sample.ts';
import { startPython } from '../far/python.ts';
import type { RawLine } from './line.ts';
import type { FarEnd } from './suite.ts';

/** One point of every type, and what the far end (in Python) is told to hold. */
const places: Record<string, { address: Record<string, unknown>; value: Value; access?: string }> = {
  coil: { address: { table: 'coil', register: 3 }, value: true, access: 'read-write' },
  discrete: { address: { table: 'discrete', register: 17 }, value: true },
  int16: { address: { table: 'input', register: 0, type: 'int16', order: 'AB' }, value: -12345 },
  uint16: { address: { table: 'input', register: 1, type: 'uint16', order: 'BA' }, value: 54321 },
  int32: { address: { table: 'holding', register: 10, type: 'int32', order: 'DCBA' }, value: -123456789 },
  uint32: { address: { table: 'holding', register: 12, type: 'uint32', order: 'BADC' }, value: 4294967295 },
  int64: { address: { table: 'holding', register: 14, type: 'int64', order: 'HGFEDCBA' }, value: -9223372036854775807n },
  uint64: { address: { table: 'holding', register: 20, type: 'uint64', order: 'ABCDEFGH' }, value: 18446744073709551615n },
  float32: { address: { table: 'holding', register: 24, type: 'float32', order: 'CDAB' }, value: 123456.0 },
  float64: { address: { table: 'input', register: 40, type: 'float64', order: 'GHEFCDAB' }, value: Math.PI },
  text: { address: { table: 'holding', register: 100, type: 'string', length: 8, order: 'AB' }, value: 'FG-0042 é' },
  flag: { address: { table: 'holding', register: 28, bit: 5 }, value: true, access: 'read-write' },
  setpoint: { address: { table: 'holding', register: 30, type: 'int16', order: 'AB' }, value: 500, access: 'read-write' },
  // Read together with the undefined register beside it, so the device refuses the block.
  neighbour: { address: { table: 'holding', register: 199, type: 'uint16', order: 'AB' }, value: 777 },
  undefined_register: { address: { table: 'holding', register: 200 }, value: null },
  stubborn: { address: { table: 'holding', register: 300 }, value: null, access: 'read-write' },
};

/** `place` is what the program is told first; `again` the same for a restart, at the port it has had. */
export async function startModbus(
  place: number | string,
  again: (port: number) => number | string,
  connection: (port: number) => Record<string, unknown>,
  { secrets = {}, program = 'modbus.py' }: { secrets?: Record<string, string>; program?: string } = {},
): Promise<FarEnd> {
  let far = await startPython(program, place);
  const port = far.port;
  const ask = (point: string, question: Record<string, unknown>) => far.ask({ unit: 1, ...places[point]?.address, ...question });
  const set = async (point: string, value: Value) => {
    await ask(point, { set: typeof value === 'bigint' ? String(value) : value });
  };
  const values = Object.fromEntries(Object.entries(places).flatMap(([id, { value }]) => (value === null ? [] : [[id, value]])));
  const raw: RawLine = {
    connection: connection(port),
    devices: [
      {
        id: 'plant',
        address: { unitId: 1 },
        points: Object.entries(places).map(([id, { address, access = 'read' }]) => ({ id, address, access })),
      },
    ],
  };
  return {
    raw,
    secrets,
    values,
    set,
    failing: { point: 'undefined_register', reason: 'exception-2' },
    writable: { point: 'setpoint', values: [555, -1] },
    async held(point) {
      return (await ask(point, { get: true })).value as Value;
    },
    refused: { point: 'stubborn', value: 1 },
    kill: () => far.kill(),
    async restart() {
      far = await startPython(program, again(port));
    },
    close: () => far.kill(),
  };
}
