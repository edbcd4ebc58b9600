/** The query language as JSON Schema, for whoever writes it as code: names, choices and what they mean. The backend alone judges what is right. */
import type { ComboboxOption } from '@grafana/ui';
import * as words from './words.ts';

const choice = (options: ComboboxOption[], isOpen = false) => {
  const enumDescriptions = options.map(({ label, description = '' }) => [label, description].filter((part) => part !== '').join(': '));
  const known = { enum: options.map(({ value }) => value), enumDescriptions };
  return isOpen ? { anyOf: [known, { type: 'string' }] } : known;
};
const list = (description: string) => ({ type: 'array', items: { type: 'string' }, description });
const selectors = 'names, globs (room-*) or RE2 expressions between slashes (/^temp/)';

export const querySchema = {
  type: 'object',
  properties: {
    queryType: choice(words.typeOptions),
    devices: list(`Devices: ${selectors}`),
    points: list(`Points: ${selectors}`),
    connections: list(`Connections: ${selectors}`),
    labels: {
      type: 'object',
      additionalProperties: { type: 'string' },
      description: 'What has to hold of the labels: a name and a selector',
    },
    aggregate: choice(words.aggregateOptions),
    interval: choice(words.intervalOptions, true),
    fill: choice(words.fillOptions),
    groupBy: list('Labels; points that have the same values of them become one series'),
    quality: choice(words.qualityOptions),
    format: choice(words.latestFormatOptions),
    reduce: choice(words.reduceOptions),
    show: choice(words.showOptions),
    as: choice([...words.commandFormOptions]),
    direction: choice(words.directionOptions.filter(({ value }) => value !== 'both')),
    legend: { type: 'string', description: 'A name with {{device}}, {{point}} and labels' },
    timezone: { type: 'string', description: "Of days, weeks and months; the browser's unless said", examples: ['Europe/Vienna'] },
    live: { type: 'boolean', description: 'Goes on by itself after the history' },
    traceId: { type: 'string', description: 'Of a row of the bus table' },
    filter: { type: 'string', description: 'A text in the message, or an RE2 expression between slashes' },
  },
};
