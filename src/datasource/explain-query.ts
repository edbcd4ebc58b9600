/**
 * `explain`: the poll plan. First every request that is sent again and again, with what it costs where the protocol can say; then each bus, with how
 * long one round of all its requests takes at worst, and which share of its time that is.
 */

import { type Frame, type Notice, withNotices } from '../frame/frame.ts';
import type { BusSpan } from '../gateway/bus.ts';
import type { Polled } from '../gateway/poller.ts';
import type { Question } from './question.ts';
import { number, string } from './table.ts';

interface Row extends Polled {
  connection: string;
  endpoint: string;
  /** Mean time on the wire of the requests remembered; undefined if there is none. */
  measuredMs: number | undefined;
}

const namesMax = 20;

export function answerExplain({ ask, instance, deps }: Question): Frame[] {
  const notices: Notice[] = [];
  const rows: Row[] = [];
  const { connections } = instance.gateway.plan;
  const nowMs = deps.clock.nowMs();
  for (const { connection, driver } of connections) {
    if (!ask.selection.connection(connection.id)) continue;
    const polling = instance.gateway.polling(connection.id);
    const why = polling ? polling.downBecause : 'it does not run here';
    if (!polling || why !== undefined) {
      notices.push({ severity: 'warning', text: `${connection.id} has no plan now: ${why}` });
      continue;
    }
    if (polling.polled.length === 0)
      notices.push({ severity: 'info', text: `${connection.id} asks for nothing: its devices speak by themselves.` });
    const measured = means(polling.spans(0, nowMs).filter((span) => span.connection === connection.id));
    const endpoint = driver.endpoint(connection.options);
    for (const polled of polling.polled)
      rows.push({ ...polled, connection: connection.id, endpoint, measuredMs: measured.get(polled.request.text) });
  }
  return [requestsFrame(rows, notices), busesFrame(rows)].map(named);
}

/** Of two frames in one answer Grafana puts the frame's name before each column's, unless the column says what it is called. */
function named(frame: Frame): Frame {
  return { ...frame, fields: frame.fields.map((field) => ({ ...field, config: { ...field.config, displayNameFromDS: field.name } })) };
}

function means(spans: readonly BusSpan[]): Map<string, number> {
  const byText = Map.groupBy(spans, ({ text }) => text);
  return new Map(
    [...byText].map(([text, of]) => [text, of.reduce((sum, { startedMs, endedMs }) => sum + endedMs - startedMs, 0) / of.length]),
  );
}

function requestsFrame(rows: readonly Row[], notices: Notice[]): Frame {
  const ms = { unit: 'ms', decimals: 1 };
  return {
    name: 'requests',
    meta: withNotices({ preferredVisualisationType: 'table' }, notices),
    fields: [
      string('connection', rows, ({ connection }) => connection),
      string('unit', rows, ({ request }) => request.unit),
      string('request', rows, ({ request }) => request.text),
      number('interval', rows, ({ intervalMs }) => (Number.isFinite(intervalMs) ? intervalMs : undefined), {
        unit: 'ms',
        description: 'Empty for what is read once after each opening',
      }),
      number('points', rows, ({ request }) => request.points.length),
      number('read', rows, ({ request }) => request.cost?.places, { description: 'Registers or bits that it reads' }),
      number('wasted', rows, ({ request }) => request.cost?.wasted, { description: 'Of those, the ones that no point needs' }),
      number('wire', rows, ({ request }) => request.cost?.wireMs, {
        ...ms,
        description: 'Time on the line by its speed, without what the device needs to think',
      }),
      number('measured', rows, ({ measuredMs }) => measuredMs, { ...ms, description: 'Mean of the requests remembered' }),
      string('alone because', rows, ({ request }) => request.cost?.breaks ?? ''),
      string('point names', rows, ({ request }) => namesOf(request)),
    ],
  };
}

function namesOf({ points }: Row['request']): string {
  const names = points.slice(0, namesMax).map(({ device, id }) => `${device}.${id}`);
  return points.length > names.length ? `${names.join(', ')} and ${points.length - names.length} more` : names.join(', ');
}

function busesFrame(rows: readonly Row[]): Frame {
  const buses = [...Map.groupBy(rows, ({ endpoint }) => endpoint)].map(([endpoint, of]) => ({ endpoint, of }));
  type Bus = (typeof buses)[number];
  /** Undefined as soon as one is: a sum that leaves some out would be too good. */
  const sum = (of: readonly Row[], read: (row: Row) => number | undefined) =>
    of.reduce<number | undefined>((total, row) => {
      const value = read(row);
      return total === undefined || value === undefined ? undefined : total + value;
    }, 0);
  const takes = ({ request, measuredMs }: Row) => measuredMs ?? request.cost?.wireMs;
  const total = (read: (row: Row) => number | undefined) => (bus: Bus) => sum(bus.of, read);
  const ms = { unit: 'ms', decimals: 1 };
  return {
    name: 'buses',
    meta: { preferredVisualisationType: 'table' },
    fields: [
      string('bus', buses, ({ endpoint }) => endpoint),
      string('connections', buses, ({ of }) => [...new Set(of.map(({ connection }) => connection))].join(', ')),
      number('requests', buses, ({ of }) => of.length),
      number(
        'points',
        buses,
        total(({ request }) => request.points.length),
      ),
      number(
        'wasted',
        buses,
        total(({ request }) => request.cost?.wasted),
      ),
      number(
        'cycle by speed',
        buses,
        total(({ request }) => request.cost?.wireMs),
        { ...ms, description: 'All requests one after the other, without what devices need to think' },
      ),
      number(
        'cycle measured',
        buses,
        total(({ measuredMs }) => measuredMs),
        { ...ms, description: 'The same by the times measured' },
      ),
      number('shortest interval', buses, ({ of }) => Math.min(...of.map(({ intervalMs }) => intervalMs)), { unit: 'ms' }),
      number(
        'load',
        buses,
        total((row) => {
          const ownMs = takes(row);
          return ownMs === undefined ? undefined : ownMs / row.intervalMs;
        }),
        {
          unit: 'percentunit',
          description: 'Above 100 % not everything can be asked as often as it should, unless the far end takes several requests at once',
        },
      ),
    ],
  };
}
