/** Conditions of templates → the words at one place for which they hold, or the bounds of a number there. Nothing of them is run when a message comes. */
import type { TrueWhen } from '../meanings.ts';
import type { Comparison, Expression } from './jinja.ts';
import { isPlain, type Linear, linearOf } from './linear.ts';

export type Word = string | number | boolean;

/** When it holds: for one of these words, for all but these, or for these numbers. */
export type Condition = { place: Linear } & ({ on: Word[] } | { off: Word[] } | { trueWhen: TrueWhen });

type Bound = keyof TrueWhen;
const bounds: Readonly<Record<string, Bound>> = { '>': 'above', '>=': 'atLeast', '<': 'below', '<=': 'atMost' };
/** The same comparison seen from the other side: the number before the value, or a value that was multiplied by a negative number. */
const mirrored: Readonly<Record<Bound, Bound>> = { above: 'below', atLeast: 'atMost', below: 'above', atMost: 'atLeast' };
const opposites: Readonly<Record<Bound, Bound>> = { above: 'atMost', atMost: 'above', below: 'atLeast', atLeast: 'below' };
/** What counts as no in JSON. */
const nothing: Word[] = [false, 0, ''];

/** Undefined if it asks for more than words or numbers at one place. */
export function conditionOf(asked: Expression): Condition | undefined {
  switch (asked.kind) {
    case 'not': {
      const of = conditionOf(asked.of);
      return of && opposite(of);
    }
    case 'joined':
      return joined(asked.by, asked.left, asked.right);
    case 'compared':
      return compared(asked.sign, asked.left, asked.right);
    default: {
      const place = linearOf(asked);
      if (!place) return undefined;
      // A number that is not 0.
      if (place.isNumber) return opposite(equal(place, [0]));
      return isPlain(place) ? { place, off: nothing } : undefined;
    }
  }
}

/** What asks only whether a place is in the message; undefined for anything else. */
export const placeAskedFor = (asked: Expression): Linear | undefined => (asked.kind === 'there' ? linearOf(asked.of) : undefined);

/** What holds when the other does not. */
function opposite(condition: Condition | undefined): Condition | undefined {
  if (!condition) return undefined;
  const { place } = condition;
  if ('on' in condition) return { place, off: condition.on };
  if ('off' in condition) return { place, on: condition.off };
  return { place, trueWhen: inverted(condition.trueWhen) };
}

/** All numbers for which these bounds do not hold. */
export function inverted(bounds: TrueWhen): TrueWhen {
  return Object.fromEntries(Object.entries(bounds).map(([name, bound]) => [opposites[name as Bound], bound])) as TrueWhen;
}

function joined(by: 'and' | 'or', left: Expression, right: Expression): Condition | undefined {
  // 'a' in value_json and value_json.a == 'x': a message without it says nothing.
  for (const [guard, rest] of [
    [left, right],
    [right, left],
  ] as const) {
    const there = by === 'and' ? placeAskedFor(guard) : undefined;
    const condition = there && conditionOf(rest);
    if (condition && there.path !== undefined && (condition.place.path ?? '').startsWith(there.path))
      return { ...condition, place: { ...condition.place, optional: true } };
  }
  const [one, other] = [conditionOf(left), conditionOf(right)];
  if (!one || !other || one.place.path !== other.place.path) return undefined;
  // Not (a and b) is (not a) or (not b).
  return by === 'or' ? opposite(both(opposite(one), opposite(other))) : both(one, other);
}

function both(one: Condition | undefined, other: Condition | undefined): Condition | undefined {
  if (!one || !other) return undefined;
  const place = { ...other.place, ...one.place, optional: one.place.optional || other.place.optional };
  if ('trueWhen' in one && 'trueWhen' in other) return between(place, one.trueWhen, other.trueWhen);
  if ('trueWhen' in one || 'trueWhen' in other) return undefined;
  const has = (list: readonly Word[], word: Word) => list.some((known) => String(known) === String(word));
  if ('on' in one) {
    const on = one.on.filter((word) => ('on' in other ? has(other.on, word) : !has(other.off, word)));
    return on.length > 0 ? { place, on } : undefined;
  }
  if ('on' in other) return both(other, one);
  return { place, off: [...one.off, ...other.off.filter((word) => !has(one.off, word))] };
}

/** Above one and below the other. The bounds of an `or` come as opposites: then what is wanted is what is outside. */
function between(place: Linear, one: TrueWhen, other: TrueWhen): Condition | undefined {
  const trueWhen = { ...one, ...other };
  const [low, high] = [trueWhen.above ?? trueWhen.atLeast, trueWhen.below ?? trueWhen.atMost];
  const isOneEach = Object.keys(one).length === 1 && Object.keys(other).length === 1 && low !== undefined && high !== undefined;
  return isOneEach && low < high ? { place, trueWhen } : undefined;
}

function compared(sign: Comparison, left: Expression, right: Expression): Condition | undefined {
  const place = linearOf(left);
  if (sign === 'in' || sign === 'not in') {
    const words = wordsIn(right);
    const found = place && words && equal(place, words);
    return sign === 'in' ? found : opposite(found);
  }
  if (!place) return swapped(sign, left, right);
  const word = right.kind === 'constant' && right.value !== null ? right.value : undefined;
  if (word === undefined) return undefined;
  if (sign === '==') return equal(place, [word]);
  if (sign === '!=') return opposite(equal(place, [word]));
  const name = bounds[sign];
  return name && typeof word === 'number' ? beyond(place, name, word) : undefined;
}

/** 5 < value */
function swapped(sign: Comparison, left: Expression, right: Expression): Condition | undefined {
  if (left.kind !== 'constant' || !linearOf(right)) return undefined;
  const name = bounds[sign];
  const other = name && Object.entries(bounds).find(([, known]) => known === mirrored[name])?.[0];
  return compared((other ?? sign) as Comparison, right, left);
}

function wordsIn(list: Expression): Word[] | undefined {
  const constants = list.kind === 'map' ? list.entries.map(([key]) => key) : list.kind === 'list' ? list.items.map(constantOf) : [];
  const words = constants.filter((word) => word !== null && word !== undefined);
  return words.length > 0 && words.length === constants.length ? words : undefined;
}

const constantOf = (expression: Expression) => (expression.kind === 'constant' ? expression.value : undefined);

function equal(given: Linear, words: Word[]): Condition | undefined {
  if (given.decimals !== undefined) return undefined;
  const place = plain(given);
  const [first] = words;
  if (given.isCut && words.length === 1 && typeof first === 'number') {
    // 0 is what is left of all between -1 and 1.
    if (first === 0) return { place, trueWhen: { above: -1, below: 1 } };
    return { place, trueWhen: first > 0 ? { atLeast: first, below: first + 1 } : { above: first - 1, atMost: first } };
  }
  if (isPlain(given)) return { place, on: words };
  const solutions = words.map((word) => solved(given, word));
  return solutions.includes(undefined) ? undefined : { place, on: solutions as number[] };
}

function beyond(given: Linear, name: Bound, compared: number): Condition | undefined {
  if (given.decimals !== undefined) return undefined;
  const place = { ...plain(given), isNumber: true };
  if (given.isCut) return { place, trueWhen: cut(name, compared) };
  const bound = isPlain(given) ? compared : solved(given, compared);
  return bound === undefined ? undefined : { place, trueWhen: { [given.scale < 0 ? mirrored[name] : name]: bound } };
}

/** Cut towards zero and then compared → compared as it is. Above 2 is from 3 on; above -1 is above -1, for -0.5 is cut to 0. */
function cut(name: Bound, bound: number): TrueWhen {
  if (name === 'atMost' || name === 'below') {
    const [[opposed, at]] = Object.entries(cut(opposites[name], bound)) as [[Bound, number]];
    return { [opposites[opposed]]: at };
  }
  const above = name === 'above' ? Math.floor(bound) : Math.ceil(bound) - 1;
  return above >= 0 ? { atLeast: above + 1 } : { above };
}

const plain = ({ isCut: _cut, ...place }: Linear): Linear => ({ ...place, scale: 1, offset: 0 });

/** The number at the place for which the arithmetic makes the other; undefined if it is none that can be written exactly. */
function solved({ scale, offset }: Linear, made: Word): number | undefined {
  const number = typeof made === 'number' ? (made - offset) / scale : Number.NaN;
  return number * scale + offset === made ? number : undefined;
}
