/** A panel's or Explore's query row: the query editor, what comes back in numbers, and "Run". */
import { CoreApp, type DataQueryRequest, type DataSourceApi, type DataSourcePlugin, LoadingState, type PanelData } from '@grafana/data';
import { Button } from '@grafana/ui';
import { useEffect, useState } from 'react';
import { lastValueFrom, type Observable } from 'rxjs';
import { timeRange } from './services.ts';

interface Props {
  // biome-ignore lint/suspicious/noExplicitAny: a host knows plugins only by their outline.
  plugin: DataSourcePlugin<any>;
  source: DataSourceApi;
  show: string;
  address: URLSearchParams;
}

export function QueryHost({ plugin, source, show, address }: Props) {
  const app = (address.get('app') ?? CoreApp.PanelEditor) as CoreApp;
  const given = address.get('query');
  const [query, setQuery] = useState<Record<string, unknown>>(() => ({
    refId: 'A',
    ...(given ? JSON.parse(given) : source.getDefaultQuery?.(app)),
  }));
  const [data, setData] = useState<PanelData>();
  useEffect(() => {
    Object.assign(window, { stand: { query, data } });
  }, [query, data]);

  async function run(): Promise<void> {
    const range = timeRange();
    const request = {
      app,
      targets: [query],
      range,
      scopedVars: {},
      filters: (window as { standFilters?: unknown[] }).standFilters ?? [],
      requestId: '1',
      interval: '1s',
      intervalMs: 1000,
      maxDataPoints: 500,
      timezone: 'utc',
      startTime: Date.now(),
    };
    const answered =
      source.filterQuery?.(query as never) === false
        ? { data: [] }
        : await lastValueFrom(source.query(request as unknown as DataQueryRequest) as Observable<never>);
    setData({
      series: [],
      state: LoadingState.Done,
      timeRange: range,
      request: request as never,
      ...(answered as object),
      ...('data' in (answered as object) ? { series: (answered as { data: never[] }).data } : {}),
    } as PanelData);
  }

  const Editor = editorOf(plugin, source, show);
  if (!Editor) return <p>the plugin has no editor for {show}</p>;
  return (
    <>
      <Editor
        datasource={source}
        query={query}
        onChange={(next: Record<string, unknown>) => setQuery(next)}
        onRunQuery={() => void run()}
        app={app}
        data={data}
        range={timeRange()}
        queries={[query]}
      />
      <Button onClick={() => void run()}>Run</Button>
      <output data-testid="rows">{data?.series.map(({ name, length }) => `${name ?? ''} ${length}`).join(', ')}</output>
      <output data-testid="error">{data?.errors?.map(({ message }) => message).join(', ') ?? ''}</output>
    </>
  );
}

// biome-ignore lint/suspicious/noExplicitAny: see above.
function editorOf(plugin: DataSourcePlugin<any>, source: DataSourceApi, show: string): any {
  if (show === 'query') return plugin.components.QueryEditor;
  if (show === 'variable') return (source.variables as { editor?: unknown } | undefined)?.editor ?? plugin.components.VariableQueryEditor;
  if (show === 'annotation') return source.annotations?.QueryEditor ?? plugin.components.QueryEditor;
  return show === 'help' ? plugin.components.QueryEditorHelp : undefined;
}
