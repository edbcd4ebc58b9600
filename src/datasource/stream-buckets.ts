/**
 * Live for aggregates: each interval is sent once, when it is over, as the store has it. So history and stream agree to the last digit,
 * and an unfinished interval is in neither.
 */
import { limits } from '../contract/limits.ts';
import { frameToJson } from '../frame/json.ts';
import type { Series } from '../frame/series.ts';
import type { TimeRange } from '../store/store.ts';
import { intervalsIn } from './channels.ts';
import type { Instance } from './instance.ts';
import type { Intervals } from './intervals.ts';
import { compileSelection } from './query-parse.ts';
import { type Named, selectSeries } from './query-series.ts';
import { aboutOf, type Live, type StreamDeps } from './stream-live.ts';
import { emptySeries, seriesPacket } from './stream-packet.ts';
import { hasTexts, readBuckets } from './telemetry-buckets.ts';

const nsPerMs = 1_000_000n;

/** The schema, and the finished intervals that this viewer's history does not have yet. */
export async function bucketPacket(deps: StreamDeps, instance: Instance, live: Live): Promise<Uint8Array> {
  const toNs = intervalsOf(live).start(deps.clock.nowNs());
  const fromNs = live.nextBucketNs ?? toNs;
  const signal = AbortSignal.timeout(limits.storeOpenWaitMs);
  const { series } = await readInterval(deps, instance, live, { fromNs, toNs }, signal);
  if (live.streams === 0 && toNs > fromNs) live.nextBucketNs = toNs;
  return frameToJson(frameOf(live, series), 'schema+data');
}

export async function runBuckets(
  deps: StreamDeps,
  instance: Instance,
  live: Live,
  send: (packet: Uint8Array) => Promise<void>,
  /** Writes down where the stream has got to. */
  note: (sentNs: bigint) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const { clock } = deps;
  const intervals = intervalsOf(live);
  let nextNs = live.nextBucketNs ?? intervals.start(clock.nowNs());
  let schema = '';
  // Before the first packet: what was noted in an earlier stream is history to the viewers of this one.
  await note(nextNs);
  for (;;) {
    // A sample needs a moment from its device to the store; an interval that is read too early stays short of it for ever.
    const dueMs = Number(intervals.next(nextNs) / nsPerMs) + limits.liveBucketGraceMs - clock.nowMs();
    await clock.sleep(Math.min(Math.max(dueMs, 1_000 / limits.livePacketsPerSecondMax), limits.liveSleepMaxMs), signal);
    const toNs = intervals.start(clock.nowNs() - BigInt(limits.liveBucketGraceMs) * nsPerMs);
    if (toNs <= nextNs) continue;
    const { columns, series } = await readInterval(deps, instance, live, { fromNs: nextNs, toNs }, signal);
    nextNs = toNs;
    live.nextBucketNs = toNs;
    const names = JSON.stringify(columns.map(({ name, labels }) => [name, labels]));
    const changed = names !== schema;
    schema = names;
    if (changed || series.some(({ times }) => times.length > 0))
      await send(frameToJson(frameOf(live, series), changed ? 'schema+data' : 'data'));
    await note(toNs);
  }
}

/** Columns and values of finished intervals; every column is there, with rows or without. */
export async function readInterval(
  deps: StreamDeps,
  instance: Instance,
  live: Pick<Live, 'spec'>,
  range: TimeRange,
  signal: AbortSignal,
): Promise<{ columns: Named[]; series: Series[] }> {
  const { query } = live.spec;
  const catalogue = await deps.store.series(instance.key);
  const selected = selectSeries(catalogue, instance.gateway, compileSelection(query), limits.liveSeriesMax).series;
  const columns = hasTexts(query.aggregate) ? selected : selected.filter(({ kind }) => kind !== 'string');
  const reader = { store: deps.store, gateway: instance.key, signal };
  // An interval without a value is no row: it could not be told from one that is not over.
  const asked = { query: { ...query, fill: 'none' as const }, range, intervals: intervalsOf(live), gateway: instance.gateway };
  const isAny = range.toNs > range.fromNs && columns.length > 0;
  const read = isAny ? (await readBuckets(reader, columns, { ...asked, nowNs: deps.clock.nowNs() })).series : [];
  const found = new Map(read.map((one) => [one.name, one]));
  return { columns, series: columns.map((named) => found.get(named.name) ?? emptySeries(named, 'usable')) };
}

function frameOf(live: Live, series: readonly Series[]) {
  return seriesPacket(series, aboutOf(live)).frame;
}

function intervalsOf({ spec }: Pick<Live, 'spec'>): Intervals {
  const intervals = intervalsIn(spec);
  if (!intervals) throw new Error('a channel of raw samples has no intervals');
  return intervals;
}
