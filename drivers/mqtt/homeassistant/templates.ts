/**
 * Jinja templates of the common kind → our own words: a place, linear arithmetic, decimals. Nothing of them is run when a message comes. What is not
 * understood is an Error, in words that follow "template".
 */

/** What a template makes of a message: the value at a place × scale + offset. */
export interface Linear {
  /** A JSON path; undefined for the whole payload. */
  path: string | undefined;
  scale: number;
  offset: number;
  decimals?: number;
  /** A message without the place says nothing. */
  optional: boolean;
  /** It was made a number. */
  isNumber: boolean;
}

type Operand = Linear | { constant: number | string };

const lengthMax = 512;
const tokenPattern = /\s*(?:([A-Za-z_]\w*)|(\d+(?:\.\d+)?(?:e[+-]?\d+)?)|'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|([.[\]()|+\-*/,=]))/y;

/** Reads `{{ … }}`. */
export function readValueTemplate(template: string): Linear {
  const match = /^\s*\{\{-?([^{}]*?)-?\}\}\s*$/.exec(template.slice(0, lengthMax + 1));
  if (template.length > lengthMax || !match) throw notUnderstood(template);
  return readExpression(match[1] ?? '', template);
}

/** A command's payload: text with `{{ value }}` in it → our template, and what is done to the value before it is sent. */
export function readCommandTemplate(template: string): { payload: string; scale: number; offset: number } {
  if (template.length > lengthMax || template.includes('{%')) throw notUnderstood(template);
  let scale = 1;
  let offset = 0;
  let places = 0;
  let payload = '';
  let at = 0;
  for (const match of template.matchAll(/\{\{-?([^{}]*?)-?\}\}/g)) {
    const { path, ...made } = readExpression(match[1] ?? '', template);
    if (path !== undefined) throw notUnderstood(template);
    if (places++ > 0 && (made.scale !== scale || made.offset !== offset)) throw notUnderstood(template);
    ({ scale, offset } = made);
    payload += `${spelt(template.slice(at, match.index))}{value}`;
    at = match.index + match[0].length;
  }
  if (places === 0) throw new Error(`${JSON.stringify(template)} has no value in it`);
  return { payload: payload + spelt(template.slice(at)), scale, offset };
}

/** A literal brace is written twice in our templates. */
const spelt = (text: string) => text.replaceAll('{', '{{');

function notUnderstood(template: string): Error {
  return new Error(
    `${JSON.stringify(template.length > 120 ? `${template.slice(0, 120)}…` : template)} is not understood; understood are a place (value, value_json.a['b']), float, int, round, default, and + - * / with numbers`,
  );
}

function readExpression(text: string, template: string): Linear {
  const tokens = tokensOf(text, template);
  let at = 0;
  const fail = (): never => {
    throw notUnderstood(template);
  };
  const peek = () => tokens[at];
  const isNext = (symbol: string) => tokens[at]?.symbol === symbol;
  const take = (symbol: string) => {
    if (!isNext(symbol)) fail();
    at++;
  };
  const result = sum();
  if (at < tokens.length || 'constant' in result) return fail();
  return result;

  function sum(): Operand {
    let left = product();
    for (;;) {
      const sign = isNext('+') ? 1 : isNext('-') ? -1 : 0;
      if (sign === 0) return left;
      at++;
      const right = product();
      if ('constant' in left && 'constant' in right) left = { constant: numeric(left.constant) + sign * numeric(right.constant) };
      else if (!('constant' in left) && 'constant' in right) left = moved(left, 1, sign * numeric(right.constant));
      else if ('constant' in left && !('constant' in right)) left = moved(right, sign, numeric(left.constant));
      else fail();
    }
  }

  function product(): Operand {
    let left = filtered();
    for (;;) {
      const divides = isNext('/');
      if (!divides && !isNext('*')) return left;
      at++;
      const right = filtered();
      if (divides) {
        const by = 'constant' in right ? numeric(right.constant) : fail();
        if (by === 0) fail();
        left = 'constant' in left ? { constant: numeric(left.constant) / by } : scaled(left, 1 / by);
      } else if ('constant' in left && 'constant' in right) left = { constant: numeric(left.constant) * numeric(right.constant) };
      else if (!('constant' in left) && 'constant' in right) left = scaled(left, numeric(right.constant));
      else if ('constant' in left && !('constant' in right)) left = scaled(right, numeric(left.constant));
      else fail();
    }
  }

  function filtered(): Operand {
    let value = primary();
    while (isNext('|')) {
      at++;
      const name = peek()?.name ?? fail();
      at++;
      value = applied(value, name, isNext('(') ? callArguments() : []);
    }
    return value;
  }

  function applied(value: Operand, name: string, given: (number | string)[]): Operand {
    if ('constant' in value) return fail();
    switch (name) {
      case 'float':
      case 'int':
        // A whole number is cut, not rounded: more than it shows is no harm.
        return { ...value, isNumber: true };
      case 'round': {
        const [decimals = 0, method] = given;
        if (method !== undefined || typeof decimals !== 'number' || !Number.isInteger(decimals) || decimals < 0 || decimals > 15)
          return fail();
        return { ...value, decimals, isNumber: true };
      }
      case 'default':
      case 'd':
      case 'is_defined':
        return { ...value, optional: true };
      case 'string':
        return value;
      default:
        return fail();
    }
  }

  function primary(): Operand {
    const token = peek() ?? fail();
    at++;
    if (token.number !== undefined) return { constant: token.number };
    if (token.text !== undefined) return { constant: token.text };
    if (token.symbol === '-') return { constant: -(tokens[at++]?.number ?? fail()) };
    if (token.symbol === '(') {
      const inner = sum();
      take(')');
      return inner;
    }
    if (token.name === 'float' || token.name === 'int') {
      take('(');
      const inner = sum();
      if (isNext(',')) {
        at++;
        literal();
      }
      take(')');
      return 'constant' in inner ? inner : { ...inner, isNumber: true };
    }
    if (token.name !== 'value' && token.name !== 'value_json') return fail();
    const plain: Linear = { path: undefined, scale: 1, offset: 0, optional: false, isNumber: false };
    return token.name === 'value' ? plain : place({ ...plain, path: '$' });
  }

  function place(value: Linear): Linear {
    let { path = '$', optional } = value;
    for (;;) {
      if (isNext('.')) {
        at++;
        const name = peek()?.name ?? fail();
        at++;
        if (name === 'get' && isNext('(')) {
          const [key] = callArguments();
          path += step(key ?? fail());
          optional = true;
        } else path += step(name);
      } else if (isNext('[')) {
        at++;
        path += step(literal());
        take(']');
      } else return { ...value, path, optional };
    }
  }

  function literal(): number | string {
    const minus = isNext('-');
    if (minus) at++;
    const { number, text: quoted } = peek() ?? fail();
    at++;
    return number === undefined ? (quoted ?? fail()) : minus ? -number : number;
  }

  function callArguments(): (number | string)[] {
    const given: (number | string)[] = [];
    take('(');
    while (!isNext(')')) {
      // default=0: the name says nothing more.
      if (peek()?.name !== undefined && tokens[at + 1]?.symbol === '=') at += 2;
      if (peek()?.name !== undefined) {
        // none, true, false
        given.push(peek()?.name ?? '');
        at++;
      } else given.push(literal());
      if (isNext(',')) at++;
      else if (!isNext(')')) fail();
    }
    at++;
    return given;
  }

  function numeric(value: number | string): number {
    return typeof value === 'number' ? value : fail();
  }

  function scaled(value: Linear, by: number): Linear {
    if (by === 0) fail();
    return { ...moved(value, by, 0), offset: value.offset * by };
  }

  function moved(value: Linear, by: number, offset: number): Linear {
    // Rounded first and calculated with afterwards is another number than the other way round.
    if (value.decimals !== undefined) fail();
    return { ...value, scale: value.scale * by, offset: value.offset * by + offset, isNumber: true };
  }
}

interface Token {
  name?: string;
  number?: number;
  text?: string;
  symbol?: string;
}

function tokensOf(text: string, template: string): Token[] {
  const tokens: Token[] = [];
  const trimmed = text.trimEnd();
  tokenPattern.lastIndex = 0;
  while (tokenPattern.lastIndex < trimmed.length) {
    const match = tokenPattern.exec(trimmed);
    if (!match) throw notUnderstood(template);
    const [, name, number, single, double, symbol] = match;
    const quoted = single ?? double;
    tokens.push({
      ...(name === undefined ? {} : { name }),
      ...(number === undefined ? {} : { number: Number(number) }),
      ...(quoted === undefined ? {} : { text: quoted.replaceAll(/\\(.)/g, '$1') }),
      ...(symbol === undefined ? {} : { symbol }),
    });
  }
  return tokens;
}

/** One more step of a JSON path. */
function step(key: number | string): string {
  if (typeof key === 'number') return `[${key}]`;
  return /^[A-Za-z_]\w*$/.test(key) ? `.${key}` : `["${key.replaceAll(/["\\]/g, '\\$&')}"]`;
}

/** Whether a command's arithmetic takes back that of the state: then both are one point with a scale. */
export function isInverse(state: Pick<Linear, 'scale' | 'offset'>, command: { scale: number; offset: number }): boolean {
  const near = (one: number, other: number) => Math.abs(one - other) <= 1e-9 * Math.max(1, Math.abs(one), Math.abs(other));
  return near(command.scale * state.scale, 1) && near(command.scale * state.offset + command.offset, 0);
}
