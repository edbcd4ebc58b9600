/** A Modbus connection and a device behind it, as they are written in settings. */
import * as z from 'zod';
import { durationMs, formatDurationMs } from '../../src/contract/duration.ts';
import { limits } from '../../src/contract/limits.ts';
import { tables } from './reference.ts';

const hostSchema = z
  .string()
  .regex(/^[^\s/@]{1,253}$/, {
    error: (issue) => `is ${JSON.stringify(issue.input)}; allowed is a host name or an IP address, without a scheme or a path`,
  })
  .meta({ examples: ['10.0.0.5', 'plc.example'] });
const portSchema = z.int().min(1).max(65_535);

const tcpSchema = z.strictObject({
  type: z.literal('tcp').describe('Modbus TCP'),
  host: hostSchema.describe('Host name or IP address of the device or gateway'),
  port: portSchema.default(502).describe('502 is the port of Modbus TCP'),
});

const tlsSchema = z.strictObject({
  type: z
    .literal('tls')
    .describe(
      'Modbus/TCP Security: Modbus TCP inside TLS. The secrets ca, cert, key and passphrase are PEM texts and the pass phrase of the key',
    ),
  host: hostSchema.describe('Host name or IP address of the device or gateway'),
  port: portSchema.default(802).describe('802 is the port of Modbus/TCP Security'),
  verify: z.boolean().default(true).describe('False accepts any certificate: for a test bench only'),
  serverName: z
    .string()
    .min(1)
    .max(253)
    .optional()
    .describe("The name in the device's certificate, if it is not its host")
    .meta({ examples: ['plc.example'] }),
});

const turnaroundSchema = durationMs({ maxMs: limits.turnaroundMaxMs })
  .optional()
  .describe(
    'Quiet time after an answer that did not come in time, in which it may still come and is thrown away: on a serial line a late answer looks like that to the next request. As long as the timeout unless said',
  );

const ttyFields = {
  path: z
    .string()
    .min(1)
    .max(256)
    .meta({ examples: ['/dev/ttyUSB0', 'COM3'] })
    .describe('The serial port; on Linux a path under /dev/serial/by-id stays the same after replugging'),
  baudRate: z
    .int()
    .min(300)
    .max(4_000_000)
    .default(19_200)
    .describe('Bits per second; 19200 is the default of the standard, 9600 is common too'),
  parity: z.enum(['none', 'even', 'odd']).default('even').describe('even is the default of the standard'),
  stopBits: z
    .union([z.literal(1), z.literal(2)])
    .default(1)
    .describe('1 with parity; the standard asks for 2 without'),
  turnaround: turnaroundSchema,
};
const dataBitsSchema = z.union([z.literal(7), z.literal(8)]);

const rtuSchema = z.strictObject({
  type: z.literal('rtu').describe('Modbus RTU on a serial line'),
  ...ttyFields,
  dataBits: dataBitsSchema.default(8).describe('RTU needs 8'),
});

const asciiSchema = z.strictObject({
  type: z.literal('ascii').describe('Modbus ASCII on a serial line'),
  ...ttyFields,
  dataBits: dataBitsSchema.default(7).describe('7 is the default of the standard for ASCII; some devices use 8'),
});
export type SerialTransport = z.output<typeof rtuSchema> | z.output<typeof asciiSchema>;

const converterFields = {
  host: hostSchema.describe('Host name or IP address of the converter between network and serial line'),
  port: portSchema
    .default(502)
    .describe("The converter's port for the line; 4001 and 8899 are common too")
    .meta({ examples: [4001] }),
  turnaround: turnaroundSchema,
};

const rtuOverTcpSchema = z.strictObject({
  type: z.literal('rtu-over-tcp').describe('Frames of Modbus RTU through a converter that only passes bytes on'),
  ...converterFields,
});

const asciiOverTcpSchema = z.strictObject({
  type: z.literal('ascii-over-tcp').describe('Frames of Modbus ASCII through a converter that only passes bytes on'),
  ...converterFields,
});
export type ConverterTransport = z.output<typeof rtuOverTcpSchema> | z.output<typeof asciiOverTcpSchema>;
export type LineTransport = SerialTransport | ConverterTransport;

/** Names of the secrets of `tls`. */
export const secrets = ['ca', 'cert', 'key', 'passphrase'] as const;

export const connectionSchema = z.strictObject({
  transport: z
    .discriminatedUnion('type', [tcpSchema, rtuSchema, tlsSchema, asciiSchema, rtuOverTcpSchema, asciiOverTcpSchema])
    .describe(
      'How the device is reached: tcp for Modbus TCP, tls for the same inside TLS, rtu or ascii for a serial line, rtu-over-tcp or ascii-over-tcp for a line behind a converter that passes bytes on',
    ),
  timeout: durationMs({ minMs: 10, maxMs: 30_000 })
    .prefault(formatDurationMs(limits.requestTimeoutMs))
    .describe('How long an answer may take'),
  connectDelay: durationMs({ maxMs: 30_000 }).prefault('0ms').describe('Pause after connecting, for devices that are not ready at once'),
  requestDelay: durationMs({ maxMs: 10_000 })
    .prefault('0ms')
    .describe('Quiet time between an answer and the next request, for devices that need a rest'),
  maxInFlight: z
    .int()
    .min(1)
    .max(limits.modbusInFlightMax)
    .default(1)
    .describe('Requests sent before their answers are in; only for a Modbus TCP device that is known to take more than one'),
  closeAfterPoll: z
    .boolean()
    .default(false)
    .describe(
      'Closes the connection when nothing is left to ask and opens it again for the next request: for devices that have few sockets and several masters. Only for tcp and tls',
    ),
});
export type ConnectionOptions = z.output<typeof connectionSchema>;
export type Transport = ConnectionOptions['transport'];

/** A serial line, of this machine or behind a converter: it carries one request at a time. */
export function isLine(transport: Transport): transport is LineTransport {
  return transport.type !== 'tcp' && transport.type !== 'tls';
}

/** A serial line of this machine. */
export function isSerial(transport: Transport): transport is SerialTransport {
  return transport.type === 'rtu' || transport.type === 'ascii';
}

export const deviceSchema = z
  .strictObject({
    unitId: z
      .int()
      .min(0)
      .max(255)
      .default(1)
      .describe(
        'The device behind a gateway or on a serial line, 1 to 247; a Modbus TCP device of its own often takes any, or asks for 255 or 0',
      ),
    registersPerRequest: z
      .int()
      .min(1)
      .max(limits.modbusRegistersMax)
      .default(limits.modbusRegistersMax)
      .describe('The most registers read together; lower it for a device that refuses long reads'),
    bitsPerRequest: z
      .int()
      .min(1)
      .max(limits.modbusBitsMax)
      .default(limits.modbusBitsMax)
      .describe('The most coils or discrete inputs read together'),
    gap: z
      .int()
      .min(0)
      .max(limits.modbusRegistersMax - 1)
      .default(0)
      .describe(
        'Unused registers or bits that may be read along to join two neighbours; 0 because many devices refuse a read that touches an undefined register. Where a device refuses one all the same, its neighbours are asked for apart and the place is remembered for a day',
      ),
    neverRead: z
      .array(
        z
          .strictObject({
            table: z
              .enum(tables)
              .describe('Where the places are')
              .meta({ examples: ['holding'] }),
            first: z
              .int()
              .min(0)
              .max(65_535)
              .describe('The first register or bit, counted from 0')
              .meta({ examples: [100] }),
            last: z
              .int()
              .min(0)
              .max(65_535)
              .describe('The last one')
              .meta({ examples: [109] }),
          })
          .refine(({ first, last }) => first <= last, { path: ['last'], message: 'is below first; allowed is first or more' }),
      )
      .max(64)
      .default([])
      .describe('Places no read may touch, not even on the way to others: registers that reading clears')
      .meta({ examples: [[{ table: 'holding', first: 100, last: 109 }]] }),
    oneRequestPerPoint: z.boolean().default(false).describe('Never joins points: for devices that answer one value at a time'),
    startAtZero: z
      .boolean()
      .default(false)
      .describe('Reads coils and discrete inputs from 0 on, whichever are wanted: some devices refuse anything else'),
    busyRetries: z
      .int()
      .min(0)
      .max(10)
      .default(3)
      .describe('How often a read is tried again that the device put off with exception 5 (acknowledge) or 6 (busy)'),
    busyPause: durationMs({ minMs: 10, maxMs: 10_000 })
      .prefault('200ms')
      .describe('The pause before such a try; others use the bus meanwhile'),
    broadcast: z
      .boolean()
      .default(false)
      .describe(
        'With unitId 0 on a serial line: writes go to all units at once and nobody answers; such a device has only points with access write',
      ),
  })
  .prefault({});
export type DeviceOptions = z.output<typeof deviceSchema>;

/** `tcp://10.0.0.5:502`, `tcp://[::1]:502`, `/dev/ttyUSB0`. */
export function endpointOf(options: ConnectionOptions): string {
  const { transport } = options;
  if (isSerial(transport)) return transport.path;
  return `tcp://${transport.host.includes(':') ? `[${transport.host}]` : transport.host}:${transport.port}`;
}
