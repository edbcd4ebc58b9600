/** History of the selected series from the store, as series of frames: raw, or one value an interval. */
import { formatDurationMs, parseDurationMs } from '../contract/duration.ts';
import { limits } from '../contract/limits.ts';
import type { Aggregate, Query } from '../contract/query.ts';
import type { ColumnKind } from '../contract/sample.ts';
import { type Cells, cell, type FieldConfig, type Notice } from '../frame/frame.ts';
import { cellsOf, type Series } from '../frame/series.ts';
import { placesOf, spread } from '../frame/spread.ts';
import type { BucketResult, Store, TimeRange } from '../store/store.ts';
import { evenWidth } from '../store/widths.ts';
import type { Ask } from './query-parse.ts';
import { configOf, type Named } from './query-series.ts';

export interface Read {
  series: Series[];
  notices: Notice[];
}

export interface Reader {
  store: Store;
  /** The gateway's name in the store. */
  gateway: string;
  signal: AbortSignal;
}

/** Samples as they came. With `quality: all` bad ones are nulls, and quality and reason go along. */
export async function readRaw(
  reader: Reader,
  named: readonly Named[],
  range: TimeRange,
  quality: Query['quality'],
  rowsMax: number = limits.rowsPerQueryMax,
): Promise<Read> {
  const results = await reader.store.range(reader.gateway, keysOf(named), range, { quality, rowsMax }, reader.signal);
  const found = new Map(results.map((result) => [identity(result.series), result]));
  const series = named.flatMap((one) => {
    const result = found.get(identity({ ...one.key, kind: one.kind }));
    if (!result) return [];
    const { columns } = result;
    const value = cellsOf(columns);
    return [
      {
        ...titled(one, value),
        times: columns.times,
        value,
        ...(quality === 'all' ? { quality: columns.quality, ...(columns.reasons ? { reasons: columns.reasons } : {}) } : {}),
      },
    ];
  });
  const cut = results.some((result) => result.cut);
  const notice: Notice = {
    severity: 'warning',
    text: `More than ${rowsMax} samples: the oldest are left out. Choose a shorter range, or an aggregate such as avg.`,
  };
  return { series, notices: cut ? [notice] : [] };
}

/** One value an interval that has samples. With `fill: null` the others are there too, as nulls. */
export async function readBuckets(reader: Reader, named: readonly Named[], range: TimeRange, query: Query, widthMs: number): Promise<Read> {
  const { aggregate } = query;
  if (aggregate === 'none') throw new Error('raw samples have no buckets');
  const widthNs = nsOf(widthMs);
  const usable = named.filter((one) => one.kind !== 'string' || aggregate === 'count' || aggregate === 'first' || aggregate === 'last');
  const results =
    usable.length === 0
      ? []
      : await reader.store.buckets(reader.gateway, keysOf(usable), range, { quality: query.quality, aggregate, widthNs }, reader.signal);
  const found = new Map(results.map((result) => [identity(result.series), result]));
  const grid = query.fill === 'null' ? gridOf(range, widthNs) : undefined;
  const series = usable.flatMap((one) => {
    const result = found.get(identity({ ...one.key, kind: one.kind }));
    if (!result) return [];
    const value = bucketCells(result);
    const filled = grid ? { times: grid, value: spread(value, placesOf(result.times, grid), cell.null) } : { times: result.times, value };
    return [{ ...titled(one, value, aggregate), ...filled }];
  });
  const texts = named.length - usable.length;
  const notice: Notice = {
    severity: 'info',
    text: `${texts} series of text left out: text has no ${aggregate}. Allowed are count, first, last and none.`,
  };
  return { series, notices: texts > 0 ? [notice] : [] };
}

/**
 * The width of a bucket. `auto` is a pixel of the panel or a little more, so that a chart gets a value a pixel and the store need not read raw samples
 * for it; no width gives more buckets than the limits
 * allow, and a notice says so when the query asked for it.
 */
export function bucketWidth(ask: Ask, seriesCount: number): { widthMs: number; notices: Notice[] } {
  const rangeMs = Number(ask.range.toNs - ask.range.fromNs) / 1e6;
  const bucketsMax = Math.max(1, Math.min(limits.bucketsPerSeriesMax, Math.floor(limits.rowsPerQueryMax / Math.max(1, seriesCount))));
  // One more bucket than range over width touches the range, because buckets begin at multiples of the width.
  const leastMs = Math.ceil(rangeMs / Math.max(1, bucketsMax - 1));
  if (ask.query.interval === 'auto') {
    const pixelMs = Math.max(ask.intervalMs || 0, ask.maxDataPoints > 0 ? rangeMs / ask.maxDataPoints : 0);
    const widthMs = Math.max(1, Math.ceil(pixelMs), leastMs);
    return { widthMs: Number(evenWidth(nsOf(widthMs))) / 1e6, notices: [] };
  }
  const askedMs = parseDurationMs(ask.query.interval) ?? 1;
  if (askedMs >= leastMs) return { widthMs: askedMs, notices: [] };
  const text = `interval ${ask.query.interval} gives too many values over this range; ${formatDurationMs(leastMs)} is used. At most ${bucketsMax} values a series are allowed here.`;
  return { widthMs: leastMs, notices: [{ severity: 'warning', text }] };
}

function nsOf(ms: number): bigint {
  return BigInt(Math.round(ms * 1e6));
}

/** Two kinds of one point are two series, and both come back for its key: ask once. */
function keysOf(named: readonly Named[]) {
  return [...new Map(named.map(({ key }) => [`${key.device}\n${key.point}`, key])).values()];
}

function identity(series: { device: string; point: string; kind: ColumnKind }): string {
  return `${series.device}\n${series.point}\n${series.kind}`;
}

function titled(one: Named, value: Cells, aggregate: Aggregate = 'none'): Pick<Series, 'name' | 'point' | 'labels' | 'config'> {
  return { name: one.name, point: one.key.point, labels: one.labels, config: aggregateConfig(configOf(one, value.type), aggregate) };
}

/** A count has no unit, a sum does not keep within the point's bounds, and neither is a state with a name. */
function aggregateConfig(config: FieldConfig, aggregate: Aggregate): FieldConfig {
  const { unit, displayNameFromDS } = config;
  const name = displayNameFromDS === undefined ? {} : { displayNameFromDS };
  if (aggregate === 'count') return { ...name, decimals: 0 };
  if (aggregate !== 'sum') return config;
  return { ...name, ...(unit === undefined ? {} : { unit }), ...(config.decimals === undefined ? {} : { decimals: config.decimals }) };
}

function bucketCells(result: BucketResult): Cells {
  if (result.texts) return { type: 'string', values: result.texts };
  if (result.exact instanceof BigInt64Array) return { type: 'int64', values: result.exact };
  if (result.exact) return { type: 'uint64', values: result.exact };
  return { type: 'float64', values: result.values };
}

/** The start of every bucket that touches the range. */
function gridOf(range: TimeRange, widthNs: bigint): BigInt64Array {
  const first = range.fromNs - (((range.fromNs % widthNs) + widthNs) % widthNs);
  const count = Number((range.toNs - 1n - first) / widthNs) + 1;
  return BigInt64Array.from({ length: count }, (_, i) => first + BigInt(i) * widthNs);
}

/** What is said of rows that did not fit into a wide frame. */
export function wideNotices(cutRows: number): Notice[] {
  if (cutRows === 0) return [];
  return [
    {
      severity: 'warning',
      text: `The oldest ${cutRows} rows are left out: so many series in one wide frame have too many cells. Use format multi, or an aggregate such as avg.`,
    },
  ];
}
