import type { Device } from '../../contract/device.ts';
import type { Connection, Driver } from '../../contract/driver.ts';
import { messageOf } from '../../contract/fault.ts';
import type { ReadDevice } from './devices.ts';
import type { Faults } from './faults.ts';

/**
 * Lets the driver check a connection together with the devices behind it and tells its findings at their place in the settings.
 * Returns the devices that may run; undefined if the connection itself may not.
 */
export function checkLine(
  element: string,
  connection: Connection,
  driver: Driver,
  behind: readonly ReadDevice[],
  faults: Faults,
): Device[] | undefined {
  const devices = behind.map(({ device, points }) => ({ ...device, points: points.map(({ point }) => point) }));
  try {
    for (const { severity, place, message } of driver.check({ connection, devices })) {
      const [at, tail] = rebase(place, element, behind);
      faults.add(at, tail, message, severity);
    }
  } catch (error) {
    faults.add(element, '', `could not be checked: ${messageOf(error)}`);
  }
  if (faults.broken(element)) return undefined;
  return behind
    .filter((one) => !faults.broken(one.element))
    .map(({ device, points }) => ({
      ...device,
      points: points.filter(({ raw }) => !raw.elements.some((place) => faults.broken(place))).map(({ point }) => point),
    }));
}

/** `devices[0].points[1].address` of the line → the element at fault and the rest of the place. */
function rebase(place: string, element: string, behind: readonly ReadDevice[]): [string, string] {
  const match = /^devices\[(\d+)\](?:\.points\[(\d+)\])?(.*)$/s.exec(place);
  const device = match && behind[Number(match[1])];
  if (!device) return [element, place.replace(/^connection(\.options)?/, '').replace(/^(?=\w)/, '.')];
  const tail = match[3] ?? '';
  if (match[2] === undefined) return [device.element, tail];
  const point = device.points[Number(match[2])];
  const field = /^\.(\w+)/.exec(tail)?.[1];
  return point ? [point.raw.elementOf(field), tail] : [device.element, `.points[${match[2]}]${tail}`];
}
