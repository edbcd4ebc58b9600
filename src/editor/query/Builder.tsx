import { InlineSwitch, Stack } from '@grafana/ui';
import type { Query, QueryType } from '../../contract/query.ts';
import type { FieldgateQuery } from '../types.ts';
import { Choice, Labelled, TextField } from './Fields.tsx';
import { NamePicker } from './NamePicker.tsx';
import type { Ask } from './names.ts';
import { Selection } from './Selection.tsx';
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
        <Labelled id={`${query.refId}-connections`} label="Connections">
          <NamePicker
            ask={ask}
            what="connections"
            id={`${query.refId}-connections`}
            label="Connections"
            placeholder="All"
            value={query.connections ?? []}
            onChange={(connections) => onChange({ connections: connections.length > 0 ? connections : undefined })}
          />
        </Labelled>
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
  const id = (name: string) => `${query.refId}-${name}`;
  const legend = (
    <TextField
      id={id('legend')}
      label="Legend"
      placeholder="{{device}} {{point}}"
      width={24}
      value={query.legend ?? ''}
      onChange={(text) => onChange({ legend: text === '' ? undefined : text })}
    />
  );
  const quality = (
    <Choice
      id={id('quality')}
      label="Quality"
      width={16}
      value={query.quality ?? 'usable'}
      options={words.qualityOptions}
      onChange={(value) => onChange({ quality: value })}
    />
  );
  switch (type) {
    case 'telemetry':
      return <Telemetry {...{ query, onChange, isAlerting, id, legend, quality }} />;
    case 'latest':
      return (
        <>
          <Choice
            id={id('show')}
            label="Show"
            width={16}
            value={query.show ?? 'value'}
            options={words.showOptions}
            onChange={(show) => onChange({ show })}
          />
          {quality}
          {!isAlerting && (
            <Choice
              id={id('format')}
              label="Format"
              width={18}
              value={query.format ?? 'long'}
              options={latestFormats}
              onChange={(format) => onChange({ format })}
            />
          )}
          {legend}
        </>
      );
    case 'status':
      return legend;
    case 'commands':
      return (
        <>
          <Choice
            id={id('states')}
            label="Which"
            width={18}
            value={query.states === undefined ? 'all' : query.states.join(',') === failed.join(',') ? 'failed' : 'own'}
            options={[
              ...commandStates,
              ...(query.states && query.states.join(',') !== failed.join(',')
                ? [{ value: 'own' as const, label: query.states.join(', ') }]
                : []),
            ]}
            onChange={(which) => which !== 'own' && onChange({ states: which === 'failed' ? [...failed] : undefined })}
          />
          {!isAlerting && <As {...{ query, onChange, id }} options={commandForms} />}
        </>
      );
    case 'bus':
      return (
        <>
          {!isAlerting && <As {...{ query, onChange, id }} options={busForms} />}
          {!isAlerting && (
            <TextField
              id={id('trace')}
              label="Trace of a connection"
              placeholder="None: a table"
              value={query.traceId ?? ''}
              onChange={(text) => onChange({ traceId: text === '' ? undefined : text })}
            />
          )}
        </>
      );
    case 'messages':
      return (
        <>
          <TextField
            id={id('filter')}
            label="Contains"
            placeholder="exception, /CRC|timeout/"
            value={query.filter ?? ''}
            onChange={(text) => onChange({ filter: text === '' ? undefined : text })}
          />
          <Choice
            id={id('direction')}
            label="Direction"
            width={16}
            value={query.direction ?? 'both'}
            options={directions}
            onChange={(direction) => onChange({ direction: direction === 'both' ? undefined : direction })}
          />
        </>
      );
    default:
      return null;
  }
}

interface TelemetryProps extends Omit<Props, 'ask'> {
  id(name: string): string;
  legend: React.ReactNode;
  quality: React.ReactNode;
}

function Telemetry({ query, onChange, isAlerting, id, legend, quality }: TelemetryProps) {
  const aggregate = query.aggregate ?? 'none';
  return (
    <>
      <Choice
        id={id('aggregate')}
        label="Aggregate"
        width={20}
        value={aggregate}
        options={words.aggregateOptions}
        onChange={(value) => onChange({ aggregate: value })}
      />
      {aggregate !== 'none' && (
        <>
          <Choice
            id={id('interval')}
            label="Interval"
            width={14}
            isOpen
            value={query.interval ?? 'auto'}
            options={words.intervalOptions}
            onChange={(interval) => onChange({ interval })}
          />
          <Choice
            id={id('fill')}
            label="Fill"
            width={16}
            value={query.fill ?? 'none'}
            options={words.fillOptions}
            onChange={(fill) => onChange({ fill })}
          />
          <TextField
            id={id('groupBy')}
            label="Group by labels"
            placeholder="site, floor"
            width={18}
            value={(query.groupBy ?? []).join(', ')}
            onChange={(text) => onChange({ groupBy: groups(text) })}
          />
        </>
      )}
      {quality}
      {!isAlerting && (
        <>
          <Choice
            id={id('format')}
            label="Format"
            width={16}
            value={query.format ?? 'multi'}
            options={words.formatOptions}
            onChange={(format) => onChange({ format })}
          />
          {aggregate === 'none' && (
            <Choice
              id={id('reduce')}
              label="Reduce"
              width={20}
              value={query.reduce ?? 'auto'}
              options={words.reduceOptions}
              onChange={(reduce) => onChange({ reduce })}
            />
          )}
        </>
      )}
      {legend}
      {!isAlerting && (
        <InlineSwitch
          id={id('live')}
          label="Live"
          showLabel
          value={query.live ?? false}
          onChange={(event) => onChange({ live: event.currentTarget.checked ? true : undefined })}
        />
      )}
    </>
  );
}

function As({
  query,
  onChange,
  id,
  options,
}: Pick<Props, 'query' | 'onChange'> & { id(name: string): string; options: typeof commandForms }) {
  return <Choice id={id('as')} label="As" width={16} value={query.as ?? 'table'} options={options} onChange={(as) => onChange({ as })} />;
}

function groups(text: string): string[] | undefined {
  const names = text.split(/[\s,]+/).filter((name) => name !== '');
  return names.length > 0 ? names : undefined;
}

type Form = { value: NonNullable<Query['as']>; label: string; description?: string };
const commandForms: Form[] = [
  { value: 'table', label: 'Table' },
  { value: 'logs', label: 'Log lines' },
  { value: 'numbers', label: 'Numbers', description: 'How many, a device' },
];
const busForms: Form[] = [
  { value: 'table', label: 'Table' },
  { value: 'numbers', label: 'Numbers', description: 'How busy, a connection' },
];
const failed = ['failed', 'mismatch', 'unknown'] as const;
const commandStates: { value: 'all' | 'failed' | 'own'; label: string; description?: string }[] = [
  { value: 'all', label: 'All commands' },
  { value: 'failed', label: 'Failed ones', description: 'failed, mismatch or unknown' },
];
const latestFormats = words.formatOptions.map((option) => (option.value === 'multi' ? { ...option, label: 'Numbers' } : option));
const directions: { value: 'both' | 'in' | 'out'; label: string }[] = [
  { value: 'both', label: 'Both' },
  { value: 'in', label: 'Received' },
  { value: 'out', label: 'Sent' },
];
