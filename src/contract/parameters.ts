/** What may be given along with a named action: the parameters that a protocol puts into what it sends. */
import * as z from 'zod';
import type { Value } from './sample.ts';

export const parameterSchema = z.strictObject({
  title: z.string().max(128).optional(),
  type: z.enum(['number', 'integer', 'text', 'boolean']).default('number'),
  min: z.number().optional().describe('Of a number, the lowest'),
  max: z.number().optional().describe('Of a number, the highest'),
  options: z
    .array(z.union([z.string().max(256), z.number()]))
    .min(1)
    .max(100)
    .optional()
    .describe('The only values allowed'),
  maxLength: z.int().min(1).max(256).default(64).describe('Of a text, in characters'),
  default: z
    .union([z.number(), z.string().max(256), z.boolean()])
    .optional()
    .describe('Taken when nothing is given'),
});
export type Parameter = z.output<typeof parameterSchema>;

/** By name. */
export const parametersSchema = z
  .record(
    z.string().regex(/^[A-Za-z_]\w{0,63}$/, 'allowed in a parameter name are 1 to 64 of A-Z a-z 0-9 _, no digit first'),
    parameterSchema,
  )
  .default({});
export type Parameters = z.output<typeof parametersSchema>;

/** What is given for each parameter, or its default. Throws an Error that says which one is wrong and what is allowed. */
export function valuesOf(parameters: Parameters, given: Readonly<Record<string, unknown>>): Record<string, Value> {
  const names = Object.keys(parameters);
  const stray = Object.keys(given).find((name) => !names.includes(name));
  if (stray !== undefined)
    throw new Error(
      `there is no parameter ${JSON.stringify(stray)}; ${names.length === 0 ? 'there are none' : `allowed are ${names.join(', ')}`}`,
    );
  return Object.fromEntries(
    Object.entries(parameters).map(([name, parameter]) => [name, takenFor(name, parameter, given[name] ?? parameter.default)]),
  );
}

function takenFor(name: string, parameter: Parameter, value: unknown): Value {
  const fault = (what: string) => new Error(`parameter ${name} is ${JSON.stringify(value) ?? 'missing'}; allowed is ${what}`);
  const { type, min = -Infinity, max = Infinity, options, maxLength } = parameter;
  if (type === 'text') {
    if (typeof value !== 'string' || value.length > maxLength) throw fault(`a text of at most ${maxLength} characters`);
  } else if (type === 'boolean') {
    if (typeof value !== 'boolean') throw fault('true or false');
  } else {
    const bounds = `${min === -Infinity ? '' : ` from ${min}`}${max === Infinity ? '' : ` to ${max}`}`;
    const wanted = `a ${type === 'integer' ? 'whole ' : ''}number${bounds}`;
    if (typeof value !== 'number' || !Number.isFinite(value) || value < min || value > max) throw fault(wanted);
    if (type === 'integer' && !Number.isSafeInteger(value)) throw fault(wanted);
  }
  if (options && !options.some((option) => option === value)) throw fault(options.map((option) => JSON.stringify(option)).join(', '));
  return value;
}
