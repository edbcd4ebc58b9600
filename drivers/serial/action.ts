/** A named action of a device: what is sent, and what its answer means. */
import { z } from 'zod';
import type { ActionConfig } from '../../src/contract/device.ts';
import type { Value } from '../../src/contract/sample.ts';
import { ackSchema } from './address.ts';
import type { Places } from './match.ts';
import { fill, sentSchema } from './sending.ts';
import type { Spelling } from './template.ts';

const parameterSchema = z.strictObject({
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
type Parameter = z.output<typeof parameterSchema>;

export const serialActionSchema = z.strictObject({
  send: sentSchema
    .describe('What is sent, with {parameter} in the places of parameters and its line end; or { hex } for bytes')
    .meta({ examples: ['FAN={speed}\\n', { hex: '05 {speed}' }] }),
  ...ackSchema,
  parameters: z
    .record(
      z.string().regex(/^[A-Za-z_]\w{0,63}$/, 'allowed in a parameter name are 1 to 64 of A-Z a-z 0-9 _, no digit first'),
      parameterSchema,
    )
    .default({})
    .describe('What may stand in the places of send')
    .meta({ examples: [{ speed: { type: 'integer', min: 0, max: 100 } }] }),
});
export type SerialAction = z.output<typeof serialActionSchema>;

/** An action that passed the schema, as it comes back from the host. */
export const actionOf = (action: ActionConfig): SerialAction => action as unknown as SerialAction;

/** What is to be sent; throws an Error that says which parameter is wrong and what is allowed. */
export function bytesOfAction(action: SerialAction, given: Readonly<Record<string, unknown>>, places: Places, line: Spelling): Buffer {
  const names = Object.keys(action.parameters);
  const stray = Object.keys(given).find((name) => !names.includes(name));
  if (stray !== undefined)
    throw new Error(
      `there is no parameter ${JSON.stringify(stray)}; ${names.length === 0 ? 'there are none' : `allowed are ${names.join(', ')}`}`,
    );
  const values: Record<string, Value> = {};
  for (const [name, parameter] of Object.entries(action.parameters))
    values[name] = check(name, parameter, given[name] ?? parameter.default);
  return fill(action.send, values, places, line);
}

function check(name: string, parameter: Parameter, value: unknown): Value {
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
