/** Writing: from the value a person asks for to the raw value the place holds, checked against every limit before anything is sent. Pure. */
import type { CommandValue } from '../contract/command.ts';
import type { Point } from '../contract/device.ts';
import type { Shape } from '../contract/driver.ts';
import { badRequest, type Fault } from '../contract/fault.ts';
import type { Value } from '../contract/sample.ts';
import { inverse, inverseWhole, linear } from './decimals.ts';
import { Pipeline } from './pipeline.ts';

export interface Written {
  raw: Exclude<Value, null>;
  /** What the point reads when the write has worked: the asked value as far as the place can hold it. */
  value: Value;
}

/** Throws a `Fault`: 400 for a value of the wrong type, 422 for one that a limit refuses. */
export function toRaw(point: Point, shape: Shape, asked: CommandValue): Written {
  const raw = fromName(point, shape, asked) ?? plainRaw(point, shape, asked);
  const pipeline = new Pipeline(unbounded(point), shape);
  if (pipeline.isInvalid(raw))
    throw refused(`${String(asked)} would be written as ${String(raw)}, which means "no value" for ${name(point)}`);
  return { raw, value: pipeline.value(raw).value };
}

/** What `expect` and `equals` mean in engineering units; undefined if it makes no sense for the point. */
export function toValue(point: Point, shape: Shape, asked: CommandValue): Value | undefined {
  const raw = fromName(point, shape, asked);
  if (raw !== undefined) return new Pipeline(unbounded(point), shape).value(raw).value;
  const isNumber = shape.type === 'integer' || shape.type === 'float32' || shape.type === 'float64';
  if (isNumber && typeof asked === 'string') return /^-?\d{1,20}$/.test(asked) ? BigInt(asked) : undefined;
  return shape.type === 'boolean' && typeof asked === 'number' ? asked !== 0 : asked;
}

/** The point as if every reading were believed: what is asked for is checked by its own limits. */
function unbounded(point: Point): Point {
  const { min: _min, max: _max, ...free } = point;
  return free;
}

/** `enum` is raw → name: a name stands for its raw value. */
function fromName(point: Point, shape: Shape, asked: CommandValue): Exclude<Value, null> | undefined {
  if (typeof asked !== 'string' || !point.enum) return undefined;
  const named = Object.entries(point.enum).find(([, title]) => title === asked)?.[0];
  if (named === undefined) return undefined;
  if (shape.type === 'string') return named;
  if (shape.type === 'boolean') return named === '1' || named === 'true';
  if (shape.type === 'integer' && /^-?\d+$/.test(named)) return Number.isSafeInteger(Number(named)) ? Number(named) : BigInt(named);
  if (shape.type === 'any' && (named === 'true' || named === 'false')) return named === 'true';
  return named !== '' && Number.isFinite(Number(named)) ? Number(named) : named;
}

function plainRaw(point: Point, shape: Shape, asked: CommandValue): Exclude<Value, null> {
  switch (shape.type) {
    case 'boolean':
      if (typeof asked === 'boolean') return asked;
      if (asked === 0 || asked === 1) return asked === 1;
      throw wrongType(point, asked, 'true or false');
    case 'string':
      if (typeof asked !== 'string') throw wrongType(point, asked, 'a string');
      return ofTheNamed(point, asked);
    case 'any':
      return typeof asked === 'number' || typeof asked === 'bigint' ? numberRaw(point, shape, asked) : ofTheNamed(point, asked);
    default:
      if (typeof asked === 'boolean') throw wrongType(point, asked, 'a number');
      return numberRaw(point, shape, asked);
  }
}

/** Of a point whose values have names no other word is set. */
function ofTheNamed<T extends string | boolean>(point: Point, asked: T): T {
  if (point.enum && !Object.hasOwn(point.enum, String(asked)))
    throw refused(`${JSON.stringify(asked)} is no value of ${name(point)}; allowed are ${names(point)}`);
  return asked;
}

function numberRaw(point: Point, shape: Shape, asked: number | bigint | string): number | bigint {
  const value = typeof asked === 'string' ? digits(point, asked) : asked;
  if (typeof value === 'number' && !Number.isFinite(value)) throw wrongType(point, asked, 'a finite number');
  checkLimits(point, value);
  const raw = rawOf(point, shape, value);
  checkNamed(point, raw);
  return raw;
}

function rawOf(point: Point, shape: Shape, value: number | bigint): number | bigint {
  const { scale, offset } = point;
  if (shape.type === 'integer') return inRange(point, shape, plainIfSafe(wholeOf(point, shape, value)));
  // A place that takes a text takes all digits.
  const isText = shape.type === 'any' || shape.exact;
  if (isText && typeof value === 'bigint' && scale === 1 && offset === 0) return plainIfSafe(value);
  const raw = inverse(Number(value), scale, offset);
  const held = shape.type === 'float32' ? Math.fround(raw) : raw;
  if (!Number.isFinite(held)) throw refused(`${value} is beyond what ${shape.type === 'float32' ? 'a 32-bit float' : name(point)} holds`);
  return held;
}

/** Of 64 bits scaled, the double nearest to an end may mean a little more than the end: whoever asks for it means the end. */
function wholeOf({ scale, offset }: Point, { min, max }: Shape, value: number | bigint): bigint {
  const whole = inverseWhole(value, scale, offset);
  const end = max !== undefined && whole > max ? max : min !== undefined && whole < min ? min : whole;
  return end === whole || linear(scale, offset)(end) !== value ? whole : end;
}

function plainIfSafe(whole: bigint): number | bigint {
  const plain = Number(whole);
  return Number.isSafeInteger(plain) ? plain : whole;
}

function digits(point: Point, asked: string): bigint {
  if (/^-?\d{1,20}$/.test(asked)) return BigInt(asked);
  throw wrongType(point, asked, point.enum ? `a number or one of ${names(point)}` : 'a number');
}

function inRange(point: Point, shape: Shape, raw: number | bigint): number | bigint {
  const low = shape.min !== undefined && raw < shape.min;
  if (!low && !(shape.max !== undefined && raw > shape.max)) return raw;
  throw refused(`the raw value ${raw} does not fit the place of ${name(point)}; allowed is ${shape.min ?? '-∞'} to ${shape.max ?? '∞'}`);
}

/** In engineering units. A value beyond the range in which readings are believed could not be verified: `min`/`max` count unless `write` says more. */
function checkLimits(point: Point, value: number | bigint): void {
  const min = point.write?.min ?? point.min;
  const max = point.write?.max ?? point.max;
  const step = point.write?.step;
  if ((min !== undefined && value < min) || (max !== undefined && value > max)) {
    throw refused(`${value} is outside the limits of ${name(point)}; allowed is ${min ?? '-∞'} to ${max ?? '∞'}${unit(point)}`);
  }
  if (step !== undefined) {
    const steps = (Number(value) - (point.write?.min ?? 0)) / step;
    if (Math.abs(steps - Math.round(steps)) > 1e-9 * Math.max(1, Math.abs(steps))) {
      throw refused(
        `${value} is between the steps of ${name(point)}; allowed is ${point.write?.min ?? 0} plus a multiple of ${step}${unit(point)}`,
      );
    }
  }
}

/** Of a point whose states have names nothing else is set, unless limits say what else is allowed. */
function checkNamed(point: Point, raw: number | bigint): void {
  const limited = [point.write?.min, point.min, point.write?.max, point.max].some((limit) => limit !== undefined);
  if (point.enum && !limited && !Object.hasOwn(point.enum, String(raw)))
    throw refused(`${raw} is no raw value of ${name(point)}; allowed are ${names(point)}`);
}

function wrongType(point: Point, asked: unknown, allowed: string): Fault {
  return badRequest(
    `${typeof asked === 'bigint' ? asked : JSON.stringify(asked)} is no value for ${name(point)}; allowed is ${allowed}`,
    'value',
    'bad-value',
  );
}

function refused(message: string): Fault {
  return badRequest(message, 'value', 'limit', 422);
}

function name(point: Point): string {
  return `${point.device}.${point.id}`;
}

function names(point: Point): string {
  return Object.values(point.enum ?? {})
    .map((title) => JSON.stringify(title))
    .join(', ');
}

function unit(point: Point): string {
  return point.unit === undefined ? '' : ` ${point.unit}`;
}
