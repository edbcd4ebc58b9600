/** A serial connection as it is written in settings. A device behind it is only a name: its points say what they listen to and ask for. */
import { z } from 'zod';
import { durationMs, formatDurationMs } from '../../src/contract/duration.ts';
import { limits } from '../../src/contract/limits.ts';
import { settingsText, type TtySettings } from '../tty/settings.ts';

const framingSchema = z.strictObject({
  type: z.literal('delimiter').describe('Lines with an end'),
  delimiter: z
    .string()
    .min(1)
    .max(16)
    .default('\n')
    .describe('What ends a line; a carriage return before a line feed is not part of the line'),
  maxLength: z
    .int()
    .min(1)
    .max(limits.serialLineBytesMax)
    .default(limits.serialLineBytesDefault)
    .describe('Bytes of a line; a longer one is dropped, and the next begins after its end'),
});

export const connectionSchema = z.strictObject({
  path: z
    .string()
    .min(1)
    .max(256)
    .meta({ examples: ['/dev/ttyACM0', '/dev/serial/by-id/usb-Arduino_Uno-if00', 'COM3'] })
    .describe('The serial port; on Linux a path under /dev/serial/by-id stays the same after replugging'),
  baudRate: z
    .int()
    .min(50)
    .max(4_000_000)
    .describe('Bits per second, as the device has it: 9600 and 115200 are common')
    .meta({ examples: [115200] }),
  dataBits: z
    .union([z.literal(8), z.literal(7), z.literal(6), z.literal(5)])
    .default(8)
    .describe('Nearly always 8'),
  parity: z.enum(['none', 'even', 'odd']).default('none').describe('Nearly always none'),
  stopBits: z
    .union([z.literal(1), z.literal(2)])
    .default(1)
    .describe('Nearly always 1'),
  flowControl: z
    .enum(['none', 'hardware', 'software'])
    .default('none')
    .describe('hardware is RTS/CTS, software is XON/XOFF; wrong here, the port takes no bytes'),
  framing: framingSchema.prefault({ type: 'delimiter' }).describe('How the stream of bytes is divided into lines'),
  encoding: z.enum(['utf-8', 'latin1']).default('utf-8').describe('Of the text on the line'),
  timeout: durationMs({ minMs: 10, maxMs: 30_000 })
    .prefault(formatDurationMs(limits.requestTimeoutMs))
    .describe('How long a reply may take'),
  connectDelay: durationMs({ maxMs: 30_000 })
    .prefault('0ms')
    .describe('Pause between opening the port and the first request: many boards start anew when it is opened, an Arduino takes 2s'),
  requestDelay: durationMs({ maxMs: 10_000 }).prefault('0ms').describe('Quiet time between a reply and the next request'),
});
export type ConnectionOptions = z.output<typeof connectionSchema>;

export const deviceSchema = z.strictObject({}).prefault({});
export type DeviceOptions = z.output<typeof deviceSchema>;

export function ttyOf({ path, baudRate, dataBits, parity, stopBits, flowControl }: ConnectionOptions): TtySettings {
  return { path, baudRate, dataBits, parity, stopBits, flowControl };
}

/** In words, everything that connections on the same port must have alike. */
export function termsOf(options: ConnectionOptions): string {
  const { delimiter, maxLength } = options.framing;
  return `${settingsText(ttyOf(options))}, ${options.encoding} lines of at most ${maxLength} bytes that end with ${JSON.stringify(delimiter)}`;
}
