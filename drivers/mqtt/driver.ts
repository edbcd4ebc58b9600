/** MQTT 3.1.1 and 5: points are places in the messages of topics, commands are publishes. */
import { z } from 'zod';
import type { Driver, Line, Shape } from '../../src/contract/driver.ts';
import type { ConfigFault } from '../../src/contract/fault.ts';
import { limits } from '../../src/contract/limits.ts';
import { type Address, addressSchema } from './address.ts';
import { brokerAddress, type Options, optionsSchema, secrets } from './options.ts';
import { openSession } from './session.ts';
import { parseTopic } from './topic.ts';

/** A device is only a name here: its points say their topics. */
const deviceSchema = z.strictObject({}).prefault({});
export type DeviceAddress = z.output<typeof deviceSchema>;

const shapes: Record<Address['format'], Shape> = { number: { type: 'float64' }, text: { type: 'string' }, json: { type: 'any' } };

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
  open: (line, host, signal) => openSession(line.connection.options, host, signal),
};

function check({ connection, devices }: Line<Options, DeviceAddress, Address>): ConfigFault[] {
  const faults: ConfigFault[] = [];
  if (!connection.options.tls.verify) {
    faults.push({
      severity: 'warning',
      place: 'connection.tls.verify',
      message: 'is false: whoever is on the way can read and change everything',
    });
  }
  devices.forEach((device, d) => {
    device.points.forEach((point, p) => {
      const place = `devices[${d}].points[${p}].address`;
      if (point.address.topic !== undefined) faults.push(...placeholderFaults(device.id, point.address.topic, `${place}.topic`));
      if (point.address.set) faults.push(...placeholderFaults(device.id, point.address.set.topic, `${place}.set.topic`));
    });
  });
  return faults;
}

/** Placeholders must all occur in the device's id (DESIGN §5), and such devices are not discovered by this version. */
function placeholderFaults(deviceId: string, topic: string, place: string): ConfigFault[] {
  const { placeholders } = parseTopic(topic);
  const [missing] = placeholders.filter((name) => !deviceId.includes(`{${name}}`));
  if (missing !== undefined) {
    return [
      {
        severity: 'error',
        place,
        message: `has the placeholder {${missing}}, which is not in the device id ${JSON.stringify(deviceId)}; write {{ for a literal brace`,
      },
    ];
  }
  if (placeholders.length === 0) return [];
  return [
    {
      severity: 'warning',
      place,
      message: `has placeholders (${placeholders.map((name) => `{${name}}`).join(', ')}); this version does not discover devices yet, so the point is not heard`,
    },
  ];
}
