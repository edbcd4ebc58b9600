/** `POST hooks/alert`: what Grafana's webhook contact point sends. Each alert may make one command that the settings allow, under every guard. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import * as z from 'zod';
import type { Clock } from '../../contract/clock.ts';
import { type ActBody, actBodySchema, type CommandRecord, type SetBody, setBodySchema, statusOf } from '../../contract/command.ts';
import { Fault, forbidden, notFound } from '../../contract/fault.ts';
import { limits } from '../../contract/limits.ts';
import { type AlertCommand, type Alerts, alertSecretName } from '../../contract/permissions.ts';
import { problemOf } from '../../contract/problem.ts';
import { compileLabels } from '../../contract/query.ts';
import { attemptOf, type Wish } from '../../gateway/commands/desk.ts';
import type { Store } from '../../store/store.ts';
import { leastForCommand, mayCommand } from '../access.ts';
import { check } from '../settings/words.ts';
import type { Ask, Handler } from './ask.ts';
import { badBody } from './body.ts';

export const signatureHeader = 'X-Grafana-Alerting-Signature';
/** Grafana sends it if the contact point names it; without it a signature could be used again. */
export const timestampHeader = 'X-Grafana-Alerting-Timestamp';

/** What is used of a notification; the rest may change with Grafana's version. */
export const notificationSchema = z.looseObject({
  alerts: z
    .array(
      z.looseObject({
        status: z.string(),
        labels: z.record(z.string(), z.string()),
        startsAt: z.string().max(64),
        fingerprint: z.string().max(128).default(''),
        generatorURL: z.string().max(4096).default(''),
      }),
    )
    .max(limits.alertsAtOnceMax),
});
type Alert = z.output<typeof notificationSchema>['alerts'][number];

/**
 * Answers 200 with `{ outcomes: [{ alert, command?, status, … }] }` whatever became of the commands, because a repetition would not help; at once, with commands
 * that still run as 202. Who may not use it gets 403, and 404 as long as the settings say nothing of alerts.
 */
export function alertHook({ clock, store }: { clock: Clock; store: Store }): Handler {
  const paces = new WeakMap<object, number[]>();
  return async (ask) => {
    const { alerts } = ask.instance.gateway.plan.settings.rights;
    if (!alerts) throw notFound('alerts send no commands here: the settings have no rights.alerts');
    authenticate(ask, alerts, clock.nowMs());
    const read = check(notificationSchema, ask.body);
    if (!read.ok) throw badBody(read.problems);
    // One pace a data source, whatever the settings become.
    const times = paces.get(ask.instance) ?? [];
    paces.set(ask.instance, times);
    const outcomes = await Promise.all(
      read.value.alerts.map(async (alert) => await act(ask, alerts, alert, { store, late: () => pace(times, alerts, clock) })),
    );
    return { body: { outcomes } };
  };
}

/** Throws a `Fault` 403: the wrong account, no signature, a wrong one, or an old one. */
function authenticate({ user, caller, header, bytes }: Ask, { login }: Alerts, nowMs: number): void {
  if (user.login !== login) throw forbidden('this hook is for the service account that rights.alerts.login names');
  const secret = caller.instance?.secureJsonData[alertSecretName] ?? '';
  if (secret.length < limits.hookSecretLengthMin)
    throw forbidden(
      `the secret ${alertSecretName} of the data source is not set, or shorter than ${limits.hookSecretLengthMin} characters`,
    );
  const [signature, timestamp] = [header(signatureHeader.toLowerCase()), header(timestampHeader.toLowerCase())];
  if (!signature || !timestamp) throw forbidden(`the contact point has to sign: ${signatureHeader} and ${timestampHeader} are needed`);
  const mac = createHmac('sha256', secret).update(`${timestamp}:`).update(bytes).digest();
  const given = Buffer.from(/^[0-9a-f]{64}$/i.test(signature) ? signature : '', 'hex');
  if (given.length !== mac.length || !timingSafeEqual(given, mac)) throw forbidden('the signature does not fit');
  const seconds = /^\d{1,12}$/.test(timestamp) ? Number(timestamp) : Number.NaN;
  if (!(Math.abs(nowMs - seconds * 1_000) <= limits.hookAgeMs))
    throw forbidden(`the notification was signed more than ${limits.hookAgeMs / 1_000} s from now`);
}

async function act(
  ask: Ask,
  alerts: Alerts,
  alert: Alert,
  { store, late }: { store: Store; late: () => Fault | undefined },
): Promise<Record<string, unknown>> {
  const about = { alert: alert.fingerprint };
  const command = alerts.commands.find((one) => fits(one, alert));
  if (!command) return { ...about, status: 204, detail: 'no entry of rights.alerts.commands fits this alert' };
  const { instance, caller, user } = ask;
  const origin = { hook: command.id, rule: ruleOf(alert), fingerprint: alert.fingerprint };
  const wish = wishOf(command, alerts, alert);
  const refused = (fault: Fault): Fault => {
    instance.gateway.commands.refused(attemptOf(wish, { user, origin }), fault);
    return fault;
  };
  try {
    const permission = mayCommand(caller, leastForCommand(instance, command));
    if (!permission.allowed) throw refused(forbidden(permission.why));
    const idempotencyKey = keyOf(command, alert);
    // Grafana tells of an alert again and again as long as it lasts: that is the same command, and costs no pace.
    const known = await store.commandByKey(instance.key, idempotencyKey);
    const tooMany = known ? undefined : late();
    if (tooMany) throw refused(tooMany);
    const record = await instance.gateway.commands.send(wish, { user, idempotencyKey, origin });
    return { ...about, command: command.id, ...outcomeOf(record) };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { ...about, command: command.id, ...problemOf(error) };
  }
}

function fits({ when, labels }: AlertCommand, alert: Alert): boolean {
  return alert.status === when && compileLabels(labels)(alert.labels);
}

function wishOf(command: AlertCommand, { expires }: Alerts, { labels, status }: Alert): Wish {
  const reason = `alert ${labels.alertname ?? ''} is ${status}`.slice(0, 512);
  const { device, point, value, parameters } = command;
  if (point !== undefined && value !== undefined) {
    const body: SetBody = { ...setBodySchema.parse({ value, reason }), wait: 0, expires };
    return { device, point, body };
  }
  const body: ActBody = { ...actBodySchema.parse({ parameters, reason }), wait: 0, expires };
  return { device, command: command.command ?? '', body };
}

/** The uid of the rule: a label of its own where Grafana leaves it, else the path of the link to the rule. */
function ruleOf({ labels, generatorURL }: Alert): string {
  const uid = labels.__alert_rule_uid__ ?? /\/alerting\/grafana\/([^/?#]+)\//.exec(generatorURL)?.[1] ?? '';
  return uid.slice(0, 64);
}

/** The same alert in the same state is the same command, however often it is told of. */
function keyOf({ id }: AlertCommand, { fingerprint, startsAt, status, labels }: Alert): string {
  const text = JSON.stringify([id, fingerprint, startsAt, status, Object.entries(labels).sort(([one], [other]) => (one < other ? -1 : 1))]);
  return `alert-${createHash('sha256').update(text).digest('hex')}`;
}

function pace(times: number[], { rate }: Alerts, clock: Clock): Fault | undefined {
  const nowMs = clock.monotonicMs();
  while (times.length > 0 && (times[0] ?? 0) <= nowMs - rate.per) times.shift();
  if (times.length >= rate.max)
    return new Fault(`alerts may send ${rate.max} commands in ${rate.per / 1_000} s`, { type: 'too-soon', blame: 'caller', status: 429 });
  times.push(nowMs);
  return undefined;
}

function outcomeOf(record: CommandRecord): Record<string, unknown> {
  return { status: statusOf(record), id: record.id, state: record.state };
}
