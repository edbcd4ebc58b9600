/** `telemetry`: what points said over time, raw or one value an interval, and where it goes on live (DESIGN §6). */
import { badRequest } from '../contract/fault.ts';
import { limits } from '../contract/limits.ts';
import { type Frame, type FrameType, type Notice, withNotices } from '../frame/frame.ts';
import { withGaps } from '../frame/gaps.ts';
import { longFields, longTimes } from '../frame/long.ts';
import { mergeByTime } from '../frame/merge.ts';
import { multiFrames, timeField } from '../frame/multi.ts';
import type { Series } from '../frame/series.ts';
import { wideFrame } from '../frame/wide.ts';
import type { SeriesInfo } from '../store/store.ts';
import { chooseIntervals } from './intervals.ts';
import { identityOf, type Named, selectSeries } from './query-series.ts';
import type { Question } from './question.ts';
import { silenceMs, staleNotice } from './silence.ts';
import { readBuckets } from './telemetry-buckets.ts';
import { grouped } from './telemetry-group.ts';
import { answerLive, isLive, isOfStates } from './telemetry-live.ts';
import { type Read, type Reader, readOutline, readRaw, wideNotices } from './telemetry-read.ts';

export async function answerTelemetry(question: Question): Promise<Frame[]> {
  const { ask, instance, deps, signal } = question;
  if (isLive(question)) return answerLive(question);
  const { query } = ask;
  const { format } = query;
  if (format === 'devices')
    throw badRequest('format is "devices", which is of queryType "latest"; allowed are "multi", "wide" and "long"', 'format', 'bad-query');
  const catalogue = await deps.store.series(instance.key);
  const selected = selectSeries(catalogue, instance.gateway, ask.selection);
  const reader = { store: deps.store, gateway: instance.key, signal, borrow: question.borrow };
  if (query.aggregate === 'none' && query.groupBy.length === 0) {
    const read = selected.series.length === 0 ? { series: [], notices: [] } : await readSamples(question, reader, selected.series);
    const still = staleNow(question, selected.series, catalogue);
    return frames(format, read.series, [...selected.notices, ...read.notices, ...still]);
  }
  const { intervals, notices } = chooseIntervals(ask, selected.series.length, instance.gateway.plan.settings.timezone);
  const aggregate = query.aggregate === 'none' ? 'avg' : query.aggregate;
  const asked = { query: { ...query, aggregate }, range: ask.range, intervals, gateway: instance.gateway, nowNs: deps.clock.nowNs() };
  const buckets = await readBuckets(reader, selected.series, asked);
  const read =
    query.groupBy.length > 0 ? grouped(buckets, query.groupBy, aggregate, query.legend) : gapped(question, buckets, intervals.widthMs);
  // The interval is said only where every interval has its row: elsewhere Grafana would break the line at each that has none.
  const stepMs = query.fill === 'none' ? undefined : intervals.widthMs;
  const notLive = isOfStates(query.aggregate) ? query.aggregate : query.groupBy.length > 0 ? 'groupBy' : undefined;
  const still: Notice[] = query.live && notLive ? [{ severity: 'info', text: `Not live: ${notLive} is not.` }] : [];
  still.push(...staleNow(question, selected.series, catalogue));
  return frames(format, read.series, [...selected.notices, ...notices, ...read.notices, ...still], stepMs);
}

/** Samples as they came; for a drawing those that show, where there are more than it has pixels for. */
async function readSamples(question: Question, reader: Reader, named: readonly Named[]): Promise<Read> {
  const { query, range, isDrawing, maxDataPoints } = question.ask;
  const isWanted = query.reduce === 'auto' && isDrawing && query.interval === 'auto' && query.format !== 'long';
  if (maxDataPoints <= 0 || !(query.reduce === 'min-max' || isWanted))
    return gapped(question, await readRaw(reader, named, range, query.quality), undefined);
  const read = await readOutline(reader, named, range, query.quality, maxDataPoints);
  // Within a pixel samples are left out on purpose.
  return gapped(question, read, Number(range.toNs - range.fromNs) / 1e6 / maxDataPoints);
}

/** For a drawing: a null where a series was silent for too long, and for longer than what one row stands for. */
function gapped({ ask, instance }: Question, read: Read, stepMs: number | undefined): Read {
  if (!ask.isDrawing || ask.query.format === 'long') return read;
  const series = read.series.map((one) => {
    const key = { device: one.labels.device ?? '', point: one.point };
    const silence = silenceMs(instance.gateway, { key, point: instance.gateway.point(key) });
    return silence === undefined ? one : withGaps(one, BigInt(Math.ceil(Math.max(silence, (stepMs ?? 0) * gapStepsMin) * 1e6)));
  });
  return { ...read, series };
}

/** One row later is the next; what is a little more than that is none that is missing. */
const gapStepsMin = 1.5;

/** Of a range that ends now: whose line ends because nothing comes any more. */
function staleNow({ ask, instance, deps }: Question, named: readonly Named[], catalogue: readonly SeriesInfo[]): Notice[] {
  const nowNs = deps.clock.nowNs();
  if (!ask.isDrawing || ask.range.toNs < nowNs - BigInt(limits.liveEdgeMs) * 1_000_000n) return [];
  const lasts = new Map(catalogue.map((info) => [identityOf(info), info.lastNs]));
  return staleNotice(instance.gateway, named, ({ key, kind }) => lasts.get(identityOf({ ...key, kind })), nowNs);
}

type Format = Exclude<Question['ask']['query']['format'], 'devices'>;

/** The series in the format asked for. Without a row there is one frame without columns: the data plane's "no data". */
function frames(format: Format, series: readonly Series[], notices: Notice[], intervalMs?: number): Frame[] {
  if (series.length === 0) return [{ meta: withNotices({ type: `timeseries-${format}` as FrameType }, notices), fields: [] }];
  switch (format) {
    case 'multi':
      return multiFrames(series, intervalMs).map((frame, i) =>
        i === 0 ? { ...frame, meta: withNotices(frame.meta ?? {}, notices) } : frame,
      );
    case 'wide': {
      const { frame, cutRows } = wideFrame(series, { cellsMax: limits.wideCellsMax, ...(intervalMs === undefined ? {} : { intervalMs }) });
      return [{ ...frame, meta: withNotices(frame.meta ?? {}, [...notices, ...wideNotices(cutRows)]) }];
    }
    case 'long':
      return [longFrame(series, notices, intervalMs)];
  }
}

function longFrame(series: readonly Series[], notices: Notice[], intervalMs?: number): Frame {
  const order = mergeByTime(series.map(({ times }) => times));
  const quality = series.some((one) => one.quality !== undefined);
  return {
    meta: withNotices({ type: 'timeseries-long' }, notices),
    fields: [timeField(longTimes(series, order), intervalMs), ...longFields(series, order, { units: false, quality })],
  };
}
