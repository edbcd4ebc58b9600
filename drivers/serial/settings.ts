/** A serial connection as it is written in settings, and a device behind it. */
import * as z from 'zod';
import { durationMs, formatDurationMs } from '../../src/contract/duration.ts';
import { limits } from '../../src/contract/limits.ts';
import { patternSchema } from '../../src/contract/pattern.ts';
import { isNetwork, isTcp, settingsText, type TtySettings } from '../tty/settings.ts';
import { usbName } from '../tty/usb.ts';
import { framingSchema, framingText } from './framing/settings.ts';
import { matchSchema } from './match.ts';
import { sentSchema } from './sending.ts';

const usbIdSchema = z.string().regex(/^[0-9a-fA-F]{4}$/, 'is no USB number; allowed are four hexadecimal digits');

const usbSchema = z.strictObject({
  vendor: usbIdSchema.describe('Vendor id').meta({ examples: ['2341'] }),
  product: usbIdSchema.describe('Product id').meta({ examples: ['0043'] }),
  serial: z
    .string()
    .min(1)
    .max(128)
    .optional()
    .describe('Serial number, where several of a kind are plugged in')
    .meta({ examples: ['85436323631351F0A1B2'] }),
  interface: z
    .int()
    .min(0)
    .max(255)
    .optional()
    .describe('Which port of an adapter that has several')
    .meta({ examples: [1] }),
});

const stepSchema = z.strictObject({
  send: sentSchema
    .optional()
    .describe(
      'What is sent, with its line end; {password} is the secret of the connection, {{ a literal brace. Without it the step only waits',
    )
    .meta({ examples: ['*RST\n', 'LOGIN {password}\r\n'] }),
  expect: matchSchema
    .optional()
    .describe('What has to be heard before it goes on, as an expression or as { hex }')
    .meta({ examples: ['^READY'] }),
  timeout: durationMs({ minMs: 10, maxMs: limits.openTimeoutMs })
    .prefault(formatDurationMs(limits.requestTimeoutMs))
    .describe('How long that may take'),
  retries: z
    .int()
    .min(0)
    .max(limits.serialStartRetriesMax)
    .default(0)
    .describe('How often it is said again where what it expects does not come: a modem may still be awakening'),
  wait: durationMs({ maxMs: limits.openTimeoutMs })
    .prefault('0ms')
    .describe('Quiet time after it, before the next step or the first request'),
});

const errorQueueSchema = z.strictObject({
  request: sentSchema.default('SYST:ERR?\n').describe('What asks for the oldest error'),
  none: patternSchema.default('^[+-]?0(,|$)').describe('The reply that says there is none'),
});

export const connectionSchema = z
  .strictObject({
    path: z
      .string()
      .min(1)
      .max(256)
      .optional()
      .meta({
        examples: ['/dev/ttyACM0', '/dev/serial/by-id/usb-Arduino_Uno-if00', 'COM3', 'tcp://10.0.0.7:4001', 'rfc2217://10.0.0.7:4001'],
      })
      .describe(
        'The serial port; on Linux a path under /dev/serial/by-id stays the same after replugging. Or a device server: tcp:// carries bytes alone, rfc2217:// sets the line too',
      ),
    usb: usbSchema
      .optional()
      .describe('Instead of path (Linux): the port of this USB device, whatever its name is today')
      .meta({ examples: [{ vendor: '2341', product: '0043' }] }),
    baudRate: z
      .int()
      .min(50)
      .max(4_000_000)
      .optional()
      .describe('Bits per second, as the device has it: 9600 and 115200 are common. Must be given unless the path is tcp://')
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
    dtr: z
      .enum(['on', 'off', 'pulse'])
      .optional()
      .describe(
        'The line DTR after opening; pulse drops it for a moment, which starts an Arduino anew. As the system does it unless said: on',
      )
      .meta({ examples: ['off'] }),
    rts: z
      .enum(['on', 'off'])
      .optional()
      .describe('The line RTS after opening; as the system does it unless said: on')
      .meta({ examples: ['on'] }),
    hangUp: z
      .boolean()
      .default(true)
      .describe('Whether DTR drops when the port is closed; with false an Arduino is not started anew by the next opening (Linux, macOS)'),
    rs485: z
      .enum(['off', 'rts-high', 'rts-low'])
      .default('off')
      .describe('For RS-485 adapters that do not switch their direction by themselves: RTS is held high (or low) while sending'),
    framing: framingSchema.prefault({ type: 'delimiter' }).describe('How the stream of bytes is divided into lines or frames'),
    encoding: z.enum(['utf-8', 'latin1']).default('utf-8').describe('Of the text on the line; latin1 leaves every byte as it is'),
    timeout: durationMs({ minMs: 10, maxMs: 30_000 })
      .prefault(formatDurationMs(limits.requestTimeoutMs))
      .describe('How long a reply may take'),
    turnaround: durationMs({ maxMs: limits.turnaroundMaxMs })
      .optional()
      .describe(
        'Quiet time after a reply that did not come in time, and after opening: a late reply looks like that to the next question. As long as the timeout unless said',
      ),
    retries: z
      .int()
      .min(0)
      .max(limits.serialReadRetriesMax)
      .default(0)
      .describe(
        'How often a question without a whole reply is asked again at once before its points are bad; what sets a value is never sent again',
      ),
    connectDelay: durationMs({ maxMs: 30_000 })
      .prefault('0ms')
      .describe('Pause between opening the port and the first request: many boards start anew when it is opened, an Arduino takes 2s'),
    requestDelay: durationMs({ maxMs: 10_000 }).prefault('0ms').describe('Quiet time between a reply and the next request'),
    start: z
      .array(stepSchema)
      .max(limits.serialStartStepsMax)
      .default([])
      .describe('What is said after each opening, before anything else; if a step fails the port is closed and opened again later')
      .meta({ examples: [[{ send: 'LOGIN {password}\r\n', expect: '^OK' }]] }),
    errorQueue: errorQueueSchema
      .optional()
      .describe('For instruments that keep their errors (SCPI): asked after each command, so that one that was not understood is refused')
      .meta({ examples: [{}] }),
  })
  .superRefine(({ path, usb, baudRate, dtr, rts, rs485, flowControl }, context) => {
    const fault = (place: string, message: string) => context.addIssue({ code: 'custom', path: [place], message });
    if (path === undefined && usb === undefined) fault('path', 'is missing; allowed are path, or usb with vendor and product');
    if (path !== undefined && usb !== undefined) fault('usb', 'is given together with path; allowed is either');
    if (path !== undefined && isNetwork(path) && !/^(tcp|rfc2217):\/\/(\[[0-9a-fA-F:.]+\]|[^\s/:@[\]]+):\d{1,5}$/.test(path))
      fault('path', 'is no address of a device server; allowed is such as tcp://10.0.0.7:4001 or rfc2217://[::1]:4001');
    const overTcp = path !== undefined && isTcp(path);
    if (baudRate === undefined && !overTcp) fault('baudRate', 'is missing; allowed are 50 to 4000000, such as 9600');
    if (overTcp && (dtr !== undefined || rts !== undefined))
      fault(dtr === undefined ? 'rts' : 'dtr', 'cannot be set over tcp://; rfc2217:// can');
    if (rs485 !== 'off' && path !== undefined && isNetwork(path))
      fault('rs485', 'cannot be done over the network; the device server has to do it');
    if (rs485 !== 'off' && (rts !== undefined || flowControl === 'hardware'))
      fault('rs485', 'needs the line RTS for itself; rts and hardware flow control are not allowed with it');
  });
export type ConnectionOptions = z.output<typeof connectionSchema>;

export const deviceSchema = z
  .strictObject({
    id: z
      .string()
      .regex(/^[\x21-\x7e]{1,32}$/, 'has a blank or a character that is not ASCII; allowed are 1 to 32 others')
      .optional()
      .describe('Its address on a line with several devices; {id} stands for it in requests, replies and commands')
      .meta({ examples: ['01'] }),
  })
  .prefault({});
export type DeviceOptions = z.output<typeof deviceSchema>;

/** `path` is where it is now. */
export function ttyOf(options: ConnectionOptions, path: string): TtySettings {
  const { baudRate, dataBits, parity, stopBits, flowControl, dtr, rts, hangUp, rs485 } = options;
  const lines = { ...(dtr && { dtr }), ...(rts && { rts }), hangUp, rs485 };
  // Over TCP nobody knows; it only estimates how long sending takes.
  return { path, baudRate: baudRate ?? limits.serialUnknownBaudRate, dataBits, parity, stopBits, flowControl, ...lines };
}

/** `/dev/ttyACM0`, `tcp://10.0.0.7:4001`, `usb:2341:0043`. */
export function endpointOf({ path, usb }: ConnectionOptions): string {
  return path ?? (usb ? usbName(usb) : '');
}

/** In words, everything that connections on the same port must have alike. */
export function termsOf(options: ConnectionOptions): string {
  const path = endpointOf(options);
  const line = isTcp(path) ? '' : `${settingsText(ttyOf(options, path))}, `;
  const start = options.start.length === 0 ? '' : `, start ${JSON.stringify(options.start)}`;
  return `${line}${options.encoding} ${framingText(options.framing)}${start}`;
}

export function turnaroundOf({ turnaround, timeout }: ConnectionOptions): number {
  return turnaround ?? Math.min(timeout, limits.turnaroundMaxMs);
}

/** Quiet time after opening before the start-up dialogue asks its first question. */
export function startRestOf(options: ConnectionOptions): number {
  return Math.min(turnaroundOf(options), limits.serialStartRestMaxMs);
}
