/** The devices of a gateway and what is known of them now: last samples, connectivity, troubles. */
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../contract/clock.ts';
import type { Device, Point } from '../contract/device.ts';
import type { Driver, Shape } from '../contract/driver.ts';
import { messageOf } from '../contract/fault.ts';
import { LastSample } from '../contract/last.ts';
import { limits } from '../contract/limits.ts';
import type { Log } from '../contract/log.ts';
import { type ColumnKind, type Sample, type SeriesKey, seriesName } from '../contract/sample.ts';
import type { ConnectivityChange, DeviceState, DeviceStatus } from '../contract/status.ts';
import type { Store } from '../store/store.ts';
import type { News } from './news.ts';
import { Pipeline } from './pipeline.ts';
import { Kept } from './report.ts';

export interface PlacedPoint {
  readonly device: PlacedDevice;
  readonly point: Point;
  readonly key: SeriesKey;
  readonly shape: Shape;
  readonly pipeline: Pipeline;
  /** Of the last value; a place that holds anything may change it. */
  kind: ColumnKind;
  last: LastSample | undefined;
  kept: Kept | undefined;
  /** Of a point with `staleAfter`: when it was last heard, or began to be waited for, on the clock that never jumps. */
  heardMs: number | undefined;
  /** Why the last sample is bad, in words. */
  detail: string | undefined;
  /** What concerns the point beside its readings: a refused subscription. */
  trouble: string | undefined;
}

export interface PlacedDevice {
  device: Device;
  readonly points: Map<string, PlacedPoint>;
  state: DeviceState;
  sinceMs: number;
  /** Why it is offline or unknown, in words. */
  why: string;
  lastSeenMs?: number;
  /** When it was last heard, or began to be waited for, on the clock that never jumps. */
  heardMs: number;
  /** What concerns the device beside its readings: a word of its own that nobody understands. */
  trouble?: string;
  /** Requests without an answer in a row. */
  silences: number;
  samples: number;
  badSamples: number;
}

export class Plant {
  readonly #devices = new Map<string, PlacedDevice>();
  readonly #key: string;
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #news: News;
  /** What the store knew at the start, by series name. */
  #remembered = new Map<string, Sample>();

  constructor(deps: { key: string; store: Store; clock: Clock; log: Log; news: News }) {
    this.#key = deps.key;
    this.#store = deps.store;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#news = deps.news;
  }

  /** Adds a device or takes over a changed one; points that mean the same keep what is known of them. */
  place(device: Device, driver: Driver): void {
    const known = this.#devices.get(device.id);
    if (known?.device === device) return;
    const placed: PlacedDevice = known ?? {
      device,
      points: new Map(),
      state: 'unknown',
      sinceMs: this.#clock.nowMs(),
      why: 'nothing heard yet',
      heardMs: this.#clock.monotonicMs(),
      silences: 0,
      samples: 0,
      badSamples: 0,
    };
    placed.device = device;
    const before = new Map(placed.points);
    placed.points.clear();
    for (const point of device.points) placed.points.set(point.id, this.#placePoint(placed, point, driver, before.get(point.id)));
    this.#devices.set(device.id, placed);
    if (!known) void this.#record([placed]);
  }

  #placePoint(device: PlacedDevice, point: Point, driver: Driver, before: PlacedPoint | undefined): PlacedPoint {
    const shape = driver.shape(point.address);
    const pipeline = new Pipeline(point, shape);
    const key = { device: point.device, point: point.id };
    const isSame = before !== undefined && isSamePlace(before.point, point);
    // All that it may have from the beginning: an object that grows by and by is slower and larger, and there are ten thousand.
    const placed: PlacedPoint = {
      device,
      point,
      key,
      shape,
      pipeline,
      kind: pipeline.kind ?? 'double',
      last: isSame ? before.last : undefined,
      kept: isSame ? before.kept : undefined,
      heardMs: undefined,
      detail: undefined,
      trouble: undefined,
    };
    if (!before) this.#recall(placed);
    return placed;
  }

  /** Forgets devices that are not in the plan any more. */
  keepOnly(ids: ReadonlySet<string>): void {
    const gone = [...this.#devices.values()].filter((placed) => !ids.has(placed.device.id));
    for (const placed of gone) this.#devices.delete(placed.device.id);
    void this.#change(gone, 'unknown', 'not collected any more');
  }

  /** Forgets one device. */
  remove(id: string, why: string): void {
    const gone = this.#devices.get(id);
    if (!gone) return;
    this.#devices.delete(id);
    void this.#change([gone], 'unknown', why);
  }

  all(): Iterable<PlacedDevice> {
    return this.#devices.values();
  }

  /** Devices of a connection, discovered ones among them. */
  behind(connection: string): PlacedDevice[] {
    return [...this.#devices.values()].filter(({ device }) => device.connection === connection);
  }

  /** From now on these devices are waited for. */
  await(devices: readonly PlacedDevice[]): void {
    for (const device of devices) device.heardMs = this.#clock.monotonicMs();
  }

  device(id: string): PlacedDevice | undefined {
    return this.#devices.get(id);
  }

  point(key: SeriesKey): PlacedPoint | undefined {
    return this.#devices.get(key.device)?.points.get(key.point);
  }

  /** The last samples of an earlier run: shown until something newer comes, and what a retained value is compared with. */
  remember(samples: Map<string, Sample>): void {
    this.#remembered = samples;
    for (const device of this.#devices.values()) for (const point of device.points.values()) this.#recall(point);
  }

  #recall(placed: PlacedPoint): void {
    const sample = this.#remembered.get(seriesName(placed.key));
    if (!sample || placed.last) return;
    placed.last = new LastSample(sample);
    placed.kept = new Kept(sample, this.#clock.monotonicMs());
  }

  /** The device said something: a value, or an exception. */
  answered(device: PlacedDevice): void {
    device.silences = 0;
    device.heardMs = this.#clock.monotonicMs();
    if (device.state !== 'online') void this.#change([device], 'online', '');
  }

  /** The device was asked and said nothing; offline when it has been so often enough. */
  silent(device: PlacedDevice): void {
    device.silences += 1;
    if (device.silences >= limits.setAsideAfter) this.offline([device], `no answer to ${device.silences} requests`);
  }

  offline(devices: readonly PlacedDevice[], why: string): void {
    void this.#change(
      devices.filter((device) => device.state !== 'offline'),
      'offline',
      why,
    );
  }

  unknown(devices: readonly PlacedDevice[], why: string): void {
    void this.#change(
      devices.filter((device) => device.state !== 'unknown'),
      'unknown',
      why,
    );
  }

  statuses(): DeviceStatus[] {
    return Array.from(this.#devices.values(), (placed) => {
      const error = wordsOf(placed);
      return {
        id: placed.device.id,
        title: placed.device.title,
        connection: placed.device.connection,
        state: placed.state,
        sinceMs: placed.sinceMs,
        ...(placed.lastSeenMs === undefined ? {} : { lastSeenMs: placed.lastSeenMs }),
        ...(error === undefined ? {} : { error }),
        samples: placed.samples,
        badSamples: placed.badSamples,
      };
    });
  }

  /** Collection ends: from now on nobody knows. Resolves when that is handed to the store. */
  async stop(): Promise<void> {
    await this.#change([...this.#devices.values()], 'unknown', 'collection stopped');
  }

  #change(devices: readonly PlacedDevice[], state: DeviceState, why: string): Promise<void> {
    for (const device of devices) {
      device.state = state;
      device.sinceMs = this.#clock.nowMs();
      device.why = why;
      if (state === 'unknown') device.silences = 0;
    }
    return this.#record(devices);
  }

  async #record(devices: readonly PlacedDevice[]): Promise<void> {
    if (devices.length === 0) return;
    const timeNs = this.#clock.nowNs();
    const changes: ConnectivityChange[] = devices.map((placed) => ({
      device: placed.device.id,
      timeNs,
      state: placed.state,
      reason: placed.why,
    }));
    for (const change of changes) this.#news.tell(() => ({ event: 'connectivity', change }));
    try {
      await this.#store.appendConnectivity(this.#key, changes);
    } catch (error) {
      this.#log.warn('a change of connectivity was not recorded', { devices: changes.length, error: messageOf(error) });
    }
  }
}

/** A point whose value would be another one is another point, even under the same name. */
function isSamePlace(before: Point, now: Point): boolean {
  return isDeepStrictEqual([before.address, before.scale, before.offset, before.access], [now.address, now.scale, now.offset, now.access]);
}

function wordsOf(placed: PlacedDevice): string | undefined {
  if (placed.state === 'offline') return placed.why;
  if (placed.trouble !== undefined) return placed.trouble;
  for (const [id, point] of placed.points) {
    // That the link was down when the point was last asked is no trouble of a device behind a link that is up again.
    const words = point.trouble ?? (point.last?.reason === 'offline' ? undefined : point.detail);
    if (words !== undefined) return `${id}: ${words}`;
  }
  return undefined;
}
