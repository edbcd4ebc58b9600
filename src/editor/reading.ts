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
  if (last.text !== undefined && last.text !== '') return last.text;
  if (typeof last.value !== 'number') return String(last.value);
  return formattedValueToString(getValueFormat(unit)(last.value, precision));
}
