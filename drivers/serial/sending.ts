/** What is sent: a text, or bytes, with `{name}` in the places of values. */
import * as z from 'zod';
import { takenBy } from '../../src/contract/checked-text.ts';
import type { Value } from '../../src/contract/sample.ts';
import { bytesOf } from './framing/hex.ts';
import type { Places } from './match.ts';
import { compileTemplate, type Spelling } from './template.ts';

const numberTypes = [
  'uint8',
  'int8',
  'uint16',
  'int16',
  'uint32',
  'int32',
  'float32',
  'uint16le',
  'int16le',
  'uint32le',
  'int32le',
  'float32le',
] as const;
type NumberType = (typeof numberTypes)[number];

const tokenPattern = /[0-9a-fA-F]{2}|\{([A-Za-z_]\w*)(?::([a-z]+\d+(?:le)?))?\}| +/y;

/** 1 KiB is more than any command of a device. */
const textSchema = z.string().min(1).max(1_024);

export const sentSchema = z.union(
  [
    textSchema,
    z.strictObject({
      hex: textSchema
        .superRefine(takenBy(parseHex))
        .describe('Bytes in hexadecimal, {name} for one byte, {name:int16} for a number of several')
        .meta({ examples: ['01 06 {value:uint16}'] }),
    }),
  ],
  { error: 'is neither a text nor { "hex": "01 .." }' },
);
export type Sent = z.output<typeof sentSchema>;

type Token = { bytes: Buffer } | { name: string; type: NumberType };

/** Throws an Error that says where it is not understood. */
function parseHex(text: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < text.length; ) {
    tokenPattern.lastIndex = at;
    const match = tokenPattern.exec(text);
    if (!match)
      throw new Error(
        `is not understood from character ${at + 1} on; allowed are bytes of two hexadecimal digits, {name} and {name:int16}`,
      );
    const [all, name, type = 'uint8'] = match;
    if (name !== undefined && !numberTypes.some((one) => one === type))
      throw new Error(`has the type ${JSON.stringify(type)}; allowed are ${numberTypes.join(', ')}`);
    if (name !== undefined) tokens.push({ name, type: type as NumberType });
    else if (all.trim() !== '') tokens.push({ bytes: bytesOf(all) });
    at = tokenPattern.lastIndex;
  }
  return tokens;
}

/** Names of its places, each once. */
export function namesIn(sent: Sent): string[] {
  if (typeof sent === 'string') return [...compileTemplate(sent).names];
  return [...new Set(parseHex(sent.hex).flatMap((token) => ('name' in token ? [token.name] : [])))];
}

/** Throws an Error if a value has no spelling on the line. */
export function fill(sent: Sent, values: Readonly<Record<string, Value>>, places: Places, line: Spelling): Buffer {
  const all: Record<string, Value> = { ...values };
  if (places.id !== undefined) all.id ??= places.id;
  if (places.sequence !== undefined) all.sequence ??= places.sequence;
  if (typeof sent === 'string') return Buffer.from(compileTemplate(sent).fill(all, line), line.encoding);
  return Buffer.concat(
    parseHex(sent.hex).map((token) => ('bytes' in token ? token.bytes : numberBytes(token.name, all[token.name], token.type))),
  );
}

/** A request is sent as it is written: only the device's address and the number of the request have places in it. */
export function fillRequest(sent: Sent, places: Places, line: Spelling): Buffer {
  if (typeof sent !== 'string') return fill(sent, {}, places, line);
  const text = sent.replaceAll('{id}', () => places.id ?? '{id}').replaceAll('{sequence}', () => String(places.sequence ?? '{sequence}'));
  return Buffer.from(text, line.encoding);
}

function numberBytes(name: string, value: Value | undefined, type: NumberType): Buffer {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : typeof value === 'boolean' ? Number(value) : value;
  if (number === undefined || number === null || number === '') throw new Error(`there is no ${name} to send`);
  if (typeof number === 'bigint' || typeof number === 'string' || !Number.isFinite(number))
    throw new Error(`${name} is ${String(value)}, which cannot be sent as ${type}`);
  const isLittle = type.endsWith('le');
  const kind = isLittle ? type.slice(0, -2) : type;
  const size = Number(/\d+$/.exec(kind)?.[0]) / 8;
  const bytes = Buffer.alloc(size);
  if (kind === 'float32') bytes.writeFloatBE(number);
  else {
    const [low, high] = kind.startsWith('u') ? [0, 2 ** (8 * size) - 1] : [-(2 ** (8 * size - 1)), 2 ** (8 * size - 1) - 1];
    if (!Number.isInteger(number) || number < low || number > high)
      throw new Error(`${name} is ${number}; as ${type} allowed is a whole number from ${low} to ${high}`);
    if (kind.startsWith('u')) bytes.writeUIntBE(number, 0, size);
    else bytes.writeIntBE(number, 0, size);
  }
  return isLittle ? bytes.reverse() : bytes;
}
