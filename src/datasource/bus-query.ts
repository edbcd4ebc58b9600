/**
 * `bus`: what goes over the bus of a connection. With `traceId` the requests of that connection's bus as the spans of a trace: how long each waited
 * and how long it was on the wire, those of other connections on the same bus among them. Else a table, a row a unit and one for the whole bus.
 */
import { notFound } from '../contract/fault.ts';
import { limits } from '../contract/limits.ts';
import { type Field, type Frame, type Notice, withNotices } from '../frame/frame.ts';
import type { BusSpan } from '../gateway/bus.ts';
import type { Instance } from './instance.ts';
import type { Question } from './question.ts';
import { json, number, string } from './table.ts';

/** In milliseconds since 1970. */
interface Window {
  fromMs: number;
  toMs: number;
}

export function answerBus({ ask, instance, deps }: Question): Frame[] {
  const { traceId } = ask.query;
  const window = { fromMs: Number(ask.range.fromNs) / 1e6, toMs: Math.min(Number(ask.range.toNs) / 1e6, deps.clock.nowMs()) };
  if (traceId !== undefined) return [trace(instance, traceId, window)];
  const chosen = instance.gateway.plan.connections.map(({ connection }) => connection.id).filter(ask.selection.connection);
  const rows = chosen.flatMap((connection) => rowsOf(connection, spansOf(instance, connection, window) ?? [], window));
  const notices: Notice[] = rows.length === 0 ? [{ severity: 'info', text: 'No request went over these buses in the range.' }] : [];
  if (ask.query.as === 'numbers') return [busyNumbers(chosen, rows, notices)];
  return [
    { name: 'bus', meta: withNotices({ type: 'numeric-long', preferredVisualisationType: 'table' }, notices), fields: columns(rows) },
  ];
}

/** One number a connection; a bus that had nothing to do is not busy, which is a value too. */
function busyNumbers(connections: readonly string[], rows: readonly Row[], notices: Notice[]): Frame {
  const whole = new Map(rows.filter(({ unit }) => unit === 'all').map(({ connection, busy }) => [connection, busy]));
  return {
    name: 'bus',
    meta: withNotices({ type: 'numeric-long', preferredVisualisationType: 'table' }, notices),
    fields: [
      string('connection', connections, (connection) => connection),
      number('busy', connections, (connection) => whole.get(connection) ?? 0, { unit: 'percentunit', min: 0, max: 1 }),
    ],
  };
}

function spansOf(instance: Instance, connection: string, { fromMs, toMs }: Window): BusSpan[] | undefined {
  return instance.gateway.polling(connection)?.spans(fromMs, toMs);
}

interface Row {
  connection: string;
  /** `all` for the whole bus, whoever asked. */
  unit: string;
  requests: number;
  /** Of the time, 0 to 1. */
  busy: number;
  waits: number[];
  wires: number[];
  silent: number;
  failed: number;
}

function rowsOf(connection: string, spans: readonly BusSpan[], { fromMs, toMs }: Window): Row[] {
  if (spans.length === 0) return [];
  // What went before is not remembered, so that no share can be said of it.
  const sinceMs = Math.max(fromMs, Math.min(...spans.map(({ queuedMs }) => queuedMs)));
  const spanMs = Math.max(toMs - sinceMs, 1e-3);
  const row = (unit: string, of: readonly BusSpan[]): Row => ({
    connection,
    unit,
    requests: of.length,
    busy: Math.min(1, busyMs(of) / spanMs),
    waits: of.map(({ queuedMs, startedMs }) => startedMs - queuedMs).sort((a, b) => a - b),
    wires: of.map(({ startedMs, endedMs }) => endedMs - startedMs).sort((a, b) => a - b),
    silent: of.filter(({ outcome }) => outcome === 'silent').length,
    failed: of.filter(({ outcome }) => outcome === 'failed').length,
  });
  const own = Map.groupBy(
    spans.filter((span) => span.connection === connection),
    ({ unit }) => unit,
  );
  return [row('all', spans), ...[...own].sort(([a], [b]) => (a < b ? -1 : 1)).map(([unit, of]) => row(unit, of))];
}

/** The time in which at least one of them was on the wire. */
function busyMs(spans: readonly BusSpan[]): number {
  let [sum, untilMs] = [0, Number.NEGATIVE_INFINITY];
  for (const { startedMs, endedMs } of spans.toSorted((a, b) => a.startedMs - b.startedMs)) {
    sum += Math.max(0, endedMs - Math.max(startedMs, untilMs));
    untilMs = Math.max(untilMs, endedMs);
  }
  return sum;
}

/** The nearest rank. */
function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

function columns(rows: readonly Row[]): Field[] {
  const ms = { unit: 'ms', decimals: 1 };
  return [
    string('connection', rows, ({ connection }) => connection),
    string('unit', rows, ({ unit }) => unit),
    string('traceID', rows, ({ connection }) => connection),
    number('requests', rows, ({ requests }) => requests),
    number('busy', rows, ({ busy }) => busy, {
      unit: 'percentunit',
      min: 0,
      max: 1,
      description: 'Share of the time with a request on the wire',
    }),
    number('wait p50', rows, ({ waits }) => quantile(waits, 0.5), ms),
    number('wait p99', rows, ({ waits }) => quantile(waits, 0.99), ms),
    number('wire p50', rows, ({ wires }) => quantile(wires, 0.5), ms),
    number('wire p99', rows, ({ wires }) => quantile(wires, 0.99), ms),
    number('silent', rows, ({ silent }) => silent, { description: 'Requests without an answer' }),
    number('failed', rows, ({ failed }) => failed, { description: 'Requests that broke off' }),
  ];
}

/** One line of Grafana's trace view. */
interface Line {
  id: string;
  parent: string;
  what: string;
  service: string;
  startMs: number;
  durationMs: number;
  failed: boolean;
  message: string;
  tags: Record<string, string | number>;
}

function trace(instance: Instance, connection: string, window: Window): Frame {
  const all = spansOf(instance, connection, window);
  if (!all) throw notFound(`there is no bus of a connection ${JSON.stringify(connection)} here`, 'traceId');
  const shown = all.slice(-limits.spansPerTraceMax);
  const notices: Notice[] =
    all.length > shown.length ? [{ severity: 'info', text: `Shown are the last ${shown.length} requests of ${all.length}.` }] : [];
  const meta = withNotices({ preferredVisualisationType: 'trace' }, notices);
  if (shown.length === 0) return { name: connection, meta, fields: [] };
  const startMs = Math.min(...shown.map(({ queuedMs }) => queuedMs));
  const endMs = Math.max(...shown.map(({ endedMs }) => endedMs));
  const root: Line = {
    id: 'bus',
    parent: '',
    what: `bus of ${connection}`,
    service: connection,
    startMs,
    durationMs: endMs - startMs,
    failed: false,
    message: '',
    tags: { requests: shown.length, busy: `${((busyMs(shown) / Math.max(endMs - startMs, 1e-3)) * 100).toFixed(1)} %` },
  };
  return { name: connection, meta, fields: traceFields(connection, [root, ...shown.flatMap(linesOf)]) };
}

function linesOf({ number: id, unit, text, priority, outcome, detail, connection, queuedMs, startedMs, endedMs }: BusSpan): Line[] {
  const service = connection === undefined ? 'another data source' : unit === '' ? connection : `${connection} unit ${unit}`;
  const failed = outcome === 'failed' || outcome === 'silent';
  const part = (name: string, what: string, fromMs: number, toMs: number): Line => ({
    id: `${id}.${name}`,
    parent: String(id),
    what,
    service,
    startMs: fromMs,
    durationMs: toMs - fromMs,
    failed: false,
    message: '',
    tags: {},
  });
  const whole: Line = {
    ...part('', text || priority, queuedMs, endedMs),
    id: String(id),
    parent: 'bus',
    failed,
    message: detail ?? (outcome === 'silent' ? 'no answer' : ''),
    tags: { priority, outcome, unit, waitMs: startedMs - queuedMs, wireMs: endedMs - startedMs },
  };
  return [whole, part('wait', 'waits for the bus', queuedMs, startedMs), part('wire', 'on the wire', startedMs, endedMs)];
}

/** The columns that Grafana's trace view looks for; times in milliseconds. */
function traceFields(traceId: string, lines: readonly Line[]): Field[] {
  return [
    string('traceID', lines, () => traceId),
    string('spanID', lines, ({ id }) => id),
    string('parentSpanID', lines, ({ parent }) => parent),
    string('operationName', lines, ({ what }) => what),
    string('serviceName', lines, ({ service }) => service),
    json('serviceTags', lines, () => []),
    number('startTime', lines, ({ startMs }) => startMs),
    number('duration', lines, ({ durationMs }) => durationMs),
    json('tags', lines, ({ tags }) => Object.entries(tags).map(([key, value]) => ({ key, value }))),
    number('statusCode', lines, ({ failed }) => (failed ? 2 : 0)),
    string('statusMessage', lines, ({ message }) => message),
  ];
}
