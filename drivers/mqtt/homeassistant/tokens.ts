/** The words of a Jinja template: literal text outside of `{{ }}` and `{% %}`, names, numbers, quoted words and signs inside. */

export type Token =
  | { kind: 'text'; text: string }
  | { kind: 'name'; name: string }
  | { kind: 'number'; value: number }
  | { kind: 'string'; value: string }
  | { kind: 'symbol'; symbol: string };

const opening = /\{\{-?|\{%-?/g;
const inner =
  /\s*(?:([A-Za-z_]\w*)|(\d+(?:\.\d+)?(?:e[+-]?\d+)?)|'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|(-?%\}|-?\}\}|==|!=|<=|>=|[{}.[\]()|+\-*/,=:<>]))/y;

/** Undefined if it holds what no template has. */
export function tokensOf(template: string): Token[] | undefined {
  const tokens: Token[] = [];
  let at = 0;
  while (at < template.length) {
    opening.lastIndex = at;
    const open = opening.exec(template);
    const text = template.slice(at, open?.index);
    if (text !== '') tokens.push({ kind: 'text', text });
    if (!open) break;
    const symbol = open[0].slice(0, 2);
    tokens.push({ kind: 'symbol', symbol });
    const end = insideOf(template, opening.lastIndex, symbol === '{{' ? '}}' : '%}', tokens);
    if (end === undefined) return undefined;
    at = end;
  }
  return tokens;
}

/** Adds what is inside; the place behind its end, or undefined. `}}` may also close two dictionaries. */
function insideOf(template: string, from: number, end: string, tokens: Token[]): number | undefined {
  let braces = 0;
  inner.lastIndex = from;
  for (;;) {
    const match = inner.exec(template);
    if (!match) return undefined;
    const [, name, number, single, double, sign] = match;
    const quoted = single ?? double;
    if (name !== undefined) tokens.push({ kind: 'name', name });
    else if (number !== undefined) tokens.push({ kind: 'number', value: Number(number) });
    else if (quoted !== undefined) tokens.push({ kind: 'string', value: quoted.replaceAll(/\\(.)/g, '$1') });
    else {
      const symbol = sign?.endsWith('}}') && braces > 0 ? '}' : (sign ?? '');
      // Only its first brace was meant.
      if (symbol === '}' && sign !== '}') inner.lastIndex = match.index + match[0].length - 1;
      if (symbol.endsWith(end)) {
        tokens.push({ kind: 'symbol', symbol: end });
        return inner.lastIndex;
      }
      if (symbol === '{') braces++;
      else if (symbol === '}') braces--;
      else if (symbol.length > 1 && /[{}%]/.test(symbol)) return undefined;
      tokens.push({ kind: 'symbol', symbol });
    }
  }
}
