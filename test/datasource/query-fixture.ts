/** A data source with a real store (in memory, in its worker) behind it, and a gateway that says what the test tells it to. */
import type { Caller, Role } from '../../src/contract/caller.ts';
import { systemClock } from '../../src/contract/clock.ts';
import { type Device, type Point, pointSchema } from '../../src/contract/device.ts';
import { silentLog } from '../../src/contract/log.ts';
import type { ColumnKind, Quality, Reason, Sample, Value } from '../../src/contract/sample.ts';
import { settingsSchema } from '../../src/contract/settings.ts';
import type { DeviceStatus } from '../../src/contract/status.ts';
import type { Instance } from '../../src/datasource/instance.ts';
import { createQueries, type Queries } from '../../src/datasource/query.ts';
import type { DataAnswer, DataQuery } from '../../src/datasource/questions.ts';
import { createStreams, type Streams } from '../../src/datasource/stream.ts';
import type { Gateway, LiveSample } from '../../src/gateway/gateway.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { type ReadFrame, readFrame } from '../frame/read.ts';

export const clock = systemClock;

export interface Said {
  value: Value;
  kind?: ColumnKind;
  atMs?: number;
  quality?: Quality;
  reason?: Reason;
}

/** Every point is in a register of 16 bits. */
const scripted = { shape: () => ({ type: 'integer', min: 0n, max: 65_535n }) };

/** A gateway whose devices are given and whose samples are said by the test: to the store and to live viewers, as the real one does. */
export class ScriptedGateway implements Gateway {
  readonly #key: string;
  readonly #store: Store;
  readonly #devices: Device[];
  readonly #takers = new Set<(samples: readonly LiveSample[]) => void | Promise<void>>();
  statuses: DeviceStatus[];

  constructor(key: string, store: Store, devices: Device[]) {
    this.#key = key;
    this.#store = store;
    this.#devices = devices;
    this.statuses = devices.map(({ id, title, connection }) => ({
      id,
      title,
      connection,
      state: 'unknown',
      sinceMs: clock.nowMs(),
      samples: 0,
      badSamples: 0,
    }));
  }

  get plan() {
    const connection = { id: 'plc', kind: 'scripted', title: 'plc', options: {} };
    return {
      connections: [{ connection, driver: scripted as never, devices: this.#devices, secrets: {} }],
      settings: settingsSchema.parse({}),
      faults: [],
    };
  }
  discoveries() {
    return [];
  }
  get viewers() {
    return this.#takers.size;
  }
  device(id: string) {
    return this.#devices.find((device) => device.id === id);
  }
  point(key: { device: string; point: string }) {
    return this.device(key.device)?.points.find((point) => point.id === key.point);
  }
  devices() {
    return this.statuses;
  }
  readonly surveys = {
    begin(): never {
      throw new Error('scripted');
    },
    last: () => undefined,
    all: () => [],
  };
  get commands(): never {
    throw new Error('scripted');
  }
  traffic() {
    return new Map();
  }
  polling() {
    return undefined;
  }
  follow() {
    return () => undefined;
  }
  subscribe(take: (samples: readonly LiveSample[]) => void | Promise<void>) {
    this.#takers.add(take);
    return () => void this.#takers.delete(take);
  }

  /** `say('boiler.flow_temp', { value: 21.5 }, …)`: in the store when it resolves, with live viewers at once. */
  async say(name: string, ...said: Said[]): Promise<void> {
    const dot = name.lastIndexOf('.');
    const key = { device: name.slice(0, dot), point: name.slice(dot + 1) };
    const samples = said.map(
      ({ value, kind, atMs, quality = value === null ? 'bad' : 'good', reason = value === null ? 'timeout' : '' }) => {
        const arrivalNs = clock.nowNs();
        const sample: Sample = { timeNs: atMs === undefined ? arrivalNs : BigInt(atMs) * 1_000_000n, arrivalNs, value, quality, reason };
        const point = this.point(key) ?? gonePoint(key);
        return { key, kind: kind ?? kindOf(value), point, sample };
      },
    );
    const kept = this.#store.append(
      this.#key,
      samples.map(({ kind, sample }) => ({ key, kind, sample })),
      { now: true },
    );
    for (const take of this.#takers) void take(samples);
    await kept;
  }

  connections(): never {
    throw new Error('not asked by a query');
  }
  apply = this.connections;
  last = this.connections;
  readNow = this.connections;
  set = this.connections;
  act = this.connections;
  counters = this.connections;
  close = this.connections;
}

function kindOf(value: Value): ColumnKind {
  if (typeof value === 'bigint') return 'int64';
  return typeof value === 'boolean' ? 'boolean' : typeof value === 'string' ? 'string' : 'double';
}

function gonePoint({ device, point }: { device: string; point: string }): Point {
  return { ...pointSchema.parse({ id: point, address: {} }), device, address: {}, intervalMs: 1_000, labels: {} };
}

export function device(
  id: string,
  points: Record<string, Record<string, unknown>>,
  labels: Record<string, string> = {},
  title = id,
): Device {
  return {
    id,
    title,
    connection: 'plc',
    address: {},
    labels,
    actions: [],
    points: Object.entries(points).map(([pointId, settings]) => {
      const { interval: _interval, ...point } = pointSchema.parse({ id: pointId, address: {}, ...settings });
      return { ...point, device: id, address: {}, intervalMs: 1_000, labels: { ...labels, ...point.labels } };
    }),
  };
}

export interface Bench {
  store: Store;
  gateway: ScriptedGateway;
  instance: Instance;
  queries: Queries;
  streams: Streams;
  ask(query: unknown, more?: Partial<DataQuery> & { role?: Role | undefined }): Promise<DataAnswer>;
  frames(query: unknown, more?: Partial<DataQuery>): Promise<ReadFrame[]>;
  close(): Promise<void>;
}

/** Time ranges are the last hour unless a query says otherwise. With the store and gateway of another bench it is that one after a restart. */
export function openBench(devices: Device[], before?: Bench): Bench {
  const key = '1/abc';
  const store = before?.store ?? openStore({ folder: undefined, clock, log: silentLog, flushIntervalMs: 20 });
  const gateway = before?.gateway ?? new ScriptedGateway(key, store, devices);
  const instance: Instance = { key, uid: 'abc', gateway };
  const streams = createStreams({ store, clock, log: silentLog });
  const queries = createQueries({ store, clock, log: silentLog, streams });
  const bench: Bench = {
    store,
    gateway,
    instance,
    queries,
    streams,
    async ask(query, more = {}) {
      const { role = 'Admin', ...fields } = more;
      const caller: Caller = { orgId: 1, pluginId: 'fieldgate-iot-datasource', user: { login: 'ann', name: 'Ann', email: '', role } };
      const nowMs = clock.nowMs();
      const data: DataQuery = {
        refId: 'A',
        json: query instanceof Uint8Array ? query : new TextEncoder().encode(JSON.stringify(query)),
        intervalMs: 1_000,
        maxDataPoints: 1_000,
        fromMs: nowMs - 3_600_000,
        toMs: nowMs + 1,
        ...fields,
      };
      const answer = (await queries.answer(instance, caller, [data], new AbortController().signal)).get(data.refId);
      if (!answer) throw new Error(`no answer for ${data.refId}`);
      return answer;
    },
    async frames(query, more) {
      const answer = await bench.ask(query, more);
      if (answer.error !== undefined) throw new Error(`${answer.status}: ${answer.error}`);
      return answer.frames.map(readFrame);
    },
    async close() {
      streams.close();
      await store.close();
    },
  };
  return bench;
}
