import { type ComboboxOption, InlineSwitch, Stack } from '@grafana/ui';
import type { QueryType } from '../../contract/query.ts';
import type { FieldgateQuery } from '../types.ts';
import { Choice, TextField } from './Fields.tsx';
import { NameField } from './NamePicker.tsx';
import type { Ask } from './names.ts';
import { Selection } from './Selection.tsx';
import { texts } from './texts.ts';
import * as words from './words.ts';

interface Props {
  ask: Ask;
  query: FieldgateQuery;
  onChange(changes: Partial<FieldgateQuery>): void;
  isAlerting: boolean;
}

/** A query as fields: those that its type has. What is not shown stays as it is. */
export function Builder(props: Props) {
  const { ask, query, onChange } = props;
  const type = query.queryType ?? 'telemetry';
  return (
    <Stack direction="column" gap={2}>
      {words.connectionTypes.includes(type) ? (
        <NameField
          ask={ask}
          what="connections"
          id={`${query.refId}-connections`}
          label={texts.connections}
          placeholder={texts.all}
          value={query.connections ?? []}
          onChange={(connections) => onChange({ connections: connections.length > 0 ? connections : undefined })}
        />
      ) : (
        <Selection {...props} />
      )}
      <Stack gap={2} wrap="wrap" alignItems="flex-end">
        <Options {...props} type={type} />
      </Stack>
    </Stack>
  );
}

function Options({ query, onChange, isAlerting, type }: Props & { type: QueryType }) {
  const own = { query, onChange };
  const legend = <TextMember {...own} name="legend" label={texts.legend} placeholder="{{device}} {{point}}" width={24} />;
  const quality = <Member {...own} name="quality" label={texts.quality} unset="usable" options={words.qualityOptions} />;
  const isRaw = (query.aggregate ?? 'none') === 'none';
  switch (type) {
    case 'telemetry':
      return (
        <>
          <Member {...own} name="aggregate" label={texts.aggregate} width={20} unset="none" options={words.aggregateOptions} />
          {!isRaw && (
            <>
              <Member {...own} name="interval" label={texts.interval} width={14} unset="auto" options={words.intervalOptions} isOpen />
              <Member {...own} name="fill" label={texts.fill} unset="none" options={words.fillOptions} />
              <TextField
                id={`${query.refId}-groupBy`}
                label={texts.groupByLabels}
                placeholder={texts.groupByLabelsHint}
                width={18}
                value={(query.groupBy ?? []).join(', ')}
                onChange={(text) => onChange({ groupBy: groups(text) })}
              />
            </>
          )}
          {quality}
          {!isAlerting && <Member {...own} name="format" label={texts.format} unset="multi" options={words.formatOptions} />}
          {!isAlerting && isRaw && (
            <Member {...own} name="reduce" label={texts.reduce} width={20} unset="auto" options={words.reduceOptions} />
          )}
          {legend}
          {!isAlerting && (
            <InlineSwitch
              id={`${query.refId}-live`}
              label={texts.live}
              showLabel
              value={query.live ?? false}
              onChange={(event) => onChange({ live: event.currentTarget.checked ? true : undefined })}
            />
          )}
        </>
      );
    case 'latest':
      return (
        <>
          <Member {...own} name="show" label={texts.show} unset="value" options={words.showOptions} />
          {quality}
          {!isAlerting && (
            <Member {...own} name="format" label={texts.format} width={18} unset="long" options={words.latestFormatOptions} />
          )}
          {legend}
        </>
      );
    case 'status':
      return legend;
    case 'commands':
      return (
        <>
          <States {...own} />
          {!isAlerting && <Member {...own} name="as" label={texts.as} unset="table" options={words.commandFormOptions} />}
        </>
      );
    case 'bus':
      return isAlerting ? null : (
        <>
          <Member {...own} name="as" label={texts.as} unset="table" options={words.busFormOptions} />
          <TextMember {...own} name="traceId" label={texts.trace} placeholder={texts.noTrace} />
        </>
      );
    case 'messages':
      return (
        <>
          <TextMember {...own} name="filter" label={texts.contains} placeholder={texts.containsHint} />
          <Choice
            id={`${query.refId}-direction`}
            label={texts.direction}
            width={16}
            value={query.direction ?? 'both'}
            options={words.directionOptions}
            onChange={(direction) => onChange({ direction: direction === 'both' ? undefined : direction })}
          />
        </>
      );
    default:
      return null;
  }
}

type Own = Pick<Props, 'query' | 'onChange'>;
type Chosen = 'aggregate' | 'interval' | 'fill' | 'quality' | 'format' | 'reduce' | 'show' | 'as';
type Value<Name extends Chosen> = NonNullable<FieldgateQuery[Name]>;

interface MemberProps<Name extends Chosen> extends Own {
  name: Name;
  label: string;
  width?: number;
  /** What holds as long as the query says nothing. */
  unset: Value<Name>;
  options: ComboboxOption<Value<Name>>[];
  isOpen?: boolean;
}

/** A member of the query that is one of a few words. */
function Member<Name extends Chosen>({ query, onChange, name, unset, width = 16, ...look }: MemberProps<Name>) {
  const change = (value: string) => onChange({ [name]: value });
  return <Choice<string> {...look} id={`${query.refId}-${name}`} width={width} value={query[name] ?? unset} onChange={change} />;
}

interface TextMemberProps extends Own {
  name: 'legend' | 'traceId' | 'filter';
  label: string;
  placeholder: string;
  width?: number;
}

/** A member of the query that is a text; an empty one is none. */
function TextMember({ query, onChange, name, ...look }: TextMemberProps) {
  const change = (text: string) => onChange({ [name]: text === '' ? undefined : text });
  return <TextField {...look} id={`${query.refId}-${name}`} value={query[name] ?? ''} onChange={change} />;
}

const failed = ['failed', 'mismatch', 'unknown'] as const;

/** All commands or those that failed; a choice that was written in code is shown and stays until another is made. */
function States({ query: { refId, states }, onChange }: Own) {
  const listed = states?.join(', ') ?? '';
  const value = states === undefined ? 'all' : listed === failed.join(', ') ? 'failed' : 'own';
  return (
    <Choice
      id={`${refId}-states`}
      label={texts.which}
      width={18}
      value={value}
      options={value === 'own' ? [...words.stateOptions, { value, label: listed }] : words.stateOptions}
      onChange={(which) => which !== 'own' && onChange({ states: which === 'failed' ? [...failed] : undefined })}
    />
  );
}

function groups(text: string): string[] | undefined {
  const names = text.split(/[\s,]+/).filter((name) => name !== '');
  return names.length > 0 ? names : undefined;
}
