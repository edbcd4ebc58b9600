/** The query language as JSON Schema, for whoever writes it as code: names, choices and what they mean. The backend alone judges what is right. */
import type { ComboboxOption } from '@grafana/ui';
import { memberTexts } from './texts.ts';
import * as words from './words.ts';

const choice = (options: ComboboxOption[], isOpen = false) => {
  const enumDescriptions = options.map(({ label, description = '' }) => [label, description].filter((part) => part !== '').join(': '));
  const known = { enum: options.map(({ value }) => value), enumDescriptions };
  return isOpen ? { anyOf: [known, { type: 'string' }] } : known;
};
const list = (description: string) => ({ type: 'array', items: { type: 'string' }, description });

export const querySchema = {
  type: 'object',
  properties: {
    queryType: choice(words.typeOptions),
    devices: list(memberTexts.devices),
    points: list(memberTexts.points),
    connections: list(memberTexts.connections),
    labels: {
      type: 'object',
      additionalProperties: { type: 'string' },
      description: memberTexts.labels,
    },
    aggregate: choice(words.aggregateOptions),
    interval: choice(words.intervalOptions, true),
    fill: choice(words.fillOptions),
    groupBy: list(memberTexts.groupBy),
    quality: choice(words.qualityOptions),
    format: choice(words.latestFormatOptions),
    reduce: choice(words.reduceOptions),
    show: choice(words.showOptions),
    as: choice([...words.commandFormOptions]),
    direction: choice(words.directionOptions.filter(({ value }) => value !== 'both')),
    legend: { type: 'string', description: memberTexts.legend },
    timezone: { type: 'string', description: memberTexts.timezone, examples: ['Europe/Vienna'] },
    live: { type: 'boolean', description: memberTexts.live },
    traceId: { type: 'string', description: memberTexts.traceId },
    filter: { type: 'string', description: memberTexts.filter },
  },
};
