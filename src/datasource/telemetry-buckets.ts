/** One value an interval of the selected series, as series of frames. */
import { limits } from '../contract/limits.ts';
import type { Aggregate, Query } from '../contract/query.ts';
import { seriesName } from '../contract/sample.ts';
import type { Cells, FieldConfig, Notice } from '../frame/frame.ts';
import type { Series } from '../frame/series.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { BucketResult, TimeRange } from '../store/store.ts';
import { filled } from './fill.ts';
import { type Intervals, startsOf } from './intervals.ts';
import { configOf, identityOf, type Named } from './query-series.ts';
import { ruleOf } from './rules.ts';
import { listOf } from './settings/phrases.ts';
import { keysOf, type Read, type Reader } from './telemetry-read.ts';

export interface BucketsAsked {
  query: Pick<Query, 'aggregate' | 'fill' | 'quality'>;
  range: TimeRange;
  intervals: Intervals;
  /** Whose points say how their values are to be taken. */
  gateway: Gateway;
  /** Values that hold do so until now at most. */
  nowNs: bigint;
}

/** Intervals that have a value; with `fill` the others too. */
export async function readBuckets(reader: Reader, named: readonly Named[], asked: BucketsAsked): Promise<Read> {
  const { query, range, intervals, gateway, nowNs } = asked;
  const { aggregate, fill, quality } = query;
  if (aggregate === 'none') throw new Error('raw samples have no buckets');
  const usable = named.filter((one) => one.kind !== 'string' || hasTexts(aggregate));
  const before = fill === 'previous' && takesOver.has(aggregate);
  const keys = keysOf(usable).map((one) => ({ ...one.key, ...ruleOf(one, aggregate, gateway) }));
  const grid = intervals.grid(range);
  const options = { quality, aggregate, nowNs, before, ...grid };
  const results = keys.length === 0 ? [] : await reader.store.buckets(reader.gateway, keys, range, options, reader.signal);
  const found = new Map<string, BucketResult[]>();
  for (const result of results) {
    const id = identityOf(result.series);
    found.set(id, [...(found.get(id) ?? []), result]);
  }
  const starts = fill === 'none' ? undefined : startsOf(grid, range);
  const series = usable.flatMap((one) =>
    (found.get(identityOf({ ...one.key, kind: one.kind })) ?? []).flatMap((result) => {
      const given = { times: result.times, value: cellsOf(result) };
      const isEmpty = given.times.length === 0 && !(starts && result.before !== undefined);
      if (result.tooManyStates || isEmpty) return [];
      const rows = starts && fill !== 'none' ? filled(given, { fill, starts, before: result.before, nowNs }) : given;
      return [{ ...titled(one, given.value, aggregate, result.state), ...rows }];
    }),
  );
  return { series, notices: noticesOf(named.length - usable.length, results, aggregate) };
}

/** Aggregates in the unit of the values, so that the value before the range may stand for an interval without one. */
const takesOver: ReadonlySet<Aggregate> = new Set<Aggregate>(['avg', 'min', 'max', 'first', 'last']);

const ofTexts: readonly Aggregate[] = ['count', 'first', 'last', 'time-in-state', 'share-in-state', 'none'];

/** Whether series of text have it. */
export function hasTexts(aggregate: Aggregate): boolean {
  return ofTexts.includes(aggregate);
}

function noticesOf(texts: number, results: readonly BucketResult[], aggregate: Aggregate): Notice[] {
  const notices: Notice[] = [];
  if (texts > 0) {
    const text = `${texts} series of text left out: text has no ${aggregate}. Allowed are ${listOf(ofTexts, 'and')}.`;
    notices.push({ severity: 'info', text });
  }
  const many = results.flatMap(({ series, tooManyStates }) => (tooManyStates ? [seriesName(series)] : []));
  if (many.length > 0) {
    const text = `${listOf(many, 'and')} left out: more than ${limits.statesMax} different values are no states. Choose an aggregate such as avg.`;
    notices.push({ severity: 'warning', text });
  }
  return notices;
}

function cellsOf(result: BucketResult): Cells {
  const { times, before } = result;
  // Without a bucket the value before the range tells the type.
  if (result.texts || typeof before === 'string') return { type: 'string', values: result.texts ?? [] };
  if (result.exact instanceof BigInt64Array) return { type: 'int64', values: result.exact };
  if (result.exact) return { type: 'uint64', values: result.exact };
  if (times.length === 0 && typeof before === 'bigint') {
    return result.series.kind === 'uint64'
      ? { type: 'uint64', values: new BigUint64Array() }
      : { type: 'int64', values: new BigInt64Array() };
  }
  return { type: 'float64', values: result.values };
}

function titled(one: Named, value: Cells, aggregate: Aggregate, state?: string): Pick<Series, 'name' | 'point' | 'labels' | 'config'> {
  const point = one.key.point;
  if (state === undefined) return { name: one.name, point, labels: one.labels, config: configFor(configOf(one, value.type), aggregate) };
  // A column a state, under the state's name where the settings have one.
  const text = configOf(one, one.kind === 'double' ? 'float64' : one.kind).mappings?.[0]?.options[state]?.text ?? state;
  const unit: FieldConfig = aggregate === 'share-in-state' ? { unit: 'percentunit', max: 1 } : { unit: 's' };
  const config = { displayNameFromDS: `${one.legend}: ${text}`, min: 0, ...unit };
  return { name: `${one.name}: ${text}`, point, labels: { ...one.labels, state: text }, config };
}

/** A count has no unit; a sum or a change does not keep within the point's bounds, and neither is a state with a name. */
function configFor(config: FieldConfig, aggregate: Aggregate): FieldConfig {
  const { unit, displayNameFromDS, decimals } = config;
  const name = displayNameFromDS === undefined ? {} : { displayNameFromDS };
  switch (aggregate) {
    case 'count':
      return { ...name, decimals: 0 };
    case 'rate':
      // A unit a second has no common name, and that of the counter would be wrong.
      return name;
    case 'sum':
    case 'delta':
    case 'increase':
      return { ...name, ...(unit === undefined ? {} : { unit }), ...(decimals === undefined ? {} : { decimals }) };
    default:
      return config;
  }
}
