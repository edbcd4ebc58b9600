/** What is wrong with a broker connection and the devices behind it, beyond single fields. */
import type { Device } from '../../src/contract/device.ts';
import type { Line } from '../../src/contract/driver.ts';
import { type ConfigFault, messageOf } from '../../src/contract/fault.ts';
import type { Address } from './address.ts';
import type { Options } from './options.ts';
import { parsePath } from './path.ts';
import { compilePattern, parseTopic } from './topic.ts';

export function check({ connection, devices }: Line<Options, unknown, Address>): ConfigFault[] {
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
    checkDevice(device, say);
  });
  return faults;
}

type Say = (place: string, message: string) => void;

function checkDevice(device: Device<unknown, Address>, say: Say): void {
  const { availability, placeholders = [] } = device;
  device.points.forEach(({ address, access }, p) => {
    if (address.topic !== undefined) checkNames(device, address.topic, access !== 'write', `.points[${p}].address.topic`, say);
    if (address.set) checkNames(device, address.set.topic, false, `.points[${p}].address.set.topic`, say);
  });
  if (availability?.topic !== undefined) {
    const { topic } = availability;
    said('.availability.topic', () => {
      compilePattern(parseTopic(topic));
      checkNames(device, topic, true, '.availability.topic', say);
    });
  }
  if (availability?.path !== undefined) said('.availability.path', () => parsePath(availability.path ?? ''));
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

/** Placeholders must all occur in the device's id (DESIGN §5); where something is heard, all of the id must occur, else nobody knows which device it is. */
function checkNames({ id, placeholders = [] }: Device<unknown, Address>, topic: string, heard: boolean, place: string, say: Say): void {
  const names = parseTopic(topic).placeholders;
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
