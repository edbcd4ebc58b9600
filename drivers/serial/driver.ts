/** Serial: devices that speak in lines of text over a serial port, by themselves and when asked. */
import type { Driver, Shape } from '../../src/contract/driver.ts';
import { join } from '../tty/sharing.ts';
import { serialActionSchema } from './action.ts';
import { type Address, addressSchema } from './address.ts';
import { check } from './check.ts';
import { SerialSession } from './session.ts';
import { type ConnectionOptions, connectionSchema, type DeviceOptions, deviceSchema, termsOf } from './settings.ts';
import type { ValueType } from './value.ts';
import { Wire } from './wire.ts';

const shapes: Record<ValueType, Shape> = {
  auto: { type: 'any' },
  number: { type: 'float64' },
  integer: { type: 'integer', min: -(2n ** 63n), max: 2n ** 63n - 1n },
  text: { type: 'string' },
};

export const serial: Driver<ConnectionOptions, DeviceOptions, Address> = {
  kind: 'serial',
  title: 'Serial port',
  connection: connectionSchema,
  device: deviceSchema,
  address: addressSchema,
  action: serialActionSchema,
  secrets: [],
  check,
  endpoint: ({ path }) => path,
  terms: termsOf,
  maxInFlight: () => 1,
  shape: ({ type }) => shapes[type],
  abilities: ({ line, request, set }) => ({ read: line !== undefined || request !== undefined, write: set !== undefined }),
  async open(line, host, signal) {
    const { options } = line.connection;
    const { thing: wire, leave } = await join(host.shared, () => Wire.open(options, host.clock, host.log), signal);
    wire.losses.add(host.lost);
    return new SerialSession(wire, options, host, () => {
      wire.losses.delete(host.lost);
      return leave();
    });
  },
};
