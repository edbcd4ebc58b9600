/** What is sent: a text with `{name}` in the places of values, filled so that no value can break out of its place. */
import type { Value } from '../../src/contract/sample.ts';
import type { Decimal } from './value.ts';

export interface Template {
  /** Names of its places, each once. */
  readonly names: readonly string[];
  /** Throws an Error if a value has no spelling on the line. */
  fill(values: Readonly<Record<string, Value>>, line: Spelling): string;
}

/** What the line can carry. */
export interface Spelling {
  /** Ends a line, so it cannot stand inside a value; undefined where framing escapes what must not stand there. */
  ending: string | undefined;
  encoding: 'utf-8' | 'latin1';
  /** What a number has before its decimals; a dot unless said. */
  decimal?: Decimal;
}

const placePattern = /\{\{|\{([A-Za-z_]\w*)\}/g;
/** A line end inside a value would begin a second command. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const controlPattern = /[\u0000-\u001f\u007f]/;

/** `{name}` is a place, `{{` a literal brace, any other brace is itself. */
export function compileTemplate(text: string): Template {
  const names = new Set<string>();
  for (const [, name] of text.matchAll(placePattern)) if (name !== undefined) names.add(name);
  return {
    names: [...names],
    fill: (values, line) =>
      text.replaceAll(placePattern, (_all, name?: string) => (name === undefined ? '{' : spell(name, values[name], line))),
  };
}

function spell(name: string, value: Value | undefined, { ending, encoding, decimal = '.' }: Spelling): string {
  if (value === undefined || value === null) throw new Error(`there is no ${name} to send`);
  if (typeof value === 'number' && !Number.isFinite(value)) throw new Error(`${name} is ${value}, which cannot be sent`);
  const text = typeof value === 'number' ? String(value).replace('.', decimal) : String(value);
  if (controlPattern.test(text)) throw new Error(`${name} has a line end or another control character in it, which cannot be sent`);
  if (ending !== undefined && text.includes(ending)) throw new Error(`${name} has ${JSON.stringify(ending)} in it, which ends a line`);
  // Another character would be cut to one byte, and that byte may be a line end.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the whole range of latin1.
  if (encoding === 'latin1' && /[^\u0000-\u00ff]/u.test(text)) throw new Error(`${name} has a character that latin1 does not have`);
  return text;
}
