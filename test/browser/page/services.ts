/** Grafana's front end services, as far as a data source and a panel ask them. */
import {
  type DataSourceApi,
  type DataSourceInstanceSettings,
  dateTime,
  getDefaultTimeRange,
  LiveChannelConnectionState,
  LiveChannelEventType,
  LoadingState,
  StreamingDataFrame,
} from '@grafana/data';
import * as runtime from '@grafana/runtime';
import { from, map, Observable } from 'rxjs';

interface Fetched {
  url: string;
  method?: string;
  data?: unknown;
  params?: Record<string, unknown>;
  headers?: Record<string, string>;
  responseType?: string;
  abortSignal?: AbortSignal;
}

async function fetchOnce(options: Fetched): Promise<unknown> {
  const query = new URLSearchParams(Object.entries(options.params ?? {}).map(([name, value]) => [name, String(value)])).toString();
  const response = await fetch(options.url.replace(/^\/?/, '/') + (query ? `?${query}` : ''), {
    method: options.method ?? 'GET',
    headers: { ...(options.data === undefined ? {} : { 'content-type': 'application/json' }), ...options.headers },
    ...(options.data === undefined ? {} : { body: JSON.stringify(options.data) }),
    ...(options.abortSignal ? { signal: options.abortSignal } : {}),
  });
  const type = response.headers.get('content-type') ?? '';
  const text = await response.text();
  const body: unknown = type.includes('json') ? JSON.parse(text || 'null') : text;
  const { status, statusText, ok, headers, url } = response;
  const answer = { data: body, status, statusText, ok, headers, url, config: options, type: 'basic', redirected: false };
  // Grafana's own rejects so, and plugins look at `status` and `data`.
  if (!ok) throw answer;
  return answer;
}

/** The variables of the dashboard the page plays: `window.standVariables = { room: ['a', 'b'] }`. */
function variables(): Record<string, string | string[]> {
  return (window as { standVariables?: Record<string, string | string[]> }).standVariables ?? {};
}

function replace(text = '', scoped?: Record<string, { value: unknown }>, format?: unknown): string {
  return text.replace(/\$(\w+)|\$\{(\w+)(?::\w+)?\}|\[\[(\w+)\]\]/g, (whole, a, b, c) => {
    const name = (a ?? b ?? c) as string;
    const value = scoped?.[name]?.value ?? variables()[name];
    if (value === undefined) return whole;
    if (typeof format === 'function') return String(format(value, { name, multi: Array.isArray(value) }));
    return Array.isArray(value) ? (value.length > 1 ? `{${value.join(',')}}` : String(value[0] ?? '')) : String(value);
  });
}

export function installServices(
  settings: DataSourceInstanceSettings,
  source: () => DataSourceApi,
  person: { login: string; role: string },
): void {
  runtime.setBackendSrv({
    fetch: (options: Fetched) => from(fetchOnce(options)),
    chunked: () => new Observable(),
    get: async (url: string, params?: Record<string, unknown>) =>
      ((await fetchOnce({ url, ...(params ? { params } : {}) })) as { data: unknown }).data,
    post: async (url: string, data?: unknown) => ((await fetchOnce({ url, method: 'POST', data })) as { data: unknown }).data,
    put: async (url: string, data?: unknown) => ((await fetchOnce({ url, method: 'PUT', data })) as { data: unknown }).data,
    delete: async (url: string) => ((await fetchOnce({ url, method: 'DELETE' })) as { data: unknown }).data,
    datasourceRequest: (options: Fetched) => fetchOnce(options),
  } as never);
  runtime.setTemplateSrv({
    replace,
    getVariables: () => Object.entries(variables()).map(([name, value]) => ({ name, type: 'custom', current: { value } })),
    containsTemplate: (text?: string) => /\$\w+|\$\{|\[\[/.test(text ?? ''),
    updateTimeRange: () => {},
    getAdhocFilters: () => (window as { standFilters?: unknown[] }).standFilters ?? [],
  } as never);
  runtime.setDataSourceSrv({
    get: async () => source(),
    getInstanceSettings: () => settings,
    getList: () => [settings],
    reload: () => {},
    registerRuntimeDataSource: () => {},
  } as never);
  runtime.setCurrentUser?.({ id: 1, login: person.login, orgRole: person.role } as never);
  Object.assign(runtime.config.bootData ?? {}, { user: { login: person.login, orgRole: person.role, isSignedIn: true, permissions: {} } });
  runtime.setGrafanaLiveSrv({
    getDataStream: (options: { addr: { path: string }; frame?: never; buffer?: object }) => liveOf(options.addr.path),
    getStream: (address: { path: string }) =>
      liveOf(address.path).pipe(map((message) => ({ type: LiveChannelEventType.Message, message }))),
    getConnectionState: () => from([true]),
    getPresence: async () => ({ users: [] }),
    publish: async () => ({}),
    getQueryData: () => new Observable(),
  } as never);
  runtime.setAppEvents?.({
    publish: (event: { payload?: unknown }) => note(event),
    subscribe: () => ({ unsubscribe() {} }),
    getStream: () => new Observable(),
  } as never);
}

/** What would pop up in a corner of Grafana. */
function note(event: { payload?: unknown }): void {
  const page = window as { standNotes?: unknown[] };
  page.standNotes = [...(page.standNotes ?? []), event.payload];
}

function liveOf(path: string): Observable<unknown> {
  return new Observable((observer) => {
    let frame: StreamingDataFrame | undefined;
    const source = new EventSource(`/api/live/${encodeURIComponent(path)}`);
    source.onmessage = ({ data }) => {
      const packet = JSON.parse(data);
      if (frame) frame.push(packet);
      else frame = StreamingDataFrame.fromDataFrameJSON(packet);
      observer.next({ data: [frame], state: LoadingState.Streaming, connectionState: LiveChannelConnectionState.Connected });
    };
    source.onerror = () => source.close();
    return () => source.close();
  });
}

export const timeRange = () => {
  const to = dateTime();
  const made = getDefaultTimeRange();
  const fromTime = dateTime(to).subtract(15, 'minutes');
  return { ...made, from: fromTime, to, raw: { from: 'now-15m', to: 'now' } };
};
