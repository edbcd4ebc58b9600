import { roleAtLeast, type User } from '../../contract/caller.ts';
import { actBodySchema, type CommandRecord, setBodySchema, statusOf } from '../../contract/command.ts';
import type { Device, Point } from '../../contract/device.ts';
import { badPart, Fault, forbidden, notFound } from '../../contract/fault.ts';
import { limits } from '../../contract/limits.ts';
import type { Instance } from '../instance.ts';
import { check } from '../settings/words.ts';
import { preferred } from './accept.ts';
import type { Ask, Handler, Reply } from './ask.ts';
import { badBody } from './body.ts';
import { deviceOf } from './devices.ts';
import { pointAnswer, sampleAnswer } from './point-answer.ts';
import { readChoice } from './selection.ts';
import { recordFor } from './shown.ts';

/** `{ points: [...] }`, each as `pointAnswer` says. */
export const listPoints: Handler = ({ instance, params, user }) => {
  const device = deviceOf(instance, params);
  return { body: { points: device.points.map((point) => pointAnswer(instance, device, point, roleAtLeast(user.role, 'Editor'))) } };
};

/**
 * One point; with `?fresh=1` the device is asked now, which only Editors may do: it takes time on the bus. Whoever asks for `text/plain` gets the
 * value alone, for scripts; 204 if there is none.
 */
export const onePoint: Handler = async (ask) => {
  const { instance, user } = ask;
  const { device, point } = pointOf(instance, ask.params);
  const insider = roleAtLeast(user.role, 'Editor');
  const sample = readFresh(ask.query, insider)
    ? await instance.gateway.readNow({ device: device.id, point: point.id }, ask.signal)
    : instance.gateway.last({ device: device.id, point: point.id });
  if (preferred(ask.header('accept'), ['application/json', 'text/plain']) === 'text/plain') {
    const none = sample === undefined || sample.value === null;
    return { status: none ? 204 : 200, type: 'text/plain; charset=utf-8', text: none ? '' : String(sample.value) };
  }
  return { body: { ...pointAnswer(instance, device, point, insider), last: sample ? sampleAnswer(point, sample) : null } };
};

function readFresh(query: URLSearchParams, insider: boolean): boolean {
  if (readChoice(query, 'fresh', ['0', '1']) === '0') return false;
  if (!insider) throw forbidden('asking the device now needs the role Editor', 'fresh');
  return true;
}

/** Sets the point and answers with the command's record; the status says how it ended (DESIGN §8). A bad end is a problem document with the record in it. */
export const setPoint: Handler = async (ask) => {
  const { device, point } = pointOf(ask.instance, ask.params);
  const body = check(setBodySchema, ask.body);
  if (!body.ok) throw badBody(body.problems);
  const record = await ask.instance.gateway.set({ device: device.id, point: point.id }, body.value, ask.user, idempotencyKey(ask));
  return commandReply(record, ask.user);
};

/** Runs a named action of the device. Answers as `setPoint` does. */
export const runCommand: Handler = async (ask) => {
  const device = deviceOf(ask.instance, ask.params);
  const action = device.actions.find(({ id }) => id === ask.params.command);
  if (!action) throw notFound(`device ${device.id} has no command ${JSON.stringify(ask.params.command)} that runs`, 'command');
  const body = check(actBodySchema, ask.body);
  if (!body.ok) throw badBody(body.problems);
  return commandReply(await ask.instance.gateway.act(device.id, action.id, body.value, ask.user, idempotencyKey(ask)), ask.user);
};

function commandReply(whole: CommandRecord, user: User): Reply {
  const record = recordFor(user, whole);
  const status = statusOf(record);
  if (status < 400) return { status, body: record };
  const message = record.detail ?? `the command ended as ${record.state}`;
  return { status, body: record, fault: new Fault(message, { type: `command-${record.state}`, blame: 'device', status }) };
}

/** Throws a `Fault` 400 for one that is too long or not visible ASCII. */
export function idempotencyKey({ header }: Ask): string | undefined {
  const key = header('idempotency-key');
  if (key === undefined) return undefined;
  if (!/^[\x21-\x7e]+$/.test(key) || key.length > limits.idempotencyKeyLengthMax) {
    throw badPart('Idempotency-Key', `is not allowed; allowed are 1 to ${limits.idempotencyKeyLengthMax} visible ASCII characters`);
  }
  return key;
}

function pointOf(instance: Instance, params: Ask['params']): { device: Device; point: Point } {
  const device = deviceOf(instance, params);
  const point = device.points.find(({ id }) => id === params.point);
  if (!point) throw notFound(`device ${device.id} has no point ${JSON.stringify(params.point)} that runs`, 'point');
  return { device, point };
}
