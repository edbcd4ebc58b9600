/**
 * Live channels of the gateways: `live/<hash>` ↔ what is streamed there. The path fully determines the content, because Grafana runs one
 * stream a channel for all its viewers (facts/grafana.md §3). Remembered in the store, so that a stream goes on after a restart.
 */
import { createHash } from 'node:crypto';
import * as z from 'zod';
import { livePathPrefix } from '../contract/channel.ts';
import type { Clock } from '../contract/clock.ts';
import { limits } from '../contract/limits.ts';
import { calendarUnits, type Query, querySchema } from '../contract/query.ts';
import { isTimeZone } from '../contract/zone.ts';
import type { Store } from '../store/store.ts';
import { type Intervals, intervalsOf } from './intervals.ts';

/** What a channel streams. Two queries that mean the same have the same one. */
const specSchema = z.object({
  query: querySchema,
  /** Stands in the schema of the packets, where Grafana reads it. */
  refId: z.string(),
  /** Width of an interval, resolved; absent for raw samples. */
  widthMs: z.number().positive().optional(),
  /** The same for days, weeks, months and years. */
  calendar: z.object({ count: z.int().positive(), unit: z.enum(calendarUnits), timezone: z.string().refine(isTimeZone) }).optional(),
  /**
   * Length of the panel's range in coarse steps. A browser keeps the rows of a channel it already has and drops the history that comes
   * with a new answer; another range must therefore be another channel.
   */
  windowMs: z.number().nonnegative(),
});
export type ChannelSpec = z.output<typeof specSchema>;

/** The intervals of a channel; undefined if it is one of raw samples. */
export function intervalsIn({ widthMs, calendar }: Pick<ChannelSpec, 'widthMs' | 'calendar'>): Intervals | undefined {
  if (calendar) return intervalsOf({ calendar });
  return widthMs === undefined ? undefined : intervalsOf({ widthMs });
}

const recordSchema = z.object({
  spec: specSchema,
  usedMs: z.number(),
  /** Intervals before this moment were sent; nanoseconds since 1970. */
  sentNs: z
    .string()
    .regex(/^\d{1,20}$/)
    .optional(),
});
type Record = z.output<typeof recordSchema>;

export interface Channels {
  /** Remembers the spec and resolves with its path, `live/<hash>`. The least recently used one gives way at `limits.channelsMax`. */
  register(gateway: string, spec: ChannelSpec): Promise<string>;
  /** The spec behind a path; undefined if nobody asked for it lately. */
  find(gateway: string, path: string): Promise<{ spec: ChannelSpec; sentNs?: bigint } | undefined>;
  /** Notes where a channel of intervals has got to. */
  note(gateway: string, path: string, sentNs: bigint): Promise<void>;
}

const scope = 'channels';

export function createChannels(deps: { store: Store; clock: Clock }): Channels {
  const gateways = new Map<string, Promise<Map<string, Record>>>();

  function known(gateway: string): Promise<Map<string, Record>> {
    const loaded = gateways.get(gateway) ?? load(gateway);
    gateways.set(gateway, loaded);
    return loaded;
  }

  async function load(gateway: string): Promise<Map<string, Record>> {
    try {
      const stored = await deps.store.recall(gateway, scope);
      const records = [...stored].flatMap(([hash, value]): [string, Record][] => {
        const read = recordSchema.safeParse(value);
        return read.success ? [[hash, read.data]] : [];
      });
      return new Map(records.sort(([, a], [, b]) => a.usedMs - b.usedMs));
    } catch (error) {
      gateways.delete(gateway);
      throw error;
    }
  }

  return {
    async register(gateway, given) {
      const spec = normalise(given);
      const hash = createHash('sha256').update(JSON.stringify(spec)).digest('hex').slice(0, 32);
      const records = await known(gateway);
      const before = records.get(hash);
      const nowMs = deps.clock.nowMs();
      // The map's order is the order of use; on disk it needs to be right only roughly.
      const stale = before === undefined || nowMs - before.usedMs >= limits.channelTouchMs;
      const record = stale ? { ...before, spec, usedMs: nowMs } : before;
      records.delete(hash);
      records.set(hash, record);
      if (stale) await deps.store.remember(gateway, scope, hash, record);
      for (const oldest of records.keys()) {
        if (records.size <= limits.channelsMax) break;
        records.delete(oldest);
        await deps.store.remember(gateway, scope, oldest, undefined);
      }
      return `${livePathPrefix}${hash}`;
    },
    async find(gateway, path) {
      if (!path.startsWith(livePathPrefix)) return undefined;
      const record = (await known(gateway)).get(hashOf(path));
      return record && { spec: record.spec, ...(record.sentNs === undefined ? {} : { sentNs: BigInt(record.sentNs) }) };
    },
    async note(gateway, path, sentNs) {
      const record = (await known(gateway)).get(hashOf(path));
      if (!record) return;
      record.sentNs = String(sentNs);
      await deps.store.remember(gateway, scope, hashOf(path), record);
    },
  };
}

function hashOf(path: string): string {
  return path.slice(livePathPrefix.length);
}

/** One spelling for one meaning: order and repetition of selectors say nothing, nor do fields that do not change what is streamed. */
function normalise({ query, refId, widthMs, calendar, windowMs }: ChannelSpec): ChannelSpec {
  if (query.queryType === 'messages') return { query: normaliseTail(query), refId, windowMs: coarse(windowMs) };
  const plain: Query = {
    queryType: query.queryType,
    devices: sorted(query.devices),
    points: sorted(query.points),
    labels: byName(query.labels),
    where: query.where,
    ...(query.legend === undefined ? {} : { legend: query.legend }),
    show: 'value',
    groupBy: [],
    aggregate: query.aggregate,
    interval: 'auto',
    fill: 'none',
    quality: query.quality,
    format: 'wide',
    // What it comes to is in `calendar`; live samples are never left out.
    timezone: 'browser',
    reduce: 'none',
    live: true,
  };
  return {
    query: plain,
    refId,
    ...(widthMs === undefined ? {} : { widthMs }),
    ...(calendar ? { calendar } : {}),
    windowMs: coarse(windowMs),
  };
}

/** Of raw traffic: nothing else says what is streamed. */
function normaliseTail({ queryType, devices, labels, where, connections, filter, direction }: Query): Query {
  return querySchema.parse({
    queryType,
    devices: sorted(devices),
    labels: byName(labels),
    where,
    ...(connections ? { connections: sorted(connections) } : {}),
    ...(filter === undefined ? {} : { filter }),
    ...(direction ? { direction } : {}),
    live: true,
  });
}

function sorted(selectors: readonly string[]): string[] {
  return [...new Set(selectors)].sort((a, b) => (a < b ? -1 : 1));
}

function byName(labels: Readonly<Query['labels']>): Query['labels'] {
  return Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Two digits: the ranges of two refreshes differ by milliseconds. */
function coarse(ms: number): number {
  return Number(ms.toPrecision(2));
}
