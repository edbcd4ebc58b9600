/**
 * `commands`: who sent what and how it ended, newest last. The columns `time`, `timeEnd`, `title`, `text` and `tags` are what Grafana
 * takes for annotations. With `as: logs` they are log lines.
 */
import type { CommandRecord } from '../contract/command.ts';
import { limits } from '../contract/limits.ts';
import type { Value } from '../contract/sample.ts';
import { type Field, type Frame, type Notice, withNotices } from '../frame/frame.ts';
import { textField } from '../frame/series.ts';
import type { Instance } from './instance.ts';
import { type Ask, selects } from './query-parse.ts';
import { labelsOf } from './query-series.ts';
import type { Question } from './question.ts';
import { json, number, string, time } from './table.ts';

export async function answerCommands({ ask, instance, deps }: Question): Promise<Frame[]> {
  const records = await deps.store.commands(instance.key, { limit: limits.commandsPerQueryMax, range: ask.range });
  const chosen = records
    .filter(({ device, point }) => selects(ask.selection, { device, point }, labelsOf({ device, point }, instance.gateway)))
    .filter(({ state }) => ask.query.states?.includes(state) ?? true)
    .sort((a, b) => startedMs(a) - startedMs(b));
  const notices: Notice[] =
    records.length < limits.commandsPerQueryMax
      ? []
      : [{ severity: 'warning', text: `Only the newest ${limits.commandsPerQueryMax} commands of the range are looked at.` }];
  if (ask.query.as === 'numbers') return [counts(chosen, ask, instance, notices)];
  if (ask.query.as === 'logs') return [logLines(chosen.reverse(), notices)];
  return [{ name: 'commands', meta: withNotices({ preferredVisualisationType: 'table' }, notices), fields: columns(chosen) }];
}

/** How many, a device: also 0, so that an alert rule tells no command from no answer. */
function counts(records: readonly CommandRecord[], { selection }: Ask, { gateway }: Instance, notices: Notice[]): Frame {
  const commanded = gateway.plan.connections
    .flatMap(({ devices }) => devices)
    .filter(({ id, labels, points, actions }) => {
      if (!selection.device(id) || !selection.labels({ ...labels, device: id })) return false;
      return actions.length > 0 || points.some(({ access }) => access !== 'read');
    });
  const devices = [...new Set([...commanded.map(({ id }) => id), ...records.map(({ device }) => device)])].sort((a, b) => (a < b ? -1 : 1));
  return {
    name: 'commands',
    meta: withNotices({ type: 'numeric-long', preferredVisualisationType: 'table' }, notices),
    fields: [
      string('device', devices, (device) => device),
      number('commands', devices, (id) => records.filter(({ device }) => device === id).length, { decimals: 0, min: 0 }),
    ],
  };
}

/** The data plane's log lines, newest first. */
function logLines(records: readonly CommandRecord[], notices: Notice[]): Frame {
  const text = (name: string, of: (record: CommandRecord) => string) => string(name, records, of);
  return {
    name: 'commands',
    meta: withNotices({ type: 'log-lines', preferredVisualisationType: 'logs' }, notices),
    fields: [
      time('timestamp', records, (record) => BigInt(Math.round(startedMs(record))) * 1_000_000n),
      text('body', (record) => `${title(record)}; ${description(record)}`),
      text('severity', severity),
      text('id', ({ id }) => id),
      json('labels', records, ({ device, point, kind, state, user }) => ({ device, point, kind, state, user: user.login })),
    ],
  };
}

/** In the words of Grafana's log levels: refused is a warning, what a device did otherwise an error. */
function severity({ state }: CommandRecord): string {
  if (state === 'failed' || state === 'mismatch' || state === 'unknown') return 'error';
  return state === 'rejected' || state === 'expired' ? 'warning' : 'info';
}

function columns(records: readonly CommandRecord[]): Field[] {
  const text = (name: string, of: (record: CommandRecord) => string) => string(name, records, of);
  const moment = (name: string, of: (record: CommandRecord) => number | undefined): Field => ({
    name,
    type: 'time',
    values: BigInt64Array.from({ length: records.length }, (_, i) => BigInt(Math.round((records[i] && of(records[i])) ?? 0)) * 1_000_000n),
    valid: Uint8Array.from(records, (record) => (of(record) === undefined ? 0 : 1)),
  });
  const took = records.map((record) => (record.times.ended === undefined ? undefined : record.times.ended - startedMs(record)));
  return [
    moment('time', startedMs),
    moment('timeEnd', (record) => record.times.ended),
    text('title', title),
    text('text', description),
    text('tags', ({ device, state, kind }) => ['command', kind, device, state].join(',')),
    text('device', ({ device }) => device),
    text('point', ({ point }) => point),
    text('value', ({ value }) => spell(value)),
    text('readBack', ({ readBack }) => (readBack === undefined ? '' : spell(readBack))),
    textField(
      'state',
      records.map(({ state }) => state),
    ),
    text('user', ({ user }) => user.login),
    text('reason', ({ reason }) => reason ?? ''),
    text('detail', ({ detail }) => detail ?? ''),
    {
      name: 'duration',
      type: 'float64',
      values: Float64Array.from(took, (ms) => ms ?? 0),
      valid: Uint8Array.from(took, (ms) => (ms === undefined ? 0 : 1)),
      config: { unit: 'ms' },
    },
    text('id', ({ id }) => id),
  ];
}

function startedMs(record: CommandRecord): number {
  const known = Object.values(record.times);
  return record.times.queued ?? (known.length > 0 ? Math.min(...known) : 0);
}

function title({ kind, device, point, value, state }: CommandRecord): string {
  return kind === 'set' ? `${device}.${point} := ${spell(value)}, ${state}` : `${device}: ${point}, ${state}`;
}

function description({ user, reason, detail, readBack }: CommandRecord): string {
  const parts = [
    `by ${user.name || user.login} (${user.role})`,
    reason,
    detail,
    readBack === undefined ? undefined : `read back ${spell(readBack)}`,
  ];
  return parts.filter((part) => part !== undefined && part !== '').join('; ');
}

function spell(value: Value): string {
  return value === null ? '' : String(value);
}
