/** Where a value is on a serial line: a point's `address`. */
import * as z from 'zod';
import { type TakeOptions, takeSchema } from './decoding/take.ts';
import { compileMatch, matchSchema } from './match.ts';
import { sentSchema } from './sending.ts';
import { decimals, valueTypes } from './value.ts';

export const ackSchema = {
  ack: matchSchema
    .optional()
    .describe('The line that says yes, as an expression, or as { hex } for bytes. Without it nothing is waited for')
    .meta({ examples: ['^OK$', { hex: '06' }] }),
  nak: matchSchema
    .optional()
    .describe('A line that says no')
    .meta({ examples: ['^ERR', { hex: '15' }] }),
};

const setSchema = z.strictObject({
  send: sentSchema
    .describe(
      'What is sent, with {value} in the place of the value and its line end; {{ is a literal brace. As { hex } for bytes: {value:int16le} is the value as such a number',
    )
    .meta({ examples: ['VALVE={value}\\n', { hex: '01 06 {value:uint16}' }] }),
  ...ackSchema,
});
export type SetAddress = z.output<typeof setSchema>;

const fields = z.strictObject({
  line: matchSchema
    .meta({ examples: ['^T=(?<air>[-0-9.]+)$', { hex: 'aa 01' }] })
    .optional()
    .describe(
      'For what the device says by itself: an expression (RE2) with a named group, which takes the value out of a line; or { hex }, the bytes a frame begins with. With take it only chooses lines',
    ),
  request: sentSchema
    .meta({ examples: ['VALVE?\n', { hex: '01 03' }] })
    .optional()
    .describe(
      'For what the device says when asked: what is sent, with its line end. {id} is the device address, {sequence} a number that counts requests',
    ),
  reply: matchSchema
    .optional()
    .describe(
      'With request: the expression that the reply fits, with a named group for the value. {id} and {sequence} are those of the request',
    )
    .meta({ examples: ['^VALVE=(?<value>[01])$'] }),
  take: takeSchema
    .optional()
    .describe('How the value is taken out of the line or the reply, where a named group does not do it')
    .meta({
      examples: [
        { as: 'split', separator: ',', index: 2 },
        { as: 'json', path: '$.temp' },
      ],
    }),
  field: z
    .string()
    .regex(/^\w{1,64}$/)
    .optional()
    .describe('The named group with the value; "value", or the only one, unless said')
    .meta({ examples: ['soil'] }),
  type: z
    .enum(valueTypes)
    .default('auto')
    .describe('number, integer (exact to 64 bits), boolean or text; auto takes a text that is a number for a number'),
  decimal: z
    .enum(decimals)
    .default('.')
    .describe('What stands before the decimals of a number, here and in set: "," for 12,5. Of the two only this one makes a number')
    .meta({ examples: [','] }),
  set: setSchema
    .optional()
    .describe('How a value is set')
    .meta({ examples: [{ send: 'VALVE={value}\\n', ack: '^OK$' }] }),
});

/** After the schema: true to itself. It is heard, asked for with `request`, only written, or both of the last; `field` is filled where a group is. */
export type Address = z.output<typeof fields>;

export const addressSchema = fields.transform((input, context): Address => {
  const fault = (path: string, message: string) => {
    context.addIssue({ code: 'custom', path: [path], message });
    return z.NEVER;
  };
  const { line, request, reply, take, field, decimal, set } = input;
  if (line !== undefined && (request !== undefined || reply !== undefined))
    return fault('line', 'is given together with request or reply; allowed is either: a value is said by the device itself, or asked for');
  if (request !== undefined && reply === undefined && take === undefined)
    return fault('reply', 'is missing; a request needs the expression its reply fits, or take');
  if (reply !== undefined && request === undefined) return fault('request', 'is missing; a reply needs what is sent to get it');
  const match = line ?? reply;
  if (match === undefined && take === undefined && set === undefined)
    return fault('line', 'is missing; allowed are line, take, request with reply, and set for what is only written');
  const divided = decimal === ',' && take !== undefined ? commaIn(take) : undefined;
  if (divided !== undefined) return fault('decimal', `is ",", which ${divided}`);
  if (take !== undefined) return field === undefined ? input : fault('field', 'is given with take; allowed is either');
  if (match === undefined) return field === undefined ? input : fault('field', 'is given without line or reply');
  const name = line === undefined ? 'reply' : 'line';
  const { groups } = compileMatch(match);
  const chosen = field ?? (groups.includes('value') ? 'value' : groups.length === 1 ? groups[0] : undefined);
  if (groups.length === 0) return fault(name, 'has no named group; the value is taken from one such as (?<value>[0-9.]+), or with take');
  if (chosen === undefined) return fault('field', `is missing; ${name} has the groups ${groups.join(', ')}`);
  if (!groups.includes(chosen)) return fault('field', `is ${JSON.stringify(chosen)}; the groups of ${name} are ${groups.join(', ')}`);
  return { ...input, field: chosen };
});

/** Why a number with a comma in it cannot come out of a frame, if it cannot. */
function commaIn(take: TakeOptions): string | undefined {
  const cut = (name: string) => `would cut a number in two, as take.${name} is "," too; allowed is another of the two`;
  switch (take.as) {
    case 'nmea':
      return 'stands between the fields of NMEA 0183; allowed is "."';
    case 'split':
      return take.separator === ',' ? cut('separator') : undefined;
    case 'pairs':
      return take.between === ',' ? cut('between') : take.equals === ',' ? cut('equals') : undefined;
    default:
      return undefined;
  }
}

/** Whether the device says it by itself. */
export function isHeard({ line, request, take }: Address): boolean {
  return line !== undefined || (take !== undefined && request === undefined);
}
