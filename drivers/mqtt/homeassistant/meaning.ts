/** What the template of a state or a command makes of what stands at a place: the same, one word for another, or one of two for a number. */
import type { TrueWhen } from '../meanings.ts';
import { type Condition, conditionOf, inverted, placeAskedFor, type Word } from './conditions.ts';
import { type Constant, type Expression, notUnderstood, parseState } from './jinja.ts';
import { type Linear, linearOf } from './linear.ts';

export type Meaning =
  | { place: Linear; kind: 'same' }
  /** `other`: what any other word becomes; undefined if it stays as it is. */
  | { place: Linear; kind: 'words'; words: ReadonlyMap<Word, Word>; other: Word | undefined }
  | { place: Linear; kind: 'bounds'; trueWhen: TrueWhen; yes: Word; no: Word };

/** Reads the template of a state; throws an Error if it makes more of a message than this. */
export function readMeaning(template: string): Meaning {
  const meaning = meaningOf(parseState(template));
  if (!meaning) throw notUnderstood(template);
  return meaning;
}

export function meaningOf(expression: Expression): Meaning | undefined {
  const place = linearOf(expression);
  if (place) return { place, kind: 'same' };
  switch (expression.kind) {
    case 'looked':
      return looked(expression.map, expression.key, expression.other);
    case 'filtered': {
      const { name, of, given } = expression;
      if (name === 'string' || name === 'int' || name === 'float') return meaningOf(of);
      if (name !== 'default' && name !== 'd') return undefined;
      return of.kind === 'looked' && of.other === undefined ? looked(of.map, of.key, given[0]) : meaningOf(of);
    }
    case 'chosen':
      return chosen(expression.when, expression.yes, expression.no);
    case 'compared':
    case 'joined':
    case 'not':
      // What Python says of a condition that stands alone.
      return chosen(expression, { kind: 'constant', value: 'True' }, { kind: 'constant', value: 'False' });
    default:
      return undefined;
  }
}

/** What Home Assistant takes for no state. */
const unknown: ReadonlySet<Word> = new Set(['', 'None']);

function looked(map: readonly [Constant, Constant][], key: Expression, other: Expression | undefined): Meaning | undefined {
  const place = linearOf(key);
  if (!place) return undefined;
  const words = new Map<Word, Word>();
  // None means nothing, on either side.
  for (const [from, to] of map) if (from !== null && to !== null) words.set(from, to);
  if (words.size === 0) return undefined;
  const rest = other?.kind === 'constant' ? other.value : null;
  return { place, kind: 'words', words, other: rest === null || unknown.has(rest) ? undefined : rest };
}

/** What becomes of a word: a constant, or what a meaning of the same place makes of it. */
type Outcome = { constant: Word } | { of: Meaning } | undefined;

function chosen(when: Expression, yes: Expression, no: Expression | undefined): Meaning | undefined {
  const there = placeAskedFor(when);
  if (there) {
    const of = meaningOf(yes);
    return of && { ...of, place: { ...of.place, optional: true } };
  }
  const condition = conditionOf(when);
  if (!condition) return undefined;
  const [first, second] = [outcomeOf(yes, condition), outcomeOf(no, condition)];
  if ('trueWhen' in condition) {
    const { place, trueWhen } = condition;
    const isWords = first && second && 'constant' in first && 'constant' in second;
    return isWords ? { place, kind: 'bounds', trueWhen, yes: first.constant, no: second.constant } : undefined;
  }
  return 'on' in condition ? sorted(condition.place, condition.on, first, second) : sorted(condition.place, condition.off, second, first);
}

function outcomeOf(expression: Expression | undefined, { place }: Condition): Outcome {
  if (expression?.kind === 'constant') return expression.value === null ? undefined : { constant: expression.value };
  const of = expression && meaningOf(expression);
  return of && of.place.path === place.path && of.kind !== 'bounds' ? { of } : undefined;
}

/** These words become one thing, all others another. */
function sorted(place: Linear, listed: readonly Word[], these: Outcome, others: Outcome): Meaning | undefined {
  const words = new Map<Word, Word>();
  for (const word of listed) {
    const made = madeOf(word, these);
    if (made === undefined) return undefined;
    words.set(word, made);
  }
  if (others === undefined) return undefined;
  if ('constant' in others) return { place, kind: 'words', words, other: others.constant };
  if (others.of.kind !== 'words') return { place, kind: 'words', words, other: undefined };
  for (const [word, made] of others.of.words) if (![...words.keys()].some((known) => String(known) === String(word))) words.set(word, made);
  return { place, kind: 'words', words, other: others.of.other };
}

function madeOf(word: Word, outcome: Outcome): Word | undefined {
  if (!outcome) return undefined;
  if ('constant' in outcome) return outcome.constant;
  return outcome.of.kind === 'words' ? wordFor(outcome.of, word) : word;
}

/** What a word becomes. */
export function wordFor({ words, other }: Extract<Meaning, { kind: 'words' }>, word: Word): Word {
  const [, made] = [...words].find(([known]) => String(known) === String(word)) ?? [];
  return made ?? other ?? word;
}

/** The same word: what is true in JSON is True in Python. */
export function areSame(one: Word, other: Word): boolean {
  const [first, second] = [String(one), String(other)];
  return first === second || (/^(true|false)$/i.test(first) && first.toLowerCase() === second.toLowerCase());
}

/** What is read at the place for either of two words that are made of it; a side that is missing is anything else. An Error if it makes others. */
export function wordsAt(meaning: Meaning, on: Word, off: Word): { on?: Word[]; off?: Word[] } | { trueWhen: TrueWhen } {
  const fails = (made: readonly Word[]) =>
    new Error(
      `makes ${made.map((word) => JSON.stringify(String(word))).join(' and ')} where ${JSON.stringify(String(on))} and ${JSON.stringify(String(off))} are read`,
    );
  switch (meaning.kind) {
    case 'same':
      return { on: spelt(meaning.place, [on]), off: spelt(meaning.place, [off]) };
    case 'bounds': {
      const { yes, no, trueWhen } = meaning;
      if (areSame(yes, on) && areSame(no, off)) return { trueWhen };
      if (areSame(yes, off) && areSame(no, on)) return { trueWhen: inverted(trueWhen) };
      throw fails([yes, no]);
    }
    default: {
      const { words, other, place } = meaning;
      const from = (wanted: Word) => [...words].filter(([, made]) => areSame(made, wanted)).map(([word]) => word);
      const [forOn, forOff] = [from(on), from(off)];
      const made = [...words.values(), ...(other === undefined ? [] : [other])];
      if (other !== undefined && areSame(other, on) && forOff.length > 0) return { off: spelt(place, forOff) };
      if (other !== undefined && areSame(other, off) && forOn.length > 0) return { on: spelt(place, forOn) };
      if (forOn.length === 0 || forOff.length === 0) throw fails(made);
      return { on: spelt(place, forOn), off: spelt(place, forOff) };
    }
  }
}

/** All ways to write it, where capital and small letters count the same. */
export function spelt({ anyCase }: Linear, words: readonly Word[]): Word[] {
  if (!anyCase) return [...words];
  const ways = words.flatMap((word) => {
    const text = String(word);
    return [text, text.toLowerCase(), text.toUpperCase(), text.slice(0, 1).toUpperCase() + text.slice(1).toLowerCase()];
  });
  return [...new Set(ways)];
}
