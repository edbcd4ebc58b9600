/** Where a value is on a serial line: a point's `address`. */
import { z } from 'zod';
import { compilePattern, type Pattern, patternSchema } from '../../src/contract/pattern.ts';
import { valueTypes } from './value.ts';

/** What is sent; 1 KiB is more than any command line of a device. */
const textSchema = z.string().min(1).max(1_024);

export const ackSchema = {
  ack: patternSchema
    .optional()
    .describe('The line that says yes, as an expression. Without it nothing is waited for')
    .meta({ examples: ['^OK$'] }),
  nak: patternSchema
    .optional()
    .describe('A line that says no, as an expression')
    .meta({ examples: ['^ERR'] }),
};

const setSchema = z.strictObject({
  send: textSchema
    .describe('What is sent, with {value} in the place of the value and its line end; {{ is a literal brace')
    .meta({ examples: ['VALVE={value}\\n'] }),
  ...ackSchema,
});
export type SetAddress = z.output<typeof setSchema>;

const fields = z.strictObject({
  line: patternSchema
    .meta({ examples: ['^T=(?<air>[-0-9.]+)$'] })
    .optional()
    .describe('For what the device says by itself: an expression (RE2) with a named group, which takes the value out of a line'),
  request: textSchema
    .meta({ examples: ['VALVE?\n'] })
    .optional()
    .describe('For what the device says when asked: what is sent, with its line end'),
  reply: patternSchema
    .optional()
    .describe('With request: the expression that the reply fits, with a named group for the value')
    .meta({ examples: ['^VALVE=(?<value>[01])$'] }),
  field: z
    .string()
    .regex(/^\w{1,64}$/)
    .optional()
    .describe('The named group with the value; "value", or the only one, unless said')
    .meta({ examples: ['soil'] }),
  type: z
    .enum(valueTypes)
    .default('auto')
    .describe('number, integer (exact to 64 bits) or text; auto takes a text that is a number for a number'),
  set: setSchema
    .optional()
    .describe('How a value is set')
    .meta({ examples: [{ send: 'VALVE={value}\\n', ack: '^OK$' }] }),
});

/** After the schema: true to itself. `line` or both `request` and `reply` are there, or neither. */
export type Address = z.output<typeof fields>;

export const addressSchema = fields.transform((input, context): Address => {
  const fault = (path: string, message: string) => {
    context.addIssue({ code: 'custom', path: [path], message });
    return z.NEVER;
  };
  const { line, request, reply, field, set } = input;
  if (line !== undefined && (request !== undefined || reply !== undefined))
    return fault('line', 'is given together with request or reply; allowed is either: a value is said by the device itself, or asked for');
  if (request !== undefined && reply === undefined) return fault('reply', 'is missing; a request needs the expression its reply fits');
  if (reply !== undefined && request === undefined) return fault('request', 'is missing; a reply needs what is sent to get it');
  const text = line ?? reply;
  if (text === undefined && set === undefined)
    return fault('line', 'is missing; allowed are line, request with reply, and set for what is only written');
  if (text === undefined) return field === undefined ? input : fault('field', 'is given without line or reply');
  const name = line === undefined ? 'reply' : 'line';
  const { groups } = compilePattern(text);
  const chosen = field ?? (groups.includes('value') ? 'value' : groups.length === 1 ? groups[0] : undefined);
  if (groups.length === 0) return fault(name, 'has no named group; the value is taken from one such as (?<value>[0-9.]+)');
  if (chosen === undefined) return fault('field', `is missing; ${name} has the groups ${groups.join(', ')}`);
  if (!groups.includes(chosen)) return fault('field', `is ${JSON.stringify(chosen)}; the groups of ${name} are ${groups.join(', ')}`);
  return { ...input, field: chosen };
});

const patterns = new WeakMap<Address, Pattern>();

/** Compiled once an address. */
export function patternOf(address: Address): Pattern {
  let pattern = patterns.get(address);
  if (!pattern) {
    pattern = compilePattern(address.line ?? address.reply ?? '');
    patterns.set(address, pattern);
  }
  return pattern;
}
