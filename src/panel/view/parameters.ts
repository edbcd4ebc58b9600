/** The parameters of a named command: those the options of the panel give, and those the person at the panel is asked for. */
import type { ParameterAnswer } from '../source/answers.ts';
import { texts } from './texts.ts';
import { numberOf } from './values.ts';

type Given = Record<string, unknown>;

/** A JSON object as it stands in the options; undefined if it is none. */
export function givenIn(text: string): Given | undefined {
  if (text.trim() === '') return {};
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? (parsed as Given) : undefined;
  } catch {
    return undefined;
  }
}

/** Those that the options leave open. */
export function openIn(listed: readonly ParameterAnswer[], given: Given): ParameterAnswer[] {
  return listed.filter(({ name }) => !Object.hasOwn(given, name));
}

/** What is sent: what the options give, a text being turned into what the parameter is, and what was typed. An empty text leaves it to the device's default. */
export function parametersOf(listed: readonly ParameterAnswer[], given: Given, typed: Readonly<Record<string, string>>): Given {
  const all = Object.entries({ ...given, ...typed }).filter(([, value]) => value !== '');
  return Object.fromEntries(
    all.map(([name, value]) => {
      const parameter = listed.find((one) => one.name === name);
      return [name, parameter && typeof value === 'string' ? takenAs(parameter, value) : value];
    }),
  );
}

/** A text as the value that the parameter takes; what cannot be one stays text, and the backend says what is wrong. */
export function takenAs({ type }: ParameterAnswer, text: string): string | number | boolean {
  if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  return type === 'text' ? text : (numberOf(text) ?? text);
}

/** What is wrong with a text that was typed for a parameter, as far as it can be told here; undefined if nothing is. */
export function faultOf(parameter: ParameterAnswer, text: string): string | undefined {
  if (text === '') return parameter.default === undefined ? texts.isNeeded : undefined;
  const value = takenAs(parameter, text);
  const { type, min = -Infinity, max = Infinity, maxLength } = parameter;
  if (type === 'text') return text.length > maxLength ? texts.isTooLong(maxLength) : undefined;
  if (type === 'boolean') return undefined;
  if (typeof value !== 'number' || (type === 'integer' && !Number.isSafeInteger(value))) return texts.isNoNumber(type === 'integer');
  return value < min || value > max ? texts.hasToBe(rangeOf(parameter)) : undefined;
}

/** `0 to 100`; empty if everything goes. */
export function rangeOf({ min, max }: Pick<ParameterAnswer, 'min' | 'max'>): string {
  if (min !== undefined && max !== undefined) return texts.between(min, max);
  return min !== undefined ? texts.from(min) : max !== undefined ? texts.upTo(max) : '';
}

/** What may be chosen; undefined where something is typed. */
export function choicesFor({ type, options }: ParameterAnswer): { value: string; label: string }[] | undefined {
  if (type === 'boolean') return ['true', 'false'].map((value) => ({ value, label: value === 'true' ? 'yes' : 'no' }));
  return options?.map((option) => ({ value: String(option), label: String(option) }));
}

/** `Speed 40, Mode eco`, for the question. */
export function told(listed: readonly ParameterAnswer[], parameters: Given): string {
  const titleOf = (name: string) => listed.find((one) => one.name === name)?.title ?? name;
  return Object.entries(parameters)
    .map(([name, value]) => `${titleOf(name)} ${typeof value === 'object' ? JSON.stringify(value) : value}`)
    .join(', ');
}
