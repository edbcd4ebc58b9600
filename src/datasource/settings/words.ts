/** What a zod schema says about a value, in our words: where, what is wrong, and what is allowed. */
import { z } from 'zod';

export interface Problem {
  /** Relative to the value that was checked. */
  path: PropertyKey[];
  /** A predicate that follows the place: `is 70000; allowed is a whole number from 0 to 65535`. */
  message: string;
}

export type Checked<T> = { ok: true; value: T } | { ok: false; problems: Problem[] };

/** Checks a value; a message that the schema itself carries goes before ours. */
export function check<T>(schema: z.ZodType<T>, value: unknown): Checked<T> {
  const result = schema.safeParse(value, { error: wording });
  if (result.success) return { ok: true, value: result.data };
  return { ok: false, problems: result.error.issues.flatMap(problemsOf) };
}

/** `devices[2].points[0].address.register`: `.name`, `[index]`, or `["any other name"]`, without a leading dot. */
export function placeOf(path: readonly PropertyKey[]): string {
  return tailOf(path).replace(/^\./, '');
}

/** As `placeOf`, to be put behind another place. */
export function tailOf(path: readonly PropertyKey[]): string {
  return path
    .map((key) =>
      typeof key === 'number' ? `[${key}]` : /^[A-Za-z_]\w{0,63}$/.test(String(key)) ? `.${String(key)}` : `[${show(String(key))}]`,
    )
    .join('');
}

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

/** `; did you mean "register"?` if one of the names is near, else nothing. */
export function didYouMean(given: string, names: readonly string[]): string {
  if (given.length > 64) return '';
  const near = names
    .map((name) => ({ name, distance: editDistance(given.toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, distance }) => distance <= Math.max(1, Math.floor(name.length / 3)))
    .sort((one, other) => one.distance - other.distance)[0];
  return near ? `; did you mean ${JSON.stringify(near.name)}?` : '';
}

/** `"a", "b" or "c"`; at most twenty names. */
export function listOf(names: readonly string[], join = 'or'): string {
  if (names.length > 20) return `${names.slice(0, 20).join(', ')} and ${names.length - 20} more`;
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} ${join} ${names.at(-1)}`;
}

/** A name in a place where passwords are kept: its value is never repeated. */
export const secretName = /pass(word|wd|phrase)?|secret|token|credential|private|api_?key/i;

function wording(issue: z.core.$ZodRawIssue): string | undefined {
  const input = issue.input;
  const name = String(issue.path?.at(-1) ?? '');
  const shown = secretName.test(name) ? 'not allowed' : show(input);
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = knownKeys(issue.schema);
      return issue.keys
        .map((key) => {
          if (secretName.test(key))
            return 'is not known here; secrets are not part of the settings, which every browser sees: give it as a secret of the connection';
          const guess = didYouMean(key, known);
          return guess ? `is not known here${guess}` : `is not known here; known are ${listOf(known, 'and') || 'no fields'}`;
        })
        .join('\n');
    }
    case 'invalid_key':
      return `is not an allowed name: ${issue.issues[0]?.message ?? ''}`;
    case 'invalid_union': {
      if (issue.discriminator === undefined || !Array.isArray(issue.options)) return `is ${shown}; allowed is ${allowedBy(issue.schema)}`;
      const given = (input as Record<string, unknown> | undefined)?.[issue.discriminator];
      const options = listOf(issue.options.map(show));
      return given === undefined ? `is missing; allowed is ${options}` : `is ${show(given)}; allowed is ${options}`;
    }
    case 'custom':
      return `is ${shown}, which is not allowed here`;
    default:
      return input === undefined
        ? `is missing; allowed is ${allowedBy(issue.schema)}`
        : `is ${shown}; allowed is ${allowedBy(issue.schema)}`;
  }
}

function problemsOf(issue: z.core.$ZodIssue): Problem[] {
  if (issue.code === 'unrecognized_keys') {
    const messages = issue.message.split('\n');
    return issue.keys.map((key, index) => ({ path: [...issue.path, key], message: messages[index] ?? issue.message }));
  }
  if (issue.code === 'invalid_union') {
    const branch = likeliestBranch(issue.errors);
    if (branch) return branch.flatMap(problemsOf).map(({ path, message }) => ({ path: [...issue.path, ...path], message }));
  }
  return [{ path: issue.path, message: bounded(issue.message) }];
}

/** The alternative that was meant: one that the value has the right type for, with the fewest faults. */
function likeliestBranch(branches: readonly z.core.$ZodIssue[][]): z.core.$ZodIssue[] | undefined {
  const entered = branches.filter(
    (issues) => issues.length > 0 && issues.every((issue) => issue.path.length > 0 || issue.code === 'unrecognized_keys'),
  );
  const cost = (issues: z.core.$ZodIssue[]) =>
    issues.reduce((sum, issue) => sum + (issue.code === 'unrecognized_keys' ? issue.keys.length : 1), 0);
  return entered.sort((one, other) => cost(one) - cost(other))[0];
}

/** A schema's own message may repeat a very long value: its middle is cut out, what is allowed stands at the end. */
function bounded(message: string): string {
  const text = withoutUserinfo(message);
  return text.length <= 400 ? text : `${text.slice(0, 80)}…${text.slice(-300)}`;
}

function knownKeys(schema: z.core.$ZodType | undefined): string[] {
  const shape = (schema?._zod.def as { shape?: Record<string, unknown> } | undefined)?.shape;
  return shape ? Object.keys(shape) : [];
}

const phrases = new WeakMap<z.core.$ZodType, string>();

/** What a schema takes, in words; made from its JSON Schema, so that it is declared once. */
function allowedBy(schema: z.core.$ZodType | undefined): string {
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
  switch (schema.type) {
    case 'integer':
    case 'number':
      return numberPhrase(schema);
    case 'string':
      return stringPhrase(schema);
    case 'boolean':
      return 'true or false';
    case 'array':
      return `a list${schema.maxItems === undefined ? '' : ` of at most ${schema.maxItems}`}${schema.minItems ? ` with at least ${schema.minItems}` : ''}`;
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

function stringPhrase(schema: z.core.JSONSchema.JSONSchema): string {
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

/** Levenshtein distance with swaps of neighbours (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let older: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let best = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, (older[j - 2] ?? 0) + 1);
      row.push(best);
    }
    older = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
