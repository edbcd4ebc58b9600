/**
 * `messages`: raw traffic of connections as log lines, newest first: what it means, then the text, or the bytes in hexadecimal. It is what is in
 * memory (`limits.trafficBytesMax` a connection), whatever the range. With `live` the oldest come first, and a channel goes on with what comes.
 */
import { limits } from '../contract/limits.ts';
import type { Matcher } from '../contract/query.ts';
import { type Frame, type Notice, withNotices } from '../frame/frame.ts';
import type { Message } from '../gateway/traffic.ts';
import type { Instance } from './instance.ts';
import { type Line, linesFrame, type PickLine, pickerOf } from './message-lines.ts';
import type { Question } from './question.ts';
import type { TailPlace } from './stream-messages.ts';
import { isLive } from './telemetry-live.ts';

/** The next message of a connection that has not been looked at. */
interface Head {
  next: Generator<Message>;
  message: Message;
  /** Where a live channel goes on: from there on they are its. */
  end: number;
  pick: PickLine;
}

export async function answerMessages(question: Question): Promise<Frame[]> {
  const { ask, instance, deps } = question;
  if (!isLive(question)) {
    const { lines, notices } = await linesOf(question);
    return [linesFrame(lines, withNotices({}, notices))];
  }
  const windowMs = Number(ask.range.toNs - ask.range.fromNs) / 1e6;
  const place = await deps.streams.prepareTail(instance, { query: ask.query, refId: ask.refId, windowMs });
  const { lines, notices } = await linesOf(question, place);
  if (!place) notices.push({ severity: 'warning', text: `Not live: ${limits.liveOpenMax} live channels are open already.` });
  return [linesFrame(lines.reverse(), withNotices(place ? { channel: place.address } : {}, notices))];
}

/** Newest first. */
async function linesOf({ ask, instance, signal }: Question, place?: TailPlace): Promise<{ lines: Line[]; notices: Notice[] }> {
  const { query, selection, range } = ask;
  const pickerFor = pickerOf(query, selection, instance);
  const heads = [...instance.gateway.traffic()].flatMap(([connection, ring]): Head[] => {
    if (!selection.connection(connection)) return [];
    const next = ring.newestFirst(range.fromNs);
    const first = next.next();
    const end = place?.endOf(ring) ?? Number.POSITIVE_INFINITY;
    return first.done ? [] : [{ next, message: first.value, end, pick: pickerFor(connection) }];
  });
  const lines: Line[] = [];
  let looked = 0;
  let isCut = false;
  while (heads.length > 0) {
    const head = heads.reduce((newest, one) => (one.message.timeNs > newest.message.timeNs ? one : newest));
    const { message, end, pick } = head;
    const next = head.next.next();
    if (next.done) heads.splice(heads.indexOf(head), 1);
    else head.message = next.value;
    looked += 1;
    if (looked % limits.messagesPerSlice === 0) {
      await new Promise((resolve) => setImmediate(resolve));
      signal.throwIfAborted();
    }
    // Up to the live edge means up to now: clocks differ.
    if (place ? message.number >= end : message.timeNs >= range.toNs) continue;
    const line = pick(message);
    if (!line) continue;
    if (lines.length === limits.messagesPerQueryMax) {
      isCut = true;
      break;
    }
    lines.push(line);
  }
  return { lines, notices: noticesOf(lines, isCut, instance, selection.connection) };
}

function noticesOf(lines: readonly Line[], isCut: boolean, { gateway }: Instance, isMeant: Matcher): Notice[] {
  if (isCut) return [{ severity: 'info', text: `Shown are the newest ${limits.messagesPerQueryMax} messages.` }];
  if (lines.length > 0) return [];
  const known = gateway.plan.connections.map(({ connection }) => connection.id);
  if (!known.some(isMeant)) return [{ severity: 'info', text: `No connection matches. There are ${known.join(', ') || 'none'}.` }];
  return [{ severity: 'info', text: 'Nothing of this kind went over these connections in the range, as far as it is still in memory.' }];
}
