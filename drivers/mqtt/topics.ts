/**
 * What is heard: which filters to subscribe to, and for the topic of a message who reads it. A topic is looked up in one map; only the first
 * message of one that belongs to templates walks the tree of their patterns, and then it is in the map too.
 */
import type { Device, Point } from '../../src/contract/device.ts';
import type { Sink } from '../../src/contract/driver.ts';
import type { Address } from './address.ts';
import { compileWord, type Word } from './availability.ts';
import { FilterTree } from './filters.ts';
import { compileReader, type Reader } from './readings.ts';
import { compilePattern, parseTopic, type TopicPattern } from './topic.ts';

type QoS = 0 | 1 | 2;

/** A word about a device must not get lost: the broker repeats it until we have it. */
const availabilityQoS = 1;

/** One subscription. */
export interface Filter {
  readonly filter: string;
  /** The highest that is asked for. */
  qos: QoS;
  /** Points that hang on it, of devices and of templates, with what is wrong with the device's time. */
  readonly heard: { readonly point: Point<Address>; readonly clockTrouble: string | undefined }[];
  /** Devices and templates whose availability hangs on it, by id. */
  readonly words: string[];
}

/** Who reads the messages of one topic. */
export interface Readers {
  readonly readers: Reader[];
  readonly words: Word[];
  /** False as long as nobody looked whether templates have this topic too. */
  complete: boolean;
}

/** What a template has on one pattern. */
interface Entry {
  readonly template: string;
  readonly pattern: TopicPattern;
  readonly points: string[];
  hasWord: boolean;
}

export class Topics {
  readonly #sink: Pick<Sink<Address>, 'device'>;
  readonly #filters = new Map<string, Filter>();
  readonly #readers = new Map<string, Readers>();
  readonly #tree = new FilterTree<Entry>();
  readonly #entries = new Map<string, Entry>();

  /** `points` are to be heard; of `devices` only the availability. Write-only places among the points are left out. */
  constructor(points: readonly Point<Address>[], devices: readonly Device<unknown, Address>[], sink: Pick<Sink<Address>, 'device'>) {
    this.#sink = sink;
    for (const { id, availability } of devices) {
      if (availability?.topic === undefined) continue;
      const topic = parseTopic(availability.topic);
      const filter = this.#filter(topic.fixed ?? compilePattern(topic).filter, availabilityQoS);
      filter.words.push(id);
      if (topic.fixed !== undefined) this.#of(topic.fixed).words.push(compileWord(id, availability));
      else this.#entry(id, availability.topic).hasWord = true;
    }
    for (const point of points) this.#hear(point);
    this.#dropCovered();
  }

  get filters(): ReadonlyMap<string, Filter> {
    return this.#filters;
  }

  /**
   * Undefined if nobody reads this topic. An empty message makes no device: it is how a broker is told to forget what it keeps of one.
   */
  of(topic: string, isEmpty: boolean): Readers | undefined {
    const known = this.#readers.get(topic);
    return known?.complete || isEmpty ? known : this.#complete(topic, known);
  }

  /** True if a subscription of ours brings this topic. */
  isAsked(topic: string): boolean {
    return this.#readers.has(topic) || this.#tree.under(topic.split('/')).length > 0;
  }

  #hear(point: Point<Address>): void {
    const { topic: text, qos } = point.address;
    if (text === undefined) return;
    const topic = parseTopic(text);
    if (topic.fixed === undefined) {
      this.#filter(compilePattern(topic).filter, qos).heard.push({ point, clockTrouble: undefined });
      this.#entry(point.device, text).points.push(point.id);
      return;
    }
    const reader = compileReader(point);
    this.#filter(topic.fixed, qos).heard.push(reader);
    this.#of(topic.fixed).readers.push(reader);
  }

  #of(topic: string): Readers {
    const readers = this.#readers.get(topic) ?? { readers: [], words: [], complete: false };
    this.#readers.set(topic, readers);
    return readers;
  }

  #filter(text: string, qos: QoS): Filter {
    const filter = this.#filters.get(text) ?? { filter: text, qos, heard: [], words: [] };
    if (qos > filter.qos) filter.qos = qos;
    this.#filters.set(text, filter);
    return filter;
  }

  #entry(template: string, text: string): Entry {
    const key = `${template}\n${text}`;
    const known = this.#entries.get(key);
    if (known) return known;
    const entry: Entry = { template, pattern: compilePattern(parseTopic(text)), points: [], hasWord: false };
    this.#entries.set(key, entry);
    this.#tree.add(entry.pattern.filter, entry);
    return entry;
  }

  /** A broker may send a message once for each subscription it falls under [MQTT-3.3.4-2], so what another filter brings is not asked for again. */
  #dropCovered(): void {
    if (this.#entries.size === 0) return;
    const all = new FilterTree<never>();
    for (const filter of this.#filters.keys()) all.add(filter);
    for (const filter of this.#filters.values()) {
      let cover: string | undefined;
      for (let next = all.cover(filter.filter); next !== undefined; next = all.cover(next)) cover = next;
      const wider = cover === undefined ? undefined : this.#filters.get(cover);
      if (!wider) continue;
      if (filter.qos > wider.qos) wider.qos = filter.qos;
      wider.heard.push(...filter.heard);
      wider.words.push(...filter.words);
      this.#filters.delete(filter.filter);
    }
  }

  #complete(topic: string, known: Readers | undefined): Readers | undefined {
    if (known) known.complete = true;
    if (this.#entries.size === 0) return known;
    let readers = known;
    const levels = topic.split('/');
    for (const { template, pattern, points, hasWord } of this.#tree.under(levels)) {
      const values = pattern.match(levels);
      const device = values && this.#sink.device(template, values);
      if (!device) continue;
      readers ??= this.#of(topic);
      readers.complete = true;
      for (const id of points) {
        const point = device.points.find((one) => one.id === id);
        if (point) readers.readers.push(compileReader(point));
      }
      if (hasWord && device.availability) readers.words.push(compileWord(device.id, device.availability));
    }
    return readers;
  }
}
