/**
 * The templates that devices announce (Jinja, as Home Assistant writes it) as trees: places, numbers, words, dictionaries, arithmetic, filters,
 * comparisons, choices. Nothing of them is ever run. What is not of this is an Error, in words that follow "template".
 */
import { pathStep } from '../../../src/contract/json-path.ts';
import { type Token, tokensOf } from './tokens.ts';

export type Constant = string | number | boolean | null;

export type Expression =
  | { kind: 'constant'; value: Constant }
  /** A JSON path; undefined for the whole payload as text. `sure`: false if it is asked for in a way that lets it be missing. */
  | { kind: 'place'; path: string | undefined; sure: boolean }
  | { kind: 'calculated'; sign: '+' | '-' | '*' | '/'; left: Expression; right: Expression }
  | { kind: 'compared'; sign: Comparison; left: Expression; right: Expression }
  | { kind: 'joined'; by: 'and' | 'or'; left: Expression; right: Expression }
  | { kind: 'not'; of: Expression }
  | { kind: 'filtered'; name: string; of: Expression; given: Expression[] }
  | { kind: 'chosen'; when: Expression; yes: Expression; no: Expression | undefined }
  | { kind: 'list'; items: Expression[] }
  | { kind: 'map'; entries: [Constant, Constant][] }
  /** What a dictionary has for a key. */
  | { kind: 'looked'; map: [Constant, Constant][]; key: Expression; other: Expression | undefined }
  /** Whether the place is in the message. */
  | { kind: 'there'; of: Expression };
export type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in' | 'not in';

/** What stands between literal text. */
export type Part = string | Expression;

type Names = ReadonlyMap<string, Expression>;

const wholePayload: Expression = { kind: 'place', path: undefined, sure: true };
const wholeDocument: Expression = { kind: 'place', path: '$', sure: true };
/** What a message holds, for the templates of states. */
const stateNames: Names = new Map([
  ['value', wholePayload],
  ['value_json', wholeDocument],
]);
/** What is set, for those of commands, under each of the names that are used for it. */
const commandNames: Names = new Map(['value', 'position', 'tilt_position', 'percentage', 'option'].map((name) => [name, wholePayload]));

/** As long as a dictionary of all modes of a thermostat with long names; beyond it nobody wrote it by hand. */
const lengthMax = 4_096;
const depthMax = 32;

export function notUnderstood(template: string): Error {
  return new Error(
    `${JSON.stringify(template.length > 120 ? `${template.slice(0, 120)}…` : template)} is not understood; understood are a place (value, value_json.a['b']), float, int, round, default, + - * / with numbers, comparisons with words and numbers joined by and, or, not, in, choices between words (if, iif), and dictionaries of words`,
  );
}

/** What the template of a state makes: one expression with nothing but blanks around it. */
export function parseState(template: string): Expression {
  const parts = parse(template, stateNames);
  return single(parts) ?? fail(template);
}

/** The template of a command: texts and what is filled in between. */
export function parseCommand(template: string): Part[] {
  return parse(template, commandNames);
}

/** Blanks around a result count for nothing. */
function single(parts: readonly Part[]): Expression | undefined {
  const rest = parts.map((part) => (typeof part === 'string' ? part.trim() : part)).filter((part) => part !== '');
  const [first = '', ...others] = rest;
  if (others.length > 0) return undefined;
  return typeof first === 'string' ? { kind: 'constant', value: first } : first;
}

function fail(template: string): never {
  throw notUnderstood(template);
}

function parse(template: string, known: Names): Part[] {
  if (template.length > lengthMax) return fail(template);
  const tokens = tokensOf(template) ?? fail(template);
  const names = new Map(known);
  let at = 0;
  let depth = 0;
  const parts = body();
  return at < tokens.length ? fail(template) : parts;

  function body(): Part[] {
    const found: Part[] = [];
    for (;;) {
      const token = tokens[at];
      if (token?.kind === 'text') {
        at++;
        found.push(token.text);
      } else if (takeIf('{{')) {
        found.push(expression());
        take('}}');
      } else if (isNext('{%') && isName(1, 'set')) {
        at += 2;
        const name = takeName();
        take('=');
        const value = expression();
        take('%}');
        names.set(name, value);
      } else if (isNext('{%') && isName(1, 'if')) {
        at += 2;
        found.push(block());
      } else return found;
    }
  }

  /** What follows `{% if`. */
  function block(): Expression {
    const when = expression();
    take('%}');
    const yes = single(body()) ?? fail(template);
    take('{%');
    const word = takeName();
    if (word === 'elif') return deeper(() => ({ kind: 'chosen', when, yes, no: block() }));
    let no: Expression | undefined;
    if (word === 'else') {
      take('%}');
      no = single(body()) ?? fail(template);
      take('{%');
      if (takeName() !== 'endif') fail(template);
    } else if (word !== 'endif') fail(template);
    take('%}');
    return { kind: 'chosen', when, yes, no };
  }

  function expression(): Expression {
    return deeper(() => {
      const yes = either();
      if (!takeNameIf('if')) return yes;
      const when = either();
      const no = takeNameIf('else') ? expression() : undefined;
      return { kind: 'chosen', when, yes, no };
    });
  }

  function either(): Expression {
    let left = both();
    while (takeNameIf('or')) left = { kind: 'joined', by: 'or', left, right: both() };
    return left;
  }

  function both(): Expression {
    let left = negated();
    while (takeNameIf('and')) left = { kind: 'joined', by: 'and', left, right: negated() };
    return left;
  }

  function negated(): Expression {
    return takeNameIf('not') ? deeper(() => ({ kind: 'not', of: negated() })) : comparison();
  }

  function comparison(): Expression {
    const left = sum();
    const sign = signNext();
    if (sign) {
      const right = sum();
      if (right.kind === 'place' && right.path !== undefined && (sign === 'in' || sign === 'not in')) {
        // 'running' in value_json
        if (left.kind !== 'constant' || typeof left.value !== 'string') return fail(template);
        const of: Expression = { kind: 'place', path: right.path + pathStep(left.value), sure: false };
        return sign === 'in' ? { kind: 'there', of } : { kind: 'not', of: { kind: 'there', of } };
      }
      return { kind: 'compared', sign, left, right };
    }
    if (!takeNameIf('is')) return left;
    const isNot = takeNameIf('not');
    const test = takeName();
    const of: Expression =
      test === 'defined'
        ? { kind: 'there', of: left }
        : test === 'none'
          ? { kind: 'not', of: { kind: 'there', of: left } }
          : {
              kind: 'compared',
              sign: '==',
              left,
              right: { kind: 'constant', value: test === 'true' ? true : test === 'false' ? false : fail(template) },
            };
    return isNot ? { kind: 'not', of } : of;
  }

  function signNext(): Comparison | undefined {
    if (takeNameIf('in')) return 'in';
    if (isName(0, 'not') && isName(1, 'in')) {
      at += 2;
      return 'not in';
    }
    return (['==', '!=', '<=', '>=', '<', '>'] as const).find((sign) => takeIf(sign));
  }

  function sum(): Expression {
    let left = product();
    for (;;) {
      const sign = (['+', '-'] as const).find((one) => takeIf(one));
      if (!sign) return left;
      left = { kind: 'calculated', sign, left, right: product() };
    }
  }

  function product(): Expression {
    let left = filtered();
    for (;;) {
      const sign = (['*', '/'] as const).find((one) => takeIf(one));
      if (!sign) return left;
      left = { kind: 'calculated', sign, left, right: filtered() };
    }
  }

  function filtered(): Expression {
    let of = primary();
    while (takeIf('|')) {
      const name = takeName();
      const given = isNext('(') ? callArguments() : [];
      // A word that is there has no other in its place.
      if (of.kind !== 'constant' || !(name === 'default' || name === 'd')) of = { kind: 'filtered', name, of, given };
    }
    return of;
  }

  function primary(): Expression {
    if (takeIf('-')) {
      const of = deeper(primary);
      return of.kind === 'constant' && typeof of.value === 'number' ? { kind: 'constant', value: -of.value } : fail(template);
    }
    if (takeIf('(')) {
      const inner = expression();
      if (takeIf(')')) return inner;
      take(',');
      return { kind: 'list', items: [inner, ...until(')', expression)] };
    }
    if (isNext('{')) return steps(dictionary());
    if (takeIf('[')) return { kind: 'list', items: until(']', expression) };
    const token = tokens[at++];
    if (token?.kind === 'number' || token?.kind === 'string') return { kind: 'constant', value: token.value };
    return token?.kind === 'name' ? named(token.name) : fail(template);
  }

  function named(name: string): Expression {
    if (name === 'true' || name === 'True') return { kind: 'constant', value: true };
    if (name === 'false' || name === 'False') return { kind: 'constant', value: false };
    if (name === 'none' || name === 'None') return { kind: 'constant', value: null };
    if (name === 'iif') {
      const [when = fail(template), yes = { kind: 'constant', value: true }, no = { kind: 'constant', value: false }] = callArguments();
      return { kind: 'chosen', when, yes, no };
    }
    if (name === 'float' || name === 'int') {
      const [of = fail(template), ...given] = callArguments();
      return { kind: 'filtered', name, of, given };
    }
    return steps(names.get(name) ?? fail(template));
  }

  /** What stands behind a name: .a, ['b'], [0], .get('c'), .keys() */
  function steps(start: Expression): Expression {
    let of = start;
    for (;;) {
      if (takeIf('.')) {
        const name = takeName();
        if (!isNext('(')) of = stepped(of, { kind: 'constant', value: name });
        else {
          const given = callArguments();
          const [key, other] = given;
          if (name === 'get' && key) of = of.kind === 'map' ? { kind: 'looked', map: of.entries, key, other } : stepped(of, key, false);
          else if (name !== 'keys' || given.length > 0 || of.kind !== 'map') fail(template);
        }
      } else if (takeIf('[')) {
        const key = expression();
        take(']');
        of = of.kind === 'map' ? { kind: 'looked', map: of.entries, key, other: undefined } : stepped(of, key);
      } else return of;
    }
  }

  function stepped(of: Expression, key: Expression, sure = true): Expression {
    if (of.kind !== 'place' || of.path === undefined || key.kind !== 'constant') return fail(template);
    if (typeof key.value !== 'number' && typeof key.value !== 'string') return fail(template);
    return { kind: 'place', path: of.path + pathStep(key.value), sure: of.sure && sure };
  }

  function dictionary(): Expression {
    take('{');
    const entries = until('}', (): [Constant, Constant] => {
      const key = expression();
      take(':');
      const value = expression();
      return key.kind === 'constant' && value.kind === 'constant' ? [key.value, value.value] : fail(template);
    });
    return { kind: 'map', entries };
  }

  function callArguments(): Expression[] {
    take('(');
    return until(')', () => {
      // default=0: the name says nothing more.
      if (tokens[at]?.kind === 'name' && isSymbol(at + 1, '=')) at += 2;
      return expression();
    });
  }

  /** A list with commas; one may be behind its last element. */
  function until<T>(end: string, read: () => T): T[] {
    const found: T[] = [];
    while (!takeIf(end)) {
      found.push(read());
      if (!isNext(end)) take(',');
    }
    return found;
  }

  function deeper<T>(read: () => T): T {
    if (++depth > depthMax) fail(template);
    const found = read();
    depth--;
    return found;
  }

  function isSymbol(index: number, symbol: string): boolean {
    const token: Token | undefined = tokens[index];
    return token?.kind === 'symbol' && token.symbol === symbol;
  }
  function isNext(symbol: string): boolean {
    return isSymbol(at, symbol);
  }
  function isName(ahead: number, name: string): boolean {
    const token = tokens[at + ahead];
    return token?.kind === 'name' && token.name === name;
  }
  function takeIf(symbol: string): boolean {
    const found = isNext(symbol);
    if (found) at++;
    return found;
  }
  function take(symbol: string): void {
    if (!takeIf(symbol)) fail(template);
  }
  function takeNameIf(name: string): boolean {
    const found = isName(0, name);
    if (found) at++;
    return found;
  }
  function takeName(): string {
    const token = tokens[at++];
    return token?.kind === 'name' ? token.name : fail(template);
  }
}
