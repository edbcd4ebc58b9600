/** Lines that were heard → points that would take the values out of them, in the language of the settings. Pure. */
import { fieldsOf } from '../decoding/nmea.ts';

type Proposal = Record<string, unknown>;

/** More than this is no proposal that a person reads. */
const pointsMax = 50;
const numberPattern = /^[-+]?(\d+(\.\d*)?|\.\d+)$/;
const commaPattern = /^[-+]?\d+,\d+$/;
const isNumber = (text: string) => numberPattern.test(text) || commaPattern.test(text);
/** Beside a place whose value has a decimal comma. */
const decimalOf = (text: string) => commaPattern.test(text) && { decimal: ',' };

export function proposePoints(lines: readonly string[]): Proposal[] {
  const points = new Map<string, Proposal>();
  const add = (id: string, address: Proposal, value: unknown) => {
    const name = id.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, 64);
    if (name !== '' && !points.has(name) && points.size < pointsMax)
      points.set(name, { id: name, title: `${id} (${String(value).slice(0, 40)})`, address });
  };
  for (const line of lines) propose(line, add);
  return [...points.values()];
}

type Add = (id: string, address: Proposal, value: unknown) => void;

function propose(line: string, add: Add): void {
  const sentence = /^[$!]([A-Z]{2})([A-Z]{3}),/.exec(line)?.[2];
  if (sentence !== undefined) {
    proposeNmea(line, sentence, add);
    return;
  }
  const document = parse(line);
  if (typeof document === 'object' && document !== null) {
    proposeJson(document, '$', '', add);
    return;
  }
  const between = [';', ',', ' '].find((one) => line.includes(one)) ?? ';';
  const parts = line.split(between);
  const equals = ['=', ':'].find((one) => parts.every((part) => part.includes(one)));
  if (equals !== undefined) {
    for (const part of parts) {
      const key = part.slice(0, part.indexOf(equals)).trim();
      const value = part.slice(part.indexOf(equals) + equals.length).trim();
      if (key !== '') add(key, { take: { as: 'pairs', key, between, equals }, ...decimalOf(value) }, value);
    }
    return;
  }
  for (const [index, part] of parts.entries())
    if (parts.length > 1 && isNumber(part.trim()))
      add(`field_${index}`, { take: { as: 'split', separator: between, index }, type: 'number', ...decimalOf(part.trim()) }, part.trim());
  if (parts.length === 1 && numberPattern.test(line.trim()))
    add('value', { line: '^\\s*(?<value>[-+.0-9]+)\\s*$', type: 'number' }, line.trim());
  // A number somewhere in a text: what stands before it chooses the line.
  const inside = /^([A-Za-z][A-Za-z _-]*?)\s*[=: ]\s*([-+]?\d+(?:\.\d+)?)\b/.exec(line);
  if (parts.length > 1 && parts.every((part) => !isNumber(part.trim())) && inside?.[1] && inside[2])
    add(inside[1], { line: `^${inside[1]}\\s*[=: ]\\s*(?<value>[-+.0-9]+)`, type: 'number' }, inside[2]);
}

function proposeNmea(line: string, sentence: string, add: Add): void {
  for (const field of fieldsOf(sentence) ?? []) {
    const isPlace = field === 'latitude' || field === 'longitude';
    // A position is in several sentences; one is enough.
    add(isPlace ? field : `${sentence.toLowerCase()}_${field}`, { take: { as: 'nmea', sentence, field } }, line.split(',')[0] ?? '');
  }
}

function proposeJson(document: object, path: string, name: string, add: Add): void {
  for (const [key, value] of Object.entries(document)) {
    const step = Array.isArray(document) ? `[${key}]` : /^[A-Za-z_]\w*$/.test(key) ? `.${key}` : `['${key.replaceAll(/['\\]/g, '\\$&')}']`;
    const inner = name === '' ? key : `${name}_${key}`;
    if (typeof value === 'object' && value !== null) proposeJson(value, path + step, inner, add);
    else if (value !== null) add(inner, { take: { as: 'json', path: path + step } }, value);
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
