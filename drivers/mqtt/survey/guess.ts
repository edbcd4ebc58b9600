/** What a message seems to be, and the places of the values in it. */
import { isUtf8 } from 'node:buffer';
import { type CsvWords, decodeCsv } from '../payload/csv.ts';
import type { Format } from '../payload/formats.ts';
import { decodeInflux } from '../payload/influx.ts';
import { decodeCbor, decodeMessagePack, unwrap, type Wrapping } from '../payload/packed.ts';
import { decodePairs } from '../payload/pairs.ts';
import { decodeJson, decodeNumber } from '../payload/plain.ts';
import { deviceTimeNs } from '../time.ts';

export interface Place {
  /** Undefined where the whole message is the value. */
  path: string | undefined;
  /** The last name in it, for the id of a point. */
  name: string;
  type: 'number' | 'boolean' | 'text';
}

export interface Guess {
  format: Format | 'empty';
  unpack: Wrapping[];
  csv?: CsvWords;
  places: Place[];
  /** Where the time of the device seems to be. */
  time?: string;
}

/** More places than these are a document nobody makes points of one by one. */
const placesMax = 64;
const depthMax = 8;
const listMax = 8;
const whole = (format: Format, type: Place['type']): Guess => ({ format, unpack: [], places: [{ path: undefined, name: 'value', type }] });

export function guess(payload: Buffer, unpack: Wrapping[] = []): Guess {
  if (payload.length === 0) return { format: 'empty', unpack: [], places: [] };
  if (unpack.length < 2 && payload[0] === 0x1f && payload[1] === 0x8b) {
    const inner = tried(() => unwrap(payload, ['gzip']));
    if (inner) return guess(inner, [...unpack, 'gzip']);
  }
  const found = isText(payload) ? guessText(payload, unpack) : guessBytes(payload);
  return { ...found, unpack: [...unpack, ...found.unpack] };
}

function guessText(payload: Buffer, unpack: Wrapping[]): Guess {
  if (tried(() => decodeNumber(payload)) !== undefined) return whole('number', 'number');
  const text = payload.toString();
  if (/^\s*[[{"tfn]/.test(text)) {
    const document = tried(() => decodeJson(payload));
    if (document !== undefined) return ofDocument('json', document);
  }
  const lines = tried(() => decodeInflux(payload));
  const [line] = lines ?? [];
  if (line) return ofDocument('influx', { fields: line.fields });
  if (/[=]/.test(text)) {
    const pairs = tried(() => decodePairs(payload));
    if (pairs) return ofDocument('keyvalue', pairs);
  }
  return guessCsv(payload, text) ?? guessBase64(payload, text, unpack) ?? whole('text', 'text');
}

/** At least two fields in each line, as many in one as in the other. */
function guessCsv(payload: Buffer, text: string): Guess | undefined {
  for (const separator of [',', ';', '\t', '|']) {
    if (!text.includes(separator)) continue;
    const rows = tried(() => decodeCsv(payload, { separator, header: false })) as unknown[][] | undefined;
    const [first] = rows ?? [];
    if (!rows || !first || first.length < 2 || rows.some((row) => row.length !== first.length)) continue;
    const hasHeader =
      rows.length > 1 && first.every((field) => typeof field === 'string') && rows[1]?.some((field) => typeof field === 'number') === true;
    if (!hasHeader && !first.some((field) => typeof field === 'number')) continue;
    const csv = { separator, header: hasHeader };
    const document = tried(() => decodeCsv(payload, csv)) as unknown[] | undefined;
    if (document) return { ...ofDocument('csv', document.slice(0, 1)), csv };
  }
  return undefined;
}

/** A word of letters may be base64 by chance: only what turns out to be something is taken for it. */
function guessBase64(payload: Buffer, text: string, unpack: Wrapping[]): Guess | undefined {
  const bare = text.replaceAll(/\s/g, '');
  if (unpack.length > 0 || bare.length < 12 || bare.length % 4 !== 0) return undefined;
  const inner = tried(() => unwrap(payload, ['base64']));
  const found = inner && guess(inner, ['base64']);
  return found && found.format !== 'text' && found.format !== 'binary' && found.format !== 'empty' ? found : undefined;
}

function guessBytes(payload: Buffer): Guess {
  for (const [format, decode] of [
    ['cbor', decodeCbor],
    ['messagepack', decodeMessagePack],
  ] as const) {
    const document = tried(() => decode(payload));
    // Any byte is a number to them; only what has places is a document.
    if (typeof document === 'object' && document !== null) return ofDocument(format, document);
  }
  return { format: 'binary', unpack: [], places: [] };
}

function ofDocument(format: Format, document: unknown): Guess {
  const places: Place[] = [];
  let time: string | undefined;
  const walk = (value: unknown, path: string, name: string, depth: number) => {
    if (places.length >= placesMax || depth > depthMax) return;
    if (Array.isArray(value)) {
      for (const [index, one] of value.slice(0, listMax).entries()) walk(one, `${path}[${index}]`, `${name}_${index}`, depth + 1);
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, one] of Object.entries(value)) walk(one, `${path}${spelled(key)}`, key, depth + 1);
    } else if (time === undefined && timeNamePattern.test(name) && typeof deviceTimeNs(value) === 'bigint' && depth > 0) time = path;
    else if (typeof value === 'number' || typeof value === 'bigint') places.push({ path, name, type: 'number' });
    else if (typeof value === 'boolean') places.push({ path, name, type: 'boolean' });
    else if (typeof value === 'string') places.push({ path, name, type: 'text' });
  };
  walk(document, '$', 'value', 0);
  return { format, unpack: [], places, ...(time === undefined ? {} : { time }) };
}

const timeNamePattern = /^(ts|time|timestamp|date|datetime|last_seen|at)$/i;

/** `.name`, or `['na me']` where a dot would not do. */
function spelled(key: string): string {
  return /^[\p{L}_$][\p{L}\p{N}_$-]*$/u.test(key) ? `.${key}` : `['${key.replaceAll(/['\\]/g, '\\$&')}']`;
}

function isText(payload: Buffer): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
  return isUtf8(payload) && !/[\u0000-\u0008\u000e-\u001f]/.test(payload.toString());
}

function tried<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}
