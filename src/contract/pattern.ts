/**
 * Regular expressions from people or configuration: they are RE2's, and run in time linear in the text, whatever the expression (DESIGN §5). Those
 * of which the engine's own matcher is shown to be linear run on that.
 */
import { RE2JS } from 're2js';
import * as z from 'zod';
import { takenBy } from './checked-text.ts';
import { limits } from './limits.ts';
import { compileNative, type NativePattern } from './pattern-native.ts';

export interface Pattern {
  readonly text: string;
  /** Names of its groups `(?<name>…)`. */
  readonly groups: readonly string[];
  /** True if it is found anywhere in the text. */
  test(text: string): boolean;
  /** What its named groups took of the first place where it is found, undefined for a group that took no part; undefined if it is not found. */
  find(text: string): Record<string, string | undefined> | undefined;
  /** The same by number, for those who look thousands of times a second: of each of `groups` at its place in `numbers`. */
  take(text: string): Taken | undefined;
  readonly numbers: ReadonlyMap<string, number>;
}

/** What groups took, by their numbers. */
export type Taken = readonly (string | undefined)[];

/** Throws an Error whose message goes on from the name of the field: `is no regular expression …`. */
export function compilePattern(text: string): Pattern {
  if (text.length > limits.patternLengthMax) throw new Error(`has ${text.length} characters; allowed are ${limits.patternLengthMax}`);
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`is ${JSON.stringify(text)}, no regular expression RE2 understands: ${why}`);
  }
  const numbers: ReadonlyMap<string, number> = new Map(Object.entries(compiled.namedGroups()));
  const groups = [...numbers.keys()];
  const native = compileNative(text);
  if (native) return runNative(text, numbers, native);
  return {
    text,
    groups,
    numbers,
    take(candidate) {
      const matcher = compiled.matcher(candidate);
      if (!matcher.find()) return undefined;
      const taken: (string | undefined)[] = [];
      for (const number of numbers.values()) taken[number] = matcher.group(number) ?? undefined;
      return taken;
    },
    test: (candidate) => compiled.matcher(candidate).find(),
    find(candidate) {
      const matcher = compiled.matcher(candidate);
      if (!matcher.find()) return undefined;
      return Object.fromEntries(groups.map((name) => [name, matcher.group(name) ?? undefined]));
    },
  };
}

function runNative(text: string, numbers: ReadonlyMap<string, number>, native: NativePattern): Pattern {
  const { expression } = native;
  return {
    text,
    groups: [...numbers.keys()],
    numbers,
    take: (candidate) => expression.exec(candidate) ?? undefined,
    test: (candidate) => expression.test(candidate),
    find(candidate) {
      const match = expression.exec(candidate);
      if (!match) return undefined;
      const found: Record<string, string | undefined> = {};
      for (const { name, number } of native.groups) found[name] = match[number];
      return found;
    },
  };
}

/** A pattern in settings; it stays text, so that it can be drawn and compared. */
export const patternSchema = z.string().min(1).max(limits.patternLengthMax).superRefine(takenBy(compilePattern));
