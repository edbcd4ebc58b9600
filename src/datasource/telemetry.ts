/** `telemetry`: what points said over time, raw or one value an interval, and where it goes on live (DESIGN §6). */
import { limits } from '../contract/limits.ts';
import { type Frame, type FrameType, type Notice, withNotices } from '../frame/frame.ts';
import { longFields, longTimes } from '../frame/long.ts';
import { mergeByTime } from '../frame/merge.ts';
import { multiFrames, timeField } from '../frame/multi.ts';
import type { Series } from '../frame/series.ts';
import { wideFrame } from '../frame/wide.ts';
import { chooseIntervals } from './intervals.ts';
import { type Named, selectSeries } from './query-series.ts';
import type { Question } from './question.ts';
import { readBuckets } from './telemetry-buckets.ts';
import { answerLive, isLive, isOfStates } from './telemetry-live.ts';
import { type Read, type Reader, readOutline, readRaw, wideNotices } from './telemetry-read.ts';

export async function answerTelemetry(question: Question): Promise<Frame[]> {
  const { ask, instance, deps, signal } = question;
  if (isLive(question)) return answerLive(question);
  const { query } = ask;
  const catalogue = await deps.store.series(instance.key);
  const selected = selectSeries(catalogue, instance.gateway, ask.selection);
  const reader = { store: deps.store, gateway: instance.key, signal };
  if (query.aggregate === 'none') {
    const read = selected.series.length === 0 ? { series: [], notices: [] } : await readSamples(question, reader, selected.series);
    return frames(query.format, read.series, [...selected.notices, ...read.notices]);
  }
  const { intervals, notices } = chooseIntervals(ask, selected.series.length, instance.gateway.plan.settings.timezone);
  const asked = { query, range: ask.range, intervals, gateway: instance.gateway, nowNs: deps.clock.nowNs() };
  const read = await readBuckets(reader, selected.series, asked);
  // The interval is said only where every interval has its row: elsewhere Grafana would break the line at each that has none.
  const stepMs = query.fill === 'none' ? undefined : intervals.widthMs;
  const still: Notice[] =
    query.live && isOfStates(query.aggregate) ? [{ severity: 'info', text: `Not live: ${query.aggregate} is not.` }] : [];
  return frames(query.format, read.series, [...selected.notices, ...notices, ...read.notices, ...still], stepMs);
}

/** Samples as they came; for a drawing those that show, where there are more than it has pixels for. */
function readSamples({ ask }: Question, reader: Reader, named: readonly Named[]): Promise<Read> {
  const { query, range, isDrawing, maxDataPoints } = ask;
  const isWanted = query.reduce === 'auto' && isDrawing && query.interval === 'auto' && query.format !== 'long';
  return maxDataPoints > 0 && (query.reduce === 'min-max' || isWanted)
    ? readOutline(reader, named, range, query.quality, maxDataPoints)
    : readRaw(reader, named, range, query.quality);
}

/** The series in the format asked for. Without a row there is one frame without columns: the data plane's "no data". */
function frames(format: Question['ask']['query']['format'], series: readonly Series[], notices: Notice[], intervalMs?: number): Frame[] {
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
