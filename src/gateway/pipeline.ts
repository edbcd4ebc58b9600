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

export interface Pipeline {
  /** `undefined` where the place holds anything. */
  readonly kind: ColumnKind | undefined;
  /** The engineering value of a raw one, or why there is none. */
  value(raw: Value): { value: Value; reason: Reason };
  /** True if the raw value means "no value" by `invalid`. */
  isInvalid(raw: Value): boolean;
  sample(reading: Pick<Reading, 'value' | 'reason' | 'timeNs' | 'timeUnreadable'>, arrivalNs: TimeNs, retentionMs: number): Sample;
}

export function createPipeline(point: Point, shape: Shape): Pipeline {
  const kind = kindOf(point, shape);
  const scaled = linear(point.scale, point.offset);
  const invalid = new Set(
    point.invalid.map((raw) => identity(shape.type === 'float32' && typeof raw === 'number' ? Math.fround(raw) : raw)),
  );

  /** A 32-bit float means the shortest decimal that it is: that is what was written to it, and what its limits are compared with. */
  const meant = shape.type === 'float32' ? (raw: number | bigint) => shortestFloat32(Number(raw)) : (raw: number | bigint) => raw;

  function number(raw: number | bigint): Value {
    const value = scaled(meant(raw));
    return point.precision === undefined ? value : roundTo(value, point.precision);
  }

  /** The raw value as the point's kind; undefined if it does not fit. */
  function asKind(raw: Exclude<Value, null>): Value | undefined {
    switch (kind ?? kindOfValue(raw)) {
      case 'double':
        return typeof raw === 'number' || typeof raw === 'bigint' ? number(raw) : undefined;
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

  function value(raw: Value): { value: Value; reason: Reason } {
    if (raw === null) return { value: null, reason: 'decode' };
    if (invalid.size > 0 && invalid.has(identity(raw))) return { value: null, reason: 'sentinel' };
    if (typeof raw === 'number' && !Number.isFinite(raw)) return { value: null, reason: 'nan' };
    const converted = asKind(raw);
    if (converted === undefined) return { value: null, reason: 'decode' };
    if (typeof converted === 'number' && !Number.isFinite(converted)) return { value: null, reason: 'nan' };
    if (typeof converted === 'number' || typeof converted === 'bigint') {
      if (point.min !== undefined && converted < point.min) return { value: null, reason: 'out-of-range' };
      if (point.max !== undefined && converted > point.max) return { value: null, reason: 'out-of-range' };
    }
    return { value: converted, reason: '' };
  }

  return {
    kind,
    value,
    isInvalid: (raw) => raw !== null && invalid.has(identity(raw)),
    sample(reading, arrivalNs, retentionMs) {
      const { timeNs, believed } = timeOf(reading.timeNs, arrivalNs, retentionMs);
      const result = reading.reason === '' ? value(reading.value) : { value: null, reason: reading.reason };
      if (result.reason !== '') return { timeNs, arrivalNs, value: null, quality: 'bad', reason: result.reason };
      if (!believed || reading.timeUnreadable) return { timeNs, arrivalNs, value: result.value, quality: 'uncertain', reason: 'clock' };
      return { timeNs, arrivalNs, value: result.value, quality: 'good', reason: '' };
    },
  };
}

/** The clock rule: a device time older than the history or too far ahead is replaced by the arrival, which is in whole milliseconds, as the result is. */
function timeOf(deviceNs: TimeNs | undefined, arrivalNs: TimeNs, retentionMs: number): { timeNs: TimeNs; believed: boolean } {
  if (deviceNs === undefined) return { timeNs: arrivalNs, believed: true };
  const aheadMs = Number(deviceNs - arrivalNs) / 1e6;
  const believed = aheadMs <= limits.clockAheadMaxMs && aheadMs >= -retentionMs;
  return { timeNs: believed ? deviceNs - (deviceNs % 1_000_000n) : arrivalNs, believed };
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
