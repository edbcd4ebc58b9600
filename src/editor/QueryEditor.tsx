import type { QueryEditorProps } from '@grafana/data';
import { RadioButtonGroup, Stack } from '@grafana/ui';
import type { QueryType } from '../contract/query.ts';
import { type FieldgateDataSource, isAlerting } from './datasource.ts';
import { JsonText } from './JsonText.tsx';
import { Builder } from './query/Builder.tsx';
import { Choice } from './query/Fields.tsx';
import { Ran } from './query/Ran.tsx';
import { querySchema } from './query/schema.ts';
import { texts } from './query/texts.ts';
import { alertingTypes, typeOptions } from './query/words.ts';
import { texts as shared } from './texts.ts';
import type { FieldgateQuery, FieldgateSettings } from './types.ts';

type Props = QueryEditorProps<FieldgateDataSource, FieldgateQuery, FieldgateSettings>;

/**
 * The query as fields or as JSON, switched without loss: both write the same members. Grafana's own (refId, hide, datasource) are not shown in the JSON and
 * stay as they are.
 */
export function QueryEditor({ datasource, query, onChange, onRunQuery, app, data }: Props) {
  const alerting = isAlerting(app);
  const mode = query.editorMode ?? 'builder';
  const type = query.queryType ?? 'telemetry';
  const change = (changes: Partial<FieldgateQuery>) => {
    onChange(tidy({ ...query, ...changes }));
    onRunQuery();
  };
  return (
    <Stack direction="column" gap={2}>
      <Stack gap={2} wrap="wrap" alignItems="flex-end" justifyContent="space-between">
        <Choice<QueryType>
          id={`${query.refId}-type`}
          label={texts.queryType}
          width={28}
          options={typeOptions.filter(({ value }) => !alerting || alertingTypes.includes(value))}
          value={type}
          onChange={(queryType) => change(ofType(queryType, alerting))}
        />
        <RadioButtonGroup
          aria-label={texts.editedAs}
          size="sm"
          options={modes}
          value={mode}
          onChange={(editorMode) => onChange({ ...query, editorMode })}
        />
      </Stack>
      {mode === 'code' ? (
        <Code query={query} onChange={onChange} />
      ) : (
        <Builder ask={datasource.ask} query={query} onChange={change} isAlerting={alerting} />
      )}
      <Ran refId={query.refId} data={data} />
    </Stack>
  );
}

const modes: { value: 'builder' | 'code'; label: string }[] = [
  { value: 'builder', label: shared.builder },
  { value: 'code', label: shared.code },
];

/** Devices and labels are kept from type to type; an alert rule takes the numbers of commands and of bus. */
function ofType(queryType: QueryType, alerting: boolean): Partial<FieldgateQuery> {
  const isCounted = queryType === 'commands' || queryType === 'bus';
  return { queryType, as: alerting && isCounted ? 'numbers' : undefined, format: undefined, show: undefined, live: undefined };
}

/** Members without a value are no members: what is stored says only what was chosen. */
function tidy(query: FieldgateQuery): FieldgateQuery {
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined)) as unknown as FieldgateQuery;
}

function Code({ query, onChange }: Pick<Props, 'query' | 'onChange'>) {
  const { refId, hide, datasource, key, editorMode, ...own } = query;
  const grafanas = tidy({ refId, hide, datasource, key, editorMode } as FieldgateQuery);
  return (
    <JsonText
      label={texts.queryAsJson}
      rows={12}
      schema={querySchema}
      value={own}
      onChange={(next) => onChange({ ...next, ...grafanas } as FieldgateQuery)}
    />
  );
}
