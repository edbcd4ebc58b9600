/** MQTT 3.1.1 and 5: points are places in the messages of topics, commands are publishes. */
import * as z from 'zod';
import type { Driver, Shape } from '../../src/contract/driver.ts';
import { limits } from '../../src/contract/limits.ts';
import { type Address, addressSchema, fillAddress } from './address.ts';
import { check } from './check.ts';
import { brokerAddress, type Options, optionsSchema, secrets } from './options.ts';
import { openSession } from './session.ts';
import { sparkplugPlaceSchema } from './sparkplug/settings.ts';
import { isWritable, shapeOfType } from './sparkplug/values.ts';
import { probeSchema, scanSchema } from './survey/settings.ts';

/** A device is only a name here, and its points say their topics; one of Sparkplug says which it is. */
const deviceSchema = z
  .strictObject({
    sparkplug: sparkplugPlaceSchema
      .optional()
      .describe('Which edge node or device of Sparkplug B it is; its points then name metrics')
      .meta({ examples: [{ group: 'Plant', node: 'Line 3', device: 'Pump' }] }),
  })
  .prefault({});
export type DeviceAddress = z.output<typeof deviceSchema>;

function shapeOf({ format, binary, words, trueWhen, map, set, metric, type: metricType }: Address): Shape {
  if (metric !== undefined) return shapeOfType(metricType ?? '');
  if (words || trueWhen || set?.words) return { type: 'boolean' };
  if (map || set?.map) return { type: 'any' };
  if (format === 'number') return { type: 'float64', exact: true };
  if (format === 'text') return { type: 'string' };
  if (format !== 'binary' || !binary) return { type: 'any' };
  const { type } = binary;
  if (type === 'text') return { type: 'string' };
  if (type === 'boolean' || type === 'float32' || type === 'float64') return { type };
  const bits = BigInt(type.replace(/^u?int/, ''));
  const isSigned = !type.startsWith('u');
  return { type: 'integer', min: isSigned ? -(2n ** (bits - 1n)) : 0n, max: 2n ** (isSigned ? bits - 1n : bits) - 1n };
}

export const mqtt: Driver<Options, DeviceAddress, Address> = {
  kind: 'mqtt',
  title: 'MQTT broker',
  connection: optionsSchema,
  device: deviceSchema,
  address: addressSchema,
  secrets,
  check,
  endpoint: (options) => brokerAddress(options.url).text,
  maxInFlight: () => limits.mqttInFlightMax,
  shape: shapeOf,
  abilities: ({ topic, set, metric, type }) => ({
    read: topic !== undefined || metric !== undefined,
    write: set !== undefined || (metric !== undefined && isWritable(type ?? '')),
  }),
  discovery: { fill: fillAddress },
  survey: { probe: probeSchema, scan: scanSchema },
  availability: true,
  announces: ({ homeassistant, tasmota, sparkplug }) => [homeassistant, tasmota, sparkplug].some((given) => given !== undefined),
  open: openSession,
};
