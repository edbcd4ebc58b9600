/**
 * The live tail of `messages`: what goes over the wires, as log lines, a few packets a second. A tail holds nothing but places in the rings of raw
 * traffic; it looks at what is new in them, at no more than it may, and says what it left out.
 */
import { notFound } from '../contract/fault.ts';
import { limits } from '../contract/limits.ts';
import { frameToJson } from '../frame/json.ts';
import type { TrafficRing } from '../gateway/traffic.ts';
import type { ChannelSpec, Channels } from './channels.ts';
import type { Instance } from './instance.ts';
import { type Line, linesFrame, type PickLine, pickerOf } from './message-lines.ts';
import { compileSelection } from './query-parse.ts';
import type { StreamDeps } from './stream-live.ts';

/** Where the history of a tail ends and its channel goes on. */
export interface TailPlace {
  /** `ds/<uid>/live/<hash>`. */
  address: string;
  /** The number of the ring's first message that is the channel's. */
  endOf(ring: TrafficRing): number;
}

interface Tail {
  spec: ChannelSpec;
  address: string;
  /** How far viewers have got. A ring that is not in it came later: all of it is new. */
  sent: WeakMap<TrafficRing, number>;
  /** How far the latest history went. */
  answered: WeakMap<TrafficRing, number>;
  streams: number;
}

export interface Tails {
  prepare(instance: Instance, spec: ChannelSpec): Promise<TailPlace | undefined>;
  /** The packet of a viewer who begins to watch: the schema, and what came between its history and the stream. */
  initial(instance: Instance, path: string, spec: ChannelSpec): Uint8Array;
  /** Until aborted; then it resolves at once. `count` is told of messages that are left out. */
  run(instance: Instance, path: string, spec: ChannelSpec, send: (packet: Uint8Array) => Promise<void>, signal: AbortSignal): Promise<void>;
}

export function createTails({ clock }: Pick<StreamDeps, 'clock'>, channels: Channels, leftOut: (messages: number) => void): Tails {
  /** The least recently used of those that nobody watches gives way: whoever comes back to it begins with what comes then. */
  const tails = new Map<string, Tail>();

  function tailOf(instance: Instance, path: string, spec: ChannelSpec): Tail | undefined {
    const key = `${instance.key}\n${path}`;
    const tail = tails.get(key) ?? begin(instance, path, spec);
    tails.delete(key);
    if (tails.size >= limits.liveOpenMax) {
      const unwatched = [...tails].find(([, { streams }]) => streams === 0);
      if (!unwatched) return undefined;
      tails.delete(unwatched[0]);
    }
    tails.set(key, tail);
    return tail;
  }

  function begin({ uid, gateway }: Instance, path: string, spec: ChannelSpec): Tail {
    const now = new WeakMap(Array.from(gateway.traffic().values(), (ring) => [ring, ring.count]));
    return { spec, address: `ds/${uid}/${path}`, sent: now, answered: now, streams: 0 };
  }

  function frame(lines: readonly Line[], { spec, address }: Pick<Tail, 'spec' | 'address'>) {
    return { ...linesFrame(lines, { channel: address }), refId: spec.refId };
  }

  return {
    async prepare(instance, spec) {
      const path = await channels.register(instance.key, spec);
      const tail = tailOf(instance, path, spec);
      if (!tail) return undefined;
      const rings = [...instance.gateway.traffic().values()];
      // Beside a stream that runs, history ends where the stream is; what comes until the viewer listens goes with `initial`.
      const isRunning = tail.streams > 0;
      tail.answered = new WeakMap(rings.map((ring) => [ring, isRunning ? (tail.sent.get(ring) ?? 0) : ring.count]));
      if (!isRunning) tail.sent = tail.answered;
      const { address, answered } = tail;
      return { address, endOf: (ring) => answered.get(ring) ?? 0 };
    },

    initial(instance, path, spec) {
      const tail = tailOf(instance, path, spec) ?? begin(instance, path, spec);
      const { lines } = newLines(instance, spec, tail.answered, (ring) => (tail.streams > 0 ? (tail.sent.get(ring) ?? 0) : 0));
      return frameToJson(frame(lines, tail), 'schema+data');
    },

    async run(instance, path, spec, send, signal) {
      const tail = tailOf(instance, path, spec);
      if (!tail) throw notFound(`${limits.liveOpenMax} live channels are open already; close a panel with another one.`, 'path');
      let hasSchema = false;
      let at = tail.sent;
      tail.streams += 1;
      try {
        for (;;) {
          await clock.sleep(1_000 / limits.livePacketsPerSecondMax, signal);
          const { lines, omitted, ends } = newLines(instance, spec, at, (ring) => ring.count);
          at = new WeakMap(ends);
          // Whoever subscribes while this packet travels gets its lines twice rather than not at all.
          tail.sent = at;
          if (omitted > 0) leftOut(omitted);
          if (lines.length > 0 || !hasSchema) await send(frameToJson(frame(lines, tail), hasSchema ? 'data' : 'schema+data'));
          hasSchema = true;
        }
      } finally {
        tail.streams -= 1;
      }
    },
  };
}

/** The lines of what is new in the rings, oldest first, as many as go into a packet: of more, the newest. */
function newLines(
  instance: Instance,
  { query }: ChannelSpec,
  from: WeakMap<TrafficRing, number>,
  endOf: (ring: TrafficRing) => number,
): { lines: Line[]; omitted: number; ends: [TrafficRing, number][] } {
  const selection = compileSelection(query);
  const pickerFor = pickerOf(query, selection, instance);
  const lines: Line[] = [];
  const gaps = new Map<string, number>();
  const ends: [TrafficRing, number][] = [];
  for (const [connection, ring] of instance.gateway.traffic()) {
    const end = endOf(ring);
    const begin = from.get(ring) ?? 0;
    ends.push([ring, Math.max(begin, end)]);
    if (end <= begin || !selection.connection(connection)) continue;
    const messages = ring.between(Math.max(begin, end - limits.liveMessagesLookedMax), end);
    gaps.set(connection, end - begin - messages.length);
    lines.push(...picked(messages, pickerFor(connection)));
  }
  lines.sort((a, b) => (a.message.timeNs < b.message.timeNs ? -1 : a.message.timeNs > b.message.timeNs ? 1 : 0));
  const first = firstThatFits(lines);
  for (const { connection } of lines.slice(0, first)) gaps.set(connection, (gaps.get(connection) ?? 0) + 1);
  const shown = lines.slice(first);
  const told = [...gaps].flatMap(([connection, count]) => (count > 0 ? (gapLine(shown, connection, count) ?? []) : []));
  return { lines: [...told, ...shown], omitted: [...gaps.values()].reduce((sum, count) => sum + count, 0), ends };
}

function picked(messages: Parameters<PickLine>[0][], pick: PickLine): Line[] {
  return messages.flatMap((message) => pick(message) ?? []);
}

function firstThatFits(lines: readonly Line[]): number {
  let characters = 0;
  let first = lines.length;
  while (first > 0 && lines.length - first < limits.liveMessagesPerPacketMax) {
    characters += lines[first - 1]?.body.length ?? 0;
    if (characters > limits.liveMessageCharactersMax && first < lines.length) break;
    first -= 1;
  }
  return first;
}

/** Stands before the first line of its connection. */
function gapLine(lines: readonly Line[], connection: string, count: number): Line | undefined {
  const next = lines.find((line) => line.connection === connection);
  if (!next) return undefined;
  const body = `${count} messages before this are left out: more come than a live tail shows`;
  return { connection, message: { ...next.message, isFault: false, unit: '' }, device: '', body, isGap: true };
}
