/** What stands between a wish and a device beside the limits of its value: pauses, interlocks, a second question (DESIGN §8). */
import * as z from 'zod';
import { takenBy } from './checked-text.ts';
import { durationMs, formatDurationMs } from './duration.ts';
import { limits } from './limits.ts';

export const operators = ['<', '<=', '>', '>=', '=', '!='] as const;
export type Operator = (typeof operators)[number];

/** `boiler.pressure < 2`. Without `device` the point is one of the device that is commanded. */
export interface Comparison {
  text: string;
  device?: string;
  point: string;
  operator: Operator;
  constant: number | boolean | string;
}

const pattern = /^(?:([A-Za-z0-9_.-]{1,64})\.)?([A-Za-z0-9_-]{1,64})\s*(<=|>=|!=|==|=|<|>)\s*(\S.*)$/;
const number = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?$/;

/** Throws an Error whose message goes on from the name of the field. */
export function parseComparison(text: string): Comparison {
  const found = pattern.exec(text.trim());
  const [, device, point = '', sign = '', right = ''] = found ?? [];
  const constant = found ? constantOf(right) : undefined;
  if (constant === undefined) {
    throw new Error(
      `is ${JSON.stringify(text)}; allowed is a point, one of < <= > >= = != and a constant, such as "boiler.pressure < 2" or "door = closed"`,
    );
  }
  const operator = (sign === '==' ? '=' : sign) as Operator;
  if (typeof constant !== 'number' && operator !== '=' && operator !== '!=')
    throw new Error(`is ${JSON.stringify(text)}; allowed with ${operator} is a number`);
  return { text: text.trim(), ...(device === undefined ? {} : { device }), point, operator, constant };
}

/** A number, true, false, a string in quotes, or a plain word: the name of an enum value. */
function constantOf(text: string): Comparison['constant'] | undefined {
  if (number.test(text)) return Number(text);
  if (text === 'true' || text === 'false') return text === 'true';
  if (/^"[^"]*"$/.test(text)) return text.slice(1, -1);
  return /^[A-Za-z_][\w -]*$/.test(text) ? text : undefined;
}

const comparisonSchema = z
  .string()
  .max(limits.patternLengthMax)
  .superRefine(takenBy(parseComparison))
  .meta({ examples: ['boiler.pressure < 2'] });

const comparisons = z.array(comparisonSchema).min(1).max(limits.interlockComparisonsMax).optional();

const interlockDetailSchema = z
  .strictObject({
    all: comparisons.describe('All of these must hold').meta({ examples: [['boiler.pressure < 2', 'door = closed']] }),
    any: comparisons.describe('At least one of these must hold').meta({ examples: [['mode = manual', 'mode = service']] }),
    maxAge: durationMs({ minMs: 100 })
      .prefault(formatDurationMs(limits.interlockMaxAgeMs))
      .describe('An older reading blocks, where the point cannot be asked anew'),
  })
  .refine(({ all, any }) => all !== undefined || any !== undefined, 'names nothing that must hold; allowed are all, any or both');

export const interlockSchema = z.union([comparisonSchema, interlockDetailSchema], {
  error: 'allowed are a comparison such as "boiler.pressure < 2", or an object with all, any, maxAge',
});
export type Interlock = z.output<typeof interlockSchema>;

/** Every comparison of an interlock. */
export function comparisonsOf(interlock: Interlock): { all: Comparison[]; any: Comparison[]; maxAgeMs: number } {
  if (typeof interlock === 'string') return { all: [parseComparison(interlock)], any: [], maxAgeMs: limits.interlockMaxAgeMs };
  const { all = [], any = [], maxAge } = interlock;
  return { all: all.map(parseComparison), any: any.map(parseComparison), maxAgeMs: maxAge };
}

export const rateSchema = z.strictObject({
  max: z
    .int()
    .min(1)
    .max(limits.rateCountMax)
    .describe('Commands')
    .meta({ examples: [10] }),
  per: durationMs({ minMs: 1_000, maxMs: 86_400_000 })
    .describe('Within this time')
    .meta({ examples: ['1m'] }),
});

/** The same for a point (under `write`) and for a named command. */
export const guardFields = {
  confirm: z.boolean().default(false).describe('Ask the person once more before it is sent'),
  cooldown: durationMs({ minMs: 10, maxMs: 7 * 86_400_000 })
    .optional()
    .describe('After one was sent the next has to wait this long')
    .meta({ examples: ['30s'] }),
  rate: rateSchema
    .optional()
    .describe('At most so many commands in a time')
    .meta({ examples: [{ max: 10, per: '1m' }] }),
  interlock: interlockSchema
    .optional()
    .describe('What must hold when it is sent. A reading that is bad, missing or old blocks')
    .meta({ examples: ['boiler.pressure < 2'] }),
};
export const guardsSchema = z.strictObject(guardFields);
export type Guards = Partial<z.output<typeof guardsSchema>>;
