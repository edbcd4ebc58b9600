/** The text of a named group → the raw value of a point. */
import type { Reason, Value } from '../../src/contract/sample.ts';

export const valueTypes = ['auto', 'number', 'integer', 'boolean', 'text'] as const;
export type ValueType = (typeof valueTypes)[number];

/** What stands before the decimals: a comma where half of Europe prints. */
export const decimals = ['.', ','] as const;
export type Decimal = (typeof decimals)[number];

/** How a point's texts are read. */
export interface Spelled {
  type: ValueType;
  decimal: Decimal;
}

const numberPatterns: Readonly<Record<Decimal, RegExp>> = {
  '.': /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/,
  ',': /^[+-]?(\d+(,\d*)?|,\d+)([eE][+-]?\d+)?$/,
};
const integerPattern = /^[+-]?\d{1,20}$/;
/** What C and Arduino print for what is no number. */
const noNumber = /^[+-]?(nan|inf|infinity|ovf)$/i;
const int64Min = -(2n ** 63n);
const int64Max = 2n ** 63n - 1n;

export type Parsed = { value: Value; reason: Reason; detail?: string };

export function parseValue(text: string | undefined, { type, decimal }: Spelled): Parsed {
  if (text === undefined) return bad('the line has nothing in the place of the value');
  if (type === 'text') return good(text);
  const trimmed = text.trim();
  if (type === 'integer') return parseInteger(trimmed);
  if (type === 'boolean') return parseBoolean(trimmed);
  // Scales write the sign apart from the number: "-   0.5".
  const number = type === 'number' ? trimmed.replace(/^([+-])\s+/, '$1') : trimmed;
  if (numberPatterns[decimal].test(number)) return good(Number(number.replace(',', '.')));
  // The value pipeline makes null with reason "nan" of it.
  if (noNumber.test(trimmed)) return good(Number.NaN);
  return type === 'auto' ? good(text) : bad(`${quote(text)} is no number${decimal === ',' ? ' with a decimal comma' : ''}`);
}

function parseInteger(text: string): Parsed {
  if (!integerPattern.test(text)) return bad(`${quote(text)} is no whole number`);
  const value = BigInt(text.replace(/^\+/, ''));
  if (value < int64Min || value > int64Max) return bad(`${text} is beyond 64 bits with a sign`);
  return good(exact(value));
}

function parseBoolean(text: string): Parsed {
  if (/^(1|true|on|yes)$/i.test(text)) return good(true);
  if (/^(0|false|off|no)$/i.test(text)) return good(false);
  return bad(`${quote(text)} is neither true nor false; allowed are 1, true, on, yes, 0, false, off, no`);
}

/** What was taken out of a frame and is no text any more; `type` still has a say. */
export function settleValue(value: Value, how: Spelled): Parsed {
  const { type } = how;
  if (typeof value === 'string' || (type === 'boolean' && typeof value !== 'boolean')) return parseValue(String(value), how);
  if (type === 'integer' && typeof value === 'number' && !Number.isSafeInteger(value)) return bad(`${value} is no whole number`);
  if (typeof value === 'boolean' && (type === 'number' || type === 'integer')) return good(Number(value));
  return good(type === 'text' ? String(value) : value);
}

/** A number, unless a double would round it. */
export function exact(whole: bigint): number | bigint {
  return Number.isSafeInteger(Number(whole)) ? Number(whole) : whole;
}

/** Text of the line for people: bounded, with control characters made visible. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 79)}…` : text);
}

const good = (value: Value): Parsed => ({ value, reason: '' });
const bad = (detail: string): Parsed => ({ value: null, reason: 'decode', detail });
