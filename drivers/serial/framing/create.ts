/** A framing as its settings have it: both directions, checksum included. Pure: it is told of silence by whoever has a clock. */
import { type Checksum, createChecksum } from './checksum.ts';
import { DelimiterFramer } from './delimiter.ts';
import type { Framer, Told } from './framer.ts';
import { HeaderFramer } from './header.ts';
import { bytesOf } from './hex.ts';
import { MarkersFramer } from './markers.ts';
import type { FramingOptions } from './settings.ts';
import { SilenceFramer } from './silence.ts';
import { cobsDecode, cobsEncode, slipDecode, slipEncode, slipEnd } from './stuffing.ts';

export interface Framing extends Framer {
  /** Silence after which `idle` is to be called; undefined if it means nothing. */
  readonly gapMs: number | undefined;
  /** What goes over the wire for it: checksum, escapes and markers added. */
  encode(bytes: Buffer): Buffer;
  /** What ends a text on this line, so that it cannot stand inside a value; undefined where any byte may. */
  readonly ending: string | undefined;
}

export function createFraming(options: FramingOptions, encoding: 'utf-8' | 'latin1', told: Told): Framing {
  const checksum = 'checksum' in options && options.checksum ? createChecksum(options.checksum) : undefined;
  const seal = (bytes: Buffer) => (checksum ? Buffer.concat([bytes, checksum.of(bytes)]) : bytes);
  /** Looks at each frame that comes out of a framer which does not need the checksum to find its place. */
  const checked = (framer: Framer): Framer => (checksum ? withChecksum(framer, checksum, told) : framer);
  switch (options.type) {
    case 'delimiter': {
      const delimiter = Buffer.from(options.delimiter, encoding);
      const framer = checked(new DelimiterFramer({ delimiter, maxLength: options.maxLength }, told));
      return {
        ...bind(framer),
        gapMs: undefined,
        ending: options.delimiter,
        encode: (bytes) => sealLine(bytes, options.delimiter, checksum),
      };
    }
    case 'json-lines': {
      const framer = new DelimiterFramer({ delimiter: Buffer.from('\n'), maxLength: options.maxLength, decode: jsonOnly }, told);
      return { ...bind(framer), gapMs: undefined, ending: '\n', encode: (bytes) => bytes };
    }
    case 'fixed': {
      const { length } = options;
      const start = bytesOf(options.start ?? '');
      const shape = { start, headerLength: length, measure: () => length, maxLength: length };
      const framer = new HeaderFramer({ ...shape, ...(checksum && { open: checksum.open }) }, told);
      return { ...bind(framer), gapMs: options.gap, ending: undefined, encode: seal };
    }
    case 'length': {
      const { offset, width, endian, inclusive, extra, maxLength } = options;
      const read = (beginning: Buffer) => (endian === 'big' ? beginning.readUIntBE(offset, width) : beginning.readUIntLE(offset, width));
      const headerLength = offset + width;
      const measure = (beginning: Buffer) => read(beginning) + extra + (inclusive ? 0 : headerLength);
      const shape = { start: bytesOf(options.start ?? ''), headerLength, measure, maxLength };
      const framer = new HeaderFramer({ ...shape, ...(checksum && { open: checksum.open }) }, told);
      return { ...bind(framer), gapMs: options.gap, ending: undefined, encode: seal };
    }
    case 'markers': {
      const { trailing, maxLength } = options;
      const [start, end, escapeBytes, xorBytes] = [options.start, options.end, options.escape ?? '', options.escapeXor].map(bytesOf) as [
        Buffer,
        Buffer,
        Buffer,
        Buffer,
      ];
      const markers = { start, end, escape: escapeBytes[0], escapeXor: xorBytes[0] ?? 0, trailing, maxLength };
      const framer = new MarkersFramer(markers, told, ({ content, raw }) => {
        if (!checksum) return content;
        if (trailing === 0) return checksum.open(content);
        return checksum.open(raw) && content;
      });
      const wrap = (bytes: Buffer) => Buffer.concat([start, escaped(bytes, markers), end]);
      const encode = (bytes: Buffer) => (trailing > 0 ? seal(wrap(bytes)) : wrap(seal(bytes)));
      return { ...bind(framer), gapMs: undefined, ending: markers.escape === undefined ? end.toString('latin1') : undefined, encode };
    }
    case 'slip': {
      const delimiter = Buffer.from([slipEnd]);
      const framer = checked(new DelimiterFramer({ delimiter, maxLength: options.maxLength, decode: slipDecode, skipEmpty: true }, told));
      return { ...bind(framer), gapMs: undefined, ending: undefined, encode: (bytes) => slipEncode(seal(bytes)) };
    }
    case 'cobs': {
      const delimiter = Buffer.from([0]);
      const framer = checked(new DelimiterFramer({ delimiter, maxLength: options.maxLength, decode: cobsDecode, skipEmpty: true }, told));
      return { ...bind(framer), gapMs: undefined, ending: undefined, encode: (bytes) => cobsEncode(seal(bytes)) };
    }
    case 'silence': {
      const framer = checked(new SilenceFramer(options.maxLength, told));
      return { ...bind(framer), gapMs: options.gap, ending: undefined, encode: seal };
    }
  }
}

function bind(framer: Framer): Framer {
  return { push: (bytes) => framer.push(bytes), idle: () => framer.idle(), skip: () => framer.skip() };
}

function withChecksum(framer: Framer, checksum: Checksum, told: Told): Framer {
  function* opened(frames: Generator<Buffer>): Generator<Buffer> {
    for (const frame of frames) {
      const inside = checksum.open(frame);
      if (inside) yield inside;
      else told('checksum', frame);
    }
  }
  return { push: (bytes) => opened(framer.push(bytes)), idle: () => opened(framer.idle()), skip: () => framer.skip() };
}

/** The checksum stands before the line's end, which is written in the settings with what is sent. */
function sealLine(bytes: Buffer, delimiter: string, checksum: Checksum | undefined): Buffer {
  if (!checksum) return bytes;
  const ends = delimiter === '\n' ? ['\r\n', '\n'] : [delimiter];
  const end = ends.map((text) => Buffer.from(text)).find((one) => bytes.subarray(-one.length).equals(one)) ?? Buffer.alloc(0);
  const body = bytes.subarray(0, bytes.length - end.length);
  return Buffer.concat([body, checksum.of(body), end]);
}

function escaped(
  bytes: Buffer,
  { start, end, escape: mark, escapeXor }: { start: Buffer; end: Buffer; escape: number | undefined; escapeXor: number },
): Buffer {
  if (mark === undefined) return bytes;
  const meant = new Set([start[0], end[0], mark]);
  const spelt: number[] = [];
  for (const byte of bytes) {
    if (meant.has(byte)) spelt.push(mark, byte ^ escapeXor);
    else spelt.push(byte);
  }
  return Buffer.from(spelt);
}

function jsonOnly(line: Buffer): Buffer | undefined {
  try {
    JSON.parse(line.toString());
    return line;
  } catch {
    return undefined;
  }
}
