/** Checksums of serial protocols: computed, put behind what is sent, looked at and taken off what comes. Pure. */
import * as z from 'zod';

/** A number in hexadecimal of at most 32 bits; text, because data sheets write it so. */
const wordSchema = z
  .string()
  .regex(/^0x[0-9a-fA-F]{1,8}$/, 'is no number in hexadecimal; allowed is 0x and 1 to 8 digits, such as "0x1021"');

const common = {
  as: z.enum(['binary', 'hex']).default('binary').describe('How it stands on the line: as bytes, or as hexadecimal digits'),
  order: z
    .enum(['big', 'little'])
    .default('big')
    .describe('Which byte of it comes first: the most significant (big) or the least (little)'),
  from: z.int().min(0).max(64).default(0).describe('Bytes at the beginning of a frame that it does not cover'),
};

export const checksumSchema = z.discriminatedUnion('type', [
  z
    .strictObject({
      type: z.literal('nmea').describe('As in NMEA 0183: behind a star, the exclusive or of all between $ and it, two hexadecimal digits'),
    })
    .describe('NMEA 0183'),
  z
    .strictObject({ type: z.literal('xor').describe('All bytes by exclusive or, also called LRC or BCC'), ...common })
    .describe('Exclusive or'),
  z
    .strictObject({
      type: z.literal('sum').describe('All bytes added, of which the lowest bits are kept'),
      width: z
        .union([z.literal(8), z.literal(16), z.literal(32)])
        .default(8)
        .describe('Bits of it'),
      complement: z
        .enum(['none', 'ones', 'twos'])
        .default('none')
        .describe('ones inverts the bits of the sum, twos makes it negative: then all bytes with it add up to 0'),
      ...common,
    })
    .describe('Sum'),
  z
    .strictObject({
      type: z.literal('crc').describe('Cyclic redundancy check, with the parameters that the data sheet or a catalogue of CRCs gives'),
      width: z
        .union([z.literal(8), z.literal(16), z.literal(32)])
        .default(16)
        .describe('Bits of it'),
      poly: wordSchema.describe('The polynomial, without its highest bit').meta({ examples: ['0x8005', '0x1021', '0x04C11DB7'] }),
      init: wordSchema
        .default('0x0')
        .describe('What the register holds at the beginning')
        .meta({ examples: ['0xFFFF'] }),
      refin: z.boolean().default(false).describe('Whether the bits of each byte are taken in from the least significant one'),
      refout: z.boolean().default(false).describe('Whether the bits of the result are reversed'),
      xorout: wordSchema
        .default('0x0')
        .describe('What the result is combined with by exclusive or')
        .meta({ examples: ['0x0000'] }),
      ...common,
    })
    .describe('CRC'),
]);
export type ChecksumOptions = z.output<typeof checksumSchema>;

export interface Checksum {
  /** Behind these bytes belongs this. */
  of(bytes: Buffer): Buffer;
  /** The bytes in front of the checksum; undefined if it does not fit. */
  open(bytes: Buffer): Buffer | undefined;
}

export function createChecksum(options: ChecksumOptions): Checksum {
  if (options.type === 'nmea') return nmea;
  const { as, order, from } = options;
  const width = options.type === 'xor' ? 8 : options.width;
  const compute = computerOf(options);
  const length = (width / 8) * (as === 'hex' ? 2 : 1);
  const of = (bytes: Buffer): Buffer => {
    const value = Buffer.alloc(width / 8);
    value.writeUIntBE(compute(bytes.subarray(from)), 0, width / 8);
    if (order === 'little') value.reverse();
    return as === 'hex' ? Buffer.from(value.toString('hex').toUpperCase(), 'latin1') : value;
  };
  return {
    of,
    open(bytes) {
      const body = bytes.subarray(0, -length);
      if (bytes.length < length || body.length < from) return undefined;
      const given = bytes.subarray(-length);
      const right = of(body);
      const fits = as === 'hex' ? given.toString('latin1').toUpperCase() === right.toString('latin1') : given.equals(right);
      return fits ? body : undefined;
    },
  };
}

/** NMEA 0183 v4.11 §5.3.1. The body keeps its $. */
const nmea: Checksum = {
  of: (bytes) => Buffer.from(`*${hex2(xor(bytes.subarray(/^[$!]/.test(bytes.toString('latin1', 0, 1)) ? 1 : 0)))}`, 'latin1'),
  open(bytes) {
    const text = bytes.toString('latin1');
    const match = /^[$!]([^*$!]*)\*([0-9A-Fa-f]{2})$/.exec(text);
    if (!match) return undefined;
    const body = bytes.subarray(0, bytes.length - 3);
    return hex2(xor(body.subarray(1))) === match[2]?.toUpperCase() ? body : undefined;
  },
};

function computerOf(options: Exclude<ChecksumOptions, { type: 'nmea' }>): (bytes: Buffer) => number {
  if (options.type === 'xor') return xor;
  if (options.type === 'crc') return crc(options);
  const { width, complement } = options;
  const size = 2 ** width;
  return (bytes) => {
    let total = 0;
    for (const byte of bytes) total = (total + byte) % size;
    return complement === 'none' ? total : complement === 'ones' ? size - 1 - total : (size - total) % size;
  };
}

function xor(bytes: Buffer): number {
  let value = 0;
  for (const byte of bytes) value ^= byte;
  return value;
}

const hex2 = (value: number) => value.toString(16).toUpperCase().padStart(2, '0');

/** The model of Ross Williams, "A painless guide to CRC error detection algorithms", 1993: one table, reflected where bits come in reversed. */
function crc(options: Extract<ChecksumOptions, { type: 'crc' }>): (bytes: Buffer) => number {
  const { width, refin, refout } = options;
  const mask = width === 32 ? 0xffffffff : 2 ** width - 1;
  const [poly, init, xorout] = [options.poly, options.init, options.xorout].map((text) => (Number(text) & mask) >>> 0) as [
    number,
    number,
    number,
  ];
  const start = refin ? reverse(init, width) : init;
  const table = Uint32Array.from({ length: 256 }, (_, byte) =>
    refin ? reflectedEntry(byte, reverse(poly, width)) : entry(byte, poly, width, mask),
  );
  return (bytes) => {
    let register = start;
    for (const byte of bytes) {
      register = refin
        ? (register >>> 8) ^ (table[(register ^ byte) & 0xff] ?? 0)
        : ((register << 8) & mask) ^ (table[((register >>> (width - 8)) ^ byte) & 0xff] ?? 0);
    }
    const result = refin === refout ? register : reverse(register, width);
    return ((result ^ xorout) & mask) >>> 0;
  };
}

function entry(byte: number, poly: number, width: number, mask: number): number {
  let register = (byte << (width - 8)) >>> 0;
  const top = 2 ** (width - 1);
  for (let bit = 0; bit < 8; bit++) register = ((register & top) !== 0 ? (register << 1) ^ poly : register << 1) & mask;
  return register >>> 0;
}

function reflectedEntry(byte: number, poly: number): number {
  let register = byte;
  for (let bit = 0; bit < 8; bit++) register = register & 1 ? (register >>> 1) ^ poly : register >>> 1;
  return register >>> 0;
}

function reverse(value: number, width: number): number {
  let reversed = 0;
  for (let bit = 0; bit < width; bit++) if ((value >>> bit) & 1) reversed |= 1 << (width - 1 - bit);
  return reversed >>> 0;
}
