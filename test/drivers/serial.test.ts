import { serial } from '../../drivers/serial/driver.ts';
import type { Driver } from '../../src/contract/driver.ts';
import type { Value } from '../../src/contract/sample.ts';
import { portName } from '../far/port.ts';
import { startPython } from '../far/python.ts';
import { driverSuite, type FarEnd } from './suite.ts';

const climate = '^T=(?<air>[-0-9.]+);S=(?<soil>\\d+)$';

/** Points that are heard and points that are asked for, one of every type, on one port. */
const places: Record<string, { address: Record<string, unknown>; value: Value; access?: string }> = {
  air: { address: { line: climate, field: 'air' }, value: -3.25 },
  soil: { address: { line: climate, field: 'soil', type: 'number' }, value: 41 },
  label: { address: { line: '^NAME (?<name>.*) END$', type: 'text' }, value: 'bed 7 é "x"' },
  count: { address: { line: '^COUNT=(?<value>\\d+)$', type: 'integer' }, value: 9007199254740993n },
  broken: { address: { line: '^BAD=(?<value>.*)$', type: 'number' }, value: null },
  valve: {
    address: {
      request: 'VALVE?\n',
      reply: '^VALVE=(?<value>[01])$',
      set: { send: 'VALVE={value}\n', ack: '^OK$', nak: '^ERR' },
    },
    value: 1,
    access: 'read-write',
  },
  mode: { address: { request: 'MODE?\n', reply: '^MODE=(?<value>.+)$' }, value: 'manual' },
  stubborn: { address: { set: { send: 'STUBBORN={value}\n', ack: '^OK$', nak: '^ERR (?<why>.*)' } }, value: null, access: 'write' },
};

async function start(): Promise<FarEnd> {
  const path = portName();
  let far = await startPython('serial_device.py', path);
  return {
    raw: {
      connection: { path, baudRate: 115_200, framing: { type: 'delimiter', delimiter: '\n' } },
      devices: [
        { id: 'greenhouse', points: Object.entries(places).map(([id, { address, access = 'read' }]) => ({ id, address, access })) },
      ],
    },
    values: Object.fromEntries(Object.entries(places).flatMap(([id, { value }]) => (value === null ? [] : [[id, value]]))),
    async set(point, value) {
      await far.ask({ point, set: typeof value === 'bigint' ? String(value) : value });
    },
    failing: { point: 'broken', reason: 'decode', provoke: async () => void (await far.ask({ say: 'BAD=much\n' })) },
    writable: { point: 'valve', values: [1, 0] },
    async held(point) {
      return Number((await far.ask({ held: point })).value);
    },
    refused: { point: 'stubborn', value: 1 },
    kill: () => far.kill(),
    async restart() {
      far = await startPython('serial_device.py', path);
    },
    close: () => far.kill(),
  };
}

driverSuite('serial', serial as Driver, start);
