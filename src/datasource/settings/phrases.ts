/** Values, lists and schemas as words of a sentence: bounded, and without what must not be repeated. */
import * as z from 'zod';
import { durationPattern } from '../../contract/duration.ts';

/** A value for a message: bounded, and nothing of lists and objects but that they are one. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(shorten(withoutUserinfo(value), 64));
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  return String(value);
}

/** `scheme://user:password@host`: what stands before the `@` belongs to the secrets (RFC 3986 §3.2.1). */
export const userinfo = /([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/gi;

/** A text that may quote a URL, with user and password taken out. */
export function withoutUserinfo(text: string): string {
  return text.replace(userinfo, '$1***@');
}

function shorten(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

/** `"a", "b" or "c"`; at most twenty names. */
export function listOf(names: readonly string[], join = 'or'): string {
  if (names.length > 20) return `${names.slice(0, 20).join(', ')} and ${names.length - 20} more`;
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} ${join} ${names.at(-1)}`;
}

const phrases = new WeakMap<z.core.$ZodType, string>();

/** What a schema takes, in words; made from its JSON Schema, so that it is declared once. */
export function allowedBy(schema: z.core.$ZodType | undefined): string {
  if (!schema) return 'something else';
  let phrase = phrases.get(schema);
  if (phrase === undefined) {
    phrase = phraseOf(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }));
    phrases.set(schema, phrase);
  }
  return phrase;
}

function phraseOf(schema: z.core.JSONSchema._JSONSchema): string {
  if (typeof schema === 'boolean') return schema ? 'anything' : 'nothing';
  if (schema.enum) return listOf(schema.enum.map(show));
  if (schema.const !== undefined) return show(schema.const);
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives) return listOf([...new Set(alternatives.map(phraseOf))]);
  // Alternatives that only differ in their type come as a list of types.
  if (Array.isArray(schema.type)) return listOf(schema.type.map((type) => phraseOf({ ...schema, type })));
  switch (schema.type) {
    case 'integer':
    case 'number':
      return numberPhrase(schema);
    case 'string':
      return stringPhrase(schema);
    case 'boolean':
      return 'true or false';
    case 'array':
      return listPhrase(schema);
    case 'object':
      return schema.properties ? `an object with ${listOf(Object.keys(schema.properties), 'and')}` : 'an object';
    default:
      return 'something else';
  }
}

function numberPhrase(schema: z.core.JSONSchema.JSONSchema): string {
  const noun = schema.type === 'integer' ? 'a whole number' : 'a number';
  const bound = (value: number | undefined) => (value === undefined || Math.abs(value) >= Number.MAX_SAFE_INTEGER ? undefined : value);
  const [min, max] = [bound(schema.minimum), bound(schema.maximum)];
  const parts = [
    min !== undefined && max !== undefined
      ? `from ${min} to ${max}`
      : min !== undefined
        ? `of at least ${min}`
        : max !== undefined
          ? `of at most ${max}`
          : '',
    schema.exclusiveMinimum === undefined ? '' : `greater than ${schema.exclusiveMinimum}`,
    schema.exclusiveMaximum === undefined ? '' : `less than ${schema.exclusiveMaximum}`,
    schema.multipleOf === undefined || schema.type === 'integer' ? '' : `in steps of ${schema.multipleOf}`,
  ];
  return [noun, ...parts.filter(Boolean)].join(' ');
}

function listPhrase({ minItems: min, maxItems: max }: z.core.JSONSchema.JSONSchema): string {
  if (max !== undefined) return min ? `a list of ${min} to ${max}` : `a list of at most ${max}`;
  return min ? `a list of at least ${min}` : 'a list';
}

function stringPhrase(schema: z.core.JSONSchema.JSONSchema): string {
  if (schema.pattern === durationPattern.source) return `a duration such as ${listOf((schema.examples ?? []).map(show))}`;
  if (schema.examples?.length) return `${schema.format ? `a ${schema.format}` : 'a string'} such as ${listOf(schema.examples.map(show))}`;
  if (schema.format) return `a string in the form of a ${schema.format}`;
  const { minLength: min, maxLength: max } = schema;
  const length =
    min && max !== undefined
      ? ` of ${min} to ${max} characters`
      : max !== undefined
        ? ` of at most ${max} characters`
        : min
          ? ` of at least ${min} characters`
          : '';
  return `a string${length}${schema.pattern ? ` that matches ${schema.pattern}` : ''}`;
}
