/** A point as `GET devices/{device}/points` has it, with what it said last; and that in words. */
import { formattedValueToString, getValueFormat } from '@grafana/data';

export interface PointNow {
  id: string;
  title: string;
  type?: string;
  unit?: string;
  precision?: number;
  last: {
    value: number | string | boolean | null;
    text?: string;
    quality: 'good' | 'uncertain' | 'bad';
    reason: string;
    time: number;
  } | null;
}

/** As people read it: the name of its state, or the number with its unit. */
export function lastText({ last, unit, precision }: PointNow): string {
  if (!last || last.value === null) return '–';
  return reading(last.value, last.text, unit, precision);
}

/** `text` of a 64-bit integer are its digits, which say no more to people than the number with its unit. */
export function reading(value: number | string | boolean, text?: string, unit?: string, precision?: number): string {
  const isName = text !== undefined && text !== '' && !(unit && /^-?\d+$/.test(text));
  if (isName) return text;
  // Exact digits come as text; with a unit they are read as the table and the chart read them.
  const number = typeof value === 'string' && unit && /^-?\d+$/.test(value) ? Number(value) : value;
  return typeof number === 'number' ? formattedValueToString(getValueFormat(unit)(number, precision)) : String(number);
}
