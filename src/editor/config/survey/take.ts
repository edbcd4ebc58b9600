/** Puts what was ticked among the findings of a probe or a scan into the settings. */
import { freshId, type Item, idOf, isItem, itemOf, listOf, withValue } from '../document.ts';
import type { Finding } from '../resources.ts';

/** `points` go to the device at `into`, or to a new one if that is undefined. Ids that are taken get a number. */
export function taken(document: Item, connectionIndex: number, findings: readonly Finding[], into: number | undefined): Item {
  let next = document;
  const connection = itemOf(listOf(document.connections)[connectionIndex]);
  for (const { proposes } of findings) {
    for (const [name, value] of Object.entries(proposes?.connection ?? {}))
      next = withValue(next, ['connections', connectionIndex, name], value) as Item;
  }
  const devices = [...listOf(next.devices)];
  for (const { proposes } of findings) {
    for (const device of proposes?.devices ?? []) {
      devices.push({ ...device, id: freshId(idOf(device) || 'device', devices.map(idOf)), connection: idOf(connection) });
    }
  }
  const points = findings.flatMap(({ proposes }) => (proposes?.devices ? [] : (proposes?.points ?? [])));
  if (points.length > 0) {
    const at = into ?? devices.length;
    const device = isItem(devices[at])
      ? (devices[at] as Item)
      : { id: freshId(idOf(connection) || 'device', devices.map(idOf)), connection: idOf(connection) };
    const list = [...listOf(device.points)];
    for (const point of points) list.push({ ...point, id: freshId(idOf(point) || 'point', list.map(idOf)) });
    devices[at] = { ...device, points: list };
  }
  return devices.length === 0 ? next : { ...next, devices };
}
