/** Serial: devices that speak in lines or frames over a serial port, by themselves and when asked. */
import type { Driver, Host, Shape } from '../../src/contract/driver.ts';
import { join } from '../tty/sharing.ts';
import { serialActionSchema } from './action.ts';
import { type Address, addressSchema, isHeard } from './address.ts';
import { check } from './check.ts';
import { sizeOf } from './decoding/binary.ts';
import { SerialSession } from './session.ts';
import { type ConnectionOptions, connectionSchema, type DeviceOptions, deviceSchema, endpointOf, termsOf } from './settings.ts';
import { runStart } from './start.ts';
import { probeSchema, scanSchema } from './survey/settings.ts';
import { TrialSession } from './survey/trial.ts';
import type { ValueType } from './value.ts';
import { Wire } from './wire.ts';

const shapes: Record<ValueType, Shape> = {
  auto: { type: 'any' },
  number: { type: 'float64' },
  integer: { type: 'integer', min: -(2n ** 63n), max: 2n ** 63n - 1n },
  boolean: { type: 'boolean' },
  text: { type: 'string' },
};

/** Bytes have a type of their own, unless the point asks for another. */
function shapeOf({ type, take }: Address): Shape {
  if (take?.as !== 'binary' || type !== 'auto') return shapes[type];
  if (take.type === 'string') return { type: 'string' };
  if (take.type === 'float32' || take.type === 'float64') return { type: 'float64' };
  if (take.bit !== undefined) return { type: 'integer', min: 0n, max: 2n ** BigInt(take.bits) - 1n };
  if (take.type === 'bcd') return { type: 'integer', min: 0n, max: 10n ** BigInt(2 * Math.min(take.length, 9)) - 1n };
  const bits = BigInt(8 * sizeOf(take.type, take.length));
  return take.type.startsWith('u')
    ? { type: 'integer', min: 0n, max: 2n ** bits - 1n }
    : { type: 'integer', min: -(2n ** (bits - 1n)), max: 2n ** (bits - 1n) - 1n };
}

export const serial: Driver<ConnectionOptions, DeviceOptions, Address> = {
  kind: 'serial',
  title: 'Serial port',
  connection: connectionSchema,
  device: deviceSchema,
  address: addressSchema,
  action: serialActionSchema,
  secrets: ['password'],
  check,
  endpoint: endpointOf,
  terms: termsOf,
  maxInFlight: () => 1,
  shape: shapeOf,
  abilities: (address) => ({ read: isHeard(address) || address.request !== undefined, write: address.set !== undefined }),
  survey: { probe: probeSchema, scan: scanSchema },
  async open(line, host, signal) {
    const { options } = line.connection;
    // A trial tries one speed after the other, so it opens the port itself when it is asked to.
    if (host.trial) return new TrialSession(options, host);
    const { traffic } = host;
    const tap = traffic && ((message: Parameters<typeof traffic>[0]) => traffic.call(host, message));
    const { thing: wire, leave } = await join(host.shared, () => openWire(options, host, tap), signal);
    if (tap) wire.taps.add(tap);
    wire.losses.add(host.lost);
    return new SerialSession(wire, { options, devices: line.devices }, host, () => {
      wire.losses.delete(host.lost);
      if (tap) wire.taps.delete(tap);
      return leave();
    });
  },
};

/** Open, and through with its start-up dialogue. Whoever waits for it may give up; it ends by its own time-outs. */
async function openWire(options: ConnectionOptions, host: Host, tap: NonNullable<Host['traffic']> | undefined): Promise<Wire> {
  const wire = await Wire.open(options, host);
  if (tap) wire.taps.add(tap);
  try {
    await runStart(wire, options, host.secret('password'), new AbortController().signal);
    return wire;
  } catch (error) {
    if (tap) wire.taps.delete(tap);
    await wire.close();
    throw error;
  }
}
