/** How the stream of bytes is divided into frames, as it is written in settings. */
import * as z from 'zod';
import { durationMs } from '../../../src/contract/duration.ts';
import { limits } from '../../../src/contract/limits.ts';
import { checksumSchema } from './checksum.ts';
import { hexSchema } from './hex.ts';

const maxLength = z
  .int()
  .min(1)
  .max(limits.serialLineBytesMax)
  .default(limits.serialLineBytesDefault)
  .describe('Bytes of a frame; a longer one is dropped, and the next begins after its end');

const checksum = checksumSchema
  .optional()
  .describe('At the end of each frame; a frame it does not fit is dropped and counted. Put behind what is sent too')
  .meta({ examples: [{ type: 'nmea' }, { type: 'crc', poly: '0x8005', init: '0xFFFF', refin: true, refout: true, order: 'little' }] });

const gap = durationMs({ minMs: 2, maxMs: 60_000 })
  .prefault('200ms')
  .describe('Silence after which an unfinished frame is thrown away and the next byte begins a new one');

const start = hexSchema(1, 8)
  .optional()
  .describe('Bytes that every frame begins with, in hexadecimal: the place is found again by them. They stay part of the frame')
  .meta({ examples: ['aa 55'] });

export const framingSchema = z.discriminatedUnion('type', [
  z
    .strictObject({
      type: z
        .literal('delimiter')
        .describe('Everything up to an end, such as a line feed: what sketches, GPS receivers and most instruments say'),
      delimiter: z
        .string()
        .min(1)
        .max(16)
        .default('\n')
        .describe('What ends a line; a carriage return before a line feed is not part of the line'),
      maxLength,
      checksum,
    })
    .describe('Lines with an end'),
  z
    .strictObject({
      type: z.literal('json-lines').describe('One JSON document a line; a line that is none is dropped and counted'),
      maxLength,
    })
    .describe('JSON lines'),
  z
    .strictObject({
      type: z
        .literal('fixed')
        .describe('Frames that are all as long; the place is found by what they begin with, by their checksum, or by silence'),
      length: z
        .int()
        .min(1)
        .max(limits.serialLineBytesMax)
        .describe('Bytes of a frame, with what it begins with and its checksum')
        .meta({ examples: [9] }),
      start,
      gap,
      checksum,
    })
    .describe('Frames of one length'),
  z
    .strictObject({
      type: z.literal('length').describe('Frames with a field near their beginning that says how long they are'),
      start,
      offset: z
        .int()
        .min(0)
        .max(64)
        .describe('Where the length stands, counted from the first byte of the frame')
        .meta({ examples: [1] }),
      width: z
        .union([z.literal(1), z.literal(2), z.literal(4)])
        .default(1)
        .describe('Bytes of the length'),
      endian: z
        .enum(['big', 'little'])
        .default('big')
        .describe('Which byte of the length comes first: the most significant (big) or the least (little)'),
      inclusive: z.boolean().default(false).describe('True if it counts the whole frame; false if only what follows it'),
      extra: z
        .int()
        .min(-64)
        .max(64)
        .default(0)
        .describe('Bytes of the frame that it does not count, such as a checksum; negative if it counts too many'),
      gap,
      maxLength,
      checksum,
    })
    .describe('Frames with a length field'),
  z
    .strictObject({
      type: z.literal('markers').describe('Frames between a start and an end, with or without escapes: STX … ETX, HDLC, DLE stuffing'),
      start: hexSchema(1, 4)
        .describe('Bytes before a frame, in hexadecimal; 02 is STX')
        .meta({ examples: ['02'] }),
      end: hexSchema(1, 4)
        .describe('Bytes behind a frame; 03 is ETX')
        .meta({ examples: ['03'] }),
      escape: hexSchema(1, 1)
        .optional()
        .describe('The byte that stands before a marker which is meant as data')
        .meta({ examples: ['7d'] }),
      escapeXor: hexSchema(1, 1)
        .default('00')
        .describe('What an escaped byte is combined with by exclusive or; 20 in HDLC, 00 where it stands as it is'),
      trailing: z
        .int()
        .min(0)
        .max(8)
        .default(0)
        .describe('Bytes of a checksum that stand behind the end; it then covers the markers as well, unless "from" says otherwise'),
      maxLength,
      checksum,
    })
    .describe('Frames between markers'),
  z
    .strictObject({ type: z.literal('slip').describe('RFC 1055: the byte c0 ends a frame, and db escapes it inside'), maxLength, checksum })
    .describe('SLIP'),
  z
    .strictObject({
      type: z.literal('cobs').describe('Consistent overhead byte stuffing: no zero inside a frame, and a zero ends it'),
      maxLength,
      checksum,
    })
    .describe('COBS'),
  z
    .strictObject({
      type: z.literal('silence').describe('Frames with nothing between them but a pause'),
      gap: durationMs({ minMs: 2, maxMs: 60_000 })
        .prefault('50ms')
        .describe('The silence that ends a frame; USB adapters hold bytes back for 16 ms'),
      maxLength,
      checksum,
    })
    .describe('Frames that end with silence'),
]);
export type FramingOptions = z.output<typeof framingSchema>;

/** `lines of at most 4096 bytes that end with "\n"`, for people; the same for the same settings only. */
export function framingText(options: FramingOptions): string {
  const check = 'checksum' in options && options.checksum ? `, checksum ${JSON.stringify(options.checksum)}` : '';
  if (options.type === 'delimiter')
    return `lines of at most ${options.maxLength} bytes that end with ${JSON.stringify(options.delimiter)}${check}`;
  const { type, checksum: _checksum, ...rest } = options as FramingOptions & { checksum?: unknown };
  return `${type} frames ${JSON.stringify(rest)}${check}`;
}
