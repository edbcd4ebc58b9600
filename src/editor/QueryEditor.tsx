import type { QueryEditorProps } from '@grafana/data';
import type { FieldgateDataSource } from './datasource.ts';
import { JsonText } from './JsonText.tsx';
import type { FieldgateQuery, FieldgateSettings } from './types.ts';

type Props = QueryEditorProps<FieldgateDataSource, FieldgateQuery, FieldgateSettings>;

/** The query language as JSON. Grafana's own members (refId, hide, datasource) are not shown and stay as they are. */
export function QueryEditor({ query, onChange }: Props) {
  const { refId, hide, datasource, key, ...own } = query;
  const grafanas = {
    refId,
    ...(hide !== undefined && { hide }),
    ...(datasource !== undefined && { datasource }),
    ...(key !== undefined && { key }),
  };
  return <JsonText label="Query as JSON" rows={8} value={own} onChange={(next) => onChange({ ...next, ...grafanas })} />;
}
