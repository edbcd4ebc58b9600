/** What a zod schema says about a value, in our words: where, what is wrong, and what is allowed. */
import type * as z from 'zod';
import { didYouMean } from './near.ts';
import { allowedBy, listOf, show, withoutUserinfo } from './phrases.ts';

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

/** A name in a place where passwords are kept: its value is never repeated. */
export const secretName = /pass(word|wd|phrase)?|secret|token|credential|private|api_?key/i;

function wording(issue: z.core.$ZodRawIssue): string | undefined {
  const input = issue.input;
  const name = String(issue.path?.at(-1) ?? '');
  const shown = secretName.test(name) ? 'not allowed' : show(input);
  // Only whole numbers that a browser would round come as bigint.
  if (typeof input === 'bigint') {
    const allowed = allowedBy(issue.schema);
    return allowed.includes('string')
      ? `is ${shown}, which browsers round; allowed are its digits as a string: "${shown}"`
      : `is ${shown}, which browsers round; allowed is ${allowed}, without digits beyond 2^53`;
  }
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
