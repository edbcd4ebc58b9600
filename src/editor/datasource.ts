import type { CoreApp, DataQueryRequest, DataQueryResponse, DataSourceInstanceSettings, ScopedVars } from '@grafana/data';
import { DataSourceWithBackend, getTemplateSrv } from '@grafana/runtime';
import type { Observable } from 'rxjs';
import type { FieldgateQuery, FieldgateSettings } from './types.ts';

export class FieldgateDataSource extends DataSourceWithBackend<FieldgateQuery, FieldgateSettings> {
  /** Makes the annotation editor accept the query editor. */
  override annotations = {};

  /** Grafana calls it with one argument; the second one of the base class is for tests of Grafana. */
  constructor(settings: DataSourceInstanceSettings<FieldgateSettings>) {
    super(settings);
  }

  override getDefaultQuery(_app: CoreApp): Partial<FieldgateQuery> {
    return { queryType: 'telemetry', devices: ['*'] };
  }

  /** A query without devices asks nothing: an editor that is still empty. */
  override filterQuery(query: FieldgateQuery): boolean {
    return query.hide !== true && (query.devices?.length ?? 0) > 0;
  }

  /** Days, weeks and months are those of the dashboard's time zone unless the query names another. */
  override query(request: DataQueryRequest<FieldgateQuery>): Observable<DataQueryResponse> {
    const timezone = zoneOf(request.timezone);
    const targets = request.targets.map((query) => ((query.timezone ?? 'browser') === 'browser' ? { ...query, timezone } : query));
    return super.query({ ...request, targets });
  }

  /** Dashboard variables are allowed in every selector. A multi-value variable in a list becomes as many selectors. */
  override applyTemplateVariables(query: FieldgateQuery, scopedVars: ScopedVars): FieldgateQuery {
    const selectors = (list: string[] | undefined) => list?.flatMap((text) => expand(text, scopedVars));
    const { devices, points } = query;
    return { ...query, ...(devices && { devices: selectors(devices) ?? [] }), ...(points && { points: selectors(points) ?? [] }) };
  }
}

/** A dashboard says `browser`, `utc` or the name of a zone. */
function zoneOf(timezone: string | undefined): string {
  if (timezone === 'utc') return 'UTC';
  return timezone === undefined || timezone === '' || timezone === 'browser' ? Intl.DateTimeFormat().resolvedOptions().timeZone : timezone;
}

/** `room-$room` with two values of $room: two selectors. Values are passed through JSON because they may hold commas. */
function expand(text: string, scopedVars: ScopedVars): string[] {
  const values: string[][] = [];
  const marked = getTemplateSrv().replace(text, scopedVars, (value: string | string[]) => {
    values.push(Array.isArray(value) ? value : [value]);
    return `\u0000${values.length - 1}\u0000`;
  });
  return values.reduce<string[]>(
    (texts, options, index) => texts.flatMap((start) => options.map((value) => start.replace(`\u0000${index}\u0000`, value))),
    [marked],
  );
}
