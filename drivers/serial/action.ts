/** A named action of a device: what is sent, and what its answer means. */
import * as z from 'zod';
import type { ActionConfig } from '../../src/contract/device.ts';
import { parametersSchema, valuesOf } from '../../src/contract/parameters.ts';
import { ackSchema } from './address.ts';
import type { Places } from './match.ts';
import { fill, sentSchema } from './sending.ts';
import type { Spelling } from './template.ts';
import { decimals } from './value.ts';

export const serialActionSchema = z.strictObject({
  send: sentSchema
    .describe('What is sent, with {parameter} in the places of parameters and its line end; or { hex } for bytes')
    .meta({ examples: ['FAN={speed}\\n', { hex: '05 {speed}' }] }),
  ...ackSchema,
  decimal: z
    .enum(decimals)
    .default('.')
    .describe('What the device wants before the decimals of a parameter')
    .meta({ examples: [','] }),
  parameters: parametersSchema
    .describe('What may stand in the places of send')
    .meta({ examples: [{ speed: { type: 'integer', min: 0, max: 100 } }] }),
});
export type SerialAction = z.output<typeof serialActionSchema>;

/** An action that passed the schema, as it comes back from the host. */
export const actionOf = (action: ActionConfig): SerialAction => action as unknown as SerialAction;

/** What is to be sent; throws an Error that says which parameter is wrong and what is allowed. */
export function bytesOfAction(action: SerialAction, given: Readonly<Record<string, unknown>>, places: Places, line: Spelling): Buffer {
  return fill(action.send, valuesOf(action.parameters, given), places, { ...line, decimal: action.decimal });
}
