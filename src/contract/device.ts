/** The configuration language for devices and points (DESIGN §5): the one place where these settings are declared. */
import * as z from 'zod';
import { roles } from './caller.ts';
import { durationMs, formatDurationMs } from './duration.ts';
import { guardFields } from './guards.ts';
import { limits } from './limits.ts';

export const idSchema = z
  .string()
  .regex(/^(?!\.+$)[A-Za-z0-9_.-]{1,64}$/, {
    error: (issue) => `is ${JSON.stringify(issue.input)}; allowed are 1 to 64 of A-Z a-z 0-9 _ . -, not dots alone`,
  })
  .describe('1 to 64 of A-Z a-z 0-9 _ . -')
  .meta({ examples: ['plc'] });

/** A point id has no dot, so that `device.point` divides at the last one. */
export const pointIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, { error: (issue) => `is ${JSON.stringify(issue.input)}; allowed are 1 to 64 of A-Z a-z 0-9 _ -` })
  .describe('1 to 64 of A-Z a-z 0-9 _ -')
  .meta({ examples: ['flow_temp'] });

/** What people read; the id where there is none. */
export const titleSchema = z
  .string()
  .max(128)
  .optional()
  .describe('What people read; the id unless said')
  .meta({ examples: ['Boiler room'] });

export const labelsSchema = z
  .record(
    z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/, 'allowed in a label name are 1 to 64 of A-Z a-z 0-9 _, no digit first'),
    z.string().max(256),
  )
  .describe('Labels of the series, shown in legends and usable in queries')
  .meta({ examples: [{ site: 'north' }] });

const intervalSchema = durationMs({ minMs: limits.pollIntervalMinMs, maxMs: 7 * 86_400_000 });

const verifyDetailSchema = z.strictObject({
  point: pointIdSchema
    .optional()
    .describe('The point that shows the effect; the written one unless said')
    .meta({ examples: ['setpoint_active'] }),
  equals: z
    .union([z.number(), z.boolean(), z.string()])
    .optional()
    .describe('The value to be seen; the written one unless said')
    .meta({ examples: [1] }),
  tolerance: z.number().nonnegative().default(0).describe('Largest difference that still counts as equal, in engineering units'),
  settle: durationMs({ maxMs: 60_000 }).prefault('0ms').describe('Pause before the first look'),
  timeout: durationMs({ minMs: 10, maxMs: 600_000 })
    .prefault(formatDurationMs(limits.verifyTimeoutMs))
    .describe('After this without agreement: mismatch'),
});

/** `"none"`, `"readback"` or the details (DESIGN §8). */
export const verifySchema = z.union([z.enum(['none', 'readback']), verifyDetailSchema], {
  error: 'allowed are "none", "readback" or an object with point, equals, tolerance, settle, timeout',
});

export const writeSchema = z.strictObject({
  min: z
    .number()
    .optional()
    .describe('Lowest value a command may set, in engineering units')
    .meta({ examples: [20] }),
  max: z
    .number()
    .optional()
    .describe('Highest value a command may set, in engineering units')
    .meta({ examples: [90] }),
  step: z
    .number()
    .positive()
    .optional()
    .describe('Values must be min (or 0) plus a multiple of this')
    .meta({ examples: [0.5] }),
  verify: verifySchema.optional().describe('How the effect is checked; readback for readable points unless said'),
  ...guardFields,
});

export const pointSchema = z.strictObject({
  id: pointIdSchema,
  title: titleSchema,
  address: z.unknown().optional().describe("Where the value is: the driver's own words"),
  access: z.enum(['read', 'write', 'read-write']).default('read').describe('The direction; who may do what is `rights`'),
  unit: z
    .string()
    .max(64)
    .optional()
    .describe('A Grafana unit id')
    .meta({ examples: ['celsius'] }),
  scale: z
    .number()
    .default(1)
    .refine((scale) => scale !== 0, 'is 0; allowed is any other number')
    .describe('Engineering value = raw × scale + offset'),
  offset: z.number().default(0).describe('Added after scaling'),
  precision: z
    .int()
    .min(0)
    .max(15)
    .optional()
    .describe('Decimals shown and kept')
    .meta({ examples: [1] }),
  enum: z
    .record(z.string(), z.string().max(128))
    .optional()
    .describe('Raw value → name, decimal or as the bits in the device ("0x8000"); names are accepted in commands')
    .meta({ examples: [{ 0: 'off', 1: 'on' }] }),
  bits: z
    .record(z.string().regex(/^(\d|[1-5]\d|6[0-3])$/, 'allowed are the bits 0 to 63'), z.string().min(1).max(64))
    .optional()
    .describe(
      'Bit → name of a flag in a whole number, 0 the least significant: the names of those that are set are shown, the value stays the number',
    )
    .meta({ examples: [{ 0: 'running', 3: 'alarm' }] }),
  colors: z
    .record(z.string(), z.string().min(1).max(32))
    .optional()
    .describe(
      'Name in `enum` → the colour it is shown in, as Grafana calls it ("green", "#1f60c4"); colours that say nothing of good or bad unless said',
    )
    .meta({ examples: [{ ok: 'green', tripped: 'red' }] }),
  thresholds: z
    .array(
      z.strictObject({
        from: z
          .number()
          .describe('In engineering units')
          .meta({ examples: [75] }),
        color: z
          .string()
          .min(1)
          .max(32)
          .describe('As Grafana calls it')
          .meta({ examples: ['red'] }),
      }),
    )
    .max(16)
    .optional()
    .describe('Values from which on gauges and stats have another colour; below the first one green. A panel may say otherwise')
    .meta({
      examples: [
        [
          { from: 65, color: 'orange' },
          { from: 75, color: 'red' },
        ],
      ],
    }),
  invalid: z
    .array(z.union([z.number(), z.string(), z.boolean()]))
    .max(32)
    .default([])
    .describe('Raw values that mean "no value": sample null with reason sentinel. 64-bit ones and hexadecimal ones ("0x8000") as strings')
    .meta({ examples: [[-32768]] }),
  min: z
    .number()
    .optional()
    .describe('A reading below is bad with reason out-of-range, in engineering units')
    .meta({ examples: [0] }),
  max: z
    .number()
    .optional()
    .describe('A reading above is bad with reason out-of-range')
    .meta({ examples: [500] }),
  counter: z
    .strictObject({
      max: z
        .union([z.number().positive(), z.string().regex(/^[1-9]\d{0,19}$/)], {
          error: (issue) => `is ${String(issue.input)}; allowed is a number above 0, or digits in a string beyond 2^53`,
        })
        .optional()
        .describe("The greatest raw value, after which it starts again at 0; the type's own unless said. Beyond 2^53 as a string of digits")
        .meta({ examples: [4294967295, '18446744073709551615'] }),
      resets: z
        .boolean()
        .default(false)
        .describe('Whether it may start again at 0 at any time. A fall is then a wrap only if the way over max is at most a tenth of it'),
    })
    .optional()
    .describe('A value that only rises. increase and rate of a query count a fall as a wrap past max, or as a reset')
    .meta({ examples: [{ resets: true }] }),
  momentary: z.boolean().default(false).describe('A push button: written, never verified by reading back'),
  write: writeSchema
    .optional()
    .describe('Bounds of commands and how their effect is checked')
    .meta({ examples: [{ min: 20, max: 90, step: 0.5 }] }),
  interval: z
    .union([z.literal('once'), intervalSchema], {
      error: ({ input }) =>
        `${typeof input === 'string' ? `is ${JSON.stringify(input)}; ` : ''}allowed is "once", or a duration such as "500ms", "1s", "5m" or "12h"`,
    })
    .optional()
    .describe(
      "Poll interval; the device's unless said. once: read after each opening of the connection, again at the device's interval until it succeeds",
    )
    .meta({ examples: ['10s', 'once'] }),
  staleAfter: durationMs({ minMs: 1_000 })
    .optional()
    .describe('A point that is silent for this long is stale while its device may well be there: one bad sample says so')
    .meta({ examples: ['5m'] }),
  report: z
    .strictObject({
      onChange: z
        .boolean()
        .default(false)
        .describe('Keep a sample only when the value or its quality changes. A query then weighs avg by the time each value held'),
      deadband: z.number().nonnegative().default(0).describe('A smaller change is not kept, in engineering units'),
      maxSilence: durationMs({ minMs: 100 })
        .optional()
        .describe('Keep one at least this often even without a change. After longer silence the value is taken for unknown'),
    })
    .optional()
    .describe('Which samples are kept; all unless said'),
  labels: labelsSchema.default({}),
});

/** A named action of a device. What it needs beyond this is the driver's. */
export const actionSchema = z.looseObject({
  id: pointIdSchema,
  title: titleSchema,
  ...guardFields,
  role: z.enum(roles).exclude(['None', 'Viewer']).optional().describe('The least role; that of `rights.command` unless said'),
});

/** In place of a word of availability: every word but the other one. */
export const anyOtherWord = '*';
const saidSchema = (usual: string, meaning: string) =>
  z
    .union([z.string(), z.array(z.string()).min(1).max(limits.availabilityWordsMax)])
    .default(usual)
    .describe(`The word for: ${meaning}; several in a list, "*" for any but the others`);
const onlineSchema = saidSchema('online', 'I am here');
const offlineSchema = saidSchema('offline', 'I am gone');
const wordPathSchema = z
  .string()
  .max(limits.patternLengthMax)
  .optional()
  .describe('Where the word is in a JSON message')
  .meta({ examples: ['$.state'] });

export const deviceSchema = z.strictObject({
  id: z
    .string()
    .min(1)
    .max(256)
    .describe('1 to 64 of A-Z a-z 0-9 _ . -; with {placeholders} for discovered devices')
    .meta({ examples: ['boiler'] }),
  title: titleSchema,
  connection: idSchema.describe('The id of the connection it is behind').meta({ examples: ['plc'] }),
  address: z.unknown().optional().describe("Which one behind the connection: the driver's own words, such as { unitId }"),
  profile: z
    .string()
    .max(64)
    .optional()
    .describe('A device type to take points and commands from')
    .meta({ examples: ['eastron-sdm630'] }),
  interval: intervalSchema
    .prefault(formatDurationMs(limits.pollIntervalDefaultMs))
    .describe('How often its points are asked, where they are asked'),
  labels: labelsSchema.default({}),
  points: z.array(z.unknown()).default([]),
  commands: z.array(z.unknown()).default([]),
  availability: z
    .strictObject({
      topic: z
        .string()
        .min(1)
        .max(limits.topicLengthMax)
        .optional()
        .describe('Where it says whether it is there, as MQTT devices do')
        .meta({ examples: ['home/kitchen/status'] }),
      path: wordPathSchema,
      online: onlineSchema,
      offline: offlineSchema,
      also: z
        .array(
          z.strictObject({
            topic: z
              .string()
              .min(1)
              .max(limits.topicLengthMax)
              .describe('Where it is said')
              .meta({ examples: ['zigbee2mqtt/bridge/state'] }),
            path: wordPathSchema,
            online: onlineSchema,
            offline: offlineSchema,
          }),
        )
        .max(limits.availabilityTopicsMax - 1)
        .optional()
        .describe('Further topics that say whether it is there, such as that of the bridge it is behind')
        .meta({ examples: [[{ topic: 'zigbee2mqtt/bridge/state', path: '$.state' }]] }),
      mode: z
        .enum(['all', 'any', 'latest'], { error: 'allowed is "all", "any" or "latest"' })
        .optional()
        .describe('With "also": whether it is there if all say so (that unless said), if any does, or as the last word says')
        .meta({ examples: ['all'] }),
      staleAfter: durationMs({ minMs: 1_000 })
        .optional()
        .describe('A device that is silent for this long is offline, its values are stale'),
    })
    .optional()
    .describe('How it is known whether the device is there')
    .meta({ examples: [{ staleAfter: '5m' }] }),
});

/** A reusable description of a device type. A device that names it gets its points and commands; what the device gives under the same id goes before. */
export const profileSchema = z.strictObject({
  id: z
    .string()
    .min(1)
    .max(64)
    .describe('What devices name in `profile`')
    .meta({ examples: ['heat-meter'] }),
  title: titleSchema,
  kind: z
    .string()
    .max(64)
    .optional()
    .describe('The driver its addresses are for; a device behind another one is refused')
    .meta({ examples: ['modbus'] }),
  manufacturer: z
    .string()
    .max(128)
    .optional()
    .describe('Who makes it')
    .meta({ examples: ['Eastron'] }),
  models: z
    .array(z.string().max(128))
    .max(64)
    .optional()
    .describe('What the maker calls the devices it fits')
    .meta({ examples: [['SDM630-Modbus V2']] }),
  notes: z
    .string()
    .max(1024)
    .optional()
    .describe('For whoever chooses it')
    .meta({ examples: ['Registers as in the manual of 2019'] }),
  points: z.array(z.unknown()).default([]),
  commands: z.array(z.unknown()).default([]),
});
export type Profile = z.output<typeof profileSchema>;

export type PointConfig = z.output<typeof pointSchema>;
export type ActionConfig = z.output<typeof actionSchema>;
export type AvailabilityConfig = NonNullable<z.output<typeof deviceSchema>['availability']>;
export type VerifyConfig = z.output<typeof verifyDetailSchema>;

/** A point ready to run: defaults filled, address validated by its driver. */
export interface Point<A = unknown> extends Omit<PointConfig, 'address' | 'interval'> {
  /** The device it belongs to. */
  device: string;
  address: A;
  intervalMs: number;
  /** Read after each opening, at the interval until it succeeds, and then no more. */
  once?: true;
  /** Device labels, then the point's own. */
  labels: Record<string, string>;
}

/** A device ready to run. */
export interface Device<D = unknown, A = unknown> {
  id: string;
  title: string;
  connection: string;
  address: D;
  labels: Record<string, string>;
  points: Point<A>[];
  actions: ActionConfig[];
  availability?: AvailabilityConfig;
  /**
   * Names of the placeholders in its id: then it is no device but the template of those that are discovered, and its title, labels and addresses may
   * have placeholders too. Absent for a device.
   */
  placeholders?: readonly string[];
}
