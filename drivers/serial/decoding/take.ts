/** How a value is taken out of a frame that has no expression with a named group: a point's `take`. */
import * as z from 'zod';
import { takenBy } from '../../../src/contract/checked-text.ts';
import { exactJson, parseExactJson } from '../../../src/contract/exact-json.ts';
import { compilePath, type Lookup, parsePath } from '../../../src/contract/json-path.ts';
import { limits } from '../../../src/contract/limits.ts';
import type { Value } from '../../../src/contract/sample.ts';
import type { Frame } from '../frame.ts';
import { binaryTypes, readBinary } from './binary.ts';
import { fieldsOf, nmeaField } from './nmea.ts';

const separator = (what: string, fallback: string) => z.string().min(1).max(8).default(fallback).describe(what);

const pathSchema = z.string().max(limits.patternLengthMax).superRefine(takenBy(parsePath));

const nmeaSchema = z
  .strictObject({
    as: z.literal('nmea').describe('A field of an NMEA 0183 sentence'),
    sentence: z
      .string()
      .regex(
        /^[A-Z][A-Z0-9]{2,9}$/,
        'is no sentence; allowed are three letters such as "GGA", with the talker before them if only that one is meant: "GPGGA"',
      )
      .describe('Which sentence; without a talker that of any')
      .meta({ examples: ['GGA'] }),
    field: z
      .union([z.int().min(1).max(80), z.string().max(32)], { error: 'is neither a number from 1 to 80 nor a name' })
      .describe('Its name (latitude and longitude are in degrees), or its number behind the name of the sentence')
      .meta({ examples: ['latitude', 9] }),
  })
  .describe('NMEA 0183')
  .superRefine(({ sentence, field }, context) => {
    if (typeof field === 'number') return;
    const known = fieldsOf(sentence);
    if (!known?.includes(field))
      context.addIssue({
        code: 'custom',
        path: ['field'],
        message: known
          ? `is ${JSON.stringify(field)}; ${sentence} has ${known.join(', ')}, and any field by its number`
          : `is ${JSON.stringify(field)}; the fields of ${sentence} are known by number only`,
      });
  });

const binarySchema = z
  .strictObject({
    as: z.literal('binary').describe('Bytes at a place of the frame'),
    offset: z
      .int()
      .min(-65_536)
      .max(65_535)
      .describe('Where it begins, counted from 0; a negative one from the end of the frame')
      .meta({ examples: [3] }),
    type: z
      .enum(binaryTypes)
      .describe('bcd is two decimal digits a byte')
      .meta({ examples: ['int16'] }),
    endian: z.enum(['big', 'little']).default('big').describe('Which byte comes first: the most significant (big) or the least (little)'),
    length: z.int().min(1).max(256).default(1).describe('Bytes of a string or of bcd'),
    index: z.int().min(0).max(4_095).default(0).describe('Of an array, which element: so many of the same type lie before it'),
    bit: z
      .int()
      .min(0)
      .max(63)
      .optional()
      .describe('For some bits of a whole number: the lowest of them, 0 is the least significant')
      .meta({ examples: [3] }),
    bits: z.int().min(1).max(53).default(1).describe('With bit: how many bits'),
  })
  .describe('Bytes')
  .superRefine(({ type, bit, bits }, context) => {
    if (bit === undefined) return;
    const width = /^u?int(\d+)$/.exec(type)?.[1];
    if (width === undefined)
      context.addIssue({ code: 'custom', path: ['bit'], message: `is given for ${type}; allowed only for whole numbers` });
    else if (bit + bits > Number(width))
      context.addIssue({ code: 'custom', path: ['bit'], message: `and bits reach beyond the ${width} bits of ${type}` });
  });

export const takeSchema = z.discriminatedUnion('as', [
  z
    .strictObject({
      as: z.literal('split').describe('One of several fields with something between them'),
      separator: separator('What stands between fields; " " takes any run of blanks', ','),
      index: z
        .int()
        .min(-256)
        .max(255)
        .describe('Which field, counted from 0; -1 is the last')
        .meta({ examples: [2] }),
    })
    .describe('Split fields'),
  z
    .strictObject({
      as: z.literal('pairs').describe('Names with values: T=21.5;H=40'),
      key: z
        .string()
        .min(1)
        .max(64)
        .describe('The name')
        .meta({ examples: ['T'] }),
      between: separator('What stands between pairs; " " takes any run of blanks', ';'),
      equals: separator('What stands between a name and its value', '='),
    })
    .describe('Key and value'),
  z
    .strictObject({
      as: z.literal('columns').describe('Fixed columns of a text'),
      start: z
        .int()
        .min(0)
        .max(65_535)
        .describe('The first character, counted from 0')
        .meta({ examples: [6] }),
      length: z
        .int()
        .min(1)
        .max(1_024)
        .describe('Characters; blanks around the value are taken off')
        .meta({ examples: [8] }),
    })
    .describe('Fixed columns'),
  z
    .strictObject({
      as: z.literal('json').describe('A place in a JSON document'),
      path: pathSchema.describe('Where the value is').meta({ examples: ['$.sensor.temp'] }),
    })
    .describe('JSON'),
  nmeaSchema,
  binarySchema,
]);
export type TakeOptions = z.output<typeof takeSchema>;

/** A text still to be parsed (undefined where the frame says that there is none), or a value. */
export type Taken = { text: string | undefined } | { value: Value };

export interface Take {
  /** Undefined if the frame does not have it: it is another one, or too short. */
  from(frame: Frame): Taken | undefined;
}

export function createTake(options: TakeOptions, encoding: 'utf-8' | 'latin1'): Take {
  switch (options.as) {
    case 'split': {
      const { separator: between, index } = options;
      return {
        from({ text }) {
          const parts = fieldsIn(text, between);
          // A text that is not divided at all is another kind of line.
          return parts.length < 2 ? undefined : found(parts.at(index)?.trim());
        },
      };
    }
    case 'pairs': {
      const { key, between, equals } = options;
      return {
        from({ text }) {
          for (const pair of fieldsIn(text, between)) {
            const at = pair.indexOf(equals);
            if (at >= 0 && pair.slice(0, at).trim() === key) return { text: pair.slice(at + equals.length).trim() };
          }
          return undefined;
        },
      };
    }
    case 'columns': {
      const { start, length } = options;
      return { from: ({ text }) => (text.length <= start ? undefined : { text: text.slice(start, start + length).trim() }) };
    }
    case 'json': {
      const lookup = compilePath(parsePath(options.path));
      return { from: (frame) => jsonValue(frame.once(parseDocument), lookup) };
    }
    case 'nmea': {
      const { sentence, field } = options;
      return {
        from({ text }) {
          const value = nmeaField(text, sentence, field);
          return typeof value === 'number' ? { value } : found(value);
        },
      };
    }
    case 'binary': {
      const { offset, type, endian, length, index, bit, bits } = options;
      const place = { offset, type, endian, length, index, bit, bits, encoding };
      return {
        from({ bytes }) {
          const value = readBinary(bytes, place);
          return value === undefined ? undefined : { value };
        },
      };
    }
  }
}

function found(text: string | undefined): Taken | undefined {
  return text === undefined ? undefined : { text };
}

function fieldsIn(text: string, between: string): string[] {
  return between === ' ' ? text.trim().split(/\s+/) : text.split(between);
}

/** Undefined if it is no JSON. */
function parseDocument(text: string): unknown {
  try {
    return parseExactJson(text);
  } catch {
    return undefined;
  }
}

function jsonValue(document: unknown, lookup: Lookup): Taken | undefined {
  const value = lookup(document);
  if (value === undefined) return undefined;
  if (value === null) return { text: undefined };
  if (typeof value === 'object') return { text: exactJson(value) };
  return typeof value === 'string' ? { text: value } : { value: value as number | bigint | boolean };
}
