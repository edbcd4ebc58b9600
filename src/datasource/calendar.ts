/**
 * When days, weeks, months and years begin in a time zone. A day begins at the first moment of its date: at 1:00 where the clock jumps over
 * midnight, and the first time where it shows midnight twice; so days are 23, 25 or 23.5 hours long now and then, and never overlap.
 */
import type { CalendarUnit } from '../contract/query.ts';
import { createOffset } from '../contract/zone.ts';

const dayMs = 86_400_000;

/** Monday: 1970-01-05. */
const mondayDays = 4;

export interface Calendar {
  /** The beginning of the interval a moment is in; nanoseconds since 1970. */
  start(timeNs: bigint): bigint;
  /** Beginnings of intervals, in order: the one `fromNs` is in, …, the first at or after `toNs`. */
  edges(fromNs: bigint, toNs: bigint): BigInt64Array;
}

/** `count` units; groups of days are counted from 1970-01-01, of weeks from Monday 1970-01-05, of months and years from year 0. */
export function createCalendar(interval: { count: number; unit: CalendarUnit }, timezone: string): Calendar {
  const zone = zoneOf(timezone);

  /** The interval of a local date, by number. */
  function indexOf(days: number): number {
    const { count, unit } = interval;
    if (unit === 'd') return Math.floor(days / count);
    if (unit === 'w') return Math.floor((days - mondayDays) / (7 * count));
    const date = new Date(days * dayMs);
    const year = date.getUTCFullYear();
    return Math.floor((unit === 'y' ? year : year * 12 + date.getUTCMonth()) / count);
  }

  /** Milliseconds since 1970 at which an interval begins. */
  function startOf(index: number): number {
    const { count, unit } = interval;
    if (unit === 'd') return zone.midnight(index * count);
    if (unit === 'w') return zone.midnight(index * count * 7 + mondayDays);
    const months = unit === 'y' ? index * count * 12 : index * count;
    return zone.midnight(daysOf(Math.floor(months / 12), months - Math.floor(months / 12) * 12));
  }

  function indexAt(timeMs: number): number {
    // The local date may be that of the day before, where the clock was set back over midnight.
    let index = indexOf(Math.floor((timeMs + zone.offsetMs(timeMs)) / dayMs)) + 1;
    while (startOf(index) > timeMs) index -= 1;
    return index;
  }

  return {
    start: (timeNs) => nsOf(startOf(indexAt(msOf(timeNs)))),
    edges(fromNs, toNs) {
      const edges: bigint[] = [];
      for (let index = indexAt(msOf(fromNs)); ; index += 1) {
        const edge = nsOf(startOf(index));
        // A date that a zone left out (Samoa had no 30 December 2011) is no interval.
        if (edges.length === 0 || edge > (edges.at(-1) as bigint)) edges.push(edge);
        if (edge >= toNs) return BigInt64Array.from(edges);
      }
    },
  };
}

/** Days since 1970 of the first of a month, 0 January; also of years that `Date.UTC` takes for those of the twentieth century. */
function daysOf(year: number, month: number): number {
  return new Date(0).setUTCFullYear(year, month, 1) / dayMs;
}

function nsOf(ms: number): bigint {
  return BigInt(ms) * 1_000_000n;
}

function msOf(timeNs: bigint): number {
  return Number(timeNs / 1_000_000n) - (timeNs % 1_000_000n < 0n ? 1 : 0);
}

interface Zone {
  /** Local time less UTC at a moment. */
  offsetMs(timeMs: number): number;
  /** The first moment of a local date, given as days since 1970. */
  midnight(days: number): number;
}

const zones = new Map<string, Zone>();

/** An offset takes a millisecond to make, and there are some 400 zones. */
function zoneOf(name: string): Zone {
  const zone = zones.get(name) ?? createZone(name);
  zones.set(name, zone);
  return zone;
}

function createZone(name: string): Zone {
  const offsetMs = createOffset(name);

  function midnight(days: number): number {
    const local = days * dayMs;
    // No zone is a day away from UTC, so the moment lies between these two; zones change once in such a time.
    let low = local - dayMs;
    let high = local + dayMs;
    const before = offsetMs(low);
    const after = offsetMs(high);
    if (before === after) return local - before;
    // The clock shows midnight with the old offset, or with the new one.
    if (offsetMs(local - before) === before) return local - before;
    if (offsetMs(local - after) === after) return local - after;
    // It never does: the day begins when the clock jumps.
    while (high - low > 1_000) {
      const middle = Math.floor((low + high) / 2_000) * 1_000;
      if (offsetMs(middle) === before) low = middle;
      else high = middle;
    }
    return high;
  }

  return { offsetMs, midnight };
}
