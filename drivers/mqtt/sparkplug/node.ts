/** One edge node and the devices behind it, from birth to death: what their metrics are called, and which points of ours they are. */
import type { Device, Point } from '../../../src/contract/device.ts';
import type { Reading } from '../../../src/contract/driver.ts';
import type { Address } from '../address.ts';
import { deviceId, faultyQuality, flatten, type NamedMetric } from './births.ts';
import type { Metric, Payload } from './payload.ts';
import type { Place } from './topic.ts';
import { decodeMetric, typeName } from './values.ts';

/** A metric of the last birth. */
interface Known {
  type: string;
  alias: bigint | undefined;
  points: Point<Address>[];
}

export interface Understood {
  readings: Reading<Address>[];
  /** A metric nobody has heard of; undefined if all are known. */
  stranger: string | undefined;
}

export class Born {
  readonly place: Place;
  readonly id: string;
  /** As in the last birth. */
  metrics: readonly NamedMetric[] = [];
  isAlive = false;
  readonly #known = new Map<string, Known>();
  readonly #aliases = new Map<bigint, string>();
  /** Devices of ours that show it: the announced one, and those of the settings. */
  #devices: readonly Device<unknown, Address>[] = [];

  constructor(place: Place) {
    this.place = place;
    this.id = deviceId(place);
  }

  get devices(): readonly Device<unknown, Address>[] {
    return this.#devices;
  }

  /** Takes what a birth lists. Of names that come twice the last counts. */
  birth({ metrics }: Payload): void {
    this.#known.clear();
    this.#aliases.clear();
    const named = new Map<string, Metric>();
    for (const metric of metrics) if (metric.name !== undefined && metric.alias !== undefined) this.#aliases.set(metric.alias, metric.name);
    for (const { name, metric } of flatten(metrics, (alias) => this.#aliases.get(alias))) {
      if (name === undefined || metric.isHistorical) continue;
      named.set(name, metric);
      this.#known.set(name, { type: typeName(metric.type), alias: metric.alias, points: [] });
      if (metric.alias !== undefined) this.#aliases.set(metric.alias, name);
    }
    this.metrics = Array.from(named, ([name, metric]) => ({ name, metric }));
    this.isAlive = true;
  }

  /** From now on these devices show it. True if they have points that were not there before. */
  shownBy(devices: readonly Device<unknown, Address>[]): boolean {
    const before = new Set(this.#devices.flatMap(({ points }) => points.map(nameOfPoint)));
    this.#devices = devices;
    for (const known of this.#known.values()) known.points = [];
    for (const device of devices) {
      for (const point of device.points) {
        if (point.address.metric !== undefined && point.access !== 'write') this.#known.get(point.address.metric)?.points.push(point);
      }
    }
    return devices.some(({ points }) => points.some((point) => !before.has(nameOfPoint(point))));
  }

  /** The metric's type and alias; undefined if the last birth has none of this name. */
  known(name: string): Readonly<Known> | undefined {
    return this.#known.get(name);
  }

  /** What a message says, in its order. */
  understand(payload: Payload): Understood {
    const readings: Reading<Address>[] = [];
    let stranger: string | undefined;
    for (const { name, metric } of flatten(payload.metrics, (alias) => this.#aliases.get(alias))) {
      const known = name === undefined ? undefined : this.#known.get(name);
      if (!known)
        stranger ??= name === undefined ? `the alias ${metric.alias ?? 'none'}` : `the metric ${JSON.stringify(name.slice(0, 80))}`;
      for (const point of known?.points ?? []) readings.push(readingOf(point, metric, known?.type ?? '', payload.timestampMs));
    }
    return { readings, stranger };
  }
}

const nameOfPoint = ({ device, id }: Point<Address>) => `${device}.${id}`;

function readingOf(point: Point<Address>, metric: Metric, bornAs: string, sentMs: bigint | undefined): Reading<Address> {
  const type = metric.type === undefined ? bornAs : typeName(metric.type);
  const timeMs = metric.timestampMs ?? sentMs;
  const bad = faultyQuality(metric);
  const said = bad === undefined ? decodeMetric(metric, type) : { value: null, reason: 'sentinel' as const, detail: bad };
  return {
    point,
    ...said,
    ...(timeMs === undefined ? {} : { timeNs: timeMs * 1_000_000n }),
    ...(metric.isHistorical ? { only: 'history' as const } : metric.isTransient ? { only: 'now' as const } : {}),
  };
}
