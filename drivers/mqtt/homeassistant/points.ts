/** One place of an entity (its state, how it is set) → a point in the language of the settings. What is not understood is an Error that says what. */

import { anyOtherWord } from '../../../src/contract/device.ts';
import { spellLiteral } from '../../../src/contract/placeholders.ts';
import { type CommandTemplate, readCommand } from './commands.ts';
import type { Word } from './conditions.ts';
import { isInverse, isPlain, type Linear } from './linear.ts';
import { type Meaning, readMeaning, spelt, wordFor, wordsAt } from './meaning.ts';
import { textOf, type Words } from './words.ts';

/** A point as it would stand in the settings, its id without what makes it its own among the entities of the device. */
export interface RawPoint {
  /** Put behind the id of the entity; '' for its main value. */
  suffix: string;
  words: Record<string, unknown>;
}

type Kind = 'number' | 'text' | 'boolean';

/** What one point is made of. */
export interface Place {
  suffix?: string;
  kind: Kind;
  state?: { topic: string | undefined; template: string | undefined; words?: { on: string; off: string } };
  command?: { topic: string | undefined; template?: string | undefined; words?: { on: string; off?: string }; payload?: string };
  more?: Record<string, unknown>;
}

/** A message of the state, read. `more` goes into the point beside the address. */
interface State {
  address: Record<string, unknown>;
  place: Linear | undefined;
  more: Record<string, unknown>;
}

/** The point; undefined if it is neither told nor set. Of two directions one may be understood: then the other is told. */
export function pointOf(
  { suffix = '', kind, state: given, command, more = {} }: Place,
  words: Words,
  tell: (fault: string) => void,
): RawPoint | undefined {
  const attempt = <T>(read: (() => T) | undefined, hasOther: boolean): T | undefined => {
    try {
      return read?.();
    } catch (error) {
      if (!hasOther || !(error instanceof Error)) throw error;
      tell(error.message);
      return undefined;
    }
  };
  const hasState = given?.topic !== undefined;
  const hasCommand = command?.topic !== undefined;
  const state = attempt(hasState ? () => stateOf(given, kind, hasCommand) : undefined, hasCommand);
  const set = attempt(hasCommand ? () => setOf(command, state?.place, kind) : undefined, state !== undefined);
  if (!state && !set) return undefined;
  const deviceClass = textOf(words, 'device_class');
  const { write, ...others } = more;
  const { scale = 1, offset = 0, decimals } = state?.place ?? {};
  return {
    suffix,
    words: {
      address: {
        ...(state ? { ...state.address, ...qosOf(words) } : {}),
        ...(set ? { set: { ...set, ...qosOf(words), ...retainOf(words) } } : {}),
      },
      access: state ? (set ? 'read-write' : 'read') : 'write',
      ...(scale !== 1 || offset !== 0 ? { scale, offset } : {}),
      ...precisionOf(decimals),
      ...others,
      ...state?.more,
      ...(write && set ? { write } : {}),
      ...(deviceClass === undefined || suffix !== '' ? {} : { labels: { class: deviceClass } }),
    },
  };
}

const qosOf = (words: Words) => (words.qos === 1 || words.qos === 2 || words.qos === 0 ? { qos: words.qos } : {});
const retainOf = (words: Words) => (words.retain === true ? { retain: true } : {});

export const precisionOf = (decimals: number | undefined) =>
  decimals === undefined || !Number.isInteger(decimals) || decimals < 0 || decimals > 15 ? {} : { precision: decimals };

function stateOf({ topic = '', template, words }: Place['state'] & {}, kind: Kind, isSet: boolean): State {
  const meaning = template === undefined ? undefined : readMeaning(template);
  const place = meaning?.place;
  const isNumber = kind === 'number' || place?.isNumber === true;
  const address = {
    topic: spellLiteral(topic),
    ...(place?.path === undefined ? { format: isNumber ? 'number' : 'text' } : { path: place.path, format: 'json' }),
    ...(place?.optional && place.path !== undefined ? { optional: true } : {}),
  };
  const isWords = kind === 'boolean' || (meaning !== undefined && meaning.kind !== 'same');
  if (place && !isPlain(place) && (isWords || kind !== 'number'))
    throw new Error(`calculates with something that is a ${isWords && kind === 'number' ? 'word' : kind}: ${JSON.stringify(template)}`);
  const made = (own: Record<string, unknown>, more = {}): State => ({ address: { ...address, ...own }, place, more });
  if (kind === 'boolean') {
    if (!words) return made({});
    return made(meaning ? unlisted(wordsAt(meaning, words.on, words.off)) : { words });
  }
  if (meaning?.kind === 'words') return made({ map: mapOf(meaning, kind) });
  if (meaning?.kind !== 'bounds') return made({});
  if (isSet) throw new Error(`makes words of numbers, and words are set: ${JSON.stringify(template)}`);
  const { trueWhen, yes, no } = meaning;
  return made({ trueWhen }, { enum: { true: String(yes), false: String(no) } });
}

/** A word that stands alone is written alone. */
function unlisted(read: ReturnType<typeof wordsAt>): Record<string, unknown> {
  if ('trueWhen' in read) return { trueWhen: read.trueWhen };
  return { words: Object.fromEntries(Object.entries(read).map(([side, list]) => [side, list.length === 1 ? list[0] : list])) };
}

function mapOf({ words, other, place }: Extract<Meaning, { kind: 'words' }>, kind: Kind): Record<string, Word> {
  const typed = (word: Word) =>
    kind === 'number' && typeof word === 'string' && Number.isFinite(Number.parseFloat(word)) ? Number(word) : word;
  const entries = [...words].flatMap(([from, to]) => spelt(place, [from]).map((one): [string, Word] => [String(one), typed(to)]));
  return Object.fromEntries([...entries, ...(other === undefined ? [] : [[anyOtherWord, typed(other)] as const])]);
}

function setOf(
  { topic = '', template, words, payload }: Place['command'] & {},
  state: Linear | undefined,
  kind: Kind,
): Record<string, unknown> {
  const read: CommandTemplate = template === undefined ? { payload: '{value}', scale: 1, offset: 0 } : readCommand(template);
  // A point has one scale for both directions.
  if (kind === 'number' && !isInverse(state ?? { scale: 1, offset: 0 }, read))
    throw new Error('is calculated otherwise when it is set than when it is read');
  return { topic: spellLiteral(topic), payload: payload ?? read.payload, ...sentOf(words, read, kind) };
}

function sentOf(words: { on: string; off?: string } | undefined, { words: made }: CommandTemplate, kind: Kind): Record<string, unknown> {
  if (!made) return words ? { words } : {};
  if (!words) return { map: mapOf(made, kind === 'number' ? 'text' : kind) };
  return { words: Object.fromEntries(Object.entries(words).map(([side, word]) => [side, wordFor(made, word)])) };
}
