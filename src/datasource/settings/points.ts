import { type Point, type PointConfig, pointSchema } from '../../contract/device.ts';
import type { Driver, Shape } from '../../contract/driver.ts';
import type { Faults } from './faults.ts';
import { show } from './phrases.ts';
import { respelt } from './raw-values.ts';
import { check } from './words.ts';

/** One point of a device as it is written: its fields may come from a profile, some of them replaced by the device. */
export interface RawPoint {
  raw: unknown;
  /** Where a field stands; without a field: where the point stands. Also names what is left out if the field is wrong. */
  elementOf(field: PropertyKey | undefined): string;
  /** Every place the point is written at. */
  elements: readonly string[];
}

export interface DeviceWords {
  id: string;
  intervalMs: number;
  labels: Record<string, string>;
}

/** What a point is whatever device has it; undefined if something is wrong with it. */
type PointWords =
  | { same: Omit<Point, 'device' | 'intervalMs' | 'once' | 'labels'>; interval: PointConfig['interval']; labels: PointConfig['labels'] }
  | undefined;

/** Points that were read already, by driver and place: those of a profile are the same for the hundred devices that have it, and checked and held once. */
export type KnownPoints = Map<Driver, Map<string, PointWords>>;

/** A point that is complete and in order, or undefined with what is wrong reported. */
export function readPoint(point: RawPoint, device: DeviceWords, driver: Driver, faults: Faults, known: KnownPoints): Point | undefined {
  const words = knownWords(point, driver, faults, known);
  if (!words) return undefined;
  const { interval, labels } = words;
  const rhythm =
    interval === 'once' ? { intervalMs: device.intervalMs, once: true as const } : { intervalMs: interval ?? device.intervalMs };
  const hasOwn = Object.keys(labels).length > 0;
  return { ...words.same, device: device.id, ...rhythm, labels: hasOwn ? { ...device.labels, ...labels } : device.labels };
}

function knownWords(point: RawPoint, driver: Driver, faults: Faults, known: KnownPoints): PointWords {
  const [place = '', changedFrom] = point.elements;
  // One that a device changes is its own.
  if (changedFrom !== undefined) return readWords(point, driver, faults);
  const ofDriver = known.get(driver) ?? new Map<string, PointWords>();
  known.set(driver, ofDriver);
  if (!ofDriver.has(place)) ofDriver.set(place, readWords(point, driver, faults));
  return ofDriver.get(place);
}

function readWords(point: RawPoint, driver: Driver, faults: Faults): PointWords {
  const config = faults.take(check(pointSchema, point.raw), point.elementOf);
  const isObject = typeof point.raw === 'object' && point.raw !== null && !Array.isArray(point.raw);
  const address = isObject
    ? faults.take(check(driver.address, (point.raw as { address?: unknown }).address), () => point.elementOf('address'), '.address')
    : undefined;
  if (config === undefined || address === undefined) return undefined;

  const say = (field: keyof PointConfig, tail: string, message: string) => faults.add(point.elementOf(field), `.${field}${tail}`, message);
  const warn: Say = (field, tail, message) => faults.warn(point.elementOf(field), `.${field}${tail}`, message);
  checkAccess(config, driver.abilities(address), say);
  checkValues(config, driver.shape(address), say);
  const spelt = respelt(config, driver.shape(address), say, warn);
  if (config.write && config.access === 'read') {
    faults.warn(point.elementOf('write'), '.write', 'has no effect, because access is "read"; allowed with access "write" or "read-write"');
  }
  if (point.elements.some((element) => faults.broken(element))) return undefined;

  const { interval, address: _address, labels, ...rest } = config;
  return { same: { ...rest, ...spelt, address }, interval, labels: ownLabels(labels, point.elementOf('labels'), faults) };
}

/** The labels that may be chosen: every series is labelled with its device and its point already. */
export function ownLabels(labels: Record<string, string>, element: string, faults: Faults): Record<string, string> {
  const { device, point, ...own } = labels;
  if (device !== undefined) faults.warn(element, '.labels.device', 'is ignored, because every series has this label already');
  if (point !== undefined) faults.warn(element, '.labels.point', 'is ignored, because every series has this label already');
  return own;
}

type Say = (field: keyof PointConfig, tail: string, message: string) => void;

function checkAccess(config: PointConfig, can: { read: boolean; write: boolean }, say: Say): void {
  const allowed = can.read && can.write ? undefined : can.read ? '"read"' : can.write ? '"write"' : 'nothing';
  if ((config.access !== 'write' && !can.read) || (config.access !== 'read' && !can.write)) {
    say('access', '', `is "${config.access}"; with this address allowed is ${allowed}`);
  }
}

function checkValues(config: PointConfig, shape: Shape, say: Say): void {
  const numeric = shape.type !== 'boolean' && shape.type !== 'string';
  if (!numeric && config.scale !== 1) say('scale', '', `is ${config.scale}; a ${shape.type} has no scale`);
  if (!numeric && config.offset !== 0) say('offset', '', `is ${config.offset}; a ${shape.type} has no offset`);
  if (config.min !== undefined && config.max !== undefined && config.min > config.max) {
    say('min', '', `is ${config.min}; allowed is at most max, which is ${config.max}`);
  }
  const { min, max } = config.write ?? {};
  if (min !== undefined && max !== undefined && min > max) say('write', '.min', `is ${min}; allowed is at most write.max, which is ${max}`);
  checkReach(config, shape, say);
  checkBits(config, shape, say);
  checkNames(config, shape, say);
}

/** A write limit that the raw value cannot hold is a mistake in scale, offset or type. */
function checkReach(config: PointConfig, shape: Shape, say: Say): void {
  if (shape.type !== 'integer' || shape.min === undefined || shape.max === undefined || config.access === 'read') return;
  const ends = [shape.min, shape.max].map((raw) => Number(raw) * config.scale + config.offset).sort((one, other) => one - other);
  const [lowest = 0, highest = 0] = ends;
  for (const bound of ['min', 'max'] as const) {
    const value = config.write?.[bound];
    if (value !== undefined && (value < lowest || value > highest)) {
      say('write', `.${bound}`, `is ${value}; with this type, scale and offset allowed is from ${lowest} to ${highest}`);
    }
  }
}

/** `bits` names the bits of a whole number as the device holds it, so nothing may be made of it first. */
function checkBits(config: PointConfig, shape: Shape, say: Say): void {
  if (!config.bits) return;
  if (shape.type === 'boolean' || shape.type === 'string' || shape.type === 'float32' || (shape.type === 'float64' && !shape.exact))
    say('bits', '', `is given for a ${shape.type}; allowed only for whole numbers`);
  if (config.scale !== 1 || config.offset !== 0) say('bits', '', 'is given with scale or offset; allowed only for a point without both');
  if (config.enum) say('bits', '', 'is given with enum; allowed is either');
  const last = shape.min === undefined || shape.max === undefined ? 63 : (shape.max - shape.min).toString(2).length - 1;
  for (const bit of Object.keys(config.bits)) {
    if (Number(bit) > last) say('bits', `[${show(bit)}]`, `is no bit of this point; allowed is 0 (the least significant) to ${last}`);
  }
}

/** Enum keys are raw values; names are accepted in commands, so a writable point cannot have the same name twice. */
function checkNames(config: PointConfig, shape: Shape, say: Say): void {
  const names = new Map<string, string>();
  for (const [raw, name] of Object.entries(config.enum ?? {})) {
    if (shape.type === 'boolean' && !/^(0|1|true|false)$/.test(raw))
      say('enum', `[${show(raw)}]`, 'is no raw value of this point; allowed are "0" and "1"');
    const first = names.get(name);
    if (first !== undefined && config.access !== 'read') {
      say('enum', `[${show(raw)}]`, `is ${show(name)} as ${show(first)} is; a name that commands accept stands for one value only`);
    }
    names.set(name, raw);
  }
}

/** `write.verify.point` looks at another point of the device: it must be there and readable. */
export function checkVerifyPoints(points: readonly { raw: RawPoint; point: Point }[], faults: Faults): void {
  const readable = points.filter(({ point }) => point.access !== 'write').map(({ point }) => point.id);
  for (const { raw, point } of points) {
    const verify = point.write?.verify;
    if (typeof verify !== 'object' || verify.point === undefined || readable.includes(verify.point)) continue;
    faults.add(
      raw.elementOf('write'),
      '.write.verify.point',
      `is ${show(verify.point)}; allowed is a readable point of this device: ${readable.slice(0, 20).join(', ') || 'there is none'}`,
    );
  }
}
