/** What is read at a place → what it means: words for true and false, numbers beyond a bound, one word for another. */
import * as z from 'zod';
import { anyOtherWord } from '../../src/contract/device.ts';
import type { Reading } from '../../src/contract/driver.ts';
import { limits } from '../../src/contract/limits.ts';
import { wordValue } from './payload/plain.ts';

export const wordSchema = z.union([z.string().max(1024), z.number(), z.boolean()]);
type Word = z.output<typeof wordSchema>;

/** One word, or several that mean the same. */
const wordsSchema = z.union([wordSchema, z.array(wordSchema).min(1).max(limits.mqttWordsMax)]);

export const readWordsSchema = z
  .strictObject({
    on: wordsSchema
      .optional()
      .describe('What means true, one word or several; anything but "off" unless said')
      .meta({ examples: ['ON'] }),
    off: wordsSchema
      .optional()
      .describe('What means false, one word or several; anything but "on" unless said')
      .meta({ examples: ['OFF'] }),
  })
  .refine(({ on, off }) => on !== undefined || off !== undefined, 'has no word; allowed are "on", "off" or both')
  .refine(({ on, off }) => {
    const spelt = listed(on).map(String);
    return !listed(off).some((word) => spelt.includes(String(word)));
  }, 'has the same word for true and false');
export type ReadWords = z.output<typeof readWordsSchema>;

const boundSchema = (than: string) =>
  z
    .number()
    .optional()
    .describe(`True for a number ${than}`)
    .meta({ examples: [0] });

const lowerBounds = ['above', 'atLeast'] as const;
const upperBounds = ['below', 'atMost'] as const;

export const trueWhenSchema = z
  .strictObject({
    above: boundSchema('above this'),
    atLeast: boundSchema('that is this or above'),
    below: boundSchema('below this'),
    atMost: boundSchema('that is this or below'),
  })
  .refine(
    (bounds) => {
      const [low, high] = [lowerBounds, upperBounds].map((names) => names.filter((name) => bounds[name] !== undefined).length);
      return low !== undefined && high !== undefined && low <= 1 && high <= 1 && low + high >= 1;
    },
    { error: 'allowed is one of "above" and "atLeast", one of "below" and "atMost", or one of each' },
  );
export type TrueWhen = z.output<typeof trueWhenSchema>;

const mapSchema = (what: string) =>
  z
    .record(z.string().max(1024), wordSchema)
    .refine((map) => Object.keys(map).length > 0, 'is empty; allowed are 1 or more entries')
    .refine((map) => Object.keys(map).length <= limits.mqttWordsMax, `has too many entries; at most ${limits.mqttWordsMax} are allowed`)
    .describe(what);
export const readMapSchema = mapSchema('What is read → what it means; "*" is anything else, which stays as it is unless said');
export const sentMapSchema = mapSchema('The value → what is sent for it; "*" is any other value, which is refused unless said');
export type WordMap = z.output<typeof readMapSchema>;

/** What was found at a place, before and after. */
export type Scalar = Pick<Reading, 'value' | 'reason' | 'detail'>;

/** What the address makes of each value that was found; what was none stays none. */
export function compileMeaning({
  words,
  trueWhen,
  map,
}: {
  words?: ReadWords | undefined;
  trueWhen?: TrueWhen | undefined;
  map?: WordMap | undefined;
}): (found: Scalar) => Scalar {
  const mean = words ? meaningOf(words) : trueWhen ? comparing(trueWhen) : map ? mapping(map) : undefined;
  return mean ? (found) => (found.reason === '' ? mean(found) : found) : (found) => found;
}

/** The word a value is sent as; undefined if none is said for it. */
export function sentWord(map: WordMap, value: unknown): Word | undefined {
  const said = String(value);
  return Object.hasOwn(map, said) ? map[said] : map[anyOtherWord];
}

/** The first of them is what is sent. */
export const firstOf = (words: Word | Word[] | undefined): Word | undefined => listed(words)[0];

function listed(words: Word | Word[] | undefined): readonly Word[] {
  return words === undefined ? [] : Array.isArray(words) ? words : [words];
}

/** Words for true and false → boolean. JSON's true and the text "true" are the same word. */
function meaningOf(words: ReadWords): (found: Scalar) => Scalar {
  const [on, off] = [listed(words.on), listed(words.off)];
  const known = [on, off].map((side) => side.map((word) => JSON.stringify(word)).join(' or ')).join(' and ');
  return ({ value }) => {
    const said = String(value);
    if (on.some((word) => isWord(said, word))) return { value: true, reason: '' };
    if (off.some((word) => isWord(said, word))) return { value: false, reason: '' };
    if (on.length === 0 || off.length === 0) return { value: on.length === 0, reason: '' };
    return { value: null, reason: 'decode', detail: `${JSON.stringify(said.slice(0, 80))} is no word of it; known are ${known}` };
  };
}

/** A number → whether it is beyond the bound, or between two; outside of two if the upper is below the lower. Devices write numbers as text too. */
function comparing({ above, atLeast, below, atMost }: TrueWhen): (found: Scalar) => Scalar {
  const [low, high] = [above ?? atLeast, below ?? atMost];
  const isOutside =
    low !== undefined && high !== undefined && high <= low && !(high === low && atLeast !== undefined && atMost !== undefined);
  return ({ value }) => {
    const number = typeof value === 'string' ? wordValue(value) : value;
    if ((typeof number !== 'number' && typeof number !== 'bigint') || Number.isNaN(number))
      return { value: null, reason: 'decode', detail: `${JSON.stringify(String(value).slice(0, 80))} is no number to be compared` };
    const isHigh = low === undefined || (above !== undefined ? number > above : number >= low);
    const isLow = high === undefined || (below !== undefined ? number < below : number <= high);
    return { value: isOutside ? isHigh || isLow : isHigh && isLow, reason: '' };
  };
}

function mapping(map: WordMap): (found: Scalar) => Scalar {
  return (found) => {
    const meant = sentWord(map, found.value);
    return meant === undefined ? found : { value: meant, reason: '' };
  };
}

/** Python writes True where JSON writes true. */
function isWord(said: string, word: Word): boolean {
  const text = String(word);
  return said === text || (/^(true|false)$/i.test(said) && said.toLowerCase() === text.toLowerCase());
}
