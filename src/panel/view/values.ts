/** Texts of the options → values of commands, and which of them the device reports. */
import type { Choice } from '../options/options.ts';
import type { PointAnswer, Scalar } from '../source/answers.ts';
import type { Reading } from '../source/readings.ts';

export type Sent = Exclude<Scalar, null>;

/**
 * `true`, `55.5`, `on`. What is no number and no truth stays text, which the backend takes for the name of an enum value; so does everything for a
 * point of texts, and a whole number that a browser would round. Quotes make a text of anything.
 */
export function sentValue(text: string, point: PointAnswer | undefined): Sent {
  const bare = text.trim();
  const quoted = /^"(.*)"$/s.exec(bare);
  if (quoted) return quoted[1] ?? '';
  if (point?.type === 'string' && !point.enum) return text;
  if (bare === 'true' || bare === 'false') return bare === 'true';
  const number = numberOf(bare);
  return number === undefined || (Number.isInteger(number) && !Number.isSafeInteger(number)) ? bare : number;
}

/** As people type one: `55.5`, `55,5`, `-3e2`. */
export function numberOf(text: string): number | undefined {
  const bare = text.trim().replace(',', '.');
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(bare) ? Number(bare) : undefined;
}

/** Whether the device says this value now. An enum is reported with its name, a bit as a boolean or as 0 and 1. */
export function reports(reading: Reading | undefined, value: Sent): boolean {
  if (!reading || reading.quality === 'bad' || reading.value === null) return false;
  if (reading.text !== undefined && reading.text === String(value)) return true;
  if (String(reading.value) === String(value)) return true;
  const [is, wanted] = [bitOf(reading.value), bitOf(value)];
  return typeof reading.value === 'boolean' || typeof value === 'boolean' ? is !== undefined && is === wanted : false;
}

function bitOf(value: Scalar): 0 | 1 | undefined {
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (String(value) === '1' || value === 'true') return 1;
  return String(value) === '0' || value === 'false' ? 0 : undefined;
}

/** What people call a value: the name that the point's enum has for it, on and off of a bit. */
export function nameOf(value: Scalar, point: PointAnswer | undefined): string | undefined {
  const bit = bitOf(value);
  const same = (raw: string) => raw === String(value) || (bit !== undefined && point?.type === 'boolean' && bitOf(raw) === bit);
  const named = Object.entries(point?.enum ?? {}).find(([raw]) => same(raw))?.[1];
  if (named !== undefined) return named;
  return typeof value === 'boolean' ? (value ? 'on' : 'off') : value === '' ? '(empty)' : undefined;
}

/** Off and on of a point: those of the options, else the first and the last name of its enum, else false and true. */
export function endsOf(options: { on: string; off: string }, point: PointAnswer | undefined): { off: Choice; on: Choice } {
  const names = Object.values(point?.enum ?? {});
  const end = (text: string, name: string | undefined, plain: string): Choice =>
    text.trim() !== ''
      ? { value: text, label: text }
      : name === undefined
        ? { value: plain, label: plain === 'true' ? 'on' : 'off' }
        : { value: name, label: name };
  const bit = !point?.type || point.type === 'boolean';
  return {
    off: end(options.off, names[0], bit ? 'false' : '0'),
    on: end(options.on, names.length > 1 ? names.at(-1) : undefined, bit ? 'true' : '1'),
  };
}

export function choicesOf(options: { choices: readonly Choice[] }, point: PointAnswer | undefined): Choice[] {
  const own = options.choices.filter(({ value }) => value.trim() !== '');
  if (own.length > 0) return own.map(({ value, label }) => ({ value, label: label || value }));
  return Object.values(point?.enum ?? {}).map((name) => ({ value: name, label: name }));
}
