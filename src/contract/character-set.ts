/** Sets of characters as regular expressions name them, with RE2's meaning of each name. */

type Range = readonly [from: number, to: number];

const last = 0x10ffff;

export class CharacterSet {
  static readonly none = new CharacterSet([]);
  /** In order, apart from each other. */
  readonly #ranges: readonly Range[];

  private constructor(ranges: readonly Range[]) {
    this.#ranges = ranges;
  }

  static range(from: number, to: number): CharacterSet {
    return new CharacterSet([[from, to]]);
  }

  static of(characters: string): CharacterSet {
    return [...characters].reduce((set, one) => {
      const code = one.codePointAt(0) ?? 0;
      return set.union(CharacterSet.range(code, code));
    }, CharacterSet.none);
  }

  union(other: CharacterSet): CharacterSet {
    const merged: Range[] = [];
    for (const [from, to] of [...this.#ranges, ...other.#ranges].sort(([a], [b]) => a - b)) {
      const before = merged.at(-1);
      if (before && from <= before[1] + 1) merged[merged.length - 1] = [before[0], Math.max(before[1], to)];
      else merged.push([from, to]);
    }
    return new CharacterSet(merged);
  }

  complement(): CharacterSet {
    const gaps: Range[] = [];
    let from = 0;
    for (const [start, end] of this.#ranges) {
      if (start > from) gaps.push([from, start - 1]);
      from = end + 1;
    }
    if (from <= last) gaps.push([from, last]);
    return new CharacterSet(gaps);
  }

  /** Its character, if there is just one. */
  get only(): number | undefined {
    const [range, ...others] = this.#ranges;
    return range && others.length === 0 && range[0] === range[1] ? range[0] : undefined;
  }

  /** Whether a character is in both. */
  meets(other: CharacterSet): boolean {
    return this.#ranges.some(([from, to]) => other.#ranges.some(([start, end]) => from <= end && start <= to));
  }

  /** As a class of a JavaScript expression with the flag `u`. */
  spell(): string {
    return `[${this.#ranges.map(([from, to]) => (from === to ? spellCode(from) : `${spellCode(from)}-${spellCode(to)}`)).join('')}]`;
  }
}

function spellCode(code: number): string {
  return `\\u{${code.toString(16)}}`;
}

const digits = CharacterSet.range(0x30, 0x39);
const word = CharacterSet.range(0x41, 0x5a).union(CharacterSet.range(0x61, 0x7a)).union(digits).union(CharacterSet.of('_'));
const space = CharacterSet.of('\t\n\f\r ');
const named: Readonly<Record<string, CharacterSet>> = {
  d: digits,
  D: digits.complement(),
  w: word,
  W: word.complement(),
  s: space,
  S: space.complement(),
  t: CharacterSet.of('\t'),
  n: CharacterSet.of('\n'),
  r: CharacterSet.of('\r'),
  f: CharacterSet.of('\f'),
};
const plainEscape = /^\\(?:x([0-9a-fA-F]{2})|([dDwWsStnrf])|([!-/:-@[-`{-~]))/;

export interface ReadSet {
  set: CharacterSet;
  /** Characters of the expression that spell it. */
  length: number;
}

/** What the escape at this place means; undefined if it is not a plain one. */
export function readEscape(text: string, at: number): ReadSet | undefined {
  const [whole = '', hex, name, sign] = plainEscape.exec(text.slice(at, at + 4)) ?? [];
  const code = hex === undefined ? sign?.charCodeAt(0) : Number.parseInt(hex, 16);
  const set = code === undefined ? named[name ?? ''] : CharacterSet.range(code, code);
  return set && { set, length: whole.length };
}

/** What the class `[…]` at this place means; undefined if it is not a plain one. */
export function readClass(text: string, at: number): ReadSet | undefined {
  const isNegated = text.charAt(at + 1) === '^';
  let here = at + (isNegated ? 2 : 1);
  let set = CharacterSet.none;
  for (let isFirst = true; isFirst || text.charAt(here) !== ']'; isFirst = false) {
    const from = readMember(text, here);
    if (!from) return undefined;
    here += from.length;
    if (text.charAt(here) !== '-' || text.charAt(here + 1) === ']') {
      set = set.union(from.set);
      continue;
    }
    const to = readMember(text, here + 1);
    const [first, final] = [from.set.only, to?.set.only];
    if (!to || first === undefined || final === undefined || first > final) return undefined;
    set = set.union(CharacterSet.range(first, final));
    here += 1 + to.length;
  }
  return { set: isNegated ? set.complement() : set, length: here + 1 - at };
}

function readMember(text: string, at: number): ReadSet | undefined {
  const next = text.charAt(at);
  // A bracket may begin a named class, or be the class's first member.
  if (next === '' || next === '[' || next === ']') return undefined;
  return next === '\\' ? readEscape(text, at) : readLiteral(text, at);
}

/** The character at this place as itself; half of a pair of surrogates is none. */
export function readLiteral(text: string, at: number): ReadSet | undefined {
  const code = text.codePointAt(at) ?? 0;
  if (code >= 0xd800 && code <= 0xdfff) return undefined;
  return { set: CharacterSet.range(code, code), length: code > 0xffff ? 2 : 1 };
}
