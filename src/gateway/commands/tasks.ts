/** What is special to a kind of command: setting a point, running a named action. Checks what can be checked without asking anybody. */
import { randomUUID } from 'node:crypto';
import type { User } from '../../contract/caller.ts';
import type { ActBody, CommandRecord, Origin, SetBody } from '../../contract/command.ts';
import type { Answer, Session } from '../../contract/driver.ts';
import { exactJson } from '../../contract/exact-json.ts';
import { badRequest, messageOf, notFound } from '../../contract/fault.ts';
import { parametersSchema, valuesOf } from '../../contract/parameters.ts';
import type { SeriesKey, Value } from '../../contract/sample.ts';
import type { Intake } from '../intake.ts';
import { toRaw } from '../inversion.ts';
import type { Link } from '../link.ts';
import type { PlacedPoint, Plant } from '../plant.ts';
import { compare } from './compare.ts';
import type { Target } from './target.ts';
import { agrees, type Check, checkOf } from './verification.ts';

/** A command on its way. */
export interface Task {
  record: CommandRecord;
  target: Target;
  body: Pick<SetBody, 'expires' | 'wait' | 'confirm'>;
  /** What the person sees before it is confirmed. */
  reading(): Value | undefined;
  sameReading(one: Value, other: Value): boolean;
  /** Throws a `Fault` 409 if `expect` does not hold. */
  compare(link: Link, signal: AbortSignal): Promise<void>;
  send(session: Session, signal: AbortSignal): Promise<Answer>;
  check: Check | undefined;
}

/** Who sends it, and how it is told from another one. */
export interface Sender {
  user: User;
  idempotencyKey?: string | undefined;
  origin?: Origin | undefined;
}

/** Throws a `Fault`: 400, 404, 422. */
export function setTask(deps: { plant: Plant; intake: Intake; nowMs: number }, key: SeriesKey, body: SetBody, sender: Sender): Task {
  const placed = deps.plant.point(key);
  if (!placed) throw notFound(`there is no point ${key.device}.${key.point}`);
  const { point, shape } = placed;
  if (point.access === 'read')
    throw badRequest(`${key.device}.${key.point} is not writable: its access is read`, undefined, 'not-writable', 422);
  const written = toRaw(point, shape, body.value);
  const { expect } = body;
  return {
    record: recordOf({ ...key, kind: 'set', value: written.value, reason: body.reason }, sender, deps.nowMs),
    target: { device: placed.device, name: point.id, kind: 'set', guards: point.write ?? {} },
    body,
    reading: () => readingOf(placed),
    sameReading: (one, other) => agrees(one, other, toleranceOf(placed)),
    compare: (link, signal) => (expect === undefined ? Promise.resolve() : compare({ intake: deps.intake, link }, placed, expect, signal)),
    send: (session, signal) =>
      session.write?.(point, written.raw, signal) ?? Promise.resolve({ state: 'not-sent', detail: 'the protocol has no writing' }),
    check: checkOf(placed, written),
  };
}

/** Throws a `Fault`: 404, 422. */
export function actTask(deps: { plant: Plant; nowMs: number }, device: string, action: string, body: ActBody, sender: Sender): Task {
  const placed = deps.plant.device(device);
  const known = placed?.device.actions.find((candidate) => candidate.id === action);
  if (!placed || !known) throw notFound(`there is no command ${action} of a device ${device}`);
  admitParameters(known.parameters, body.parameters);
  const parameters = Object.keys(body.parameters).length === 0 ? null : exactJson(body.parameters);
  return {
    record: recordOf({ device, point: action, kind: 'act', value: parameters, reason: body.reason }, sender, deps.nowMs),
    target: { device: placed, name: action, kind: 'act', guards: known },
    body,
    reading: () => undefined,
    sameReading: () => true,
    compare: () => Promise.resolve(),
    send: (session, signal) =>
      session.act?.(placed.device, known, body.parameters, signal) ??
      Promise.resolve({ state: 'not-sent', detail: 'the protocol has no actions' }),
    check: undefined,
  };
}

/** Before it is a command, as the limits of a point; what only the far end's places can tell, the driver says. */
function admitParameters(declared: unknown, given: Readonly<Record<string, unknown>>): void {
  const known = parametersSchema.safeParse(declared);
  // A protocol may have words of its own for its parameters.
  if (declared === undefined || !known.success) return;
  try {
    valuesOf(known.data, given);
  } catch (error) {
    throw badRequest(messageOf(error), 'parameters', 'limit', 422);
  }
}

function readingOf({ point, last }: PlacedPoint): Value | undefined {
  return point.access === 'write' || !last || last.quality === 'bad' ? undefined : last.value;
}

function toleranceOf({ point }: PlacedPoint): number {
  return typeof point.write?.verify === 'object' ? point.write.verify.tolerance : 0;
}

function recordOf(
  what: Pick<CommandRecord, 'device' | 'point' | 'kind' | 'value'> & { reason: string | undefined },
  { user, idempotencyKey, origin }: Sender,
  nowMs: number,
): CommandRecord {
  const { device, point, kind, value, reason } = what;
  return {
    id: randomUUID(),
    device,
    point,
    kind,
    value,
    state: 'queued',
    ...(reason === undefined ? {} : { reason }),
    user: { login: user.login, name: user.name, role: user.role },
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    ...(origin === undefined ? {} : { origin }),
    times: { queued: nowMs },
  };
}
