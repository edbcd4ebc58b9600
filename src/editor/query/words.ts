/** What the choices of the query language are called, and what they mean in a few words. */
import type { ComboboxOption } from '@grafana/ui';
import type { Aggregate, Query, QueryType } from '../../contract/query.ts';
import type { Where } from '../types.ts';

type Words<T extends string> = Record<T, readonly [label: string, description: string]>;

const queryTypes: Words<QueryType> = {
  telemetry: ['Values over time', 'History of points, raw or one value an interval'],
  latest: ['Latest values', 'The newest value of each point'],
  status: ['Connectivity', 'When devices were online'],
  commands: ['Commands', 'Who sent what, and how it ended'],
  messages: ['Raw traffic', 'What went over the wire, as log lines'],
  bus: ['Bus load', 'How busy each bus is, or its requests as a trace'],
  explain: ['Poll plan', 'What is asked how often, and what it costs'],
  survey: ['Probe and scan', 'What the last probe or scan of a connection found'],
  series: ['Stored series', 'What history there is, and what it takes'],
};

const aggregates: Words<Aggregate> = {
  none: ['None', 'Samples as they came'],
  avg: ['Average', 'Weighted by time where a point is told on change'],
  min: ['Least', ''],
  max: ['Greatest', ''],
  first: ['First', ''],
  last: ['Last', ''],
  sum: ['Sum', ''],
  count: ['Count', 'How many samples'],
  delta: ['Change', 'The last value less the one before the interval'],
  increase: ['Increase', 'Of a counter, past wraps and resets'],
  rate: ['Rate', 'Increase a second'],
  'time-in-state': ['Time in state', 'Seconds each value held'],
  'share-in-state': ['Share in state', 'Of the time in which the value is known'],
};

const fills: Words<Query['fill']> = {
  none: ['Nothing', 'Intervals without a value are left out'],
  null: ['Null', 'The line breaks there'],
  previous: ['Value before', ''],
  linear: ['Straight line', 'Between the neighbours'],
};

const qualities: Words<Query['quality']> = {
  usable: ['Usable', 'Good and uncertain'],
  good: ['Good only', ''],
  all: ['All', 'Bad ones as nulls with their reason'],
};

const formats: Words<Exclude<Query['format'], 'devices'>> = {
  multi: ['Time series', 'A frame a series'],
  wide: ['Wide', 'A column a series'],
  long: ['Table', 'A row a sample'],
};

const reductions: Words<Query['reduce']> = {
  auto: ['Automatic', 'As many samples as the panel can draw'],
  none: ['All samples', ''],
  'min-max': ['Least and greatest', 'Of each pixel'],
};

const shown: Words<Query['show']> = {
  value: ['Value', ''],
  age: ['Age', 'Seconds since the last usable sample: alert on silence'],
  quality: ['Quality', '0 good, 1 uncertain, 2 bad'],
};

const latestFormats: Words<Query['format']> = {
  long: ['Table', 'A row a point'],
  devices: ['Devices', 'A row a device'],
  multi: ['Numbers', formats.multi[1]],
  wide: formats.wide,
};

type Form = NonNullable<Query['as']>;

const commandForms: Words<Form> = {
  table: ['Table', ''],
  logs: ['Log lines', ''],
  numbers: ['Numbers', 'How many, a device'],
};

const busForms: Words<Exclude<Form, 'logs'>> = {
  table: ['Table', ''],
  numbers: ['Numbers', 'How busy, a connection'],
};

const states: Words<'all' | 'failed'> = {
  all: ['All commands', ''],
  failed: ['Failed ones', 'failed, mismatch or unknown'],
};

const directions: Words<'both' | NonNullable<Query['direction']>> = {
  both: ['Both', ''],
  in: ['Received', ''],
  out: ['Sent', ''],
};

function options<T extends string>(words: Words<T>): ComboboxOption<T>[] {
  return (Object.entries(words) as [T, Words<T>[T]][]).map(([value, [label, description]]) => ({
    value,
    label,
    ...(description === '' ? {} : { description }),
  }));
}

export const typeOptions = options(queryTypes);
export const aggregateOptions = options(aggregates);
export const fillOptions = options(fills);
export const qualityOptions = options(qualities);
export const formatOptions = options(formats);
export const reduceOptions = options(reductions);
export const showOptions = options(shown);
export const latestFormatOptions = options(latestFormats);
export const commandFormOptions = options(commandForms);
export const busFormOptions: ComboboxOption<Form>[] = options(busForms);
export const stateOptions: ComboboxOption<'all' | 'failed' | 'own'>[] = options(states);
export const directionOptions = options(directions);

/** An alert rule needs a number or a truth value: these types have one. */
export const alertingTypes: readonly QueryType[] = ['telemetry', 'latest', 'status', 'commands', 'bus'];
/** Types that may be asked without a device. */
export const wholeTypes: readonly QueryType[] = ['messages', 'bus', 'explain', 'survey', 'series'];
/** Types that go on by themselves, through a channel of Grafana Live. */
export const streamedTypes: readonly QueryType[] = ['telemetry', 'messages'];
/** Types that go by connections and not by devices. */
export const connectionTypes: readonly QueryType[] = ['messages', 'bus', 'explain', 'survey'];

export const intervalOptions: ComboboxOption[] = [
  { value: 'auto', label: 'auto', description: 'A pixel of the panel' },
  ...['1s', '10s', '1m', '5m', '15m', '1h'].map((value) => ({ value, label: value })),
  { value: '1d', label: '1d', description: 'A day of the calendar' },
  { value: '1w', label: '1w', description: 'A week from Monday' },
  { value: '1mo', label: '1mo', description: 'A month of the calendar' },
  { value: '1y', label: '1y', description: 'A year of the calendar' },
  { value: '$__interval', label: '$__interval', description: "The panel's own" },
  { value: '$__range', label: '$__range', description: 'One value for the whole range' },
];

export const operatorOptions: ComboboxOption<Where['operator']>[] = [
  { value: '=', label: '=', description: 'is one of' },
  { value: '!=', label: '!=', description: 'is none of' },
  { value: '=~', label: '=~', description: 'matches' },
  { value: '!~', label: '!~', description: 'does not match' },
];
