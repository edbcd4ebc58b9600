/**
 * Ids of discovered devices: `{building}-{room}` and what the far end calls them ⇄ `north-kitchen`.
 *
 * A device id holds `A-Z a-z 0-9 _ . -` only, a topic nearly anything. So of a placeholder's text letters, digits, `_` and `-` stay, every other
 * byte of its UTF-8 is written `.xx` (hex, lower case): `2.OG` is `2.2eOG`, `Küche` is `K.c3.bcche`. What divides two placeholders must hold a `-` or
 * `_`, and these are then written `.xx` in the texts too: `{building}-{room}` of `north` and `living-room` is `north-living.2droom`. So two devices
 * of a template never get the same id, and the texts can be read out of it again.
 */
import { limits } from './limits.ts';
import { fillPlaceholders, type Part, parsePlaceholders, placeholdersOf, type Values } from './placeholders.ts';

export interface TemplateId {
  /** In the order they come; each once. */
  readonly names: readonly string[];
  /** The id of a device; throws an Error that goes on from the name of the device: `has no {room}`. */
  fill(values: Values): string;
  /** The texts in an id that `fill` made; undefined for any other. */
  read(id: string): Record<string, string> | undefined;
}

/** Throws an Error that goes on from the name of the field, with what is allowed. */
export function parseTemplateId(text: string): TemplateId {
  const parts = parsePlaceholders(text);
  const names = placeholdersOf(parts);
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) throw new Error(`has {${repeated}} twice; allowed is each placeholder once`);
  if (names.length === 0) throw new Error('has no placeholder');
  const literals = parts.flatMap((part) => ('literal' in part ? [part.literal] : []));
  if (!/^[A-Za-z0-9_.-]*$/.test(literals.join('')))
    throw new Error(`is ${JSON.stringify(text)}; allowed beside {placeholders} are A-Z a-z 0-9 _ . -`);
  const dividers = parts.slice(1, -1).flatMap((part) => ('literal' in part ? [part.literal] : []));
  if (dividers.length < names.length - 1 || dividers.some((divider) => !/[_-]/.test(divider)))
    throw new Error(`is ${JSON.stringify(text)}; between two placeholders there must be a - or _, so that it is clear where one ends`);

  const reserved = new Set(dividers.join('').replaceAll(/[^_-]/g, ''));
  const plain = `A-Za-z0-9${['_', '-'].filter((one) => !reserved.has(one)).join('')}`;
  const plainBytes = new RegExp(`[${plain}]`);
  const whole = new RegExp(`^${parts.map((part) => ('name' in part ? `((?:[${plain}]|\\.[0-9a-f]{2})+)` : literally(part))).join('')}$`);

  function escaped(name: string, value: string | undefined): string {
    if (value === undefined || value === '') throw new Error(`has no {${name}}`);
    if (!value.isWellFormed()) throw new Error(`has half a character in {${name}}`);
    return Array.from(Buffer.from(value), (byte) => {
      const char = String.fromCharCode(byte);
      return plainBytes.test(char) ? char : `.${byte.toString(16).padStart(2, '0')}`;
    }).join('');
  }

  function fill(values: Values): string {
    const id = fillPlaceholders(parts, Object.fromEntries(names.map((name) => [name, escaped(name, values[name])])));
    if (id.length > limits.idLengthMax) throw new Error(`would have an id of ${id.length} characters; allowed are ${limits.idLengthMax}`);
    return id;
  }

  return {
    names,
    fill,
    read(id) {
      const match = whole.exec(id);
      if (!match) return undefined;
      try {
        const values = Object.fromEntries(names.map((name, index) => [name, unescaped(match[index + 1] ?? '')]));
        // `.61` is an `a` that nobody writes like that.
        return fill(values) === id ? values : undefined;
      } catch {
        return undefined;
      }
    },
  };
}

function unescaped(text: string): string {
  const bytes = text.match(/\.[0-9a-f]{2}|[^.]/g) ?? [];
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  return decoder.decode(Uint8Array.from(bytes, (one) => (one[0] === '.' ? Number.parseInt(one.slice(1), 16) : one.charCodeAt(0))));
}

function literally({ literal }: Extract<Part, { literal: string }>): string {
  return literal.replaceAll(/[.-]/g, '\\$&');
}
