/** A Modbus connection and a device behind it, as they are written in settings. */
import { z } from 'zod';
import { durationMs, formatDurationMs } from '../../src/contract/duration.ts';
import { limits } from '../../src/contract/limits.ts';

const tcpSchema = z.strictObject({
  type: z.literal('tcp').describe('Modbus TCP'),
  host: z
    .string()
    .regex(/^[^\s/@]{1,253}$/, {
      error: (issue) => `is ${JSON.stringify(issue.input)}; allowed is a host name or an IP address, without a scheme or a path`,
    })
    .meta({ examples: ['10.0.0.5', 'plc.example'] })
    .describe('Host name or IP address of the device or gateway'),
  port: z.int().min(1).max(65_535).default(502).describe('502 is the port of Modbus TCP'),
});

const rtuSchema = z.strictObject({
  type: z.literal('rtu').describe('Modbus RTU on a serial line'),
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
  dataBits: z
    .union([z.literal(7), z.literal(8)])
    .default(8)
    .describe('RTU needs 8'),
  stopBits: z
    .union([z.literal(1), z.literal(2)])
    .default(1)
    .describe('1 with parity; the standard asks for 2 without'),
  turnaround: durationMs({ maxMs: limits.turnaroundMaxMs })
    .optional()
    .describe(
      'Quiet time after an answer that did not come in time, in which it may still come and is thrown away: on a serial line a late answer looks like that to the next request. As long as the timeout unless said',
    ),
});
export type RtuTransport = z.output<typeof rtuSchema>;

export const connectionSchema = z.strictObject({
  transport: z
    .discriminatedUnion('type', [tcpSchema, rtuSchema])
    .describe('How the device is reached: tcp for Modbus TCP, rtu for a serial line'),
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
});
export type ConnectionOptions = z.output<typeof connectionSchema>;

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
        'Unused registers or bits that may be read along to join two neighbours; 0 because many devices refuse a read that touches an undefined register',
      ),
  })
  .prefault({});
export type DeviceOptions = z.output<typeof deviceSchema>;

/** `tcp://10.0.0.5:502`, `tcp://[::1]:502`, `/dev/ttyUSB0`. */
export function endpointOf(options: ConnectionOptions): string {
  const { transport } = options;
  if (transport.type === 'rtu') return transport.path;
  return `tcp://${transport.host.includes(':') ? `[${transport.host}]` : transport.host}:${transport.port}`;
}
