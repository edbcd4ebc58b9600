/** Which frames are meant: an expression that the text fits, or bytes that the frame begins with. */
import * as z from 'zod';
import { compilePattern, type Pattern, patternSchema, type Taken } from '../../src/contract/pattern.ts';
import type { Frame } from './frame.ts';
import { hexText } from './framing/hex.ts';

const bytesPattern = /^ *((?:[0-9a-fA-F]{2}|\.\.|\{id\}|\{sequence\}) *){1,64}$/;

export const matchSchema = z.union(
  [
    patternSchema,
    z.strictObject({
      hex: z
        .string()
        .regex(
          bytesPattern,
          'is not understood; allowed are bytes in hexadecimal, .. for any byte, {id} and {sequence}, such as "02 .. 10"',
        )
        .describe('Bytes that the frame begins with; .. is any byte')
        .meta({ examples: ['01 03 ..'] }),
    }),
  ],
  { error: 'is neither an expression nor { "hex": "01 .." }' },
);
export type MatchText = z.output<typeof matchSchema>;

/** What stands in the places of texts that are sent and looked for. */
export interface Places {
  /** The device's, behind a line with several. */
  id: string | undefined;
  /** Counts requests, so that a reply names the one it belongs to. */
  sequence: number | undefined;
}

/** Where no device is meant and nothing is counted. */
export const noPlaces: Places = { id: undefined, sequence: undefined };

export interface Match {
  readonly groups: readonly string[];
  /** What the named groups took, by number; undefined if the frame is another one. */
  find(frame: Frame, places: Places): Taken | undefined;
  /** The number of a named group; undefined if there is none of that name. */
  numberOf(group: string): number | undefined;
}

/** The group that takes the number of a request out of its reply. */
const sequenceGroup = 'sequence__';

export function usesPlace(match: MatchText | string | undefined, place: keyof Places): boolean {
  const text = typeof match === 'object' ? match.hex : match;
  return text?.includes(`{${place}}`) ?? false;
}

/** Throws as `compilePattern` does. */
export function compileMatch(match: MatchText): Match {
  return typeof match === 'string' ? compileText(match) : compileBytes(match.hex);
}

function compileText(text: string): Match {
  const named = text.replace('{sequence}', `(?<${sequenceGroup}>[0-9]+)`);
  // One for each device of a line; there are as many as devices behind it.
  const patterns = new Map<string, Pattern>();
  const patternFor = (id: string | undefined): Pattern => {
    const key = id ?? '';
    let pattern = patterns.get(key);
    if (!pattern) {
      pattern = compilePattern(named.replaceAll('{id}', escapePattern(key)));
      patterns.set(key, pattern);
    }
    return pattern;
  };
  const { groups, numbers } = patternFor(undefined);
  const counted = numbers.get(sequenceGroup);
  return {
    groups: groups.filter((name) => name !== sequenceGroup),
    numberOf: (group) => numbers.get(group),
    find(frame, { id, sequence }) {
      const taken = patternFor(id).take(frame.text);
      const number = counted === undefined ? undefined : taken?.[counted];
      return number !== undefined && sequence !== undefined && Number(number) !== sequence ? undefined : taken;
    },
  };
}

function compileBytes(hex: string): Match {
  const wanted = hex.match(/[0-9a-fA-F]{2}|\.\.|\{id\}|\{sequence\}/g) ?? [];
  return {
    groups: [],
    numberOf: () => undefined,
    find({ bytes }, { id, sequence }) {
      if (bytes.length < wanted.length) return undefined;
      const fits = wanted.every((one, index) => {
        if (one === '..') return true;
        const byte =
          one === '{id}'
            ? Number(id)
            : one === '{sequence}'
              ? sequence === undefined
                ? bytes[index]
                : sequence & 0xff
              : Number.parseInt(one, 16);
        return bytes[index] === byte;
      });
      return fits ? [] : undefined;
    },
  };
}

/** For people: what of a frame is shown. */
export function showFrame({ bytes, text }: Pick<Frame, 'bytes' | 'text'>): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they tell bytes from text.
  if (/[\u0000-\u0008\u000e-\u001f\ufffd]/.test(text)) return hexText(bytes);
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 79)}…` : text);
}

function escapePattern(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
