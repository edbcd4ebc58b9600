/** Which points a SunSpec model has at its place in a device, as they would stand in settings. Pure. Names, types and places are those of the public models. */
import { type Address, addressSchema } from './address.ts';
import { decodeRegisters } from './decode.ts';
import models from './sunspec-models.json' with { type: 'json' };
import type { Type } from './types.ts';

/** `[name, type, registers, { sf, unit, once, names }]`; a pad has no name. */
type ModelPoint = (string | number | { sf?: string | number; unit?: string; once?: boolean; names?: Record<string, string> })[];

export interface Model {
  ids: number[];
  /** The first part of its points' ids. */
  name: string;
  fixed: ModelPoint[];
  /** As often as the model's length allows. */
  repeated?: ModelPoint[];
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
  Wh: 'watth',
  WH: 'watth',
  Hz: 'hertz',
  C: 'celsius',
  Pct: 'percent',
  ohms: 'ohm',
  Secs: 's',
};
const notAvailable = -32_768;

interface Placed {
  name: string;
  type: string;
  size: number;
  more: { sf?: string | number; unit?: string; once?: boolean; names?: Record<string, string> };
  /** Registers after the model's head. */
  at: number;
  /** Which of the repeated blocks, from 1; 0 in the fixed one. */
  block: number;
}

/**
 * The points of a model that this device has. `register` is where its data begin, after id and length; `bytes` are its data. `prefix` begins their
 * ids. What the device says it does not have is left out, and so are scale factors, which are read along with their points.
 */
export function pointsOf(model: Model, prefix: string, register: number, bytes: Buffer): Proposed[] {
  const placed = place(model, bytes.length / 2);
  const factors = new Map(placed.filter(({ type }) => type === 'sunssf').map((factor) => [`${factor.block} ${factor.name}`, factor.at]));
  return placed.flatMap((point) => {
    const kind = kinds[point.type];
    if (!kind || point.name === '') return [];
    const { sf, unit, once, names } = point.more;
    const factorAt = typeof sf === 'string' ? (factors.get(`${point.block} ${sf}`) ?? factors.get(`0 ${sf}`)) : undefined;
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
      id: [prefix, ...(point.block === 0 ? [] : [point.block]), point.name].join('_'),
      address,
      ...(unit !== undefined && Object.hasOwn(units, unit) ? { unit: units[unit] } : {}),
      ...(kind.invalid.length === 0 ? {} : { invalid: kind.invalid }),
      ...(typeof sf === 'number' ? { scale: 10 ** sf } : {}),
      ...(point.type.startsWith('acc') ? { counter: {} } : {}),
      ...(names === undefined ? {} : point.type.startsWith('enum') ? { enum: names } : { bits: names }),
      ...(once ? { interval: 'once' } : {}),
    };
  });
}

/** Where each point is, as far as the model goes in this device: a later version of the device may have more, an earlier one less. */
function place({ fixed, repeated = [] }: Model, length: number): Placed[] {
  const placed: Placed[] = [];
  let at = 0;
  const add = (points: readonly ModelPoint[], block: number) => {
    for (const [name, type, size, more = {}] of points as [string, string, number, Placed['more']?][]) {
      if (at + size <= length) placed.push({ name, type, size, more, at, block });
      at += size;
    }
  };
  add(fixed, 0);
  const blockLength = repeated.reduce((sum, [, , size]) => sum + Number(size), 0);
  for (let block = 1; blockLength > 0 && at + blockLength <= length; block++) add(repeated, block);
  return placed;
}

function isThere(address: Address, invalid: readonly (number | string)[], bytes: Buffer, at: number): boolean {
  const value = decodeRegisters(address, bytes, at * 2);
  return value !== '' && !Number.isNaN(value) && !invalid.some((none) => String(none) === String(value));
}
