/**
 * `messages`: raw traffic of connections as log lines, newest first: what it means, then the text, or the bytes in hexadecimal. It is what is in
 * memory (`limits.trafficBytesMax` a connection), whatever the range.
 */
import { limits } from '../contract/limits.ts';
import type { Matcher } from '../contract/query.ts';
import { type Frame, type Notice, withNotices } from '../frame/frame.ts';
import type { Message } from '../gateway/traffic.ts';
import type { Instance } from './instance.ts';
import { compileAt } from './query-parse.ts';
import type { Question } from './question.ts';

interface Line {
  connection: string;
  message: Message;
  /** Empty if no device is known to be meant. */
  device: string;
  body: string;
}

/** The next message of a connection that has not been looked at. */
interface Head {
  connection: string;
  next: Generator<Message>;
  message: Message;
  deviceOf(unit: string): string | undefined;
}

export async function answerMessages({ ask, instance, signal }: Question): Promise<Frame[]> {
  const { query, selection, range } = ask;
  const isWanted = filterOf(query.filter);
  const byDevice = query.devices.some((selector) => selector !== '*') || Object.keys(query.labels).length > 0 || query.where.length > 0;
  const heads = headsOf(instance, selection.connection, range.fromNs);
  const lines: Line[] = [];
  let looked = 0;
  let isCut = false;
  while (heads.length > 0) {
    const head = heads.reduce((newest, one) => (one.message.timeNs > newest.message.timeNs ? one : newest));
    const { message, connection } = head;
    const next = head.next.next();
    if (next.done) heads.splice(heads.indexOf(head), 1);
    else head.message = next.value;
    looked += 1;
    if (looked % limits.messagesPerSlice === 0) {
      await new Promise((resolve) => setImmediate(resolve));
      signal.throwIfAborted();
    }
    if (message.timeNs >= range.toNs || (query.direction !== undefined && message.direction !== query.direction)) continue;
    const device = head.deviceOf(message.unit);
    if (byDevice && !isChosen(ask, instance, device)) continue;
    const body = bodyOf(message);
    if (!isWanted(body) && !isWanted(message.unit)) continue;
    if (lines.length === limits.messagesPerQueryMax) {
      isCut = true;
      break;
    }
    lines.push({ connection, message, device: device ?? '', body });
  }
  const notices = noticesOf(lines, isCut, instance, selection.connection);
  if (query.live) notices.push({ severity: 'info', text: 'Raw traffic has no live channel: let the panel refresh every second.' });
  return [frameOf(lines, notices)];
}

function headsOf(instance: Instance, isMeant: Matcher, fromNs: bigint): Head[] {
  return [...instance.gateway.traffic()].flatMap(([connection, ring]) => {
    if (!isMeant(connection)) return [];
    const next = ring.newestFirst(fromNs);
    const first = next.next();
    return first.done ? [] : [{ connection, next, message: first.value, deviceOf: devicesOf(instance, connection) }];
  });
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

function isChosen({ selection }: Question['ask'], { gateway }: Instance, device: string | undefined): boolean {
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

function frameOf(lines: readonly Line[], notices: Notice[]): Frame {
  return {
    name: 'messages',
    meta: withNotices({ type: 'log-lines', preferredVisualisationType: 'logs' }, notices),
    fields: [
      { name: 'timestamp', type: 'time', values: BigInt64Array.from(lines, ({ message }) => message.timeNs) },
      { name: 'body', type: 'string', values: lines.map(({ body }) => body) },
      { name: 'severity', type: 'string', values: lines.map(({ message }) => (message.isFault ? 'error' : 'info')) },
      { name: 'id', type: 'string', values: lines.map(({ connection, message }) => `${connection}-${message.number}`) },
      { name: 'labels', type: 'json', values: lines.map(labelsOf) },
    ],
  };
}

function labelsOf({ connection, device, message: { unit, direction } }: Line): string {
  return JSON.stringify({ connection, ...(device === '' ? {} : { device }), ...(unit === '' ? {} : { unit }), direction });
}

function noticesOf(lines: readonly Line[], isCut: boolean, { gateway }: Instance, isMeant: Matcher): Notice[] {
  if (isCut) return [{ severity: 'info', text: `Shown are the newest ${limits.messagesPerQueryMax} messages.` }];
  if (lines.length > 0) return [];
  const known = gateway.plan.connections.map(({ connection }) => connection.id);
  if (!known.some(isMeant)) return [{ severity: 'info', text: `No connection matches. There are ${known.join(', ') || 'none'}.` }];
  return [{ severity: 'info', text: 'Nothing of this kind went over these connections in the range, as far as it is still in memory.' }];
}
