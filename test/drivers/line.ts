/** Settings → a line a driver can open, the way the product does it: every part through the schema that declares it. */
import { systemClock } from '../../src/contract/clock.ts';
import { type Device, type Point, pointSchema } from '../../src/contract/device.ts';
import type { Discard, Driver, Host, Line } from '../../src/contract/driver.ts';
import { silentLog } from '../../src/contract/log.ts';
import { parseTemplateId } from '../../src/contract/template-id.ts';

/** A line as it is written in settings. `connection` is without `id`, `kind` and `title`; points are as in `devices[].points[]`. */
export interface RawLine {
  connection: Record<string, unknown>;
  devices: { id: string; address?: unknown; points: Record<string, unknown>[]; availability?: Record<string, unknown> }[];
}

/** Throws zod's error if a part does not fit its schema, and an Error if the driver's own check finds one. */
export function buildLine(driver: Driver, raw: RawLine): Line {
  const line: Line = {
    connection: { id: 'line', kind: driver.kind, title: 'line', options: driver.connection.parse(raw.connection) },
    devices: raw.devices.map(
      (device): Device => ({
        id: device.id,
        title: device.id,
        connection: 'line',
        address: driver.device.parse(device.address),
        labels: {},
        points: device.points.map((point) => buildPoint(driver, device.id, point)),
        actions: [],
        ...(device.availability ? { availability: { online: 'online', offline: 'offline', ...device.availability } } : {}),
        ...(device.id.includes('{') ? { placeholders: parseTemplateId(device.id).names } : {}),
      }),
    ),
  };
  const faults = driver.check(line).filter((fault) => fault.severity === 'error');
  if (faults.length > 0) throw new Error(faults.map((fault) => `${fault.place}: ${fault.message}`).join('; '));
  return line;
}

export function buildPoint(driver: Driver, device: string, raw: Record<string, unknown>): Point {
  const { address, interval, ...rest } = pointSchema.parse(raw);
  const rhythm = interval === 'once' ? { intervalMs: 1_000, once: true as const } : { intervalMs: interval ?? 1_000 };
  return { ...rest, device, address: driver.address.parse(address), ...rhythm };
}

export function pointOf(line: Line, id: string): Point {
  for (const device of line.devices) for (const point of device.points) if (point.id === id) return point;
  throw new Error(`the line has no point ${id}`);
}

/** A host as the gateway would be one; what the driver says about a lost link is kept in `losses`, and in `discards` why it threw answers away. */
export function makeHost(
  secrets: Record<string, string> = {},
  shared: Map<string, unknown> = new Map(),
): Host & { losses: Error[]; discards: Discard[] } {
  const memory = new Map<string, unknown>();
  const losses: Error[] = [];
  const thrown: Discard[] = [];
  return {
    log: silentLog,
    clock: systemClock,
    secret: (name) => secrets[name],
    shared,
    memory: { get: (key) => memory.get(key), set: (key, value) => void memory.set(key, value) },
    lost: (error) => void losses.push(error),
    losses,
    discarded: (why) => void thrown.push(why),
    discards: thrown,
  };
}
