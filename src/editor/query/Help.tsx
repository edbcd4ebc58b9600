import type { QueryEditorHelpProps } from '@grafana/data';
import { Button, Stack, Text } from '@grafana/ui';
import { useEffect, useState } from 'react';
import type { FieldgateDataSource } from '../datasource.ts';
import { Note } from '../Note.tsx';
import type { PointNow } from '../reading.ts';
import type { FieldgateQuery } from '../types.ts';
import { type Ask, suggest } from './names.ts';

interface Example {
  title: string;
  text: string;
  query: Omit<FieldgateQuery, 'refId'>;
}

/** Examples with the user's own devices: a click asks them. */
export function Help({ datasource, onClickExample }: QueryEditorHelpProps<FieldgateQuery>) {
  const [examples, setExamples] = useState<Example[]>([]);
  const { ask } = datasource as unknown as FieldgateDataSource;
  useEffect(() => {
    let isGone = false;
    examplesOf(ask).then(
      (found) => !isGone && setExamples(found),
      () => !isGone && setExamples(general('*')),
    );
    return () => {
      isGone = true;
    };
  }, [ask]);
  return (
    <Stack direction="column" gap={2}>
      <Text element="h2" variant="h4">
        Examples with your devices
      </Text>
      {examples.map(({ title, text, query }) => (
        <Stack key={title} direction="column" gap={0.5}>
          <Text element="h3" variant="h5">
            {title}
          </Text>
          <Note large>{text}</Note>
          <div>
            <Button variant="secondary" fill="outline" size="sm" onClick={() => onClickExample({ refId: 'A', ...query })}>
              {JSON.stringify(query)}
            </Button>
          </div>
        </Stack>
      ))}
      <Note large>
        A selector is a name, a glob such as room-* or an RE2 expression between slashes. Every member of a query is described on the data
        source's help page.
      </Note>
    </Stack>
  );
}

async function examplesOf(ask: Ask): Promise<Example[]> {
  const { suggestions } = await suggest(ask, 'devices', {}, { limit: '1' });
  const device = suggestions[0]?.value;
  if (device === undefined) return general('*');
  const { points } = (await ask(`devices/${encodeURIComponent(device)}/points`)) as { points: PointNow[] };
  const number = points.find(({ type, last }) => type !== 'string' && typeof last?.value === 'number') ?? points[0];
  const state = points.find(({ type }) => type === 'boolean');
  const counter = points.find(({ unit }) => unit !== undefined && /^k?watth$/.test(unit));
  return [
    ...(number ? about(device, number) : []),
    ...(state
      ? [
          {
            title: `How long ${state.title} was in each state`,
            text: 'Share of each hour, a column a state.',
            query: {
              queryType: 'telemetry' as const,
              devices: [device],
              points: [state.id],
              aggregate: 'share-in-state' as const,
              interval: '1h',
            },
          },
        ]
      : []),
    ...(counter
      ? [
          {
            title: `${counter.title} a day`,
            text: 'What a counter rose, past wraps and resets, by days of the calendar.',
            query: {
              queryType: 'telemetry' as const,
              devices: [device],
              points: [counter.id],
              aggregate: 'increase' as const,
              interval: '1d',
            },
          },
        ]
      : []),
    ...general(device),
  ];
}

function about(device: string, point: PointNow): Example[] {
  const of = { devices: [device], points: [point.id] };
  return [
    {
      title: `${point.title} over time`,
      text: 'As it was read; more samples than pixels are reduced.',
      query: { queryType: 'telemetry', ...of },
    },
    {
      title: `${point.title}, live`,
      text: 'History first, then as it comes.',
      query: { queryType: 'telemetry', ...of, live: true },
    },
    {
      title: `Average of ${point.title}`,
      text: 'One value an interval.',
      query: { queryType: 'telemetry', ...of, aggregate: 'avg', interval: '5m' },
    },
    {
      title: `How long ago ${point.title} was heard`,
      text: 'In seconds, for an alert rule on silence.',
      query: { queryType: 'latest', ...of, show: 'age' },
    },
  ];
}

function general(device: string): Example[] {
  return [
    {
      title: 'Everything now',
      text: 'The newest value of every point, with its quality.',
      query: { queryType: 'latest', devices: ['*'], quality: 'all' },
    },
    { title: 'Who was online', text: 'For a state timeline.', query: { queryType: 'status', devices: ['*'] } },
    {
      title: 'Commands',
      text: 'Who sent what and how it ended. Needs the role Editor.',
      query: { queryType: 'commands', devices: [device] },
    },
    { title: 'Raw traffic', text: 'What went over the wire, as log lines. Needs the role Editor.', query: { queryType: 'messages' } },
    { title: 'Bus load', text: 'How busy each bus is, and who makes it so. Needs the role Editor.', query: { queryType: 'bus' } },
  ];
}
