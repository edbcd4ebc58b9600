/** The intervals a query's values are for: which, where they begin, and how many are allowed. */
import { formatDurationMs } from '../contract/duration.ts';
import { limits } from '../contract/limits.ts';
import { type CalendarUnit, parseInterval, type Query } from '../contract/query.ts';
import type { Notice } from '../frame/frame.ts';
import { floorTo, type Grid } from '../store/grid.ts';
import type { TimeRange } from '../store/store.ts';
import { evenWidth } from '../store/widths.ts';
import { createCalendar } from './calendar.ts';
import type { Ask } from './query-parse.ts';

/** In the words that a live channel remembers: always as long, or of a calendar. */
export type IntervalSpec = { widthMs: number } | { calendar: { count: number; unit: CalendarUnit; timezone: string } };

export interface Intervals {
  spec: IntervalSpec;
  /** The start of the interval a moment is in. */
  start(timeNs: bigint): bigint;
  /** The start of the one after it. */
  next(timeNs: bigint): bigint;
  /** What the store is asked. */
  grid(range: TimeRange): Grid;
  /** Milliseconds, if all are equally long. */
  widthMs?: number;
}

export function intervalsOf(spec: IntervalSpec): Intervals {
  if ('calendar' in spec) {
    const calendar = createCalendar(spec.calendar, spec.calendar.timezone);
    const edges = ({ fromNs, toNs }: TimeRange) => calendar.edges(fromNs, toNs);
    return {
      spec,
      start: (timeNs) => calendar.start(timeNs),
      next: (timeNs) => edges({ fromNs: timeNs, toNs: calendar.start(timeNs) + 1n })[1] ?? timeNs,
      grid: (range) => ({ edges: edges(range) }),
    };
  }
  const { widthMs } = spec;
  const widthNs = nsOf(widthMs);
  return {
    spec,
    widthMs,
    start: (timeNs) => floorTo(timeNs, widthNs),
    next: (timeNs) => floorTo(timeNs, widthNs) + widthNs,
    grid: () => ({ widthNs }),
  };
}

/** The start of every interval that touches the range, of the grid that the store is asked for it. */
export function startsOf(grid: Grid, { fromNs, toNs }: TimeRange): BigInt64Array {
  if ('edges' in grid) return grid.edges.slice(0, -1);
  const { widthNs } = grid;
  const first = floorTo(fromNs, widthNs);
  const count = Number((toNs - 1n - first) / widthNs) + 1;
  return BigInt64Array.from({ length: count }, (_, i) => first + BigInt(i) * widthNs);
}

/** The least that one of them lasts, for an estimate of how many there are. */
const shortestMs: Record<CalendarUnit, number> = { d: 82_800_000, w: 601_200_000, mo: 2_415_600_000, y: 31_532_400_000 };

/**
 * What a query's `interval` comes to. `auto` is about a pixel of the panel, so that a chart gets a value a pixel and the store need not
 * read raw samples for it (`evenWidth`); no width gives more intervals than the limits allow, and a notice says so when the query asked for it. `settingsZone` is
 * the time zone where the query names none.
 */
export function chooseIntervals(
  ask: Pick<Ask, 'query' | 'range' | 'intervalMs' | 'maxDataPoints'>,
  seriesCount: number,
  settingsZone: string,
): { intervals: Intervals; notices: Notice[] } {
  const rangeMs = Number(ask.range.toNs - ask.range.fromNs) / 1e6;
  const countMax = Math.max(1, Math.min(limits.bucketsPerSeriesMax, Math.floor(limits.rowsPerQueryMax / Math.max(1, seriesCount))));
  // One more than range over width touches the range, because intervals begin at multiples of the width.
  const leastMs = Math.ceil(rangeMs / Math.max(1, countMax - 1));
  const { interval } = ask.query;
  const asked = parseInterval(interval);
  if (!asked) {
    const pixelMs = Math.max(ask.intervalMs || 0, ask.maxDataPoints > 0 ? rangeMs / ask.maxDataPoints : 0);
    const widthMs = Math.max(1, Math.ceil(pixelMs), leastMs);
    const evenNs = evenWidth(nsOf(widthMs), ask.range.toNs - ask.range.fromNs, nsOf(leastMs));
    return { intervals: intervalsOf({ widthMs: Number(evenNs) / 1e6 }), notices: [] };
  }
  const askedMs = 'unit' in asked ? asked.count * shortestMs[asked.unit] : asked.widthMs;
  if (askedMs >= leastMs) {
    const spec = 'unit' in asked ? { calendar: { ...asked, timezone: zoneOf(ask.query, settingsZone) } } : asked;
    return { intervals: intervalsOf(spec), notices: [] };
  }
  const text = `interval ${interval} gives too many values over this range; ${formatDurationMs(leastMs)} is used. At most ${countMax} values a series are allowed here.`;
  return { intervals: intervalsOf({ widthMs: leastMs }), notices: [{ severity: 'warning', text }] };
}

/** A browser's time zone is put into the query by the query editor; alert rules have none. */
function zoneOf({ timezone }: Pick<Query, 'timezone'>, settingsZone: string): string {
  return timezone === 'browser' ? settingsZone : timezone;
}

function nsOf(ms: number): bigint {
  return BigInt(Math.round(ms * 1e6));
}
