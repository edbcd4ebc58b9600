/** The query language (DESIGN §6), one declaration for backend, editor and documentation. */

import { RE2JS } from 're2js';
import { z } from 'zod';
import { parseDurationMs } from './duration.ts';
import { limits } from './limits.ts';

export const queryTypes = ['telemetry', 'latest', 'status', 'commands'] as const;
export const aggregates = ['none', 'avg', 'min', 'max', 'sum', 'count', 'first', 'last'] as const;
export type Aggregate = (typeof aggregates)[number];

/** A name, a glob with `*`, or an RE2 expression between slashes. */
export const selectorSchema = z.string().min(1).max(limits.patternLengthMax);

export const querySchema = z.object({
  queryType: z.enum(queryTypes),
  devices: z
    .array(selectorSchema)
    .min(1, 'is empty; allowed is at least one device name, glob such as "room-*" or expression such as "/^room/"')
    .max(100),
  points: z.array(selectorSchema).max(100).default(['*']),
  labels: z.record(z.string(), selectorSchema).default({}),
  aggregate: z.enum(aggregates).default('none'),
  interval: z
    .string()
    .refine((text) => text === 'auto' || (parseDurationMs(text) ?? 0) >= 1, {
      error: (issue) => `is ${JSON.stringify(issue.input)}; allowed is "auto" or a duration such as "1m"`,
    })
    .default('auto'),
  fill: z.enum(['none', 'null']).default('none'),
  quality: z.enum(['good', 'usable', 'all']).default('usable'),
  format: z.enum(['multi', 'wide', 'long']).default('multi'),
  timezone: z.string().default('browser'),
  live: z.boolean().default(false),
});
export type Query = z.output<typeof querySchema>;

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
