/** The outer shape of `jsonData` (DESIGN §5). Elements of the lists are checked one by one, so that a bad one does not stop the others. */
import * as z from 'zod';
import { idSchema, titleSchema } from './device.ts';
import { durationMs, formatDurationMs } from './duration.ts';
import { limits } from './limits.ts';
import { rightsSchema, selectorSchema } from './permissions.ts';
import { isTimeZone } from './zone.ts';

/** What every connection has; the rest of the object is the driver's. */
export const connectionSchema = z.looseObject({
  id: idSchema,
  kind: z.string().describe('The driver'),
  title: titleSchema,
});

/** Series that are kept for another time than the rest: all that is said has to match. */
export const retentionSchema = z.strictObject({
  devices: z
    .array(selectorSchema)
    .min(1)
    .max(limits.retentionSelectorsMax)
    .default(['*'])
    .describe('Names, globs with *, or RE2 expressions between slashes')
    .meta({ examples: [['room-*']] }),
  points: z
    .array(selectorSchema)
    .min(1)
    .max(limits.retentionSelectorsMax)
    .default(['*'])
    .describe('As devices')
    .meta({ examples: [['energy', '/_total$/']] }),
  labels: z
    .record(z.string().min(1).max(limits.idLengthMax), selectorSchema)
    .default({})
    .describe('Labels of the point, each with a selector')
    .meta({ examples: [{ site: 'north' }] }),
  retention: durationMs({ minMs: 60_000, maxMs: limits.retentionMaxMs })
    .describe('Older samples of these series are deleted')
    .meta({ examples: ['365d'] }),
});
export type RetentionRule = z.output<typeof retentionSchema>;

export const historySchema = z.strictObject({
  retention: durationMs({ minMs: 60_000 })
    .prefault(formatDurationMs(30 * 86_400_000))
    .describe('Older samples are deleted'),
  exceptions: z
    .array(retentionSchema)
    .max(limits.retentionRulesMax)
    .default([])
    .describe(
      'Series that are kept for a shorter or a longer time: devices, points, labels and their retention; the first that matches counts',
    )
    .meta({ examples: [[{ devices: ['room-*'], labels: { site: 'north' }, retention: '365d' }]] }),
  flushInterval: durationMs({ minMs: 10, maxMs: 60_000 })
    .prefault(formatDurationMs(limits.flushIntervalMs))
    .describe('Longest wait of a sample for its commit to disk'),
  // A copy of a signed notification is known for one as long as its command is: longer than its signature is believed, were a clock ahead.
  commandsRetention: durationMs({ minMs: 2 * limits.hookAgeMs, maxMs: limits.retentionMaxMs })
    .prefault(formatDurationMs(365 * 86_400_000))
    .describe('Commands, and the record of their steps, are kept this long'),
});

export const healthSchema = z.strictObject({
  failWhen: z
    .enum(['any-connection', 'any-device', 'all-connections', 'never'])
    .default('any-connection')
    .describe('What must be down for the data source to be in error; what is down is always named'),
});

/** Names of files under `config_path`; a folder in it may be named with a slash. */
export const includeSchema = z
  .array(
    z
      .string()
      .max(limits.includeNameLengthMax)
      .regex(/^(?!\.)[A-Za-z0-9_.-]+(?:\/(?!\.)[A-Za-z0-9_.-]+)*\.json$/, {
        error: (issue) =>
          `is ${JSON.stringify(issue.input)}; allowed is the name of a file under config_path, such as "north.json" or "sites/north.json"`,
      }),
  )
  .max(limits.includedFilesMax);

/** The outer shape; lists stay unknown here. */
export const settingsSchema = z.strictObject({
  version: z
    .literal(1, { error: 'allowed is 1, the version of this configuration language' })
    .default(1)
    .describe('The version of this language'),
  timezone: z
    .string()
    .refine(isTimeZone, {
      error: (issue) => `is ${JSON.stringify(issue.input)}; allowed is an IANA time zone such as "Europe/Vienna" or "UTC"`,
    })
    .default('UTC')
    .describe('IANA time zone of calendar intervals')
    .meta({ examples: ['Europe/Vienna'] }),
  connections: z.array(z.unknown()).max(200).default([]),
  devices: z.array(z.unknown()).max(10_000).default([]),
  profiles: z.array(z.unknown()).max(1_000).default([]),
  include: includeSchema
    .default([])
    .describe("Files under config_path (the plugin's section of grafana.ini) whose connections, devices and profiles come behind these")
    .meta({ examples: [['sites/north.json']] }),
  history: historySchema.prefault({}).describe('What is kept and for how long'),
  rights: rightsSchema.prefault({}).describe('Who may do what'),
  health: healthSchema.prefault({}).describe('When Save & test and the health endpoint report an error'),
});
/** The longest time anything is kept: what holds where it is not known which series is meant. */
export function longestRetentionMs({ retention, exceptions }: z.output<typeof historySchema>): number {
  return Math.max(retention, ...exceptions.map((one) => one.retention));
}

export type Settings = z.output<typeof settingsSchema>;
