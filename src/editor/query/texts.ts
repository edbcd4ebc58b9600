/** What people read around the fields of the query editor, in one place for whoever translates it; the choices are in words.ts. */
import { counted } from '../counted.ts';

export const texts = {
  connections: 'Connections',
  all: 'All',
  legend: 'Legend',
  quality: 'Quality',
  aggregate: 'Aggregate',
  interval: 'Interval',
  fill: 'Fill',
  groupByLabels: 'Group by labels',
  groupByLabelsHint: 'site, floor',
  format: 'Format',
  reduce: 'Reduce',
  live: 'Live',
  show: 'Show',
  as: 'As',
  trace: 'Trace of a connection',
  noTrace: 'None: a table',
  contains: 'Contains',
  containsHint: 'exception, /CRC|timeout/',
  direction: 'Direction',
  which: 'Which',
  label: 'Label',
  labelHint: 'site',
  values: 'Values',
  devices: 'Devices',
  devicesHint: 'Name, room-*, /^room/',
  points: 'Points',
  labels: 'Labels',
  fillWith: 'Fill with',
  ofDevices: 'Of devices',
  ofDevicesHint: 'All; $device',
  onlyWithLabel: 'Only with label',
  thatIs: 'that is',
  selectorHint: 'north, n*, /^n/, $site',
  queryType: 'Query type',
  editedAs: 'How the query is edited',
  queryAsJson: 'Query as JSON',
  examples: 'Examples with your devices',
  selectors:
    "A selector is a name, a glob such as room-* or an RE2 expression between slashes. Every member of a query is described on the data source's help page.",
  remove: (what: string) => `Remove ${what}`,
  variable: 'variable',
  labelOf: (number: number) => `Label ${number}`,
  comparisonOf: (number: number) => `Comparison ${number}`,
  valuesOf: (number: number) => `Values ${number}`,
  conditionOf: (number: number) => `condition ${number}`,
  labelRow: (number: number) => `label ${number}`,
  noTexts: (titles: string) => `An alert rule has no use for text: ${titles}.`,
  nothingYet: 'nothing yet',
  noAnswer: 'The data source did not answer.',
  more: (count: number) => `${count} more: go on typing`,
  notUnderstood: 'is not understood',
  read: (rows: number, frames: number, ms: number) => `${counted(rows, 'row')} in ${counted(frames, 'frame')}, ${ms} ms`,
  ran: (read: string, notices: number) => `What ran: ${read}${notices > 0 ? `, ${counted(notices, 'notice')}` : ''}`,
} as const;

/** The examples of the help: what they are called, with the title of a point where they are about one, and what they show. */
export const exampleTexts = {
  overTime: (point: string) => ({ title: `${point} over time`, text: 'As it was read; more samples than pixels are reduced.' }),
  live: (point: string) => ({ title: `${point}, live`, text: 'History first, then as it comes.' }),
  average: (point: string) => ({ title: `Average of ${point}`, text: 'One value an interval.' }),
  age: (point: string) => ({ title: `How long ago ${point} was heard`, text: 'In seconds, for an alert rule on silence.' }),
  states: (point: string) => ({ title: `How long ${point} was in each state`, text: 'Share of each hour, a column a state.' }),
  counter: (point: string) => ({ title: `${point} a day`, text: 'What a counter rose, past wraps and resets, by days of the calendar.' }),
  everything: { title: 'Everything now', text: 'The newest value of every point, with its quality.' },
  status: { title: 'Who was online', text: 'For a state timeline.' },
  commands: { title: 'Commands', text: 'Who sent what and how it ended. Needs the role Editor.' },
  messages: { title: 'Raw traffic', text: 'What went over the wire, as log lines. Needs the role Editor.' },
  bus: { title: 'Bus load', text: 'How busy each bus is, and who makes it so. Needs the role Editor.' },
};

/** What a variable may be filled with. */
export const kindTexts = {
  devices: { label: 'Devices', description: 'Ids; titles are shown' },
  points: { label: 'Points', description: 'Of the chosen devices' },
  labels: { label: 'Label names', description: '' },
  values: { label: 'Label values', description: 'Of one label' },
  commands: { label: 'Commands', description: 'Named actions of the chosen devices' },
  connections: { label: 'Connections', description: '' },
};

const selectors = 'names, globs (room-*) or RE2 expressions between slashes (/^temp/)';

/** What the members of a query mean, for whoever writes it as code; the choices are in words.ts. */
export const memberTexts = {
  devices: `Devices: ${selectors}`,
  points: `Points: ${selectors}`,
  connections: `Connections: ${selectors}`,
  labels: 'What has to hold of the labels: a name and a selector',
  groupBy: 'Labels; points that have the same values of them become one series',
  legend: 'A name with {{device}}, {{point}} and labels',
  timezone: "Of days, weeks and months; the browser's unless said",
  live: 'Goes on by itself after the history',
  traceId: 'Of a row of the bus table',
  filter: 'A text in the message, or an RE2 expression between slashes',
};
