/** Dashboard variables: names of devices, points, labels and so on, each by what was chosen in the others. Grafana applies the regular expression. */
import { CustomVariableSupport, type DataQueryRequest, type DataQueryResponse, type MetricFindValue } from '@grafana/data';
import { from, map, type Observable } from 'rxjs';
import type { FieldgateDataSource } from '../datasource.ts';
import { later } from '../later.tsx';
import type { FieldgateVariableQuery } from '../types.ts';
import { interpolateVariable } from './interpolate.ts';
import { suggest } from './names.ts';

/** The most that the backend gives at once. */
const namesMax = 1_000;

export class VariableSupport extends CustomVariableSupport<FieldgateDataSource, FieldgateVariableQuery> {
  readonly #source: FieldgateDataSource;
  override editor = later(async () => (await import(/* webpackChunkName: "query" */ './VariableEditor.tsx')).VariableEditor);

  constructor(source: FieldgateDataSource) {
    super();
    this.#source = source;
  }

  /** Grafana's type says a query of a panel; it is one of a variable. */
  override getDefaultQuery(): object {
    const first: Partial<FieldgateVariableQuery> = { what: 'devices' };
    return first;
  }

  override query(request: DataQueryRequest<FieldgateVariableQuery>): Observable<DataQueryResponse> {
    const [target] = request.targets;
    const asked = interpolateVariable(target ?? { refId: 'variable' }, request.scopedVars);
    return from(this.#names(asked)).pipe(map((data) => ({ data })));
  }

  async #names({ what = 'devices', label, ...chosen }: FieldgateVariableQuery): Promise<MetricFindValue[]> {
    if (what === 'values' && (label ?? '') === '') return [];
    const more = { limit: String(namesMax), ...(what === 'values' ? { name: label ?? '' } : {}) };
    const { suggestions } = await suggest(this.#source.ask, what, chosen, more);
    return suggestions.map(({ value, text }) => ({ text: text ?? value, value }));
  }
}
