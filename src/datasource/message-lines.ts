/** Raw traffic as log lines: which messages a query means, and what is shown of each. */
import type { Matcher, Query } from '../contract/query.ts';
import type { Frame, FrameMeta } from '../frame/frame.ts';
import type { Message } from '../gateway/traffic.ts';
import type { Instance } from './instance.ts';
import { compileAt, type Selection } from './query-parse.ts';
import { json, string, time } from './table.ts';

export interface Line {
  connection: string;
  message: Message;
  /** Empty if no device is known to be meant. */
  device: string;
  body: string;
  /** Says that messages before this one are left out. */
  isGap?: boolean;
}

/** What a query picks out of the traffic of one connection: the line of a message that is meant. */
export type PickLine = (message: Message) => Line | undefined;

export function pickerOf(query: Query, selection: Selection, instance: Instance): (connection: string) => PickLine {
  const isWanted = filterOf(query.filter);
  const byDevice = query.devices.some((selector) => selector !== '*') || Object.keys(query.labels).length > 0 || query.where.length > 0;
  return (connection) => {
    const deviceOf = devicesOf(instance, connection);
    return (message) => {
      if (query.direction !== undefined && message.direction !== query.direction) return undefined;
      const device = deviceOf(message.unit);
      if (byDevice && !isChosen(selection, instance, device)) return undefined;
      const body = bodyOf(message);
      return isWanted(body) || isWanted(message.unit) ? { connection, message, device: device ?? '', body } : undefined;
    };
  };
}

/** Which device a unit is, where that is clear. */
function devicesOf({ gateway }: Instance, connection: string): (unit: string) => string | undefined {
  const polling = gateway.polling(connection);
  const devices = gateway.plan.connections.find((one) => one.connection.id === connection)?.devices ?? [];
  const byUnit = new Map<string, string | undefined>();
  for (const device of polling ? devices : []) {
    const unit = polling?.unitOf(device) ?? '';
    byUnit.set(unit, byUnit.has(unit) ? undefined : device.id);
  }
  return (unit) => byUnit.get(unit);
}

function isChosen(selection: Selection, { gateway }: Instance, device: string | undefined): boolean {
  if (device === undefined || !selection.device(device)) return false;
  return selection.labels({ ...gateway.device(device)?.labels, device });
}

/** A text has to be in the line as it stands; an expression between slashes has to be found. */
function filterOf(filter: string | undefined): Matcher {
  if (filter === undefined) return () => true;
  const isExpression = filter.length > 2 && filter.startsWith('/') && filter.endsWith('/');
  return isExpression ? compileAt(filter, 'filter') : (line) => line.includes(filter);
}

function bodyOf({ meaning, bytes, length }: Message): string {
  const text = bytes.length === 0 ? '' : spell(bytes);
  const cut = length > bytes.length ? ` … (${length} bytes)` : '';
  return [meaning, `${text}${cut}`].filter((part) => part !== '').join(' | ');
}

const decoder = new TextDecoder('utf-8', { fatal: true });

/** Text with its line ends made visible, or hexadecimal. */
function spell(bytes: Uint8Array): string {
  try {
    const text = decoder.decode(bytes);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what makes it no text.
    if (!/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(text)) return text.replaceAll('\r', '\\r').replaceAll('\n', '\\n');
  } catch {
    // Not UTF-8.
  }
  return (Buffer.from(bytes).toString('hex').match(/../g) ?? []).join(' ');
}

/** The order is the caller's. */
export function linesFrame(lines: readonly Line[], meta: FrameMeta = {}): Frame {
  return {
    name: 'messages',
    meta: { type: 'log-lines', preferredVisualisationType: 'logs', ...meta },
    fields: [
      time('timestamp', lines, ({ message }) => message.timeNs),
      string('body', lines, ({ body }) => body),
      string('severity', lines, severityOf),
      string('id', lines, ({ connection, message, isGap }) => `${connection}-${message.number}${isGap ? '-gap' : ''}`),
      json('labels', lines, labelsOf),
    ],
  };
}

function severityOf({ message, isGap }: Line): string {
  if (isGap) return 'warning';
  return message.isFault ? 'error' : 'info';
}

function labelsOf({ connection, device, message: { unit, direction } }: Line): Record<string, string> {
  return { connection, ...(device === '' ? {} : { device }), ...(unit === '' ? {} : { unit }), direction };
}
