/** What is said of Sparkplug in the settings: of a connection, a device and a point. */
import * as z from 'zod';
import { durationMs, formatDurationMs } from '../../../src/contract/duration.ts';
import { limits } from '../../../src/contract/limits.ts';
import { typeNames } from './values.ts';

/** Names stand in topics (tck-id-topic-structure-namespace-valid-group-id and those beside it). */
const nameSchema = z.string().regex(/^[^+/#\0]{1,128}$/, 'allowed are 1 to 128 characters without + / #');

export const sparkplugSchema = z.strictObject({
  hostId: nameSchema
    .describe('The name of this host application: unique among all at the broker. Edge nodes that wait for a primary host wait for it')
    .meta({ examples: ['fieldgate-north'] }),
  groups: z
    .array(nameSchema)
    .max(limits.sparkplugGroupsMax)
    .default([])
    .describe('The groups whose edge nodes are heard; all unless said')
    .meta({ examples: [['Plant']] }),
  commands: z
    .enum(['none', 'devices', 'all'], { error: 'allowed is "none", "devices" or "all"' })
    .default('none')
    .describe('What commands may set: nothing, metrics of devices (DCMD), or of devices and edge nodes (NCMD)'),
  reorderTimeout: durationMs({ maxMs: 60_000 })
    .prefault(formatDurationMs(limits.sparkplugReorderMs))
    .describe('How long a message that is missing in the sequence is waited for, before the edge node is asked to begin anew'),
  rebirth: z
    .boolean()
    .default(true)
    .describe(
      'Edge nodes that are not understood (a gap in the sequence, data before a birth, an unknown alias) are asked for a new birth',
    ),
});

export type SparkplugOptions = z.output<typeof sparkplugSchema>;

/** Which edge node or device of Sparkplug a device is. */
export const sparkplugPlaceSchema = z.strictObject({
  group: nameSchema.describe('The group of the edge node').meta({ examples: ['Plant'] }),
  node: nameSchema.describe('The edge node').meta({ examples: ['Line 3'] }),
  device: nameSchema
    .optional()
    .describe('The device behind it; the edge node itself unless said')
    .meta({ examples: ['Pump'] }),
});

export const metricSchema = z.string().min(1).max(limits.sparkplugNameMax);
export const metricTypeSchema = z.enum(typeNames, { error: `allowed is ${typeNames.map((name) => `"${name}"`).join(', ')}` });
