/**
 * The value pipeline (DESIGN §5): raw → `invalid` (compared raw) → raw × scale + offset → precision → `min`/`max`; and the clock rule.
 * Pure: everything about a point is prepared once, so that a sample costs little.
 */

import type { Point } from '../contract/device.ts';
import type { Reading, Shape } from '../contract/driver.ts';
import { shortestFloat32 } from '../contract/float32.ts';
import { limits } from '../contract/limits.ts';
import type { ColumnKind, Reason, Sample, TimeNs, Value } from '../contract/sample.ts';
import { linear, roundTo } from './decimals.ts';
import { kindOf, kindOfValue } from './kinds.ts';

/** Why a raw value stands for none. There are four of them: a sample costs no object to say that it has a value. */
class NoValue {
  readonly reason: Reason;

  constructor(reason: Reason) {
    this.reason = reason;
  }
}

const noValue = {
  decode: new NoValue('decode'),
  sentinel: new NoValue('sentinel'),
  nan: new NoValue('nan'),
  outOfRange: new NoValue('out-of-range'),
};

/** Of one point. A class, because a plant has ten thousand points: methods are there once, closures would be there for each. */
export class Pipeline {
  /** `undefined` where the place holds anything. */
  readonly kind: ColumnKind | undefined;
  readonly #point: Pick<Point, 'precision' | 'min' | 'max'>;
  readonly #isFloat32: boolean;
  readonly #scaled: (raw: number | bigint) => number;
  /** Absent where no raw value means "no value", as of most points. */
  readonly #invalid: ReadonlySet<string> | undefined;

  constructor(point: Point, shape: Shape) {
    this.kind = kindOf(point, shape);
    this.#point = point;
    this.#isFloat32 = shape.type === 'float32';
    this.#scaled = linear(point.scale, point.offset);
    if (point.invalid.length > 0)
      this.#invalid = new Set(point.invalid.map((raw) => identity(this.#isFloat32 && typeof raw === 'number' ? Math.fround(raw) : raw)));
  }

  /** The engineering value of a raw one, or why there is none. */
  value(raw: Value): { value: Value; reason: Reason } {
    const converted = this.#convert(raw);
    return converted instanceof NoValue ? { value: null, reason: converted.reason } : { value: converted, reason: '' };
  }

  #convert(raw: Value): Exclude<Value, null> | NoValue {
    if (raw === null) return noValue.decode;
    if (this.isInvalid(raw)) return noValue.sentinel;
    if (typeof raw === 'number' && !Number.isFinite(raw)) return noValue.nan;
    const converted = this.#asKind(raw);
    if (converted === undefined) return noValue.decode;
    if (typeof converted === 'number' && !Number.isFinite(converted)) return noValue.nan;
    if (typeof converted === 'number' || typeof converted === 'bigint') {
      const { min, max } = this.#point;
      if ((min !== undefined && converted < min) || (max !== undefined && converted > max)) return noValue.outOfRange;
    }
    return converted;
  }

  /** True if the raw value means "no value" by `invalid`. */
  isInvalid(raw: Value): boolean {
    return this.#invalid !== undefined && raw !== null && this.#invalid.has(identity(raw));
  }

  sample(reading: Pick<Reading, 'value' | 'reason' | 'timeNs' | 'timeUnreadable'>, arrivalNs: TimeNs, retentionMs: number): Sample {
    const deviceNs = reading.timeNs;
    const isBelieved = deviceNs === undefined || isCredible(deviceNs, arrivalNs, retentionMs);
    const timeNs = deviceNs !== undefined && isBelieved ? deviceNs - (deviceNs % 1_000_000n) : arrivalNs;
    if (reading.reason !== '') return { timeNs, arrivalNs, value: null, quality: 'bad', reason: reading.reason };
    const value = this.#convert(reading.value);
    if (value instanceof NoValue) return { timeNs, arrivalNs, value: null, quality: 'bad', reason: value.reason };
    if (!isBelieved || reading.timeUnreadable) return { timeNs, arrivalNs, value, quality: 'uncertain', reason: 'clock' };
    return { timeNs, arrivalNs, value, quality: 'good', reason: '' };
  }

  /** The raw value as the point's kind; undefined if it does not fit. */
  #asKind(raw: Exclude<Value, null>): Exclude<Value, null> | undefined {
    switch (this.kind ?? kindOfValue(raw)) {
      case 'double':
        return typeof raw === 'number' || typeof raw === 'bigint' ? this.#number(raw) : undefined;
      case 'int64':
        return whole(raw, (exact) => BigInt.asIntN(64, exact));
      case 'uint64':
        return whole(raw, (exact) => BigInt.asUintN(64, exact));
      case 'boolean':
        if (typeof raw === 'boolean') return raw;
        return raw === 0 || raw === 1 ? raw === 1 : undefined;
      case 'string':
        return typeof raw === 'string' ? raw : undefined;
      case undefined:
        return undefined;
    }
  }

  #number(raw: number | bigint): number {
    // A 32-bit float means the shortest decimal that it is: that is what was written to it, and what its limits are compared with.
    const value = this.#scaled(this.#isFloat32 ? shortestFloat32(Number(raw)) : raw);
    return this.#point.precision === undefined ? value : roundTo(value, this.#point.precision);
  }
}

/** The clock rule: a device time older than the history or too far ahead is replaced by the arrival, which is in whole milliseconds, as the result is. */
function isCredible(deviceNs: TimeNs, arrivalNs: TimeNs, retentionMs: number): boolean {
  const aheadMs = Number(deviceNs - arrivalNs) / 1e6;
  return aheadMs <= limits.clockAheadMaxMs && aheadMs >= -retentionMs;
}

function whole(raw: Exclude<Value, null>, wrap: (exact: bigint) => bigint): bigint | undefined {
  if (typeof raw !== 'bigint' && !(typeof raw === 'number' && Number.isSafeInteger(raw))) return undefined;
  const exact = BigInt(raw);
  return wrap(exact) === exact ? exact : undefined;
}

/** Equal for raw values that are the same number, whether it came as number, bigint or (64-bit in JSON settings) as a string of digits. */
function identity(raw: Exclude<Value, null>): string {
  switch (typeof raw) {
    case 'number':
      return Number.isInteger(raw) ? `n${BigInt(raw)}` : `n${raw}`;
    case 'string': {
      const text = raw.trim();
      if (/^[+-]?\d{1,40}$/.test(text)) return `n${BigInt(text.replace('+', ''))}`;
      if (/^0[xX][0-9a-fA-F]{1,16}$/.test(text)) return `n${BigInt(text)}`;
      return text !== '' && Number.isFinite(Number(text)) ? identity(Number(text)) : `s${raw}`;
    }
    default:
      return `n${raw}`;
  }
}
