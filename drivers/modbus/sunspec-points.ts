/** Which points a SunSpec model has at its place in a device, as they would stand in settings. Pure. Names, types and places are those of the public models. */
import { type Address, addressSchema } from './address.ts';
import { decodeRegisters } from './decode.ts';
import models from './sunspec-models.json' with { type: 'json' };
import type { Type } from './types.ts';

interface More {
  sf?: string | number;
  unit?: string;
  once?: boolean;
  /** May be written. */
  rw?: boolean;
  names?: Record<string, string>;
}

/** `[name, type, registers, More]`; a pad has no name. */
type ModelPoint = (string | number | More)[];

interface Group {
  points: ModelPoint[];
  groups?: (Group & {
    name: string;
    /** How often it follows itself: the point that says so, or 0 for as often as the model's length allows. Absent: it is there once. */
    count?: string | number;
  })[];
}

export interface Model extends Group {
  ids: number[];
  /** The first part of its points' ids. */
  name: string;
}

/** A point in the language of settings. */
export type Proposed = { id: string; address: Record<string, unknown> } & Record<string, unknown>;

const known = new Map((models as Model[]).flatMap((model) => model.ids.map((id) => [id, model] as const)));

export function modelOf(id: number): Model | undefined {
  return known.get(id);
}

/** How a type lies in registers, and what a device holds there that does not have the point (SunSpec Information Model Specification). */
const kinds: Record<string, { type: Type; invalid: (number | string)[] }> = {
  int16: { type: 'int16', invalid: [-32_768] },
  uint16: { type: 'uint16', invalid: [65_535] },
  count: { type: 'uint16', invalid: [65_535] },
  enum16: { type: 'uint16', invalid: [65_535] },
  bitfield16: { type: 'uint16', invalid: [65_535] },
  acc16: { type: 'uint16', invalid: [0] },
  int32: { type: 'int32', invalid: [-2_147_483_648] },
  uint32: { type: 'uint32', invalid: [4_294_967_295] },
  enum32: { type: 'uint32', invalid: [4_294_967_295] },
  bitfield32: { type: 'uint32', invalid: [4_294_967_295] },
  acc32: { type: 'uint32', invalid: [0] },
  int64: { type: 'int64', invalid: ['-9223372036854775808'] },
  uint64: { type: 'uint64', invalid: ['18446744073709551615'] },
  acc64: { type: 'uint64', invalid: [0] },
  float32: { type: 'float32', invalid: [] },
  string: { type: 'string', invalid: [] },
};

/** Grafana's ids. */
const units: Record<string, string> = {
  A: 'amp',
  V: 'volt',
  W: 'watt',
  VA: 'voltamp',
  var: 'voltampreact',
  Var: 'voltampreact',
  Wh: 'watth',
  WH: 'watth',
  Hz: 'hertz',
  C: 'celsius',
  Pct: 'percent',
  '%': 'percent',
  ohms: 'ohm',
  Secs: 's',
};
const notAvailable = -32_768;
/** Of a count. */
const notCounted = 0xffff;

interface Placed {
  name: string;
  type: string;
  size: number;
  more: More;
  /** Registers after the model's head. */
  at: number;
  /** Where it is in groups within groups: numbers from 1 of those that are repeated, names of those that have neighbours or are there once. */
  path: readonly (string | number)[];
}

/**
 * The points of a model that this device has. `register` is where its data begin, after id and length; `bytes` are its data. `prefix` begins their
 * ids. What the device says it does not have is left out, and so are scale factors, which are read along with their points.
 */
export function pointsOf(model: Model, prefix: string, register: number, bytes: Buffer): Proposed[] {
  const placed = place(model, bytes);
  const factors = new Map(placed.filter(({ type }) => type === 'sunssf').map(({ path, name, at }) => [[...path, name].join('_'), at]));
  return placed.flatMap((point) => {
    const kind = kinds[point.type];
    if (!kind || point.name === '') return [];
    const { sf, unit, once, rw, names } = point.more;
    const factorAt = typeof sf === 'string' ? factorOf(factors, point.path, sf) : undefined;
    if (factorAt !== undefined && bytes.readInt16BE(factorAt * 2) === notAvailable) return [];
    const address = {
      table: 'holding',
      register: register + point.at,
      type: kind.type,
      ...(kind.type === 'string' ? { length: point.size } : {}),
      ...(factorAt === undefined ? {} : { scaleFactor: register + factorAt }),
    };
    if (!isThere(addressSchema.parse(address), kind.invalid, bytes, point.at)) return [];
    return {
      id: [prefix, ...point.path, point.name].join('_'),
      address,
      ...(unit !== undefined && Object.hasOwn(units, unit) ? { unit: units[unit] } : {}),
      ...(kind.invalid.length === 0 ? {} : { invalid: kind.invalid }),
      ...(typeof sf === 'number' ? { scale: 10 ** sf } : {}),
      ...(point.type.startsWith('acc') ? { counter: {} } : {}),
      ...(names === undefined ? {} : point.type.startsWith('enum') ? { enum: names } : { bits: names }),
      ...(rw ? { access: 'read-write' } : {}),
      ...(once ? { interval: 'once' } : {}),
    };
  });
}

/** The scale factor of the innermost group that has one of this name. */
function factorOf(factors: ReadonlyMap<string, number>, path: Placed['path'], name: string): number | undefined {
  for (let depth = path.length; depth >= 0; depth--) {
    const at = factors.get([...path.slice(0, depth), name].join('_'));
    if (at !== undefined) return at;
  }
  return undefined;
}

/** Where each point is, as far as the model goes in this device: a later version of the device may have more, an earlier one less. */
function place(model: Model, bytes: Buffer): Placed[] {
  const length = bytes.length / 2;
  const placed: Placed[] = [];
  /** What points of one register hold: how often groups are repeated stands in one of them, before the groups. */
  const words = new Map<string, number>();
  let at = 0;
  add(model, []);
  return placed;

  function add({ points, groups = [] }: Group, path: Placed['path']): void {
    for (const [name, type, size, more = {}] of points as [string, string, number, More?][]) {
      if (at + size <= length) placed.push({ name, type, size, more, at, path });
      if (size === 1 && at < length) words.set(name, bytes.readUInt16BE(at * 2));
      at += size;
    }
    for (const group of groups) {
      const called = groups.length > 1 || group.count === undefined ? [group.name] : [];
      if (group.count === undefined) add(group, [...path, ...called]);
      else
        for (let number = 1; number <= timesOf(group.count) && at + sizeOf(group) <= length; number++)
          add(group, [...path, ...called, number]);
    }
  }

  function timesOf(count: string | number): number {
    if (count === 0) return Number.POSITIVE_INFINITY;
    const times = typeof count === 'number' ? count : (words.get(count) ?? 0);
    return times === notCounted ? 0 : times;
  }

  /** At least 1, so that what is repeated without end has one. */
  function sizeOf({ points, groups = [] }: Group): number {
    const own = points.reduce((sum, [, , size]) => sum + Number(size), 0);
    const inner = groups.map((group) => (group.count === undefined ? 1 : timesOf(group.count)) * sizeOf(group));
    return Math.max(1, own + inner.reduce((sum, size) => sum + size, 0));
  }
}

function isThere(address: Address, invalid: readonly (number | string)[], bytes: Buffer, at: number): boolean {
  const value = decodeRegisters(address, bytes, at * 2);
  return value !== '' && !Number.isNaN(value) && !invalid.some((none) => String(none) === String(value));
}
