/** Which reads fetch which points: neighbours of one unit and table together, no value divided. Pure. */
import type { Device, Point } from '../../src/contract/device.ts';
import type { PlannedRequest } from '../../src/contract/driver.ts';
import type { Address } from './address.ts';
import { type Known, nothingKnown, type Range } from './learned.ts';
import { isBits, type Table } from './reference.ts';
import type { DeviceOptions } from './settings.ts';

/** Registers or bits that are read together. */
export interface Block {
  unitId: number;
  table: Table;
  start: number;
  count: number;
}

export interface Detail extends Block {
  /** Registers of scale factors that are too far away to be read along. */
  factors: readonly number[];
  /** Ask again if the device is busy. */
  again: { afterMs: number; times: number };
}

export type ModbusPoint = Point<Address>;
export type ModbusRequest = PlannedRequest<Address> & { detail: Detail };
export type Devices = ReadonlyMap<string, Device<DeviceOptions, Address>>;
/** How long a read of so many places takes on the line, there and back. */
export type WireMs = (table: Table, count: number) => number | undefined;

/** A point and what has to be read for it. */
interface Item extends Range {
  point: ModbusPoint;
  /** The factor's register, where it is not between start and end. */
  apart?: number;
}

interface Group {
  unitId: number;
  table: Table;
  options: DeviceOptions;
  points: ModbusPoint[];
}

interface Run {
  items: Item[];
  breaks: string | undefined;
}

/** `devices` by id. A request is for one unit and table; the order is that of the units as they first occur, then table, then register. */
export function planReads(
  points: readonly ModbusPoint[],
  devices: Devices,
  known: Known = nothingKnown,
  wireMs: WireMs = () => undefined,
): ModbusRequest[] {
  const groups = groupsOf(points, devices);
  return groups.flatMap((group, index) => {
    const before = groups[index - 1];
    const other =
      before && (before.unitId !== group.unitId ? 'another unit' : before.table !== group.table ? 'another table' : 'other limits');
    return runsOf(group, known).map((run, at) => toRequest(group, at === 0 ? { ...run, breaks: run.breaks ?? other } : run, wireMs));
  });
}

/** The reads of a block's points one by one; points at the very same place stay together, as they can only fail together. */
export function planApart(request: ModbusRequest, devices: Devices): ModbusRequest[] {
  return groupsOf(request.points, devices).flatMap((group) =>
    singles(group.points).map((items) => {
      const run = { items, breaks: 'refused as a block' };
      if (beginsAtZero(group)) fromZero(run, limitOf(group), neverOf(group));
      return toRequest(group, run);
    }),
  );
}

function groupsOf(points: readonly ModbusPoint[], devices: Devices): Group[] {
  const groups = new Map<string, Group>();
  const spelt = new Map<DeviceOptions, string>();
  for (const point of points) {
    const options = devices.get(point.device)?.address;
    if (!options) throw new Error(`device ${point.device} of point ${point.id} is not on this line`);
    const limitsOf = spelt.get(options) ?? JSON.stringify(options);
    spelt.set(options, limitsOf);
    // Two devices may share a unit id, each with its own limits: they stay apart, so that neither reads more than it may.
    const key = `${point.address.table} ${limitsOf}`;
    const group = groups.get(key);
    if (group) group.points.push(point);
    else groups.set(key, { unitId: options.unitId, table: point.address.table, options, points: [point] });
  }
  return [...groups.values()];
}

function limitOf({ table, options }: Group): number {
  return isBits(table) ? options.bitsPerRequest : options.registersPerRequest;
}

function neverOf({ table, options }: Group): Range[] {
  return options.neverRead.filter((range) => range.table === table).map(({ first, last }) => ({ start: first, end: last + 1 }));
}

function beginsAtZero({ table, options }: Group): boolean {
  return options.startAtZero && isBits(table);
}

function runsOf(group: Group, known: Known): Run[] {
  const { unitId, table, options, points } = group;
  if (options.oneRequestPerPoint) return singles(points).map((items) => ({ items, breaks: 'one request per point' }));
  const limit = limitOf(group);
  const most = Math.min(limit, known.most(unitId, table) ?? limit);
  const never = neverOf(group);
  const atZero = beginsAtZero(group);
  const refused = known.refused(unitId, table);
  const gap = atZero ? Number.POSITIVE_INFINITY : options.gap;

  const runs: Run[] = [];
  const alone: ModbusPoint[] = [];
  let end = 0;
  let open: Run | undefined;
  const free = points.filter((point) => {
    const isRefused = touches(refused, placeOf(point.address));
    if (isRefused) alone.push(point);
    return !isRefused;
  });
  const items = free.map((point) => itemOf(point, most, [...never, ...refused]));
  for (const item of items.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    const [first] = open?.items ?? [];
    // What lies too far from zero to be read from there is read like anything else.
    const start = first === undefined || (atZero && first.end <= most) ? 0 : first.start;
    const breaks = open === undefined || item.end <= end ? undefined : breakOf(item.start - end, item.end - start);
    function breakOf(hole: number, together: number): string | undefined {
      const between = { start: end, end: item.start };
      if (touches(refused, between)) return `the device refuses ${between.start}-${between.end - 1}`;
      if (hole > gap) return `gap of ${hole} ${isBits(table) ? 'bits' : 'registers'}`;
      if (touches(never, between)) return `neverRead between ${between.start} and ${between.end - 1}`;
      return together > most ? `longer than ${most}` : undefined;
    }
    if (open && breaks === undefined) {
      open.items.push(item);
      end = Math.max(end, item.end);
    } else {
      open = { items: [item], breaks };
      runs.push(open);
      end = item.end;
    }
  }
  if (atZero) for (const run of runs) fromZero(run, most, [...never, ...refused]);
  for (const sharers of singles(alone)) {
    const run = { items: sharers, breaks: 'the device has refused it' };
    if (atZero) fromZero(run, limit, never);
    runs.push(run);
  }
  return runs;
}

export function placeOf({ register, width }: Address): Range {
  return { start: register, end: register + width };
}

/** A value and its scale factor are one thing, read in one moment, if that can be. */
function itemOf(point: ModbusPoint, most: number, barred: readonly Range[]): Item {
  const place = placeOf(point.address);
  const factor = point.address.scaleFactor;
  if (factor === undefined) return { point, ...place };
  const both = { start: Math.min(place.start, factor), end: Math.max(place.end, factor + 1) };
  return both.end - both.start <= most && !touches(barred, both) ? { point, ...both } : { point, ...place, apart: factor };
}

/** Points one by one, those at the very same place together. */
function singles(points: readonly ModbusPoint[]): Item[][] {
  const places = new Map<string, Item[]>();
  for (const point of points) {
    const { register, width, scaleFactor } = point.address;
    const item = { point, ...placeOf(point.address), ...(scaleFactor === undefined ? {} : { apart: scaleFactor }) };
    const key = `${register} ${width} ${scaleFactor ?? ''}`;
    const sharers = places.get(key);
    if (sharers) sharers.push(item);
    else places.set(key, [item]);
  }
  return [...places.values()].toSorted((a, b) => (a[0]?.start ?? 0) - (b[0]?.start ?? 0));
}

function fromZero(run: Run, most: number, barred: readonly Range[]): void {
  const [first] = run.items;
  const end = Math.max(...run.items.map((item) => item.end));
  if (first && end <= most && !touches(barred, { start: 0, end: first.start })) run.items[0] = { ...first, start: 0 };
}

export function touches(ranges: readonly Range[], { start, end }: Range): boolean {
  return ranges.some((range) => range.start < end && range.end > start);
}

function toRequest({ unitId, table, options }: Group, { items, breaks }: Run, wireMs: WireMs = () => undefined): ModbusRequest {
  let start = Number.POSITIVE_INFINITY;
  let end = 0;
  for (const item of items) {
    start = Math.min(start, item.start);
    end = Math.max(end, item.end);
  }
  const count = end - start;
  const factors = [...new Set(items.flatMap(({ apart }) => apart ?? []))];
  const ms = wireMs(table, count);
  return {
    unit: String(unitId),
    text: `read ${table} ${start}${count > 1 ? `-${end - 1}` : ''}${factors.length > 0 ? ` and ${factors.join(', ')}` : ''} of unit ${unitId}`,
    points: items.map(({ point }) => point),
    cost: {
      places: count + factors.length,
      wasted: count + factors.length - needed(items),
      ...(ms === undefined ? {} : { wireMs: ms + factors.length * (wireMs(table, 1) ?? 0) }),
      ...(breaks === undefined ? {} : { breaks }),
    },
    detail: { unitId, table, start, count, factors, again: { afterMs: options.busyPause, times: options.busyRetries } },
  };
}

/** Places that some point is made of. */
function needed(items: readonly Item[]): number {
  const places = items.flatMap(({ point }) => {
    const { scaleFactor } = point.address;
    return [placeOf(point.address), ...(scaleFactor === undefined ? [] : [{ start: scaleFactor, end: scaleFactor + 1 }])];
  });
  let sum = 0;
  let until = -1;
  for (const { start, end } of places.toSorted((a, b) => a.start - b.start)) {
    sum += Math.max(0, end - Math.max(start, until));
    until = Math.max(until, end);
  }
  return sum;
}
