import { notFound } from '../contract/fault.ts';
import { limits } from '../contract/limits.ts';
import type { QueryType } from '../contract/query.ts';
import { frameToJson } from '../frame/json.ts';
import { type ChannelSpec, type Channels, createChannels, intervalsIn } from './channels.ts';
import type { Instance } from './instance.ts';
import { bucketPacket, runBuckets } from './stream-buckets.ts';
import { catchUp } from './stream-history.ts';
import { aboutOf, type Live, type StreamDeps } from './stream-live.ts';
import { createTails, type TailPlace, type Tails } from './stream-messages.ts';
import { packetFrame, seriesPacket } from './stream-packet.ts';
import { Tap } from './stream-tap.ts';

export interface Streams {
  /** The same for a tail of raw traffic. */
  prepareTail(instance: Instance, spec: ChannelSpec): Promise<TailPlace | undefined>;
  /** What a channel shows, and so who may watch it (`contract/rights.ts`); undefined if nobody asked for it lately. */
  typeOf(instance: Instance, path: string): Promise<QueryType | undefined>;
  /**
   * Makes a channel for a query and opens its tap, before the history is read. Resolves with the channel's address for `meta.channel`;
   * undefined if `limits.liveOpenMax` channels are open already.
   */
  prepare(instance: Instance, spec: ChannelSpec): Promise<Live | undefined>;
  /** `initial` brings a viewer from the end of its history to the stream, with the schema. Who may watch is the caller's to check. */
  subscribe(instance: Instance, path: string): Promise<{ status: 'ok'; initial: Uint8Array } | { status: 'not-found' }>;
  /** Sends packets until aborted, then resolves within 100 ms. Throws a `Fault` 404 for a channel nobody asked for lately. */
  run(instance: Instance, path: string, send: (packet: Uint8Array) => Promise<void>, signal: AbortSignal): Promise<void>;
  counters(): StreamCounters;
  /** Closes the taps of viewers who never came. */
  close(): void;
}

export interface StreamCounters {
  streams: number;
  /** Open ones: each is one subscription of the samples of its gateway, however many watch. */
  channels: number;
  packets: number;
  /** Samples and messages no viewer saw: a slow reader, too many series, a packet too large. */
  dropped: number;
}

export function createStreams(deps: StreamDeps): Streams {
  const { clock, log } = deps;
  const channels: Channels = createChannels(deps);
  const open = new Map<string, Live>();
  const counters = { streams: 0, packets: 0, dropped: 0 };
  /** What streamed before this moment was sent by the process before. */
  const startedNs = clock.nowNs();
  /** When streams of channels that are closed ended. */
  const left = new Map<string, bigint>();

  function close(key: string, live: Live): void {
    live.keep?.();
    live.tap.close();
    if (open.get(key) !== live) return;
    open.delete(key);
    left.delete(key);
    if (live.leftNs !== undefined) left.set(key, live.leftNs);
    for (const oldest of left.keys()) if (left.size > limits.channelsMax) left.delete(oldest);
  }

  /** The open channel; one that belongs to a gateway which is gone is opened anew. */
  function liveOf(instance: Instance, path: string, spec: ChannelSpec): Live | undefined {
    const key = `${instance.key}\n${path}`;
    let live = open.get(key);
    if (live && live.tap.gateway !== instance.gateway) {
      close(key, live);
      live = undefined;
    }
    if (!live) {
      if (open.size >= limits.liveOpenMax) return undefined;
      live = { address: `ds/${instance.uid}/${path}`, spec, tap: new Tap(instance.gateway, spec), streams: 0 };
      open.set(key, live);
    }
    closeWhenIdle(key, live);
    return live;
  }

  function closeWhenIdle(key: string, live: Live): void {
    live.keep?.();
    delete live.keep;
    if (live.streams === 0) live.keep = clock.after(limits.liveIdleMs, () => close(key, live));
  }

  /** For whoever comes without a query: a viewer whose connection broke, or a stream that Grafana opens again after a restart of ours. */
  async function find(instance: Instance, path: string): Promise<Live | undefined> {
    const known = await channels.find(instance.key, path);
    if (!known) return undefined;
    const key = `${instance.key}\n${path}`;
    const sinceNs = left.get(key) ?? startedNs;
    const before = open.get(key);
    const live = liveOf(instance, path, known.spec);
    if (live && live !== before) {
      const intervals = intervalsIn(known.spec);
      if (!intervals) live.caughtUp = catchUp(deps, instance, live, sinceNs);
      else live.nextBucketNs = known.sentNs ?? intervals.start(sinceNs);
    }
    await live?.caughtUp;
    return live;
  }

  /** What viewers missed, once. */
  function missedPacket(live: Live): Uint8Array | undefined {
    const { missed } = live;
    delete live.missed;
    return missed?.some(({ times }) => times.length > 0)
      ? frameToJson(seriesPacket(missed, aboutOf(live)).frame, 'schema+data')
      : undefined;
  }

  const tails = createTails(deps, channels, (messages) => {
    counters.dropped += messages;
  });
  /** The spec behind a channel that is a tail. */
  const tailSpec = async (instance: Instance, path: string) => {
    const spec = (await channels.find(instance.key, path))?.spec;
    return spec?.query.queryType === 'messages' ? spec : undefined;
  };

  return {
    prepareTail: (instance, spec) => tails.prepare(instance, spec),
    typeOf: async (instance, path) => (await channels.find(instance.key, path))?.spec.query.queryType,

    async prepare(instance, spec) {
      const path = await channels.register(instance.key, spec);
      const live = liveOf(instance, path, spec);
      await live?.caughtUp;
      // Whoever asks has the history with the answer.
      delete live?.missed;
      return live;
    },

    async subscribe(instance, path) {
      const tail = await tailSpec(instance, path);
      if (tail) return { status: 'ok', initial: tails.initial(instance, path, tail) };
      const live = await find(instance, path);
      if (!live) return { status: 'not-found' };
      if (intervalsIn(live.spec)) return { status: 'ok', initial: await bucketPacket(deps, instance, live) };
      const { tap } = live;
      const missed = live.cursor === undefined ? missedPacket(live) : undefined;
      if (missed) return { status: 'ok', initial: missed };
      // Without a stream all that is here goes to this viewer, and the stream will begin after it.
      const to = live.cursor ?? tap.end;
      const { frame } = packetFrame(tap.columns, tap.missed(to), aboutOf(live));
      if (live.cursor === undefined) tap.handed(to);
      return { status: 'ok', initial: frameToJson(frame, 'schema+data') };
    },

    async run(instance, path, send, signal) {
      const tail = await tailSpec(instance, path);
      if (tail) return await runTail(instance, path, tail, send, signal);
      const live = await find(instance, path);
      if (!live)
        throw notFound(`There is no live channel ${path}. Channels are made by queries with "live": true; run the query again.`, 'path');
      live.streams += 1;
      counters.streams += 1;
      closeWhenIdle(`${instance.key}\n${path}`, live);
      const sendCounted = async (packet: Uint8Array) => {
        await orAborted(send(packet), signal);
        counters.packets += 1;
      };
      const isNoted = live.spec.calendar !== undefined || (live.spec.widthMs ?? 0) >= limits.liveNotedWidthMs;
      const note = (sentNs: bigint) => (isNoted ? channels.note(instance.key, path, sentNs) : Promise.resolve());
      try {
        if (!intervalsIn(live.spec)) await runRaw(live, sendCounted, signal);
        else await runBuckets(deps, instance, live, sendCounted, note, signal);
      } catch (error) {
        if (!signal.aborted) throw error;
      } finally {
        live.streams -= 1;
        counters.streams -= 1;
        if (live.streams === 0) {
          delete live.cursor;
          live.leftNs = clock.nowNs();
        }
        closeWhenIdle(`${instance.key}\n${path}`, live);
      }
    },

    counters: () => ({ ...counters, channels: open.size }),
    close() {
      for (const [key, live] of open) close(key, live);
    },
  };

  async function runTail(...[instance, path, spec, send, signal]: Parameters<Tails['run']>): Promise<void> {
    counters.streams += 1;
    try {
      await tails.run(
        instance,
        path,
        spec,
        async (packet) => {
          await orAborted(send(packet), signal);
          counters.packets += 1;
        },
        signal,
      );
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      counters.streams -= 1;
    }
  }

  /** Never more than `livePacketsPerSecondMax`; the pause is before a packet, so that samples of one poll travel together. */
  async function runRaw(live: Live, send: (packet: Uint8Array) => Promise<void>, signal: AbortSignal): Promise<void> {
    const { tap } = live;
    const missed = missedPacket(live);
    if (missed) await send(missed);
    let from = tap.start;
    let version = -1;
    for (;;) {
      if (version >= 0) await tap.more(from, version, signal);
      await clock.sleep(1_000 / limits.livePacketsPerSecondMax, signal);
      const schema = tap.version !== version;
      const { samples, lost, next } = tap.read(from);
      const { frame, cutRows } = packetFrame(tap.columns, samples, aboutOf(live));
      version = tap.version;
      from = next;
      // Whoever subscribes while this packet travels gets its samples twice rather than not at all.
      live.cursor = next;
      if (lost + cutRows > 0) {
        counters.dropped += lost + cutRows;
        log.debug('live channel dropped samples', { channel: live.address, lost, cutRows });
      }
      await send(frameToJson(frame, schema ? 'schema+data' : 'data'));
      tap.handed(next);
    }
  }
}

/** A reader that takes no more packets must not hold up the end of the stream. */
function orAborted(sent: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    sent.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
