/**
 * The devices that announced themselves for Home Assistant, made of their entities. What is announced comes in bursts (retained messages), so devices are
 * made when it has been quiet for a moment: a timer of the driver's own, without which a device of thirty entities would be made thirty times.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Device } from '../../../src/contract/device.ts';
import type { Host, Sink } from '../../../src/contract/driver.ts';
import { limits } from '../../../src/contract/limits.ts';
import type { Address } from '../address.ts';
import type { Ours } from '../topics.ts';
import { type Entity, readAnnouncement, readTopic } from './announcement.ts';

/** The convention's name, for people. */
export const convention = 'Home Assistant discovery';

/** Of entities with the same id the first of these keeps it, whichever was announced first. */
const ranks = ['sensor', 'binary_sensor', 'switch', 'light', 'number', 'select', 'climate', 'cover'];

type DeviceSink = Pick<Sink<Address>, 'announce' | 'withdraw' | 'misunderstood'>;

/** What is kept while the link goes and comes. */
interface Kept {
  /** By topic. */
  entities: Map<string, readonly Entity[]>;
  count: number;
  /** Topics whose announcement the broker keeps. */
  retained: Set<string>;
}

export class AnnouncedDevices {
  /** What is subscribed to: with and without a node. */
  readonly filters: readonly Ours[];
  readonly #prefix: string;
  readonly #host: Host;
  readonly #kept: Kept;
  readonly #devices = new Map<string, Device<unknown, Address>>();
  readonly #stale = new Set<string>();
  #sink: DeviceSink | undefined;
  #changed: (() => void) | undefined;
  /** While the broker repeats what it keeps, after every opening: the topics it repeated. */
  #repeated: Set<string> | undefined;
  #firstMs: number | undefined;
  #lastMs = 0;

  constructor(connection: string, prefix: string, host: Host) {
    this.#prefix = prefix;
    this.#host = host;
    this.filters = [`${prefix}/+/+/config`, `${prefix}/+/+/+/config`].map((filter) => ({ filter, source: convention }));
    const key = `mqtt ${convention} of ${connection} below ${prefix}`;
    const kept = (host.shared.get(key) as Kept | undefined) ?? { entities: new Map(), count: 0, retained: new Set() };
    host.shared.set(key, kept);
    this.#kept = kept;
  }

  /** From now on devices are announced to this sink, all that are known at once; `changed` is called when others came or went later. */
  attach(sink: DeviceSink, changed: () => void): void {
    this.#sink = sink;
    this.#changed = undefined;
    this.#repeated = new Set();
    for (const entities of this.#kept.entities.values()) for (const { device } of entities) this.#stale.add(device.id);
    this.#make();
    this.#changed = changed;
  }

  detach(sink: DeviceSink): void {
    if (this.#sink === sink) this.#sink = undefined;
  }

  /** Those that run. */
  get devices(): readonly Device<unknown, Address>[] {
    return [...this.#devices.values()];
  }

  /** Takes a message; true if it is an announcement. An empty one takes back what was announced. `retained`: the broker kept it. */
  take(topic: string, payload: Buffer, retained: boolean): boolean {
    const announced = readTopic(topic, this.#prefix);
    if (!announced) return false;
    if (retained && this.#repeated) {
      this.#repeated.add(topic);
      this.#kept.retained.add(topic);
      this.#makeSoon();
    }
    const { entities: known } = this.#kept;
    const before = known.get(topic) ?? [];
    const { entities, faults } = payload.length === 0 ? { entities: [], faults: [] } : readAnnouncement(announced, payload);
    const count = this.#kept.count - before.length + entities.length;
    const isTooMany = count > limits.mqttAnnouncedMax;
    const fault = isTooMany ? `is beyond the ${limits.mqttAnnouncedMax} entities that are taken` : faults[0];
    this.#sink?.misunderstood(convention, topic, fault === undefined ? undefined : `${topic}: ${fault}`);
    if (isTooMany || isDeepStrictEqual(before, entities)) return true;
    if (entities.length > 0) known.set(topic, entities);
    else {
      known.delete(topic);
      this.#kept.retained.delete(topic);
    }
    this.#kept.count = count;
    for (const { device } of [...before, ...entities]) this.#stale.add(device.id);
    this.#makeSoon();
    return true;
  }

  /**
   * Of what the broker kept, all that it does not repeat was taken back while the link was away. A broker that repeats nothing has forgotten
   * everything: that says nothing of the devices.
   */
  #forgetTakenBack(): void {
    const repeated = this.#repeated;
    this.#repeated = undefined;
    if (!repeated || repeated.size === 0) return;
    const { entities, retained } = this.#kept;
    for (const topic of retained) {
      if (repeated.has(topic)) continue;
      retained.delete(topic);
      const gone = entities.get(topic) ?? [];
      entities.delete(topic);
      this.#kept.count -= gone.length;
      for (const { device } of gone) this.#stale.add(device.id);
    }
  }

  #makeSoon(): void {
    const { clock } = this.#host;
    this.#lastMs = clock.monotonicMs();
    if (this.#firstMs !== undefined) return;
    this.#firstMs = this.#lastMs;
    const look = () => {
      const nowMs = clock.monotonicMs();
      const isQuiet = nowMs - this.#lastMs >= limits.mqttAnnounceQuietMs || nowMs - (this.#firstMs ?? 0) >= limits.mqttAnnounceWaitMs;
      if (!isQuiet) return void clock.after(limits.mqttAnnounceQuietMs, look);
      this.#firstMs = undefined;
      this.#forgetTakenBack();
      this.#make();
    };
    clock.after(limits.mqttAnnounceQuietMs, look);
  }

  #make(): void {
    const sink = this.#sink;
    if (!sink || this.#stale.size === 0) return;
    const byDevice = new Map<string, { topic: string; entity: Entity }[]>();
    for (const [topic, entities] of this.#kept.entities) {
      for (const entity of entities) {
        if (!this.#stale.has(entity.device.id)) continue;
        const list = byDevice.get(entity.device.id) ?? [];
        byDevice.set(entity.device.id, list);
        list.push({ topic, entity });
      }
    }
    let hasChanged = false;
    for (const id of this.#stale) {
      const before = this.#devices.get(id);
      const list = byDevice.get(id);
      if (!list) sink.withdraw(convention, id);
      const now = list && sink.announce(convention, describe(id, list));
      if (now) this.#devices.set(id, now);
      else this.#devices.delete(id);
      hasChanged ||= now !== before;
    }
    this.#stale.clear();
    if (hasChanged) this.#changed?.();
  }
}

/** A device in the language of the settings. */
function describe(id: string, list: readonly { topic: string; entity: Entity }[]): Record<string, unknown> {
  const rankOf = ({ component }: Entity) => (ranks.indexOf(component) + ranks.length + 1) % (ranks.length + 1);
  const sorted = list.toSorted((one, other) => rankOf(one.entity) - rankOf(other.entity) || (one.topic < other.topic ? -1 : 1));
  const idFor = uniqueIds(list.length);
  const points = sorted.flatMap(({ entity }) =>
    entity.points.map(({ suffix, words }) => {
      const whole = suffix === '' ? entity.id : `${entity.id}_${suffix}`;
      const own = idFor(whole, entity.component);
      const title = [entity.title, suffix.replaceAll('_', ' ')].filter(Boolean).join(' ');
      return { id: own, ...(title === '' ? {} : { title: title.slice(0, 128) }), ...words };
    }),
  );
  const availability = availabilityOf(sorted.map(({ entity }) => entity));
  return {
    id,
    // Only some of the entities may say what the device is called; a device of one entity is called like that.
    title:
      sorted.find(({ entity }) => entity.device.title)?.entity.device.title ??
      (sorted.length === 1 ? sorted[0]?.entity.title : undefined) ??
      id,
    labels: Object.assign({}, ...sorted.map(({ entity }) => entity.device.labels)) as Record<string, string>,
    points,
    ...(availability ? { availability } : {}),
  };
}

/** Ids that are not taken: as wanted, with the component behind it, or numbered. A number is tried once, so that thousands of one name cost no more each. */
function uniqueIds(count: number): (wanted: string, component: string) => string {
  const taken = new Set<string>();
  const tried = new Map<string, number>();
  const free = (id: string) => id.length <= 64 && !taken.has(id);
  const numbered = (start: string) => {
    for (let n = (tried.get(start) ?? 1) + 1; n < count + 2; n++) {
      tried.set(start, n);
      if (free(`${start}_${n}`)) return `${start}_${n}`;
    }
    return undefined;
  };
  return (wanted, component) => {
    const id = [wanted, `${wanted}_${component}`].find(free) ?? numbered(wanted.slice(0, 58)) ?? wanted;
    taken.add(id);
    return id;
  };
}

/** Its entities mostly name the same topics; together they are those of the device. It is silent when all that have a time for it are. */
function availabilityOf(entities: readonly Entity[]): Record<string, unknown> | undefined {
  const places = new Map(entities.flatMap(({ availability }) => availability.map((place) => [place.topic, place] as const)));
  const [first, ...others] = [...places.values()].slice(0, limits.availabilityTopicsMax);
  const expiries = entities.flatMap(({ expireAfterS }) => expireAfterS ?? []);
  // One that says nothing of it may be silent for as long as it likes, and so may the device.
  const expires = expiries.length > 0 && expiries.length === entities.length;
  if (!first && !expires) return undefined;
  const mode = entities.find(({ availability }) => availability.length > 0)?.mode ?? 'latest';
  return {
    ...first,
    ...(others.length > 0 ? { also: others, mode } : {}),
    ...(expires ? { staleAfter: `${Math.max(...expiries)}s` } : {}),
  };
}
