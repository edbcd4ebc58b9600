/** A device that the far end describes itself, read as one of the settings is. */
import type { Device } from '../../contract/device.ts';
import type { Connection, Driver } from '../../contract/driver.ts';
import type { ConfigFault } from '../../contract/fault.ts';
import { readDevices } from './devices.ts';
import { Faults } from './faults.ts';
import { checkLine } from './lines.ts';

const itself = 'devices[0]';

/** Pure. The device without the points that have a fault, or undefined; places of the faults are relative to it, `points[1].address.topic`. */
export function readAnnounced(
  raw: Readonly<Record<string, unknown>>,
  connection: Connection,
  driver: Driver,
  secrets: readonly string[],
): { device: Device | undefined; faults: ConfigFault[] } {
  const faults = new Faults(secrets);
  const element = 'connections[0]';
  const connections = new Map([[connection.id, { element, driver, connection }]]);
  const read = readDevices([{ ...raw, connection: connection.id }], { connections, profiles: new Map(), faults });
  if (read.some(({ device }) => device.placeholders)) faults.add(itself, '.id', 'has placeholders; allowed is the id of one device');
  const [device] = checkLine(element, connection, driver, read, faults) ?? [];
  // What is wrong with the connection itself was told when the settings were read.
  const own = faults.all().filter(({ place }) => place.startsWith(itself));
  return { device, faults: own.map((fault) => ({ ...fault, place: fault.place.slice(itself.length).replace(/^\./, '') })) };
}
