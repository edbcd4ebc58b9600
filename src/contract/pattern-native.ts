/**
 * The expressions that the engine's own matcher may run instead of RE2, ten times as fast. It backtracks, so only those are let through of which it can
 * be shown that it never has much to go back to: wherever there is a choice (go on repeating or not, take what is optional or not, this alternative or
 * that), the next character alone decides. A way that was not taken then fails on its first character; with n characters and m parts a
 * match takes n · m steps. Nothing repeats a group. An expression that may begin anywhere begins with a character that none of its
 * repetitions takes, so that no stretch of text is tried more than m times. Everything else is undefined here and RE2's to run.
 */
import { CharacterSet, type ReadSet, readClass, readEscape, readLiteral } from './character-set.ts';

export interface NativePattern {
  expression: RegExp;
  /** Named groups, each with its number. */
  groups: readonly { name: string; number: number }[];
}

interface Atom {
  set: CharacterSet;
  min: number;
  max: number;
  lazy: boolean;
}
interface Group {
  alternatives: Part[][];
  optional: boolean;
  lazy: boolean;
  /** `(`, or `(?:` where nothing is taken. */
  opening: '(' | '(?:';
}
type Part = Atom | Group;

/** A fixed number of repetitions counts as that many parts. */
const partsMax = 200;

/** `text` is an expression that RE2 has understood. */
export function compileNative(text: string): NativePattern | undefined {
  try {
    const { parts, groups, begins, ends, size } = new Reader(text).read();
    if (size > partsMax) return undefined;
    if (!isDecided(parts, CharacterSet.none)) return undefined;
    if (!begins && !isFoundAnywhere(parts)) return undefined;
    return { expression: new RegExp(`${begins ? '^' : ''}${spell(parts)}${ends ? '$' : ''}`, 'u'), groups };
  } catch (error) {
    if (error instanceof NotPlain) return undefined;
    throw error;
  }
}

/** Something in the expression whose meaning here is not exactly known. */
class NotPlain extends Error {}

class Reader {
  readonly #text: string;
  #at = 0;
  #numbers = 0;
  #size = 0;
  readonly #groups: { name: string; number: number }[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  read() {
    const begins = this.#takes('^');
    const parts = this.#sequence();
    const ends = this.#takes('$');
    if (this.#at < this.#text.length) throw new NotPlain();
    return { parts, begins, ends, groups: this.#groups, size: this.#size };
  }

  #takes(token: string): boolean {
    if (!this.#text.startsWith(token, this.#at)) return false;
    this.#at += token.length;
    return true;
  }

  #sequence(): Part[] {
    const parts: Part[] = [];
    while (this.#at < this.#text.length && !'|)$'.includes(this.#text.charAt(this.#at))) parts.push(this.#part());
    return parts;
  }

  #part(): Part {
    return this.#takes('(') ? this.#group() : this.#atom();
  }

  #group(): Group {
    let opening: Group['opening'] = '(';
    if (this.#takes('?:')) opening = '(?:';
    else {
      this.#numbers += 1;
      if (this.#text.charAt(this.#at) === '?') {
        const [whole, name] = /^\?P?<(\w+)>/.exec(this.#text.slice(this.#at)) ?? [];
        // Written as a property, this name would not be one.
        if (whole === undefined || name === undefined || name === '__proto__') throw new NotPlain();
        this.#at += whole.length;
        this.#groups.push({ name, number: this.#numbers });
      }
    }
    const alternatives = [this.#sequence()];
    while (this.#takes('|')) alternatives.push(this.#sequence());
    if (!this.#takes(')')) throw new NotPlain();
    const { min, max, lazy } = this.#repetition();
    if (max !== 1) throw new NotPlain();
    return { alternatives, opening, optional: min === 0, lazy };
  }

  #atom(): Atom {
    const set = this.#set();
    const repetition = this.#repetition();
    this.#size += Math.max(1, Number.isFinite(repetition.max) ? repetition.max : repetition.min);
    return { set, ...repetition };
  }

  #set(): CharacterSet {
    const next = this.#text.charAt(this.#at);
    if ('^*+?{}]'.includes(next)) throw new NotPlain();
    if (next === '[') return this.#take(readClass);
    if (next === '\\') return this.#take(readEscape);
    return this.#takes('.') ? CharacterSet.of('\n').complement() : this.#take(readLiteral);
  }

  #take(read: (text: string, at: number) => ReadSet | undefined): CharacterSet {
    const found = read(this.#text, this.#at);
    if (!found) throw new NotPlain();
    this.#at += found.length;
    return found.set;
  }

  #repetition(): Pick<Atom, 'min' | 'max' | 'lazy'> {
    const [whole, sign, least, comma, most] = /^(?:([*+?])|\{(\d{1,3})(,(\d{0,3}))?\})/.exec(this.#text.slice(this.#at)) ?? [];
    if (whole === undefined) return { min: 1, max: 1, lazy: false };
    this.#at += whole.length;
    const lazy = this.#takes('?');
    if (sign !== undefined) return { min: sign === '+' ? 1 : 0, max: sign === '?' ? 1 : Number.POSITIVE_INFINITY, lazy };
    const min = Number(least);
    return { min, max: comma === undefined ? min : most === '' ? Number.POSITIVE_INFINITY : Number(most), lazy };
  }
}

function isGroup(part: Part): part is Group {
  return 'alternatives' in part;
}

/** What a sequence may begin with, where `after` may follow it. */
function firstOf(parts: readonly Part[], after: CharacterSet): CharacterSet {
  let first = CharacterSet.none;
  for (const part of parts) {
    first = first.union(
      isGroup(part)
        ? part.alternatives.map((one) => firstOf(one, CharacterSet.none)).reduce((all, one) => all.union(one), CharacterSet.none)
        : part.set,
    );
    if (!canBeEmpty(part)) return first;
  }
  return first.union(after);
}

function canBeEmpty(part: Part): boolean {
  return isGroup(part) ? part.optional || part.alternatives.some((one) => one.every(canBeEmpty)) : part.min === 0;
}

/** Whether the next character decides every choice; `after` is what may follow. */
function isDecided(parts: readonly Part[], after: CharacterSet): boolean {
  return parts.every((part, index) => {
    const next = firstOf(parts.slice(index + 1), after);
    if (!isGroup(part)) return part.min === part.max || !part.set.meets(next);
    const firsts = part.alternatives.map((one) => firstOf(one, CharacterSet.none));
    const isChoice = part.optional || part.alternatives.length > 1;
    // An empty way beside another would need a look at what follows the group in place of the group.
    if (isChoice && part.alternatives.some((one) => one.every(canBeEmpty))) return false;
    if (part.optional && firsts.some((first) => first.meets(next))) return false;
    let before = CharacterSet.none;
    for (const first of firsts) {
      if (first.meets(before)) return false;
      before = before.union(first);
    }
    return part.alternatives.every((one) => isDecided(one, next));
  });
}

function isFoundAnywhere([first, ...rest]: readonly Part[]): boolean {
  if (!first || isGroup(first) || first.min !== 1 || first.max !== 1) return false;
  return rest.every((part) => keepsOut(part, first.set));
}

/** Whether no repetition in it takes any of these. */
function keepsOut(part: Part, set: CharacterSet): boolean {
  if (isGroup(part)) return part.alternatives.every((one) => one.every((inner) => keepsOut(inner, set)));
  return part.min === part.max || !part.set.meets(set);
}

function spell(parts: readonly Part[]): string {
  return parts
    .map((part) => {
      if (!isGroup(part)) return `${part.set.spell()}${spellRepetition(part)}`;
      const optional = part.optional ? `?${part.lazy ? '?' : ''}` : '';
      return `${part.opening}${part.alternatives.map(spell).join('|')})${optional}`;
    })
    .join('');
}

function spellRepetition({ min, max, lazy }: Atom): string {
  if (min === 1 && max === 1) return '';
  return `{${min},${Number.isFinite(max) ? max : ''}}${lazy ? '?' : ''}`;
}
