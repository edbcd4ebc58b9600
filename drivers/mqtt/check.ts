/** What is wrong with a broker connection and the devices behind it, beyond single fields. */
import type { Device } from '../../src/contract/device.ts';
import type { Line } from '../../src/contract/driver.ts';
import { type ConfigFault, messageOf } from '../../src/contract/fault.ts';
import { parsePath } from '../../src/contract/json-path.ts';
import type { Address, SetAddress } from './address.ts';
import type { DeviceAddress } from './driver.ts';
import type { Options } from './options.ts';
import { namesOf } from './template.ts';
import { compilePattern, parseFilter, parseTopic } from './topic.ts';

export function check({ connection, devices }: Line<Options, DeviceAddress, Address>): ConfigFault[] {
  const faults: ConfigFault[] = [];
  if (!connection.options.tls.verify) {
    faults.push({
      severity: 'warning',
      place: 'connection.tls.verify',
      message: 'is false: whoever is on the way can read and change everything',
    });
  }
  devices.forEach((device, d) => {
    const say = (place: string, message: string) => faults.push({ severity: 'error', place: `devices[${d}]${place}`, message });
    checkDevice(device, connection.options.protocolVersion, say);
    checkSparkplug(device, connection.options.sparkplug !== undefined, say);
  });
  return faults;
}

function checkSparkplug({ address: { sparkplug }, points }: Device<DeviceAddress, Address>, isHost: boolean, say: Say): void {
  if (sparkplug && !isHost) say('.address.sparkplug', 'needs "sparkplug" at the connection, which makes the gateway a host application');
  points.forEach(({ address }, p) => {
    if (address.metric !== undefined && !sparkplug)
      say(`.points[${p}].address.metric`, 'needs "sparkplug" in the address of the device, which says whose metric it is');
  });
}

type Say = (place: string, message: string) => void;

function checkDevice(device: Device<unknown, Address>, version: 4 | 5, say: Say): void {
  const { availability, placeholders = [] } = device;
  device.points.forEach(({ address, access }, p) => {
    if (address.topic !== undefined) checkNames(device, address.topic, access !== 'write', `.points[${p}].address.topic`, say);
    if (address.set) checkSet(device, address.set, `.points[${p}].address.set`, version, say);
  });
  if (availability?.topic !== undefined) {
    const { topic } = availability;
    said('.availability.topic', () => {
      compilePattern(parseTopic(topic));
      checkNames(device, topic, true, '.availability.topic', say);
    });
  }
  if (availability?.path !== undefined) said('.availability.path', () => parsePath(availability.path ?? ''));
  if (availability?.also && availability.topic === undefined)
    say('.availability.also', 'is given without "topic", the first of the topics that say whether it is there');
  availability?.also?.forEach((place, a) => {
    if (placeholders.length > 0) say('.availability.also', 'cannot be with a device that is discovered; allowed is "topic" alone');
    said(`.availability.also[${a}].topic`, () => {
      if (parseTopic(place.topic).fixed === undefined) throw new Error('has a placeholder; allowed is one fixed topic');
    });
    if (place.path !== undefined) said(`.availability.also[${a}].path`, () => parsePath(place.path ?? ''));
  });
  const isHeard = availability?.topic !== undefined || device.points.some(({ address, access }) => address.topic && access !== 'write');
  if (placeholders.length > 0 && !isHeard)
    say(
      '.id',
      'has placeholders, and no topic tells of such devices; allowed is at least one point that is read, or an availability topic',
    );

  function said(place: string, read: () => void): void {
    try {
      read();
    } catch (error) {
      say(place, messageOf(error));
    }
  }
}

function checkSet(device: Device<unknown, Address>, set: SetAddress, place: string, version: 4 | 5, say: Say): void {
  const { id, placeholders = [] } = device;
  const { topic, payload, response } = set;
  checkNames(device, topic, false, `${place}.topic`, say);
  const foreign = namesOf(payload).find((name) => name !== 'value' && name !== 'id' && !placeholders.includes(name));
  if (foreign !== undefined)
    say(
      `${place}.payload`,
      `has {${foreign}}, which is neither {value} nor {id} nor in the device id ${JSON.stringify(id)}; write {{ for a literal brace`,
    );
  if (!response) return;
  if (response.topic !== undefined) checkNames(device, response.topic, false, `${place}.response.topic`, say);
  if (version === 5) return;
  if (response.topic === undefined)
    say(`${place}.response.topic`, 'is missing; a device that speaks MQTT 3.1.1 is not told where to answer');
  if (response.id === undefined)
    say(`${place}.response.id`, 'is missing; MQTT 3.1.1 has no correlation data, so the answer must repeat the {id} of the payload');
}

/** Placeholders must all occur in the device's id (DESIGN §5); where something is heard, all of the id must occur, else nobody knows which device it is. */
function checkNames({ id, placeholders = [] }: Device<unknown, Address>, topic: string, heard: boolean, place: string, say: Say): void {
  const names = parseFilter(topic).placeholders;
  const foreign = names.find((name) => !placeholders.includes(name));
  if (foreign !== undefined)
    say(place, `has the placeholder {${foreign}}, which is not in the device id ${JSON.stringify(id)}; write {{ for a literal brace`);
  const missing = placeholders.find((name) => !names.includes(name));
  if (heard && missing !== undefined)
    say(
      place,
      `has no {${missing}}, so it does not tell which of the devices ${JSON.stringify(id)} speaks; allowed is a topic with all of them`,
    );
}
