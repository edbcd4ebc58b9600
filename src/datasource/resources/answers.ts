/**
 * What resources answer, as schemas: they make `openapi.json`, where they go by their `id`, and the tests hold every answer against them.
 */
import { z } from 'zod';
import { roles } from '../../contract/caller.ts';
import { commandStates } from '../../contract/command.ts';
import { qualities } from '../../contract/sample.ts';

const time = z.number().describe('Milliseconds since 1970');
const value = z
  .union([z.number(), z.boolean(), z.string(), z.null()])
  .describe('A number, a truth value or a text; 64-bit integers are strings of digits; null if there is no usable value');
const labels = z.record(z.string(), z.string());

export const sampleAnswer = z
  .object({
    value,
    text: z.string().optional().describe('The name of the state, where the value has one; of flags those that are set, empty if none is'),
    quality: z.enum(qualities),
    reason: z.string().describe('Why it is not good; empty if nothing is wrong'),
    time,
    arrival: time,
  })
  .meta({ id: 'Sample' });

export const pointAnswer = z
  .object({
    device: z.string(),
    id: z.string(),
    title: z.string(),
    access: z.enum(['read', 'write', 'read-write']),
    type: z.enum(['integer', 'float32', 'float64', 'boolean', 'string', 'any']).optional(),
    unit: z.string().optional().describe('A Grafana unit id'),
    precision: z.number().optional(),
    min: z.number().optional(),
    max: z.number().optional(),
    enum: z.record(z.string(), z.string()).optional().describe('Raw value → name'),
    bits: z.record(z.string(), z.string()).optional().describe('Bit → name of a flag'),
    momentary: z.boolean(),
    labels,
    write: z.object({ min: z.number().optional(), max: z.number().optional(), step: z.number().optional() }).optional(),
    address: z.unknown().optional().describe('For Editors'),
    interval: z.number().optional().describe('Milliseconds; for Editors'),
    last: z.union([sampleAnswer, z.null()]),
  })
  .meta({ id: 'Point' });

export const deviceAnswer = z
  .object({
    id: z.string(),
    title: z.string(),
    connection: z.string(),
    labels,
    state: z.enum(['online', 'offline', 'unknown']),
    since: time.optional(),
    lastSeen: time.optional().describe('When it last said something good'),
    address: z.unknown().optional().describe('For Editors'),
    error: z.string().optional().describe('For Editors'),
    samples: z.number().optional().describe('For Editors'),
    badSamples: z.number().optional().describe('For Editors'),
  })
  .meta({ id: 'Device' });

export const deviceWithPointsAnswer = deviceAnswer
  .extend({
    points: z.array(pointAnswer),
    commands: z.array(z.object({ id: z.string(), title: z.string(), confirm: z.boolean() })),
  })
  .meta({ id: 'DeviceWithPoints' });

export const connectionAnswer = z
  .object({
    id: z.string(),
    title: z.string(),
    kind: z.string(),
    state: z.enum(['connecting', 'up', 'down', 'stopped']),
    since: time,
    endpoint: z.string().optional().describe('For Editors, as all that follows'),
    error: z.string().optional(),
    opens: z.number().optional(),
    requests: z.number().optional(),
    failures: z.number().optional(),
    overruns: z.number().optional(),
    queued: z.number().optional(),
  })
  .meta({ id: 'Connection' });

export const commandAnswer = z
  .object({
    id: z.string(),
    device: z.string(),
    point: z.string().describe('The point set, or the action run'),
    kind: z.enum(['set', 'act']),
    value,
    state: z.enum(commandStates),
    detail: z.string().optional(),
    readBack: value.optional(),
    reason: z.string().optional(),
    user: z.object({ login: z.string(), name: z.string(), role: z.string() }),
    idempotencyKey: z.string().optional(),
    times: z.record(z.string(), time).describe('By state, and `ended`'),
  })
  .meta({ id: 'Command' });

export const profileAnswer = z
  .object({
    id: z.string(),
    title: z.string(),
    builtIn: z.boolean(),
    kind: z.string().optional(),
    manufacturer: z.string().optional(),
    models: z.array(z.string()).optional(),
    notes: z.string().optional(),
    image: z.string().optional().describe('Where its picture is'),
    points: z.array(z.record(z.string(), z.unknown())),
    commands: z.array(z.record(z.string(), z.unknown())),
  })
  .meta({ id: 'Profile' });

export const accessAnswer = z
  .object({
    user: z.object({ login: z.string(), name: z.string(), role: z.enum(roles) }),
    may: z.object({ read: z.boolean(), readNow: z.boolean(), command: z.boolean(), configure: z.boolean() }),
    rights: z.object({ command: z.enum(roles) }),
    why: z.string().optional().describe('What stands against commands'),
  })
  .meta({ id: 'Access' });

export const checkAnswer = z
  .object({
    ok: z.boolean(),
    faults: z.array(z.object({ severity: z.enum(['error', 'warning']), place: z.string(), message: z.string() })),
    runs: z.object({ connections: z.number(), devices: z.number(), points: z.number() }),
  })
  .meta({ id: 'Check' });

export const suggestAnswer = z
  .object({
    suggestions: z.array(z.object({ value: z.string(), text: z.string().optional() })),
    more: z.boolean().describe('There are more than were asked for'),
  })
  .meta({ id: 'Suggestions' });

export const instanceAnswer = z
  .object({
    uid: z.string(),
    id: z.number(),
    name: z.string(),
    state: z.enum(['running', 'stopped', 'removed']),
    lastNamed: time,
    connections: z.object({ up: z.number(), of: z.number() }),
  })
  .meta({ id: 'Instance' });

export const removedAnswer = z
  .object({ uid: z.string(), history: z.enum(['kept', 'deleted']), samples: z.number() })
  .meta({ id: 'Removed' });

/** RFC 9457. */
export const problemAnswer = z
  .looseObject({
    type: z.string().describe('Stable: urn:fieldgate:problem:…'),
    title: z.string(),
    status: z.number(),
    detail: z.string().describe('A sentence a person can act on'),
    place: z.string().optional().describe('The field at fault'),
  })
  .meta({ id: 'Problem' });

export const eventAnswer = z
  .union([
    z.object({
      event: z.literal('sample'),
      device: z.string(),
      point: z.string(),
      value,
      quality: z.enum(qualities),
      reason: z.string(),
      time,
      arrival: time,
    }),
    z.object({ event: z.literal('connectivity'), device: z.string(), state: z.string(), reason: z.string(), time }),
    commandAnswer.extend({ event: z.literal('command') }),
    z.object({ event: z.literal('heartbeat'), time }),
    z.object({ event: z.literal('end'), type: z.string(), detail: z.string(), time }),
  ])
  .meta({ id: 'Event' });

export const exportLine = z
  .object({
    time: z.string().describe('ISO 8601 in UTC'),
    device: z.string(),
    point: z.string(),
    value,
    quality: z.enum(qualities),
    reason: z.string(),
  })
  .meta({ id: 'ExportLine' });
