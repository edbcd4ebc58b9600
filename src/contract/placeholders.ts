/**
 * Texts with `{placeholders}` (DESIGN §5): `{name}` stands for a text that is known once a device is discovered, `{{` and `}}` for a brace;
 * a `}` alone is itself.
 */

export type Part = { literal: string } | { name: string };
export type Values = Readonly<Record<string, string>>;

const partPattern = /\{\{|\}\}|\{([^{}]*)\}|\{/g;
const namePattern = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;

/** Reads a text into its parts; throws an Error that says what is wrong and what is allowed. */
export function parsePlaceholders(text: string): Part[] {
  const parts: Part[] = [];
  let literal = '';
  let at = 0;
  for (const match of text.matchAll(partPattern)) {
    literal += text.slice(at, match.index);
    at = match.index + match[0].length;
    if (match[0] === '{{' || match[0] === '}}') {
      literal += match[0][0];
      continue;
    }
    const name = match[1];
    if (name === undefined) throw new Error(`${quote(text)} has a brace that is not closed; write {{ for a literal brace`);
    if (!namePattern.test(name))
      throw new Error(`${quote(text)} has {${name}}, which is no placeholder; allowed in its name are A-Z a-z 0-9 _; write {{ for a brace`);
    if (literal !== '') parts.push({ literal });
    parts.push({ name });
    literal = '';
  }
  literal += text.slice(at);
  return literal === '' ? parts : [...parts, { literal }];
}

/** Names in the order they come; one that comes twice is in it twice. */
export function placeholdersOf(parts: readonly Part[]): string[] {
  return parts.flatMap((part) => ('name' in part ? [part.name] : []));
}

/** The text with its placeholders filled in as they are. */
export function fillPlaceholders(parts: readonly Part[], values: Values): string {
  return parts.map((part) => ('name' in part ? (values[part.name] ?? '') : part.literal)).join('');
}

/** The opposite of `parsePlaceholders` for a text without placeholders. */
export function spellLiteral(text: string): string {
  return text.replaceAll('{', '{{').replaceAll('}', '}}');
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
