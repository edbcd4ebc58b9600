import {
  type AdHocVariableFilter,
  CoreApp,
  type DataQueryRequest,
  type DataQueryResponse,
  type DataSourceGetTagValuesOptions,
  type DataSourceInstanceSettings,
  dateTime,
  LoadingState,
  type MetricFindValue,
  type ScopedVars,
  StreamingFrameAction,
} from '@grafana/data';
import { DataSourceWithBackend, type StreamOptionsProvider } from '@grafana/runtime';
import { concatMap, map, type Observable, timer } from 'rxjs';
import { annotationSupport } from './query/annotations.ts';
import { interpolate } from './query/interpolate.ts';
import { type Ask, suggest } from './query/names.ts';
import { readable } from './query/readable.ts';
import { VariableSupport } from './query/variables.ts';
import { streamedTypes, wholeTypes } from './query/words.ts';
import { texts } from './texts.ts';
import type { FieldgateQuery, FieldgateSettings } from './types.ts';

/** Commands have no channel: while somebody watches, they are asked for so often. */
const tailMs = 1_000;

/** Rows of a live panel in the browser: what a short history may grow to, and what a long one may hold. */
const liveRowsMin = 10_000;
const liveRowsMax = 100_000;

export class FieldgateDataSource extends DataSourceWithBackend<FieldgateQuery, FieldgateSettings> {
  override annotations = annotationSupport;

  /** Grafana calls it with one argument; the second one of the base class is for tests of Grafana. */
  constructor(settings: DataSourceInstanceSettings<FieldgateSettings>) {
    super(settings);
    // Grafana's type says every data source; its editor is given ours.
    this.variables = new VariableSupport(this) as unknown as NonNullable<this['variables']>;
  }

  /**
   * Grafana keeps as many rows as a panel has pixels; but a live row is a moment of any of the series, and so many of them would be minutes. What is kept
   * is the range: as many rows as its history has, and as many again, up to a bound.
   */
  override streamOptionsProvider: StreamOptionsProvider<FieldgateQuery> = (request, frame) => ({
    action: StreamingFrameAction.Append,
    ...(request.rangeRaw?.to === 'now' && { maxDelta: request.range.to.valueOf() - request.range.from.valueOf() }),
    maxLength: Math.min(liveRowsMax, Math.max(request.maxDataPoints ?? 0, liveRowsMin, 2 * frame.length)),
  });

  /** A resource of the backend, for pickers. */
  readonly ask: Ask = (path) => this.getResource(path, undefined, { showErrorAlert: false });

  /** Explore shows what there is; a panel and an alert rule begin with the choice of a device. */
  override getDefaultQuery(app: CoreApp): Partial<FieldgateQuery> {
    if (app === CoreApp.Explore) return { queryType: 'telemetry', devices: ['*'] };
    if (isAlerting(app)) return { queryType: 'latest', devices: [] };
    return { queryType: 'telemetry', devices: [] };
  }

  /** A query without devices asks nothing: an editor that is still empty. What goes by connections needs none. */
  override filterQuery(query: FieldgateQuery): boolean {
    if (query.hide === true) return false;
    return (query.devices?.length ?? 0) > 0 || (query.queryType !== undefined && wholeTypes.includes(query.queryType));
  }

  /** Days, weeks and months are those of the dashboard's time zone unless the query names another. */
  override query(request: DataQueryRequest<FieldgateQuery>): Observable<DataQueryResponse> {
    const timezone = zoneOf(request.timezone);
    const targets = request.targets.map((query) => ({
      ...query,
      ...((query.timezone ?? 'browser') === 'browser' ? { timezone } : {}),
      ...(request.groupByKeys && request.groupByKeys.length > 0 && { groupBy: request.groupByKeys }),
      ...(request.liveStreaming === true && streamedTypes.includes(query.queryType ?? 'telemetry') && { live: true }),
    }));
    const asked = { ...request, targets };
    const isTail = request.liveStreaming === true && targets.some(({ queryType }) => queryType === 'commands');
    if (!isTail) return super.query(asked).pipe(map((answer) => finished(answer, this)));
    const spanMs = request.range.to.valueOf() - request.range.from.valueOf();
    return timer(0, tailMs).pipe(
      concatMap(() => {
        const to = dateTime();
        const from = dateTime(to.valueOf() - spanMs);
        return super.query({ ...asked, range: { from, to, raw: { from, to } } });
      }),
      map((answer) => ({ ...answer, state: LoadingState.Streaming })),
    );
  }

  override applyTemplateVariables(query: FieldgateQuery, scopedVars: ScopedVars, filters?: AdHocVariableFilter[]): FieldgateQuery {
    return interpolate(query, scopedVars, filters);
  }

  override interpolateVariablesInQueries(
    queries: FieldgateQuery[],
    scopedVars: ScopedVars,
    filters?: AdHocVariableFilter[],
  ): FieldgateQuery[] {
    return queries.map((query) => interpolate(query, scopedVars, filters));
  }

  override getQueryDisplayText({ queryType = 'telemetry', devices = [], points = ['*'] }: FieldgateQuery): string {
    return [queryType, devices.join(', '), points.join(', ')].filter((part) => part !== '').join(' ');
  }

  /** What ad hoc filters and group-by offer: labels, and who it is. */
  override async getTagKeys(): Promise<MetricFindValue[]> {
    const { suggestions } = await suggest(this.ask, 'labels', {});
    return [...new Set(['device', 'point', ...suggestions.map(({ value }) => value)])].map((text) => ({ text, value: text }));
  }

  override getGroupByKeys = () => this.getTagKeys();

  override async getTagValues({ key }: Pick<DataSourceGetTagValuesOptions<FieldgateQuery>, 'key'>): Promise<MetricFindValue[]> {
    const { suggestions } =
      key === 'device' || key === 'point' ? await suggest(this.ask, `${key}s`, {}) : await suggest(this.ask, 'values', {}, { name: key });
    return suggestions.map(({ value }) => ({ text: value, value }));
  }
}

export function isAlerting(app: CoreApp | string | undefined): boolean {
  return app === CoreApp.UnifiedAlerting || app === CoreApp.CloudAlerting;
}

/** A dashboard says `browser`, `utc` or the name of a zone. */
function zoneOf(timezone: string | undefined): string {
  if (timezone === 'utc') return 'UTC';
  return timezone === undefined || timezone === '' || timezone === 'browser' ? Intl.DateTimeFormat().resolvedOptions().timeZone : timezone;
}

/** What only a browser can do for people: readings with their units, and from a row of the bus table to the requests behind it, as a trace. */
function finished(answer: DataQueryResponse, { uid, name }: FieldgateDataSource): DataQueryResponse {
  for (const frame of answer.data) {
    readable(frame);
    const field = frame.name === 'bus' ? frame.fields?.find((one: { name: string }) => one.name === 'traceID') : undefined;
    if (!field) continue;
    // biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's own variable.
    const query = { refId: 'trace', queryType: 'bus', traceId: '${__value.raw}' };
    field.config = {
      ...field.config,
      links: [{ title: texts.asTrace, url: '', internal: { datasourceUid: uid, datasourceName: name, query } }],
    };
  }
  return answer;
}
