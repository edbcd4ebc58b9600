/**
 * `telemetry` with `live`: the history and the channel it goes on in, as one wide frame whatever the format, because that is the frame
 * Grafana's browser side can go on with. With `quality: all` bad samples are nulls with their quality and reason, here and in the packets.
 */
import { limits } from '../contract/limits.ts';
import type { Aggregate } from '../contract/query.ts';
import { type Frame, type Notice, withNotices } from '../frame/frame.ts';
import type { Series } from '../frame/series.ts';
import { wideFrame } from '../frame/wide.ts';
import { type ChannelSpec, intervalsIn } from './channels.ts';
import { chooseIntervals } from './intervals.ts';
import type { Question } from './question.ts';
import { readInterval } from './stream-buckets.ts';
import { readHistory } from './stream-history.ts';
import type { Live } from './stream-live.ts';
import { wideNotices } from './telemetry-read.ts';

/**
 * A range that ended a while ago has no live continuation: new samples would be appended behind a gap. Nor has time in state: the columns of a channel
 * are its series, and a state may come at any time.
 */
export function isLive({ ask, deps }: Question): boolean {
  return (
    ask.query.live &&
    !isOfStates(ask.query.aggregate) &&
    ask.query.groupBy.length === 0 &&
    ask.range.toNs >= deps.clock.nowNs() - BigInt(limits.liveEdgeMs) * 1_000_000n
  );
}

export async function answerLive(question: Question): Promise<Frame[]> {
  const { ask, instance, deps, signal } = question;
  const { spec, notices } = specOf(question);
  const live = await deps.streams.prepare(instance, spec);
  const read = await (intervalsIn(spec) === undefined
    ? readHistory(deps, instance, ask, live?.tap, signal)
    : bucketHistory(question, spec, live));
  const { frame, cutRows } = wideFrame(read.series, {
    cellsMax: limits.wideCellsMax,
    reasons: 'text',
  });
  const tooMany: Notice = { severity: 'warning', text: `Not live: ${limits.liveOpenMax} live channels are open already.` };
  const said = [...notices, ...read.notices, ...wideNotices(cutRows), ...(live ? [] : [tooMany])];
  const meta = { type: 'timeseries-wide' as const, ...frame.meta, ...(live ? { channel: live.address } : {}) };
  // With a channel the frame keeps its columns even without rows: the stream fills them.
  return [{ ...frame, refId: ask.refId, meta: withNotices(meta, said), fields: read.series.length === 0 ? [] : frame.fields }];
}

export function isOfStates(aggregate: Aggregate): boolean {
  return aggregate === 'time-in-state' || aggregate === 'share-in-state';
}

function specOf({ ask, instance }: Question): { spec: ChannelSpec; notices: Notice[] } {
  const windowMs = Number(ask.range.toNs - ask.range.fromNs) / 1e6;
  if (ask.query.aggregate === 'none') return { spec: { query: ask.query, refId: ask.refId, windowMs }, notices: [] };
  const { intervals, notices } = chooseIntervals(ask, limits.liveSeriesMax, instance.gateway.plan.settings.timezone);
  return { spec: { query: ask.query, refId: ask.refId, ...intervals.spec, windowMs }, notices };
}

/** Finished intervals only: the one that is running is the stream's first. */
async function bucketHistory(
  { ask, instance, deps, signal }: Question,
  spec: ChannelSpec,
  live: Live | undefined,
): Promise<{ series: Series[]; notices: Notice[] }> {
  const nowNs = deps.clock.nowNs() - BigInt(limits.liveBucketGraceMs) * 1_000_000n;
  const toNs = intervalsIn(spec)?.start(nowNs) ?? nowNs;
  const { series } = await readInterval(deps, instance, { spec }, { fromNs: ask.range.fromNs, toNs }, signal);
  if (live && live.streams === 0) live.nextBucketNs = toNs;
  return { series, notices: [] };
}
