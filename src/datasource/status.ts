/**
 * `status`: connectivity over time, a frame a device. `online` is a number, 1 or 0, with the names as value mappings: a state timeline
 * shows them and an alert rule compares. A device that was not heard of yet is null, which is no data.
 */

import { roleAtLeast } from '../contract/caller.ts';
import { limits } from '../contract/limits.ts';
import type { DeviceState, DeviceStatus } from '../contract/status.ts';
import { legendText } from '../frame/display.ts';
import { type FieldConfig, type Frame, type Notice, withNotices } from '../frame/frame.ts';
import { textField } from '../frame/series.ts';
import type { TimeRange } from '../store/store.ts';
import { isPublicDashboard } from './access.ts';
import type { Question } from './question.ts';
import { listOf, show } from './settings/phrases.ts';

interface Row {
  timeNs: bigint;
  state: DeviceState;
  reason: string;
}

const mappings: FieldConfig['mappings'] = [
  { type: 'value', options: { 0: { text: 'offline', color: 'red', index: 0 }, 1: { text: 'online', color: 'green', index: 1 } } },
];

export async function answerStatus({ ask, instance, caller, deps, signal }: Question): Promise<Frame[]> {
  // Why a device is offline often names its host, which is not for Viewers (DESIGN §7).
  const insider = roleAtLeast(caller.user?.role, 'Editor') && !(caller.user && isPublicDashboard(caller.user));
  const known = instance.gateway.devices();
  const labelled = known.map((status) => ({ status, labels: { ...instance.gateway.device(status.id)?.labels, device: status.id } }));
  const matching = labelled.filter(({ status, labels }) => ask.selection.device(status.id) && ask.selection.labels(labels));
  const chosen = matching.slice(0, limits.seriesPerQueryMax);
  if (chosen.length === 0) return [{ meta: withNotices({ type: 'timeseries-multi' }, [noDevice(known)]), fields: [] }];
  const changes = await deps.store.connectivity(
    instance.key,
    chosen.map(({ status }) => status.id),
    ask.range,
    signal,
  );
  const notices: Notice[] =
    matching.length > chosen.length
      ? [{ severity: 'warning', text: `${matching.length} devices match; shown are the first ${chosen.length}.` }]
      : [];
  return chosen.map(({ status, labels }, i) => {
    const own = changes.filter(({ device }) => device === status.id);
    const rows = rowsIn(own, status, ask.range, deps.clock.nowNs());
    const frame = deviceFrame(
      status,
      { labels, ...(ask.selection.legend ? { legend: ask.selection.legend } : {}) },
      insider ? rows : rows.map((row) => ({ ...row, reason: '' })),
    );
    return i === 0 ? { ...frame, meta: withNotices(frame.meta ?? {}, notices) } : frame;
  });
}

/** The state the range begins with, each change in it, and the state it ends with: a rule that takes the last value finds one in any range. */
function rowsIn(changes: readonly Row[], status: DeviceStatus, range: TimeRange, nowNs: bigint): Row[] {
  const rows = changes.map((change) => (change.timeNs < range.fromNs ? { ...change, timeNs: range.fromNs } : change));
  const sinceNs = BigInt(Math.floor(status.sinceMs)) * 1_000_000n;
  const last = rows.at(-1);
  // What the gateway knows by itself when the record has nothing yet.
  if (!last && sinceNs < range.toNs)
    rows.push({ timeNs: sinceNs < range.fromNs ? range.fromNs : sinceNs, state: status.state, reason: status.error ?? '' });
  const endNs = (range.toNs < nowNs ? range.toNs : nowNs) - 1n;
  const closing = rows.at(-1);
  if (closing && closing.timeNs < endNs) rows.push({ ...closing, timeNs: endNs });
  return rows;
}

function deviceFrame(
  status: DeviceStatus,
  { labels, legend }: { labels: Record<string, string>; legend?: string },
  rows: readonly Row[],
): Frame {
  const title = legend ? legendText(legend, { ...labels, 'device.title': status.title }) : status.title;
  return {
    name: status.id,
    meta: { type: 'timeseries-multi' },
    fields: [
      { name: 'time', type: 'time', values: BigInt64Array.from({ length: rows.length }, (_, i) => rows[i]?.timeNs ?? 0n) },
      {
        name: 'online',
        type: 'float64',
        values: Float64Array.from(rows, ({ state }) => (state === 'online' ? 1 : 0)),
        valid: Uint8Array.from(rows, ({ state }) => (state === 'unknown' ? 0 : 1)),
        labels,
        config: { displayNameFromDS: title, min: 0, max: 1, decimals: 0, ...(mappings ? { mappings } : {}) },
      },
      textField(
        'reason',
        rows.map(({ reason }) => reason),
      ),
    ],
  };
}

function noDevice(known: readonly DeviceStatus[]): Notice {
  if (known.length === 0) return { severity: 'info', text: 'This data source has no device.' };
  return {
    severity: 'info',
    text: `No device matches. There are ${listOf(
      known.map(({ id }) => show(id)),
      'and',
    )}.`,
  };
}
