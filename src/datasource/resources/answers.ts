/**
 * What resources answer, as schemas: they make `openapi.json`, where they go by their `id`, and the tests hold every answer against them.
 */
import * as z from 'zod';
import { roles } from '../../contract/caller.ts';
import { commandStates } from '../../contract/command.ts';
import { discards } from '../../contract/driver.ts';
import { parameterSchema } from '../../contract/parameters.ts';
import { commandRoles } from '../../contract/permissions.ts';
import { columnKinds, qualities } from '../../contract/sample.ts';
import { surveyKinds } from '../../gateway/survey.ts';

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
    write: z
      .object({ min: z.number().optional(), max: z.number().optional(), step: z.number().optional(), confirm: z.boolean() })
      .optional(),
    address: z.unknown().optional().describe('For Editors'),
    interval: z.number().optional().describe('Milliseconds; for Editors'),
    last: z.union([sampleAnswer, z.null()]),
  })
  .meta({ id: 'Point' });

export const lockAnswer = z
  .object({
    reason: z.string(),
    since: time,
    until: time,
    by: z.object({ login: z.string(), name: z.string() }).optional().describe('For Editors'),
  })
  .meta({ id: 'Lock' });

export const deviceAnswer = z
  .object({
    id: z.string(),
    title: z.string(),
    connection: z.string(),
    labels,
    state: z.enum(['online', 'offline', 'unknown']),
    since: time.optional(),
    lastSeen: time.optional().describe('When it last said something good'),
    lock: lockAnswer.optional().describe('It takes no command'),
    address: z.unknown().optional().describe('For Editors'),
    error: z.string().optional().describe('For Editors'),
    samples: z.number().optional().describe('For Editors'),
    badSamples: z.number().optional().describe('For Editors'),
  })
  .meta({ id: 'Device' });

export const actionAnswer = z
  .object({
    id: z.string(),
    title: z.string(),
    confirm: z.boolean(),
    parameters: z.array(parameterSchema.extend({ name: z.string() })).describe('What may be given along'),
  })
  .meta({ id: 'Action' });

export const deviceWithPointsAnswer = deviceAnswer
  .extend({
    points: z.array(pointAnswer),
    commands: z.array(actionAnswer),
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
    discarded: z.partialRecord(z.enum(discards), z.number()).optional().describe('Answers that came and were thrown away, by why'),
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
    position: z.number().optional().describe('Of one that waits: how many go before it'),
    cancelledBy: z.object({ login: z.string(), name: z.string() }).optional(),
    origin: z.object({ hook: z.string(), rule: z.string(), fingerprint: z.string() }).optional().describe('The alert that made it'),
    refusal: z
      .object({ status: z.number(), type: z.string(), others: z.number().optional() })
      .optional()
      .describe('It was refused before it was a command; `others` like it were not recorded one by one'),
    times: z.record(z.string(), time).describe('By state, and `ended`'),
  })
  .meta({ id: 'Command' });

export const outcomesAnswer = z
  .object({
    outcomes: z
      .array(z.looseObject({ status: z.number() }))
      .describe('In the order of the list: a command, or a problem document; `status` is what it would have been answered with alone'),
  })
  .meta({ id: 'Outcomes' });

export const hookAnswer = z
  .object({ outcomes: z.array(z.looseObject({ alert: z.string(), command: z.string().optional(), status: z.number() })) })
  .meta({ id: 'HookOutcomes' });

export const auditLine = z
  .object({ seq: z.number(), time, prev: z.string(), hash: z.string(), json: z.string() })
  .meta({ id: 'AuditLine' });

export const auditCheckAnswer = z
  .object({
    intact: z.boolean(),
    lines: z.number(),
    first: z.number().optional(),
    head: z.object({ seq: z.number(), hash: z.string() }).optional(),
    broken: z.object({ seq: z.number(), why: z.string() }).optional(),
  })
  .meta({ id: 'AuditCheck' });

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
    targets: z
      .array(
        z.object({
          device: z.string(),
          point: z.string().optional(),
          command: z.string().optional(),
          may: z.boolean(),
          least: z.enum(commandRoles),
          why: z.string().optional(),
          obstacles: z
            .array(z.object({ type: z.string(), detail: z.string(), until: time.optional() }))
            .describe('What stands against it now, whoever asks; the types are those of the problems it would be refused with'),
        }),
      )
      .optional()
      .describe('With device, point or label: what may be commanded'),
    more: z.boolean().optional().describe('There are more targets'),
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
    total: z.number().describe('How many there are'),
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
    kind: z.enum(columnKinds).describe('How the value is held'),
  })
  .meta({ id: 'ExportLine' });

export const findingAnswer = z
  .object({
    id: z.string().describe('One with the same id takes the place of an earlier one'),
    kind: z.string().describe("The driver's word for what it is: unit, range, topic, line"),
    text: z.string().describe('For people'),
    values: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
    score: z.number().optional().describe('How sure it is, 0 to 1'),
    proposes: z
      .object({
        connection: z.record(z.string(), z.unknown()).optional(),
        devices: z.array(z.record(z.string(), z.unknown())).optional(),
        points: z.array(z.record(z.string(), z.unknown())).optional(),
      })
      .optional()
      .describe('What would go into the settings'),
  })
  .meta({ id: 'Finding' });

const surveyStates = z.enum(['running', 'done', 'failed', 'cancelled', 'cut']);
const sessions = z.enum(['running', 'trial']).describe('On the connection as it runs, or on one that is opened for this only');

export const surveyAnswer = z
  .object({
    connection: z.string(),
    protocol: z.string(),
    kind: z.enum(surveyKinds),
    session: sessions,
    state: surveyStates,
    error: z.string().optional().describe('Why it did not come to its end'),
    started: time,
    ended: time.optional(),
    progress: z.object({ done: z.number(), total: z.number().optional(), text: z.string() }).optional(),
    findings: z.array(findingAnswer),
    dropped: z.number().describe('Findings that are more than are kept'),
  })
  .meta({ id: 'Survey' });

export const surveyLine = z
  .union([
    z.object({
      event: z.literal('begin'),
      connection: z.string(),
      kind: z.enum(surveyKinds),
      session: sessions,
      secrets: z.enum(['stored', 'given', 'none']).describe('Which secrets take part'),
      detail: z.string().optional(),
      time,
    }),
    z.object({ event: z.literal('progress'), done: z.number(), total: z.number().optional(), text: z.string(), time }),
    findingAnswer.extend({ event: z.literal('finding'), time }),
    z.object({ event: z.literal('heartbeat'), time }),
    z.object({ event: z.literal('end'), state: surveyStates, detail: z.string(), findings: z.number(), dropped: z.number(), time }),
  ])
  .meta({ id: 'SurveyLine' });

export const importAnswer = z
  .object({
    imported: z.number(),
    refused: z.number(),
    faults: z
      .array(z.object({ line: z.number(), message: z.string() }))
      .describe('What is wrong with the lines that were refused, the first of them'),
    older: z.number().describe('Of those imported: older than the retention, which will delete them'),
  })
  .meta({ id: 'Imported' });

export const seriesAnswer = z
  .object({
    series: z.array(
      z.object({
        device: z.string(),
        point: z.string(),
        kind: z.enum(columnKinds),
        labels,
        unit: z.string().optional().describe('A Grafana unit id'),
        first: time,
        last: time,
        samples: z.number(),
        bytes: z.number().describe('On disk, compressed'),
      }),
    ),
    next: z.string().optional().describe('For `after`, where there are more'),
    matching: z.number(),
    cardinality: z.object({ series: z.number(), ofAll: z.number(), max: z.number(), refused: z.number() }),
  })
  .meta({ id: 'Series' });

export const historyDeletedAnswer = z.object({ series: z.number(), samples: z.number() }).meta({ id: 'HistoryDeleted' });

export const backupAnswer = z
  .object({ name: z.string(), bytes: z.number(), made: time, sha256: z.string().optional() })
  .meta({ id: 'Backup' });
