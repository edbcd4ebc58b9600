/** The query language (DESIGN §6), one declaration for backend, editor and documentation. */

import { RE2JS } from 're2js';
import * as z from 'zod';
import { commandStates } from './command.ts';
import { parseDurationMs } from './duration.ts';
import { limits } from './limits.ts';
import { isTimeZone } from './zone.ts';

export const queryTypes = ['telemetry', 'latest', 'status', 'commands', 'messages', 'bus', 'explain', 'survey', 'series'] as const;
export type QueryType = (typeof queryTypes)[number];
export const aggregates = [
  'none',
  'avg',
  'min',
  'max',
  'sum',
  'count',
  'first',
  'last',
  'delta',
  'increase',
  'rate',
  'time-in-state',
  'share-in-state',
] as const;
export type Aggregate = (typeof aggregates)[number];

/** A name, a glob with `*`, or an RE2 expression between slashes. */
export const selectorSchema = z.string().min(1).max(limits.patternLengthMax);

/** Units of a calendar, in rising order. */
export const calendarUnits = ['d', 'w', 'mo', 'y'] as const;
export type CalendarUnit = (typeof calendarUnits)[number];

/** How long a bucket is: always the same, or as days, weeks, months and years are in a time zone. */
export type Interval = { widthMs: number } | { count: number; unit: CalendarUnit };

/** `"5m"`, `"1d"`, `"3mo"`; undefined if it is neither a duration nor a calendar interval. `auto` is none. */
export function parseInterval(text: string): Interval | undefined {
  const match = /^([1-9]\d{0,2})(d|w|mo|y)$/.exec(text);
  if (match) return { count: Number(match[1]), unit: match[2] as CalendarUnit };
  const widthMs = parseDurationMs(text);
  return widthMs === undefined || widthMs < 1 ? undefined : { widthMs };
}

/** How a label is compared in `where`. */
export const whereOperators = ['=', '!=', '=~', '!~'] as const;

const whereSchema = z.strictObject({
  label: z
    .string()
    .min(1)
    .max(64)
    .describe('A label, or device or point')
    .meta({ examples: ['site'] }),
  operator: z
    .enum(whereOperators)
    .describe(
      '=: it is one of the values. !=: none of them. =~ and !~: the same for RE2 expressions, found anywhere in it. A label that is not there is empty',
    ),
  values: z
    .array(z.string().max(limits.patternLengthMax))
    .min(1)
    .max(100)
    .describe('What it is compared with')
    .meta({ examples: [['north']] }),
});
export type Where = z.output<typeof whereSchema>;

export const querySchema = z.object({
  queryType: z
    .enum(queryTypes)
    .describe(
      'What is asked: values over time, the last ones, connectivity, commands; raw traffic, requests on a bus, the poll plan, the last probe or scan; what history there is of each series',
    ),
  devices: z
    .array(selectorSchema)
    .min(1, 'is empty; allowed is at least one device name, glob such as "room-*" or expression such as "/^room/"')
    .max(100)
    .describe('Devices by name, glob with * or RE2 expression between slashes')
    .meta({ examples: [['boiler', 'room-*']] }),
  points: z
    .array(selectorSchema)
    .max(100)
    .default(['*'])
    .describe('Points, in the same way')
    .meta({ examples: [['flow_temp', '/^temp/']] }),
  labels: z
    .record(z.string(), selectorSchema)
    .default({})
    .describe('Labels the series must have, with what their values must be')
    .meta({ examples: [{ site: 'north' }] }),
  where: z
    .array(whereSchema)
    .max(20)
    .default([])
    .describe('What else has to hold of the labels, of which device and point are two: what ad hoc filters of a dashboard become')
    .meta({ examples: [[{ label: 'site', operator: '!=', values: ['north'] }]] }),
  groupBy: z
    .array(z.string().min(1).max(64))
    .max(8)
    .default([])
    .describe(
      'telemetry: labels. Series that agree in them become one: sum, count, delta, increase and rate are added up, min and max are those of all, of the others it is the mean. avg is used where aggregate is none. Not live',
    )
    .meta({ examples: [['site']] }),
  connections: z
    .array(selectorSchema)
    .min(1)
    .max(100)
    .optional()
    .describe('messages, bus, explain and survey: connections, in the same way; all unless said')
    .meta({ examples: [['plc']] }),
  filter: selectorSchema
    .optional()
    .describe('messages: what has to be in the line or its unit, a text or an RE2 expression between slashes')
    .meta({ examples: ['exception', '/CRC|timeout/'] }),
  direction: z.enum(['in', 'out']).optional().describe('messages: only what came, or only what was sent'),
  traceId: z
    .string()
    .min(1)
    .max(limits.idLengthMax)
    .optional()
    .describe('bus: a connection, whose requests are shown as the spans of a trace; a table of all unless said')
    .meta({ examples: ['plc'] }),
  aggregate: z
    .enum(aggregates)
    .default('none')
    .describe(
      'One value an interval. none: raw samples. avg: of a point with report.onChange each value counts as long as it held, until the next sample, a bad one or report.maxSilence. delta: the last value less the last one before the interval. increase: the sum of all rises, by the rule of the counter of the point. rate: the increase a second. time-in-state, share-in-state: a column a value, with the seconds it held or its share of the time in which the value is known',
    ),
  interval: z
    .string()
    .refine((text) => text === 'auto' || parseInterval(text) !== undefined, {
      error: (issue) =>
        `is ${JSON.stringify(issue.input)}; allowed is "auto", a duration such as "1m" or "24h", or days, weeks, months or years of the calendar such as "1d", "1w", "1mo" or "1y"`,
    })
    .default('auto')
    .describe(
      'How long an interval is. auto: a pixel of the panel. Whole d, w, mo and y are those of the calendar in the time zone: days of 23 and 25 hours, weeks from Monday; 24h is always as long',
    )
    .meta({ examples: ['15m', '1d'] }),
  fill: z
    .enum(['none', 'null', 'previous', 'linear'])
    .default('none')
    .describe(
      'Intervals without a value: left out, null, the value before (also that before the range, never beyond now), or on the line between their neighbours',
    ),
  quality: z
    .enum(['good', 'usable', 'all'])
    .default('usable')
    .describe('usable: good and uncertain. all: bad samples too, as nulls, with their reason'),
  format: z
    .enum(['multi', 'wide', 'long', 'devices'])
    .default('multi')
    .describe(
      'A frame a series, a column a series, or a row a sample. devices, of latest only and not for alert rules: a row a device, a column a point',
    ),
  as: z
    .enum(['table', 'logs', 'numbers'])
    .optional()
    .describe(
      'Of commands: a table, whose columns are also those of annotations; or log lines; or numbers for alert rules: how many there are, a device. Of bus: a table, or numbers: the share of the time in which it is busy, a connection. A table unless said',
    ),
  states: z
    .array(z.enum(commandStates))
    .min(1)
    .optional()
    .describe('commands: only those that are in one of these states; all unless said')
    .meta({ examples: [['failed', 'mismatch', 'unknown']] }),
  show: z
    .enum(['value', 'age', 'quality'])
    .default('value')
    .describe(
      'latest: the value; or how many seconds ago the last sample was that is good enough for `quality`; or the quality of the newest: 0 good, 1 uncertain, 2 bad. For alert rules on silence and on quality',
    ),
  legend: z
    .string()
    .max(limits.patternLengthMax)
    .optional()
    .describe(
      'How a series is called: a text with {{device}}, {{point}} and other labels, {{device.title}} and {{point.title}}. Titles unless said',
    )
    .meta({ examples: ['{{device}} {{point}}'] }),
  reduce: z
    .enum(['auto', 'none', 'min-max'])
    .default('auto')
    .describe(
      'Raw samples that are more than the panel has pixels. min-max: of each pixel the first, least, greatest and last sample. none: all of them. auto: min-max where a panel or Explore asks with format multi or wide and interval auto; never for alert rules, expressions, scripts and live queries',
    ),
  timezone: z
    .string()
    .default('browser')
    .refine((name) => name === 'browser' || isTimeZone(name), {
      error: (issue) => `is ${JSON.stringify(issue.input)}; allowed is "browser" or an IANA time zone such as "Europe/Vienna" or "UTC"`,
    })
    .describe(
      'IANA time zone of calendar intervals. browser: that of the dashboard, which the query editor puts here; where nobody does (alert rules), timezone of the settings',
    )
    .meta({ examples: ['Europe/Vienna'] }),
  live: z.boolean().default(false).describe('Whether the answer goes on as values come'),
});
export type Query = z.output<typeof querySchema>;

/** JSON Schema of a query as it is written: for the reference, the help page and openapi.json. */
export function queryJsonSchema(): z.core.JSONSchema.JSONSchema {
  return z.toJSONSchema(querySchema, { io: 'input', unrepresentable: 'any' });
}

export type Matcher = (name: string) => boolean;

/** Compiles a selector; throws an Error whose message says what is wrong with it. Runs in time linear in the name (RE2). */
export function compileSelector(selector: string): Matcher {
  if (selector.length > 2 && selector.startsWith('/') && selector.endsWith('/')) {
    let pattern: RE2JS;
    try {
      pattern = RE2JS.compile(selector.slice(1, -1));
    } catch (error) {
      throw new Error(`${selector} is not a regular expression RE2 understands: ${error instanceof Error ? error.message : String(error)}`);
    }
    return (name) => pattern.matcher(name).find();
  }
  return selector.includes('*') ? glob(selector) : (name) => name === selector;
}

/** What stands between the asterisks has to follow one another. A query looks at every series of a plant, and RE2 takes some 50 times longer. */
function glob(selector: string): Matcher {
  const [start = '', ...between] = selector.split('*');
  const end = between.pop() ?? '';
  return (name) => {
    const to = name.length - end.length;
    let from = start.length;
    if (to < from || !name.startsWith(start) || !name.endsWith(end)) return false;
    for (const part of between) {
      const found = name.indexOf(part, from);
      from = found + part.length;
      if (found < 0 || from > to) return false;
    }
    return true;
  };
}

/** True if any selector matches. */
export function compileSelectors(selectors: readonly string[]): Matcher {
  const matchers = selectors.map(compileSelector);
  return (name) => matchers.some((matches) => matches(name));
}

/** Whether every label that is named is there and matches. */
export function compileLabels(
  labels: Readonly<Record<string, string>>,
  compile: (selector: string, label: string) => Matcher = compileSelector,
): (given: Readonly<Record<string, string>>) => boolean {
  const wanted = Object.entries(labels).map(([label, selector]) => ({ label, matches: compile(selector, label) }));
  return (given) => wanted.every(({ label, matches }) => Object.hasOwn(given, label) && matches(given[label] ?? ''));
}
