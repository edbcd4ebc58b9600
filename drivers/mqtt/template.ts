/** The payload of a command: a text with `{value}` in it, perhaps `{id}` and placeholders of the device, filled so that none can break out of its place. */
import type { Values } from '../../src/contract/placeholders.ts';
import type { Value } from '../../src/contract/sample.ts';

/** Fills the template; throws an Error if the value has no spelling in it. `id` is what a device answers a command by. */
export type Fill = (value: Value, id?: string) => string;

type Part = { literal: string } | { name: string; quoted: boolean };

/** Names that are filled in when a command is sent; all others are placeholders of the device. */
const ownNames = ['value', 'id'];

const placePattern = /\{\{|\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

/**
 * Reads a template: `{value}` is the value, `{{` a literal brace, any other brace is itself. A template that starts with `{` must be JSON
 * once it is filled (one that starts with `{{` may be); there the value is written as JSON, inside quotes as the inner of a JSON string.
 */
export function compileTemplate(template: string): Fill {
  const parts = read(template);
  if (!parts.some((part) => 'name' in part && part.name === 'value')) throw new Error('has no {value} in it');
  const json = isJson(template, parts);
  return (value, id = '') =>
    parts
      .map((part) => {
        if ('literal' in part) return part.literal;
        const filled = part.name === 'value' ? value : id;
        return json ? jsonText(filled, part.quoted) : plainText(filled);
      })
      .join('');
}

/** The names in it: `value`, `id` and the device's own. */
export function namesOf(template: string): string[] {
  return read(template).flatMap((part) => ('name' in part ? [part.name] : []));
}

/** The template of one device: its placeholders are filled in, `{value}` and `{id}` are left. */
export function fillTemplate(template: string, values: Values): string {
  const parts = read(template);
  const json = isJson(template, parts);
  const places = parts.filter((part) => 'name' in part);
  let at = 0;
  return template.replaceAll(placePattern, (place, name: string | undefined) => {
    if (name === undefined) return place;
    const part = places[at++];
    if (ownNames.includes(name) || !part) return place;
    const text = values[name] ?? '';
    return (json ? jsonText(text, part.quoted) : text).replaceAll('{', '{{');
  });
}

function read(template: string): Part[] {
  const parts: Part[] = [];
  let literal = '';
  let at = 0;
  for (const match of template.matchAll(placePattern)) {
    literal += template.slice(at, match.index);
    at = match.index + match[0].length;
    if (match[0] === '{{') {
      literal += '{';
      continue;
    }
    const before = parts.map((part) => ('literal' in part ? part.literal : '')).join('') + literal;
    parts.push({ literal }, { name: match[1] ?? '', quoted: endsInsideString(before) });
    literal = '';
  }
  return [...parts, { literal: literal + template.slice(at) }];
}

/** True if a JSON text cut here is cut within a string. */
function endsInsideString(text: string): boolean {
  let inside = false;
  for (let i = 0; i < text.length; i++) {
    if (inside && text[i] === '\\') i++;
    else if (text[i] === '"') inside = !inside;
  }
  return inside;
}

function isJson(template: string, parts: readonly Part[]): boolean {
  const start = template.trimStart()[0];
  if (start !== '{' && start !== '[' && start !== '"') return false;
  // A place may be anything.
  if (/^\s*\{[A-Za-z_]\w*\}/.test(template)) return false;
  const sample = parts.map((part) => ('literal' in part ? part.literal : '0')).join('');
  try {
    JSON.parse(sample);
    return true;
  } catch {
    if (start === '{' && !template.trimStart().startsWith('{{'))
      throw new Error('starts like JSON and is not JSON once {value} is filled in');
    return false;
  }
}

function plainText(value: Value): string {
  if (value === null) throw new Error('there is no value to send');
  if (typeof value === 'number' && !Number.isFinite(value)) throw new Error(`${value} cannot be sent`);
  return String(value);
}

function jsonText(value: Value, quoted: boolean): string {
  const plain = plainText(value);
  if (quoted) return JSON.stringify(plain).slice(1, -1);
  return typeof value === 'string' ? JSON.stringify(value) : plain;
}
