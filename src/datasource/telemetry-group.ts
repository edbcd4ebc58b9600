/** Series that agree in some labels, as one series: what a dashboard's group-by asks for. */
import { limits } from '../contract/limits.ts';
import type { Aggregate } from '../contract/query.ts';
import { legendText } from '../frame/display.ts';
import type { Notice } from '../frame/frame.ts';
import { isNumeric, type Series } from '../frame/series.ts';
import type { Read } from './telemetry-read.ts';

/** Values that are added up; of the others but min and max it is the mean. */
const added: ReadonlySet<Aggregate> = new Set<Aggregate>(['sum', 'count', 'delta', 'increase', 'rate', 'time-in-state']);

/**
 * One series for each combination of `labels`, with a value wherever one of its series has one. A label that a series does not have is empty there.
 * Columns of states stay apart.
 */
export function grouped(read: Read, labels: readonly string[], aggregate: Aggregate, legend?: string): Read {
  const numbers = read.series.filter(isNumeric);
  const groups = Map.groupBy(numbers, (series) => JSON.stringify([...labels, 'state'].map((label) => series.labels[label] ?? '')));
  const series = [...groups.values()].slice(0, limits.seriesPerQueryMax).map((members) => oneOf(members, labels, aggregate, legend));
  const texts = read.series.length - numbers.length;
  const said: Notice[] = [{ severity: 'info', text: `${numbers.length} series are shown as ${series.length}, by ${labels.join(', ')}.` }];
  if (texts > 0) said.push({ severity: 'info', text: `${texts} series of text left out: text cannot be put together.` });
  return { series, notices: [...read.notices, ...said] };
}

function oneOf(members: readonly Series[], by: readonly string[], aggregate: Aggregate, legend: string | undefined): Series {
  const first = members[0] as Series;
  const state = first.labels.state;
  const labels = Object.fromEntries([
    ...by.map((name) => [name, first.labels[name] ?? '']),
    ...(state === undefined ? [] : [['state', state]]),
  ]);
  const values = new Map<bigint, number>();
  const counts = new Map<bigint, number>();
  for (const { times, value } of members) {
    for (let row = 0; row < times.length; row += 1) {
      if (value.valid && value.valid[row] !== 1) continue;
      const time = times[row] as bigint;
      const count = counts.get(time) ?? 0;
      const own = Number(value.values[row]);
      values.set(time, count === 0 ? own : joined(aggregate, values.get(time) ?? 0, own));
      counts.set(time, count + 1);
    }
  }
  // The times of all, also those without a value: `fill` has put them there.
  const times = BigInt64Array.from(new Set(members.flatMap((one) => [...one.times]))).sort();
  const isMean = aggregate !== 'min' && aggregate !== 'max' && !added.has(aggregate);
  const name = Object.values(labels).join(' ');
  const { displayNameFromDS: _, mappings: __, ...config } = first.config;
  const unit = members.every((one) => one.config.unit === first.config.unit) ? config : { ...config, unit: 'none' };
  return {
    name,
    point: members.every(({ point }) => point === first.point) ? first.point : 'value',
    labels,
    config: { ...unit, displayNameFromDS: legend ? legendText(legend, labels) : name },
    times,
    value: {
      type: 'float64',
      values: Float64Array.from(times, (time) => (values.get(time) ?? 0) / (isMean ? (counts.get(time) ?? 1) : 1)),
      valid: Uint8Array.from(times, (time) => (counts.has(time) ? 1 : 0)),
    },
  };
}

function joined(aggregate: Aggregate, before: number, own: number): number {
  if (aggregate === 'min') return Math.min(before, own);
  return aggregate === 'max' ? Math.max(before, own) : before + own;
}
