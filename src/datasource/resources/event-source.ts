/** What happens in a gateway, as the events a reader wants. */
import { limits } from '../../contract/limits.ts';
import { type Sample, type SeriesKey, seriesName } from '../../contract/sample.ts';
import type { Gateway, LiveSample } from '../../gateway/gateway.ts';
import { type Selection, selects } from '../query-parse.ts';
import { labelsOf } from '../query-series.ts';

export const kinds = ['sample', 'connectivity', 'command'] as const;
export type Kind = (typeof kinds)[number];

/** Times are milliseconds since 1970. */
export type Event =
  | ({ event: 'sample' } & SeriesKey & Pick<Sample, 'value' | 'quality' | 'reason'> & { time: number; arrival: number })
  | { event: 'connectivity'; device: string; state: string; reason: string; time: number }
  | { event: 'command'; [member: string]: unknown }
  | { event: 'heartbeat'; time: number }
  | { event: 'end'; type: string; detail: string; time: number };

export interface Wish {
  kinds: ReadonlySet<Kind>;
  selection: Selection;
}

/** Tells what is wanted of what happens in the gateway until the returned function is called. */
export function follow(gateway: Gateway, { kinds: wanted, selection }: Wish, tell: (event: Event) => void): () => void {
  const isMeant = meaning(gateway, selection);
  const leave: (() => void)[] = [];
  if (wanted.has('sample')) {
    leave.push(
      gateway.subscribe((samples) => {
        for (const one of samples) if (isMeant(one)) tell(sampleEvent(one));
      }),
    );
  }
  leave.push(
    gateway.follow((news) => {
      if (!wanted.has(news.event)) return;
      if (news.event === 'command') {
        const { device, point } = news.record;
        const labels = labelsOf({ device, point }, gateway);
        if (selects(selection, { device, point }, labels)) tell({ event: 'command', ...news.record });
        return;
      }
      const { device, state, reason, timeNs } = news.change;
      const labels = { ...gateway.device(device)?.labels, device };
      if (selection.device(device) && selection.labels(labels)) tell({ event: 'connectivity', device, state, reason, time: msOf(timeNs) });
    }),
  );
  return () => {
    for (const one of leave) one();
  };
}

/** Whether a sample is asked for, looked up once for as long as the settings of its point are the same object. */
function meaning(gateway: Gateway, selection: Selection): (sample: LiveSample) => boolean {
  const known = new Map<string, { point: LiveSample['point']; meant: boolean }>();
  return ({ key, point }) => {
    const before = known.get(seriesName(key));
    if (before?.point === point) return before.meant;
    if (known.size >= limits.hubQueueMax) known.clear();
    const meant = selects(selection, key, labelsOf(key, gateway));
    known.set(seriesName(key), { point, meant });
    return meant;
  };
}

function sampleEvent({ key, sample }: LiveSample): Event {
  const { value, quality, reason, timeNs, arrivalNs } = sample;
  return { event: 'sample', ...key, value, quality, reason, time: msOf(timeNs), arrival: msOf(arrivalNs) };
}

function msOf(timeNs: bigint): number {
  return Number(timeNs / 1_000_000n);
}
