import type { Clock } from '../../contract/clock.ts';
import { exactJson } from '../../contract/exact-json.ts';
import { badPart } from '../../contract/fault.ts';
import { limits } from '../../contract/limits.ts';
import type { Log } from '../../contract/log.ts';
import { problemType } from '../../contract/problem.ts';
import type { Instance } from '../instance.ts';
import type { Instances } from '../instances.ts';
import { preferred } from './accept.ts';
import type { Handler } from './ask.ts';
import { Backlog } from './backlog.ts';
import { type Event, follow, type Kind, kinds, type Wish } from './event-source.ts';
import type { LongAnswers } from './long-answers.ts';
import { readSelection } from './selection.ts';

interface Wording {
  type: string;
  of(event: Event): string;
}

/** A line of JSON an event; or Server-Sent Events, for whoever asks for `text/event-stream`. */
const wordings: Record<'application/x-ndjson' | 'text/event-stream', Wording> = {
  'application/x-ndjson': { type: 'application/x-ndjson', of: (event) => `${exactJson(event)}\n` },
  'text/event-stream': { type: 'text/event-stream; charset=utf-8', of: (event) => `event: ${event.event}\ndata: ${exactJson(event)}\n\n` },
};

export interface EventsDeps {
  clock: Clock;
  log: Log;
  instances: Instances;
  longAnswers: LongAnswers;
}

/**
 * `GET events?what=sample&what=command&device=…&point=…&label=…`: what happens from now on, an event as soon as it does, a heartbeat when nothing does.
 * The last event says why it ended; it ends when the reader does not keep up, when the data source stops, and after an hour at the latest.
 */
export function eventsHandler({ clock, log, instances, longAnswers }: EventsDeps): Handler {
  return ({ instance, query, header, signal }) => {
    const wish = { kinds: readKinds(query.getAll('what')), selection: readSelection(query) };
    const wording = wordings[preferred(header('accept'), ['application/x-ndjson', 'text/event-stream'])];
    return {
      type: wording.type,
      // Proxies that gather an answer before they pass it on would keep events back.
      headers: { 'x-accel-buffering': 'no' },
      async *stream() {
        const leave = longAnswers.enter('events');
        const held = instances.hold(instance);
        const tooSlow = (lost: number) => {
          longAnswers.dropped += 1;
          log.warn('a reader of events was too slow and is dropped', { gateway: instance.key, events: lost });
        };
        try {
          yield* run({ clock, instance, wish, wording, tooSlow, signal, stopped: held.ended });
        } finally {
          held.release();
          leave();
        }
      },
    };
  };
}

interface Running {
  clock: Clock;
  instance: Instance;
  wish: Wish;
  wording: Wording;
  tooSlow(lost: number): void;
  /** The reader has left. */
  signal: AbortSignal;
  /** The data source has. */
  stopped: AbortSignal;
}

async function* run({ clock, instance, wish, wording, tooSlow, signal, stopped }: Running): AsyncGenerator<Uint8Array> {
  const say = (event: Event) => Buffer.from(wording.of(event));
  const heartbeat = () => say({ event: 'heartbeat', time: clock.nowMs() });
  const end = (type: string, detail: string) => say({ event: 'end', type: problemType(type), detail, time: clock.nowMs() });
  const backlog = new Backlog();
  const leave = follow(instance.gateway, wish, (event) => backlog.push(wording.of(event)));
  const endMs = clock.monotonicMs() + limits.eventsLifetimeMs;
  const wake = () => backlog.wake();
  for (const one of [signal, stopped]) one.addEventListener('abort', wake, { once: true });
  try {
    // Says at once that it works.
    yield heartbeat();
    for (;;) {
      signal.throwIfAborted();
      const bytes = backlog.take();
      if (bytes) yield bytes;
      else if (backlog.lost > 0) {
        tooSlow(backlog.lost);
        return yield end('reader-too-slow', `${backlog.lost} events had no room: read faster, or ask for less`);
      } else if (stopped.aborted) return yield end('data-source-stopped', 'the data source was stopped or removed');
      else if (clock.monotonicMs() >= endMs) return yield end('time-is-up', 'open it again to read on: rights are looked at then');
      else if (!(await backlog.next(clock, limits.eventsHeartbeatMs))) yield heartbeat();
    }
  } finally {
    leave();
    for (const one of [signal, stopped]) one.removeEventListener('abort', wake);
  }
}

function readKinds(asked: readonly string[]): ReadonlySet<Kind> {
  const wrong = asked.find((text) => !kinds.some((kind) => kind === text));
  if (wrong !== undefined) throw badPart('what', `is ${JSON.stringify(wrong.slice(0, 64))}; allowed is ${kinds.join(', ')}`);
  return new Set(asked.length === 0 ? kinds : kinds.filter((kind) => asked.includes(kind)));
}
