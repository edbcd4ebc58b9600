/** What goes before the stream: the raw history of a live query, or what viewers missed of a channel that is opened again. */
import { limits } from '../contract/limits.ts';
import type { Notice } from '../frame/frame.ts';
import type { Series } from '../frame/series.ts';
import type { TimeRange } from '../store/store.ts';
import type { ChannelSpec } from './channels.ts';
import type { Instance } from './instance.ts';
import { compileSelection, type Selection } from './query-parse.ts';
import { identityOf, selectSeries } from './query-series.ts';
import type { Live, StreamDeps } from './stream-live.ts';
import { emptySeries } from './stream-packet.ts';
import type { Tap } from './stream-tap.ts';
import { readRaw } from './telemetry-read.ts';

const none = new BigInt64Array();

export interface Asked {
  query: ChannelSpec['query'];
  selection: Selection;
  range: TimeRange;
  /** The most samples of all series together. */
  rowsMax?: number;
}

/** The samples of a range and all that came since, in the columns of the channel; the tap learns what of its own is among them. */
export async function readHistory(
  deps: Pick<StreamDeps, 'store' | 'clock'>,
  instance: Instance,
  asked: Asked,
  tap: Tap | undefined,
  signal: AbortSignal,
): Promise<{ series: Series[]; notices: Notice[] }> {
  const { store, clock } = deps;
  const { query, selection, range, rowsMax } = asked;
  const catalogue = await store.series(instance.key);
  const selected = selectSeries(catalogue, instance.gateway, selection, limits.liveSeriesMax);
  tap?.know(selected.series.map(({ key, kind }) => ({ ...key, kind })));
  const columns = tap?.columns ?? selected.series;
  // All that has arrived belongs to the history, also what a device dates a little ahead.
  const aheadNs = clock.nowNs() + BigInt(limits.clockAheadMaxMs) * 1_000_000n;
  const whole = { fromNs: range.fromNs, toNs: range.toNs > aheadNs ? range.toNs : aheadNs };
  const reader = { store, gateway: instance.key, signal };
  const read = columns.length === 0 ? { series: [], notices: [] } : await readRaw(reader, columns, whole, query.quality, rowsMax);
  const found = new Map(read.series.map((one) => [one.name, one]));
  tap?.historyAnswered(new Map(columns.map(({ name, key, kind }) => [identityOf({ ...key, kind }), found.get(name)?.times ?? none])));
  const series = columns.map((named) => found.get(named.name) ?? emptySeries(named, query.quality));
  return { series, notices: [...selected.notices, ...read.notices] };
}

/**
 * A channel that is opened without a query before it: its viewers have all until `sinceNs` (the start of this process, or the end of its last
 * stream), and what was stored since then goes to them first. A store that cannot answer leaves a gap, which is better than no stream.
 */
export async function catchUp(deps: StreamDeps, instance: Instance, live: Live, sinceNs: bigint): Promise<void> {
  const { query } = live.spec;
  const range = { fromNs: sinceNs, toNs: deps.clock.nowNs() };
  const asked = { query, selection: compileSelection(query), range, rowsMax: limits.liveCatchUpRowsMax };
  try {
    live.missed = (await readHistory(deps, instance, asked, live.tap, AbortSignal.timeout(limits.storeWaitMs))).series;
  } catch (error) {
    deps.log.warn('a live channel goes on without what its viewers missed', { channel: live.address, error: String(error) });
  }
}
