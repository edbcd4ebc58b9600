/**
 * Packets of a live channel: the layout that Grafana's StreamingDataFrame goes on with, which is one wide frame. It matches columns by
 * number, keeps old rows of a column by its name, and knows one time column; so the names are unique and a cell without news is a hole.
 */
import { limits } from '../contract/limits.ts';
import type { Query } from '../contract/query.ts';
import { type ColumnKind, qualities } from '../contract/sample.ts';
import type { Cells, Frame, FrameMeta } from '../frame/frame.ts';
import type { Series } from '../frame/series.ts';
import { wideFrame } from '../frame/wide.ts';
import type { LiveSample } from '../gateway/gateway.ts';
import { configOf, identityOf, type Named } from './query-series.ts';

/** One frame of samples, any order in, ordered by time out. `cutRows` of the oldest did not fit a packet. */
export function packetFrame(columns: readonly Named[], samples: readonly LiveSample[], about: About): { frame: Frame; cutRows: number } {
  const bySeries = new Map<string, LiveSample[]>();
  for (const sample of samples) {
    const id = identityOf({ ...sample.key, kind: sample.kind });
    const list = bySeries.get(id);
    if (list) list.push(sample);
    else bySeries.set(id, [sample]);
  }
  const series = columns.map((named) =>
    seriesOf(named, reduce(bySeries.get(identityOf({ ...named.key, kind: named.kind })) ?? []), about.quality),
  );
  return seriesPacket(series, about);
}

/** What stands beside the columns of a packet, and whether each has its quality and reason. */
export interface About {
  refId: string;
  meta: FrameMeta;
  quality: Query['quality'];
}

/** The same for rows that come from the store. */
export function seriesPacket(series: readonly Series[], about: About): { frame: Frame; cutRows: number } {
  const { frame, cutRows } = wideFrame(series, { cellsMax: limits.livePacketCellsMax, reasons: 'text' });
  return { frame: { ...frame, refId: about.refId, meta: { ...frame.meta, ...about.meta } }, cutRows };
}

/** A column without rows, so that the history has the columns the stream will have. */
export function emptySeries(named: Named, quality: Query['quality']): Series {
  return seriesOf(named, [], quality);
}

function seriesOf(named: Named, samples: readonly LiveSample[], filter: Query['quality']): Series {
  const value = cellsOfSamples(named.kind, samples);
  const times = BigInt64Array.from({ length: samples.length }, (_, i) => samples[i]?.sample.timeNs ?? 0n);
  const judged = filter === 'all' ? judgementsOf(samples) : {};
  return { name: named.name, point: named.key.point, labels: named.labels, config: configOf(named, value.type), times, value, ...judged };
}

function judgementsOf(samples: readonly LiveSample[]): Pick<Series, 'quality' | 'reasons'> {
  return {
    quality: Uint8Array.from(samples, ({ sample }) => qualities.indexOf(sample.quality)),
    reasons: samples.map(({ sample }) => sample.reason),
  };
}

function cellsOfSamples(kind: ColumnKind, samples: readonly LiveSample[]): Cells {
  const values = samples.map(({ sample }) => sample.value);
  const valid = Uint8Array.from(values, (value) => (value === null ? 0 : 1));
  const whole = (value: (typeof values)[number]) => (typeof value === 'bigint' || typeof value === 'number' ? BigInt(value) : 0n);
  switch (kind) {
    case 'double':
      return { type: 'float64', values: Float64Array.from(values, (value) => Number(value ?? 0)), valid };
    case 'int64':
      return { type: 'int64', values: BigInt64Array.from(values.map(whole)), valid };
    case 'uint64':
      return { type: 'uint64', values: BigUint64Array.from(values.map(whole)), valid };
    case 'boolean':
      return { type: 'boolean', values: Uint8Array.from(values, (value) => (value === true ? 1 : 0)), valid };
    case 'string':
      return { type: 'string', values: values.map((value) => String(value ?? '')), valid };
  }
}

/** A packet is never quite in time; what is a little longer than one packet's time is not two. */
const slotSlack = 0.2;

/**
 * Ordered by time, and no more than a chart can draw: of the samples of a packet, if they are many, the first, the least, the greatest and the
 * last stay, and the first that has no value. A packet that waited is cut into the times of several, so that it is not thinned more than one
 * that did not.
 */
function reduce(samples: readonly LiveSample[]): readonly LiveSample[] {
  const sorted = [...samples].sort((a, b) => (a.sample.timeNs < b.sample.timeNs ? -1 : a.sample.timeNs > b.sample.timeNs ? 1 : 0));
  const [first, last] = [sorted[0]?.sample.timeNs ?? 0n, sorted.at(-1)?.sample.timeNs ?? 0n];
  const slots = Math.max(1, Math.ceil((Number(last - first) / 1e9) * limits.livePacketsPerSecondMax - slotSlack));
  if (slots === 1 || sorted.length <= limits.liveSamplesPerPacketMax) return extremes(sorted);
  const parts: LiveSample[][] = [];
  let part = -1;
  for (const one of sorted) {
    const own = Math.floor((Number(one.sample.timeNs - first) / (Number(last - first) + 1)) * slots);
    if (own !== part) parts.push([]);
    part = own;
    parts.at(-1)?.push(one);
  }
  return parts.flatMap(extremes);
}

function extremes(samples: readonly LiveSample[]): readonly LiveSample[] {
  if (samples.length <= limits.liveSamplesPerPacketMax) return samples;
  const valued = samples.filter(({ sample, kind }) => sample.value !== null && kind !== 'string');
  const value = (one: LiveSample) => one.sample.value ?? 0;
  const keep = new Set([samples[0], samples.at(-1), samples.find(({ sample }) => sample.value === null)]);
  if (valued.length > 0) {
    keep.add(valued.reduce((least, one) => (value(one) < value(least) ? one : least)));
    keep.add(valued.reduce((most, one) => (value(one) > value(most) ? one : most)));
  }
  return samples.filter((one) => keep.has(one));
}
