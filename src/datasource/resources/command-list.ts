/** Several commands in one request. */
import * as z from 'zod';
import { actBodySchema, type CommandRecord, setBodySchema, statusOf } from '../../contract/command.ts';
import { idSchema, pointIdSchema } from '../../contract/device.ts';
import { Fault, forbidden } from '../../contract/fault.ts';
import { limits } from '../../contract/limits.ts';
import { problemOf } from '../../contract/problem.ts';
import { attemptOf, type Wish } from '../../gateway/commands/desk.ts';
import { anotherRefused } from '../../gateway/commands/refusals.ts';
import { leastForCommand, mayCommand } from '../access.ts';
import { check } from '../settings/words.ts';
import type { Ask, Handler } from './ask.ts';
import { badBody } from './body.ts';
import { idempotencyKey } from './points.ts';
import { faultFor, recordFor } from './shown.ts';

const shared = { wait: true, confirm: true } as const;
const setSchema = setBodySchema.omit(shared).extend({ device: idSchema, point: pointIdSchema.describe('The point to set') });
const actSchema = actBodySchema.omit(shared).extend({ device: idSchema, command: pointIdSchema.describe('The named command to run') });

/** Body of `POST commands`. */
export const commandListSchema = z.strictObject({
  commands: z
    .array(z.union([setSchema, actSchema]))
    .min(1)
    .max(limits.commandsAtOnceMax),
  wait: setBodySchema.shape.wait,
  reason: setBodySchema.shape.reason,
});
type Item = z.output<typeof commandListSchema>['commands'][number];

/**
 * `POST commands` `{ commands: [{ device, point, value, … } | { device, command, parameters, … }], wait?, reason? }`: `{ outcomes: [{ status, … }] }`, each
 * with the record of the command or a problem document, in the order of the list. All are checked first, and nothing is sent if one is refused: then the
 * whole answer is a problem too. 200 if all ended well, 202 if some still run, 207 if some ended otherwise.
 */
export const sendCommands: Handler = async (ask) => {
  const read = check(commandListSchema, ask.body);
  if (!read.ok) throw badBody(read.problems);
  const { commands, wait, reason } = read.value;
  const key = idempotencyKey(ask);
  const wishes = commands.map((item, place) => ({
    wish: wishOf(item, reason),
    sender: { user: ask.user, ...(key === undefined ? {} : { idempotencyKey: `${key}#${place}` }) },
  }));
  const refusals = wishes.map(({ wish }) => refusalOf(ask, wish));
  if (refusals.some((fault) => fault !== undefined)) return refusedList(refusals.map((fault) => fault ?? anotherRefused()));
  const ended = await ask.instance.gateway.commands.sendAll(wishes, wait);
  const outcomes = ended.map((outcome) => (outcome instanceof Fault ? faultFor(ask.user, outcome) : recordFor(ask.user, outcome)));
  if (outcomes.every((outcome) => outcome instanceof Fault)) return refusedList(outcomes);
  const answers = outcomes.map((outcome) => (outcome instanceof Fault ? problemOf(outcome) : commandOutcome(outcome)));
  const worst = Math.max(...answers.map(({ status }) => Number(status)));
  return { status: worst < 300 ? worst : 207, body: { outcomes: answers } };
};

function wishOf(item: Item, reason: string | undefined): Wish {
  const body = { ...item, reason: item.reason ?? reason, wait: 0 };
  if ('point' in item && 'value' in item) {
    const { device, point, ...rest } = body as typeof item & { wait: number };
    return { device, point, body: rest };
  }
  const { device, command, ...rest } = body as Extract<Item, { command: string }> & { wait: number };
  return { device, command, body: rest };
}

/** The door let the caller in for some command; here it is asked for each. */
function refusalOf({ caller, instance, user }: Ask, wish: Wish): Fault | undefined {
  const permission = mayCommand(caller, leastForCommand(instance, wish));
  if (permission.allowed) return undefined;
  const fault = forbidden(permission.why);
  instance.gateway.commands.refused(attemptOf(wish, { user }), fault);
  return fault;
}

function refusedList(faults: readonly Fault[]) {
  const first = faults.find(({ type }) => type !== 'not-sent') ?? faults[0];
  if (!first) throw new Error('a refused list names no fault');
  return { fault: first, body: { outcomes: faults.map(problemOf) } };
}

function commandOutcome(record: CommandRecord): Record<string, unknown> {
  return { status: statusOf(record), ...record };
}
