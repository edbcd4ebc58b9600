/** The time a device puts into its message. */
import { createOffset } from '../../src/contract/zone.ts';

export type TimeUnit = 's' | 'ms' | 'us' | 'ns';
const nanosOf: Record<TimeUnit, bigint> = { s: 1_000_000_000n, ms: 1_000_000n, us: 1_000n, ns: 1n };

/** Between these powers of ten lie all times from 1973 to 5138 in each unit, so the magnitude tells the unit. */
const secondsBelow = 1e11;
const millisBelow = 1e14;
const microsBelow = 1e17;

const isoPattern = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9})\d*)?)?\s?([Zz]|[+-]\d\d:?\d\d)?$/;

/**
 * Nanoseconds since 1970 of what a message holds as its time: ISO 8601 with a zone, or seconds, milliseconds, microseconds or nanoseconds
 * in `unit`, else by magnitude. `zone` is that of a time that names none. A string says why it is not believed: a local time without a zone could be any hour.
 */
export function deviceTimeNs(value: unknown, unit?: TimeUnit, zone?: Zone): bigint | string {
  if (unit !== undefined) {
    const number = typeof value === 'string' && /^\d{1,20}(\.\d{1,9})?$/.test(value) ? Number(value) : value;
    if (typeof number === 'bigint') return bounded(number * nanosOf[unit]);
    if (typeof value === 'string' && /^\d{1,20}$/.test(value)) return bounded(BigInt(value) * nanosOf[unit]);
    if (typeof number === 'number') return unitTimeNs(number, unit);
  }
  if (typeof value === 'bigint') return integerTimeNs(value);
  if (typeof value === 'number') return numberTimeNs(value);
  if (typeof value === 'string') {
    if (/^\d{1,20}$/.test(value)) return integerTimeNs(BigInt(value));
    if (/^\d{1,20}\.\d{1,9}$/.test(value)) return numberTimeNs(Number(value));
    return isoTimeNs(value, zone);
  }
  return value === undefined ? 'is not in the message' : 'is neither a number nor a text';
}

function unitTimeNs(value: number, unit: TimeUnit): bigint | string {
  if (!Number.isFinite(value)) return 'is not a time since 1970';
  const whole = Math.trunc(value);
  // The fraction apart, so that a double's last digits are not spent on the seconds.
  return bounded(BigInt(whole) * nanosOf[unit] + BigInt(Math.round((value - whole) * Number(nanosOf[unit]))));
}

function bounded(ns: bigint): bigint | string {
  return ns < 0n ? 'is before 1970' : ns > 2n ** 63n - 1n ? 'is beyond the year 2262' : ns;
}

function numberTimeNs(value: number): bigint | string {
  if (!Number.isFinite(value) || value < 0) return 'is not a time since 1970';
  if (Number.isSafeInteger(value)) return integerTimeNs(BigInt(value));
  if (value < secondsBelow) return BigInt(Math.round(value * 1e6)) * 1_000n;
  if (value < millisBelow) return BigInt(Math.round(value * 1e3)) * 1_000n;
  if (value < microsBelow) return BigInt(Math.round(value)) * 1_000n;
  return bounded(BigInt(Math.round(value)));
}

function integerTimeNs(value: bigint): bigint | string {
  const unit = value < secondsBelow ? 's' : value < millisBelow ? 'ms' : value < microsBelow ? 'us' : 'ns';
  return bounded(value * nanosOf[unit]);
}

/** Minutes by which local time is ahead of UTC, at a local time in milliseconds as if it were UTC. */
export type Zone = (localMs: number) => number;

/** Between two looks at the calendar lie a quarter of an hour: no zone changes its clocks at other times. */
const quarterMs = 900_000;

/** A time that comes twice in the night when the clocks go back is the first of the two; one that is left out is the hour after it. */
export function zoneOf(name: string): Zone {
  const aheadMs = createOffset(name);
  let known: { quarter: number; minutes: number } | undefined;
  return (localMs) => {
    const quarter = Math.floor(localMs / quarterMs);
    if (known?.quarter === quarter) return known.minutes;
    const atMs = quarter * quarterMs;
    // The one that held before comes first, and is right unless the clocks have been changed since.
    const before = aheadMs(atMs - 86_400_000);
    const after = aheadMs(atMs - before);
    const ms = aheadMs(atMs - before) === before ? before : aheadMs(atMs - after) === after ? after : before;
    known = { quarter, minutes: ms / 60_000 };
    return known.minutes;
  };
}

function isoTimeNs(text: string, inZone: Zone | undefined): bigint | string {
  const match = text.length <= 64 ? isoPattern.exec(text) : null;
  if (match && match[8] === undefined && !inZone)
    return 'is a local time without its zone (2026-01-31T12:00:00Z has one); say which by "timezone"';
  if (!match) return 'is not ISO 8601 with a time zone (2026-01-31T12:00:00Z) and not a number';
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((part: string | undefined) => Number(part ?? 0));
  const ms = Date.UTC(year, month - 1, day, hour, minute, second);
  const date = new Date(ms);
  // Date.UTC rolls over what does not exist; a leap second may.
  if (date.getUTCMonth() !== month - 1 || hour > 23 || minute > 59 || second > 60) return 'is no date of the calendar';
  const zone = match[8] ?? 'Z';
  const offsetMinutes =
    match[8] === undefined && inZone
      ? inZone(ms)
      : /z/i.test(zone)
        ? 0
        : Number(`${zone[0]}1`) * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2)));
  return bounded(BigInt(ms - offsetMinutes * 60_000) * 1_000_000n + BigInt((match[7] ?? '').padEnd(9, '0')));
}
