/** MQTT 3.1.1 and 5: points are places in the messages of topics, commands are publishes. */
import { z } from 'zod';
import type { Driver, Shape } from '../../src/contract/driver.ts';
import { limits } from '../../src/contract/limits.ts';
import { type Address, addressSchema, fillAddress } from './address.ts';
import { check } from './check.ts';
import { brokerAddress, type Options, optionsSchema, secrets } from './options.ts';
import { openSession } from './session.ts';

/** A device is only a name here: its points say their topics. */
const deviceSchema = z.strictObject({}).prefault({});
export type DeviceAddress = z.output<typeof deviceSchema>;

const shapes: Record<Address['format'], Shape> = {
  number: { type: 'float64', exact: true },
  text: { type: 'string' },
  json: { type: 'any' },
};

export const mqtt: Driver<Options, DeviceAddress, Address> = {
  kind: 'mqtt',
  title: 'MQTT broker',
  connection: optionsSchema,
  device: deviceSchema,
  address: addressSchema,
  secrets,
  check,
  endpoint: (options) => brokerAddress(options).text,
  maxInFlight: () => limits.mqttInFlightMax,
  shape: (address) => shapes[address.format],
  abilities: (address) => ({ read: address.topic !== undefined, write: address.set !== undefined }),
  discovery: { fill: fillAddress },
  availability: true,
  open: openSession,
};
