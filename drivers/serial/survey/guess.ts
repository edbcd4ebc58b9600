/** What bytes heard on a line look like: how likely they were heard at the right speed, how they are divided, and which values are in them. Pure. */
import { createChecksum } from '../framing/checksum.ts';
import { hexText } from '../framing/hex.ts';
import { cobsDecode } from '../framing/stuffing.ts';
import { proposePoints } from './points.ts';

export interface Guess {
  /** 0 to 1: how sure it is that this is what the device says. */
  score: number;
  /** For people: `lines that end with "\r\n"`. */
  text: string;
  /** Options of the connection that would be set. */
  connection: Record<string, unknown>;
  points: Record<string, unknown>[];
  /** The last thing heard, for people. */
  sample: string;
}

/** Less than this many bytes say nothing. */
const bytesMin = 8;
const [carriageReturn, lineFeed] = [0x0d, 0x0a];
const nmea = createChecksum({ type: 'nmea' });
const modbusCrc = createChecksum({
  type: 'crc',
  width: 16,
  poly: '0x8005',
  init: '0xFFFF',
  refin: true,
  refout: true,
  xorout: '0x0',
  as: 'binary',
  order: 'little',
  from: 0,
});

/** Pieces as they came, with silence between them; undefined if too little came to say anything. */
export function guess(pieces: readonly Buffer[]): Guess | undefined {
  const all = Buffer.concat(pieces);
  if (all.length < bytesMin) return undefined;
  const seven = sevenBits(all);
  if (seven) {
    const asText = textGuess(seven.bytes);
    return { ...asText, score: asText.score * 0.95, connection: { ...asText.connection, dataBits: 7, parity: seven.parity } };
  }
  const asText = textGuess(all);
  const asBytes = bytesGuess(pieces, all);
  return asBytes && asBytes.score > asText.score ? asBytes : asText;
}

/** Text of 7 bits with a parity bit, read as 8 bits: every byte has the same parity, and some have the top bit. */
function sevenBits(bytes: Buffer): { bytes: Buffer; parity: 'even' | 'odd' } | undefined {
  let odd = 0;
  let top = 0;
  for (const byte of bytes) {
    if (ones(byte) % 2 === 1) odd += 1;
    if (byte >= 0x80) top += 1;
  }
  if (top < bytes.length / 10 || (odd !== 0 && odd !== bytes.length)) return undefined;
  const plain = Buffer.from(bytes.map((byte) => byte & 0x7f));
  return printable(plain) > 0.95 ? { bytes: plain, parity: odd === 0 ? 'even' : 'odd' } : undefined;
}

function textGuess(bytes: Buffer): Guess {
  const share = printable(bytes);
  const { delimiter, lines } = divide(bytes);
  const shown = lines.at(-1) ?? bytes.toString('latin1').slice(-80);
  const base = { sample: shown, connection: {}, points: [] as Record<string, unknown>[] };
  if (share < 0.9)
    return {
      ...base,
      score: share * 0.3,
      text: `${Math.round(share * 100)} % of the bytes are text: the speed or the parity is another, or these are bytes of no text`,
      sample: hexText(bytes.subarray(-16)),
    };
  if (delimiter === undefined || lines.length === 0) return { ...base, score: 0.4, text: 'text without an end of lines' };
  const end = `lines that end with ${JSON.stringify(delimiter)}`;
  const framing: Record<string, unknown> = { type: 'delimiter', delimiter: delimiter === '\r\n' ? '\n' : delimiter };
  const points = proposePoints(lines);
  const sealed = lines.filter((line) => nmea.open(Buffer.from(line, 'latin1')) !== undefined).length;
  if (sealed > 0 && sealed >= lines.length / 2)
    return {
      ...base,
      points,
      score: 0.99,
      text: `NMEA 0183: ${sealed} of ${lines.length} sentences with a right checksum`,
      connection: { framing: { ...framing, checksum: { type: 'nmea' } } },
    };
  if (lines.every((line) => /^[[{].*[\]}]$/.test(line) && isJson(line)))
    return { ...base, points, score: 0.98, text: `JSON, one document a line`, connection: { framing: { type: 'json-lines' } } };
  return { ...base, points, score: Math.min(0.95, 0.5 + share * 0.3 + alike(lines) * 0.15), text: end, connection: { framing } };
}

/** The way binary protocols look: pieces between silences with a checksum, markers, or one length. */
function bytesGuess(pieces: readonly Buffer[], all: Buffer): Guess | undefined {
  const whole = pieces.filter((piece) => piece.length > 2);
  const base = { points: [], sample: hexText(pieces.at(-1) ?? all) };
  if (whole.length > 0 && whole.every((piece) => modbusCrc.open(piece) !== undefined))
    return {
      ...base,
      score: 0.95,
      text: 'frames with the CRC of Modbus RTU: this may be a Modbus line, which has a driver of its own',
      connection: {
        framing: {
          type: 'silence',
          gap: '20ms',
          checksum: { type: 'crc', poly: '0x8005', init: '0xFFFF', refin: true, refout: true, order: 'little' },
        },
      },
    };
  if (all.filter((byte) => byte === 0xc0).length >= 4 && all.at(-1) === 0xc0)
    return { ...base, score: 0.6, text: 'frames that end with c0, as SLIP has them', connection: { framing: { type: 'slip' } } };
  if (isCobs(all))
    return {
      ...base,
      score: 0.75,
      text: 'frames that end with 00 and have none inside, as COBS has them',
      connection: { framing: { type: 'cobs' } },
    };
  if (all[0] === 0x02 && all.includes(0x03))
    return {
      ...base,
      score: 0.7,
      text: 'frames between STX (02) and ETX (03)',
      connection: { framing: { type: 'markers', start: '02', end: '03' } },
    };
  const lengths = new Set(whole.map(({ length }) => length));
  const [length] = lengths;
  const starts = new Set(whole.map((piece) => piece[0]));
  if (whole.length >= 3 && lengths.size === 1 && starts.size === 1 && length !== undefined)
    return {
      ...base,
      score: 0.65,
      text: `frames of ${length} bytes that begin with ${hexText(all.subarray(0, 1))}`,
      connection: { framing: { type: 'fixed', length, start: hexText(all.subarray(0, 1)) } },
    };
  return undefined;
}

/** The blocks between zeros are as long as they say; what was heard may begin in the middle of one. */
function isCobs(bytes: Buffer): boolean {
  const frames: Buffer[] = [];
  for (let at = 0, end = bytes.indexOf(0); end >= 0; at = end + 1, end = bytes.indexOf(0, at)) frames.push(bytes.subarray(at, end));
  const whole = frames.slice(1).filter(({ length }) => length > 0);
  return bytes.at(-1) === 0 && whole.length >= 3 && whole.every((frame) => cobsDecode(frame) !== undefined);
}

function divide(bytes: Buffer): { delimiter: string | undefined; lines: string[] } {
  const text = bytes.toString('latin1');
  const feeds = count(bytes, lineFeed);
  const returns = count(bytes, carriageReturn);
  const delimiter = feeds > 0 ? (returns >= feeds - 1 && text.includes('\r\n') ? '\r\n' : '\n') : returns > 0 ? '\r' : undefined;
  if (delimiter === undefined) return { delimiter, lines: [] };
  const parts = text.split(delimiter);
  // The first may have lost its beginning, the last has no end yet.
  const lines = (parts.length > 2 ? parts.slice(1, -1) : parts.slice(0, -1)).filter((line) => line !== '');
  return { delimiter, lines };
}

/** How alike lines are when their numbers are left out: a device says few kinds of lines. */
function alike(lines: readonly string[]): number {
  const kinds = new Set(lines.map((line) => line.replaceAll(/[-+]?\d+(\.\d+)?/g, '0')));
  return lines.length < 2 ? 0.5 : 1 - (kinds.size - 1) / lines.length;
}

function printable(bytes: Buffer): number {
  let plain = 0;
  for (const byte of bytes) if ((byte >= 0x20 && byte < 0x7f) || byte === 0x09 || byte === lineFeed || byte === carriageReturn) plain += 1;
  return bytes.length === 0 ? 0 : plain / bytes.length;
}

function count(bytes: Buffer, wanted: number): number {
  let total = 0;
  for (const byte of bytes) if (byte === wanted) total += 1;
  return total;
}

function ones(byte: number): number {
  let total = 0;
  for (let rest = byte; rest > 0; rest >>= 1) total += rest & 1;
  return total;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
