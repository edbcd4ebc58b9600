/** From what a line says to a sample, or to a sentence on what is wrong with it. Exact: what cannot be kept as it stands is refused, not rounded. */
import { idSchema, pointIdSchema } from '../../contract/device.ts';
import { parseIsoMs } from '../../contract/iso-time.ts';
import { type ColumnKind, columnKinds, type Quality, qualities, type Reason, type SeriesKey, type Value } from '../../contract/sample.ts';
import type { Entry } from '../../store/store.ts';
import { numberPattern, textOfCsv } from '../export/text.ts';
import { CsvValue, type Raw } from './lines.ts';

const integerPattern = /^[+-]?\d{1,20}$/;
const reasonPattern = /^[a-z][a-z0-9-]{0,31}$/;
const bounds = { int64: [-(2n ** 63n), 2n ** 63n - 1n], uint64: [0n, 2n ** 64n - 1n] } as const;

export interface SampleOptions {
  /** Later samples are refused: a time that has not come would be the last value until it comes. */
  latestNs: bigint;
  /** The kind of a series whose line does not say it; undefined: the value decides. */
  kindOf(key: SeriesKey): ColumnKind | undefined;
}

/** Throws an Error whose message goes on from `line 12`. */
export function createSampleReader({ latestNs, kindOf }: SampleOptions): (raw: Raw) => Entry {
  const keys = new Map<string, SeriesKey & { kind: ColumnKind | undefined }>();

  /** Names are checked once each. */
  function keyOf(device: unknown, point: unknown): SeriesKey & { kind: ColumnKind | undefined } {
    const name = `${String(device)}\n${String(point)}`;
    const found = keys.get(name);
    if (found) return found;
    for (const [what, text, schema] of [
      ['device', device, idSchema],
      ['point', point, pointIdSchema],
    ] as const) {
      const checked = schema.safeParse(text);
      if (!checked.success) throw new Error(`has a ${what} that is no name: ${shown(text)}`);
    }
    const key = { device: String(device), point: String(point) };
    const known = { ...key, kind: kindOf(key) };
    keys.set(name, known);
    return known;
  }

  return (raw) => {
    const { kind: usual, ...key } = keyOf(raw.device, raw.point);
    const timeNs = timeOf(raw.time);
    if (timeNs > latestNs) throw new Error(`has a time that has not come yet: ${shown(raw.time)}`);
    const said = raw.kind === undefined || raw.kind === '' ? undefined : kindNamed(raw.kind);
    if (!raw.isUtf8 && textOf(raw.value)?.includes('\ufffd')) throw new Error('has a text that is no UTF-8');
    const { kind, value } = kindAndValue(raw.value, said, usual);
    const quality = qualityOf(raw.quality);
    const reason = raw.reason ?? '';
    if (typeof reason !== 'string' || (reason !== '' && !reasonPattern.test(reason))) throw new Error(`has the reason ${shown(reason)}`);
    return { key, kind, sample: { timeNs, arrivalNs: timeNs, value, quality, reason: reason as Reason } };
  };
}

function kindNamed(text: unknown): ColumnKind {
  const kind = columnKinds.find((name) => name === text);
  if (!kind) throw new Error(`has the kind ${shown(text)}; allowed is ${columnKinds.join(', ')}`);
  return kind;
}

function qualityOf(text: unknown): Quality {
  if (text === undefined || text === '') return 'good';
  const quality = qualities.find((name) => name === text);
  if (!quality) throw new Error(`has the quality ${shown(text)}; allowed is ${qualities.join(', ')}`);
  return quality;
}

/** ISO 8601 with a zone and up to nine digits of a second, or whole milliseconds since 1970. */
function timeOf(given: unknown): bigint {
  if (typeof given === 'bigint') return inRange(given, given);
  const text = typeof given === 'number' ? String(given) : given;
  if (typeof text === 'string') {
    if (/^-?\d{1,13}$/.test(text)) return inRange(BigInt(text) * 1_000_000n, text);
    const parts = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:\d\d)$/.exec(text);
    if (parts) {
      const [, day, minute, second = '00', fraction = '', zone] = parts;
      const ms = parseIsoMs(`${day}T${minute}:${second}${zone}`);
      if (ms !== undefined) return inRange(BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, '0')), text);
    }
  }
  throw new Error(
    `has the time ${shown(given)}; allowed is ISO 8601 with a zone, such as 2026-01-31T12:00:00Z, or milliseconds since 1970`,
  );
}

function inRange(timeNs: bigint, given: unknown): bigint {
  const [least, most] = bounds.int64;
  if (timeNs < least || timeNs > most) throw new Error(`has the time ${shown(given)}; allowed are the years 1677 to 2262`);
  return timeNs;
}

/** `said` is what the line says, `usual` what its series has: the first is a must, the second only a help where the value fits it. */
function kindAndValue(given: unknown, said: ColumnKind | undefined, usual: ColumnKind | undefined): { kind: ColumnKind; value: Value } {
  const isCell = given instanceof CsvValue;
  if (given === null || given === undefined || (isCell && given.cell.text === '' && !given.cell.quoted)) {
    return { kind: said ?? usual ?? 'double', value: null };
  }
  for (const kind of said ? [said] : usual ? [usual] : []) {
    const value = isCell ? ofText(given.cell.text, kind) : ofValue(given, kind);
    if (value !== undefined) return { kind, value };
    if (said) throw new Error(`has the value ${shown(isCell ? given.cell.text : given)}, which is no ${kind}`);
  }
  return isCell ? guessed(given.cell.text, given.cell.quoted) : typed(given);
}

function ofText(text: string, kind: ColumnKind): Value | undefined {
  switch (kind) {
    case 'double':
      return numberPattern.test(text) && Number.isFinite(Number(text)) ? Number(text) : undefined;
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : undefined;
    case 'string':
      return textOfCsv(text);
    default:
      return integerPattern.test(text) ? within(BigInt(text), kind) : undefined;
  }
}

function ofValue(given: unknown, kind: ColumnKind): Value | undefined {
  switch (kind) {
    case 'double':
      // A double beyond 2^53 is written as a whole number, and read as one.
      return (typeof given === 'number' || typeof given === 'bigint') && Number.isFinite(Number(given)) ? Number(given) : undefined;
    case 'boolean':
      return typeof given === 'boolean' ? given : undefined;
    case 'string':
      return typeof given === 'string' ? given : undefined;
    default:
      if (typeof given === 'bigint' || (typeof given === 'number' && Number.isSafeInteger(given))) return within(BigInt(given), kind);
      return typeof given === 'string' && integerPattern.test(given) ? within(BigInt(given), kind) : undefined;
  }
}

function within(value: bigint, kind: 'int64' | 'uint64'): bigint | undefined {
  const [least, most] = bounds[kind];
  return value >= least && value <= most ? value : undefined;
}

/** A file of somebody else: numbers are doubles, unless a double would lose digits of a whole number. */
function guessed(text: string, quoted: boolean): { kind: ColumnKind; value: Value } {
  if (!quoted) {
    const truth = ofText(text, 'boolean');
    if (truth !== undefined) return { kind: 'boolean', value: truth };
    if (integerPattern.test(text) && !Number.isSafeInteger(Number(text))) return typed(BigInt(text));
    const number = ofText(text, 'double');
    if (number !== undefined) return { kind: 'double', value: number };
  }
  return { kind: 'string', value: textOfCsv(text) };
}

function typed(given: unknown): { kind: ColumnKind; value: Value } {
  if (typeof given === 'bigint') {
    for (const kind of ['int64', 'uint64'] as const) if (within(given, kind) !== undefined) return { kind, value: given };
  }
  if (typeof given === 'number' && Number.isFinite(given)) return { kind: 'double', value: given };
  if (typeof given === 'boolean') return { kind: 'boolean', value: given };
  if (typeof given === 'string') return { kind: 'string', value: given };
  throw new Error(`has the value ${shown(given)}; allowed is a number, a text, true, false or null`);
}

function textOf(given: unknown): string | undefined {
  if (given instanceof CsvValue) return given.cell.text;
  return typeof given === 'string' ? given : undefined;
}

function shown(given: unknown): string {
  const text = typeof given === 'bigint' ? String(given) : (JSON.stringify(given) ?? String(given));
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
