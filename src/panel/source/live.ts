/** Values as they come: the live query of a data source, until it is closed. */
import { CoreApp, type DataFrame, type DataQuery, type DataQueryRequest, type DataQueryResponse, dateTime } from '@grafana/data';
import { getDataSourceSrv } from '@grafana/runtime';
import { from, isObservable, switchMap } from 'rxjs';
import { limitsPanel } from '../../contract/limits-panel.ts';

interface Listener {
  frames(frames: readonly DataFrame[]): void;
  /** It never came live, or does not any more. */
  ended(): void;
}

let requests = 0;

/** `points` of one device. Returns what ends it. */
export function openLive(source: string, device: string, points: readonly string[], listener: Listener): () => void {
  const to = dateTime();
  const fromTime = dateTime(to).subtract(limitsPanel.liveHistoryMs, 'milliseconds');
  requests += 1;
  // `quality: all`: a reading that turned bad is news too.
  const query = { refId: 'A', queryType: 'telemetry', devices: [device], points: [...points], quality: 'all', live: true };
  const request = {
    app: CoreApp.Dashboard,
    requestId: `fieldgate-control-${requests}`,
    targets: [query as DataQuery],
    range: { from: fromTime, to, raw: { from: 'now-1m', to: 'now' } },
    interval: '1s',
    intervalMs: 1_000,
    maxDataPoints: 200,
    scopedVars: {},
    timezone: 'utc',
    startTime: Date.now(),
    liveStreaming: true,
  } as DataQueryRequest;
  const subscription = from(getDataSourceSrv().get({ uid: source }))
    .pipe(
      switchMap((api) => {
        const answer = api.query(request);
        return isObservable(answer) ? answer : from(answer as Promise<DataQueryResponse>);
      }),
    )
    .subscribe({
      next({ data, errors, error }) {
        if (error || (errors?.length ?? 0) > 0) listener.ended();
        else listener.frames(data as DataFrame[]);
      },
      error: () => listener.ended(),
      complete: () => listener.ended(),
    });
  return () => subscription.unsubscribe();
}
