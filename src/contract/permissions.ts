/** `rights` of the settings: who may send which commands, said in one place and by role (DESIGN §8). */
import * as z from 'zod';
import { type Role, roleAtLeast, roles } from './caller.ts';
import { takenBy } from './checked-text.ts';
import { commandValueSchema } from './command.ts';
import { idSchema, pointIdSchema } from './device.ts';
import { durationMs, formatDurationMs } from './duration.ts';
import { rateSchema } from './guards.ts';
import { limits } from './limits.ts';
import { compileLabels, compileSelector, compileSelectors, type Matcher, selectorSchema as selectorText } from './query.ts';

/** One that can be compiled: settings are checked when they are read, not when somebody asks. */
export const selectorSchema = selectorText.superRefine(takenBy(compileSelector));
const selectors = (example: string) =>
  z
    .array(selectorSchema)
    .min(1)
    .max(100)
    .meta({ examples: [[example]] });

/** `nobody`: not even an Admin. */
export const commandRoles = ['Viewer', 'Editor', 'Admin', 'nobody'] as const;
export type CommandRole = (typeof commandRoles)[number];

const ruleSchema = z.strictObject({
  devices: selectors('boiler').default(['*']).describe('Names, globs such as "room-*", or expressions such as "/^room/"'),
  points: selectors('setpoint').optional().describe('Points it is about; with neither points nor commands all of the device'),
  commands: selectors('reset').optional().describe('Named commands it is about'),
  labels: z
    .record(z.string().max(64), selectorSchema)
    .optional()
    .describe('Only where the labels of the point (of a command: of the device) are so')
    .meta({ examples: [{ site: 'north' }] }),
  role: z.enum(commandRoles).describe('The least role; Viewer lets everybody who is signed in, nobody locks it for good'),
});
export type Rule = z.output<typeof ruleSchema>;

/** The secret that notifications are signed with, in `secureJsonData`: no connection's, because an id has no slash. */
export const alertSecretName = 'hooks/alert';

const alertCommandSchema = z.strictObject({
  id: idSchema.describe('For the record').meta({ examples: ['cool-down'] }),
  when: z.enum(['firing', 'resolved']).default('firing').describe('The state of the alert that makes the command'),
  labels: z
    .record(z.string().max(256), selectorSchema)
    .refine((labels) => Object.keys(labels).length > 0, 'is empty; allowed is at least one label, such as { "alertname": "Too hot" }')
    .describe('Labels the alert must have, all of them')
    .meta({ examples: [{ alertname: 'Too hot' }] }),
  device: idSchema.describe('The device').meta({ examples: ['boiler'] }),
  point: pointIdSchema
    .optional()
    .describe('The point to set; else `command`')
    .meta({ examples: ['setpoint'] }),
  value: commandValueSchema
    .optional()
    .describe('What it is set to')
    .meta({ examples: [20] }),
  command: pointIdSchema
    .optional()
    .describe('The named command to run')
    .meta({ examples: ['stop'] }),
  parameters: z.record(z.string(), z.unknown()).optional().describe('Of the named command'),
});
export type AlertCommand = z.output<typeof alertCommandSchema>;

const alertsSchema = z.strictObject({
  login: z
    .string()
    .min(1)
    .max(190)
    .describe('The login of the service account whose token the contact point has; nobody else may use the hook')
    .meta({ examples: ['sa-1-fieldgate-alerts'] }),
  rate: rateSchema.prefault({ max: 10, per: '1m' }).describe('Commands of all alerts together'),
  expires: durationMs({ minMs: 100, maxMs: 600_000 })
    .prefault(formatDurationMs(limits.commandExpiryMs))
    .describe('Not sent any more after waiting this long'),
  commands: z
    .array(
      alertCommandSchema.refine(
        ({ point, value, command }) => (point === undefined) !== (command === undefined) && (point === undefined) === (value === undefined),
        'is not one command; allowed are point and value, or command',
      ),
    )
    .min(1)
    .max(100)
    .describe('What which alert may do; of those that fit the first counts')
    .meta({ examples: [[{ id: 'cool-down', labels: { alertname: 'Too hot' }, device: 'boiler', point: 'setpoint', value: 20 }]] }),
});
export type Alerts = z.output<typeof alertsSchema>;

export const rightsSchema = z.strictObject({
  command: z.enum(roles).exclude(['None', 'Viewer']).default('Editor').describe('The least role that may send commands'),
  rules: z
    .array(ruleSchema)
    .max(200)
    .default([])
    .describe('Other roles for some devices, points and commands; of those that fit the first counts')
    .meta({ examples: [[{ devices: ['boiler'], points: ['setpoint'], role: 'Admin' }]] }),
  alerts: alertsSchema.optional().describe('Lets alert rules send commands through a webhook contact point; off unless said'),
});
export type Rights = z.output<typeof rightsSchema>;

/** What is to be commanded. Without a point and a command: anything of the device. */
export interface CommandTarget {
  device: string;
  point?: string;
  command?: string;
  labels: Readonly<Record<string, string>>;
}

type Judge = (target: CommandTarget) => CommandRole | undefined;
const judges = new WeakMap<Rights, readonly Judge[]>();

/** The least role for a command: that of the first rule that fits, else `rights.command`. `own` is that of an action, if it asks for more. */
export function leastRoleFor(rights: Rights, target: CommandTarget, own?: Role): CommandRole {
  let compiled = judges.get(rights);
  if (!compiled) {
    compiled = rights.rules.map(judgeOf);
    judges.set(rights, compiled);
  }
  let least: CommandRole = rights.command;
  for (const judge of compiled) {
    const said = judge(target);
    if (said === undefined) continue;
    least = said;
    break;
  }
  return own !== undefined && own !== 'None' && least !== 'nobody' && roleAtLeast(own, least) ? own : least;
}

function judgeOf({ devices, points, commands, labels = {}, role }: Rule): Judge {
  const device = compileSelectors(devices);
  const never: Matcher = () => false;
  const always: Matcher = () => true;
  const all = points === undefined && commands === undefined;
  const point = points ? compileSelectors(points) : all ? always : never;
  const command = commands ? compileSelectors(commands) : all ? always : never;
  const labelled = compileLabels(labels);
  return (target) => {
    const fits =
      device(target.device) &&
      (target.point === undefined || point(target.point)) &&
      (target.command === undefined || command(target.command)) &&
      (target.point !== undefined || target.command !== undefined || all) &&
      labelled(target.labels);
    return fits ? role : undefined;
  };
}
