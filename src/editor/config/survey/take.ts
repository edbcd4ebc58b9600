/** Puts what was ticked among the findings of a probe or a scan into the settings. */
import { freshId, type Item, idOf, isItem, itemOf, listOf, withValue } from '../document.ts';
import type { Finding } from '../resources.ts';

export interface Taken {
  document: Item;
  /** The first device that is new or got points. */
  device?: number;
}

/**
 * `points` go to the device at `into`, or to a new one if that is undefined. A proposed device whose address the connection has already is that one and gets
 * the points it lacks. Ids that are taken get a number.
 */
export function taken(document: Item, connectionIndex: number, findings: readonly Finding[], into: number | undefined): Taken {
  let next = document;
  const connection = idOf(listOf(document.connections)[connectionIndex]);
  for (const { proposes } of findings) {
    for (const [name, value] of Object.entries(proposes?.connection ?? {}))
      next = withValue(next, ['connections', connectionIndex, name], value) as Item;
  }
  const devices = [...listOf(next.devices)];
  const touched: number[] = [];
  function add(at: number, fresh: Item, points: readonly unknown[]): void {
    const device = isItem(devices[at])
      ? devices[at]
      : { ...fresh, id: freshId(idOf(fresh) || connection || 'device', devices.map(idOf)), connection };
    const list = pointsWith(listOf(device.points), points);
    devices[at] = list.length > 0 ? { ...device, points: list } : device;
    touched.push(at);
  }
  for (const { proposes } of findings) {
    for (const { points, ...device } of proposes?.devices ?? []) {
      const there = devices.findIndex((one) => itemOf(one).connection === connection && isAt(itemOf(one).address, device.address));
      add(there < 0 ? devices.length : there, device, listOf(points));
    }
  }
  const points = findings.flatMap(({ proposes }) => (proposes?.devices ? [] : (proposes?.points ?? [])));
  if (points.length > 0) add(into ?? devices.length, {}, points);
  return touched.length === 0 ? { document: next } : { document: { ...next, devices }, device: Math.min(...touched) };
}

function pointsWith(there: readonly unknown[], more: readonly unknown[]): unknown[] {
  const list = [...there];
  for (const point of more) {
    if (list.some((one) => isAt(itemOf(one).address, itemOf(point).address))) continue;
    list.push({ ...itemOf(point), id: freshId(idOf(point) || 'point', list.map(idOf)) });
  }
  return list;
}

/** Whether an address says all that a proposed one says, and perhaps more: how the register is read, what of the unit is never read. */
function isAt(address: unknown, proposed: unknown): boolean {
  if (!isItem(proposed) || !isItem(address)) return false;
  return Object.entries(proposed).every(([name, value]) => JSON.stringify(address[name]) === JSON.stringify(value));
}
