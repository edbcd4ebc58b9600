/** Which reads fetch which points: neighbours of one unit and table together, no value divided. Pure. */
import type { Device, Point } from '../../src/contract/device.ts';
import type { PlannedRequest } from '../../src/contract/driver.ts';
import type { Address } from './address.ts';
import type { Table } from './reference.ts';
import type { DeviceOptions } from './settings.ts';

/** Registers or bits that are read together. */
export interface Block {
  unitId: number;
  table: Table;
  start: number;
  count: number;
}

export type ModbusPoint = Point<Address>;
export type ModbusRequest = PlannedRequest<Address> & { detail: Block };

export function isBits(table: Table): boolean {
  return table === 'coil' || table === 'discrete';
}

/** `devices` by id. A request is for one unit and table; the order is that of the units as they first occur, then table, then register. */
export function planReads(points: readonly ModbusPoint[], devices: ReadonlyMap<string, Device<DeviceOptions, Address>>): ModbusRequest[] {
  const groups = new Map<string, { options: DeviceOptions; points: ModbusPoint[] }>();
  for (const point of points) {
    const options = devices.get(point.device)?.address;
    if (!options) throw new Error(`device ${point.device} of point ${point.id} is not on this line`);
    // Two devices may share a unit id, each with its own limits: they stay apart, so that neither reads more than it may.
    const key = `${options.unitId} ${point.address.table} ${options.registersPerRequest} ${options.bitsPerRequest} ${options.gap}`;
    const group = groups.get(key);
    if (group) group.points.push(point);
    else groups.set(key, { options, points: [point] });
  }
  return [...groups.values()].flatMap(({ options, points: members }) => {
    const most = isBits(members[0]?.address.table ?? 'holding') ? options.bitsPerRequest : options.registersPerRequest;
    return joinNeighbours(members, most, options.gap).map((run) => toRequest(options.unitId, run));
  });
}

/** The reads of a block's points one by one; points at the very same place stay together, as they can only fail together. */
export function planApart(request: ModbusRequest): ModbusRequest[] {
  const places = new Map<string, ModbusPoint[]>();
  for (const point of request.points) {
    const key = `${point.address.register} ${point.address.width}`;
    const place = places.get(key);
    if (place) place.push(point);
    else places.set(key, [point]);
  }
  return [...places.values()].map((points) => toRequest(request.detail.unitId, points));
}

/** Runs of points whose places are at most `gap` apart and which are together at most `most` wide, unless one alone is wider. */
function joinNeighbours(points: readonly ModbusPoint[], most: number, gap: number): ModbusPoint[][] {
  const sorted = points.toSorted((a, b) => a.address.register - b.address.register || a.address.width - b.address.width);
  const runs: ModbusPoint[][] = [];
  let start = 0;
  let end = 0;
  for (const point of sorted) {
    const run = runs.at(-1);
    const { register, width } = point.address;
    const within = register + width <= end;
    if (run && (within || (register <= end + gap && register + width - start <= most))) {
      run.push(point);
      end = Math.max(end, register + width);
    } else {
      runs.push([point]);
      start = register;
      end = register + width;
    }
  }
  return runs;
}

function toRequest(unitId: number, points: readonly ModbusPoint[]): ModbusRequest {
  const table = points[0]?.address.table ?? 'holding';
  const start = Math.min(...points.map(({ address }) => address.register));
  const end = Math.max(...points.map(({ address }) => address.register + address.width));
  return {
    unit: String(unitId),
    text: `read ${table} ${start}${end - start > 1 ? `-${end - 1}` : ''} of unit ${unitId}`,
    points,
    detail: { unitId, table, start, count: end - start },
  };
}
