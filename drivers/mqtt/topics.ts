/**
 * What is heard: which filters to subscribe to, and for the topic of a message who reads it. A topic is looked up in one map; only the first
 * message of one that belongs to patterns walks their tree, and then it is in the map too.
 */
import { createHash } from 'node:crypto';
import type { Device, Point } from '../../src/contract/device.ts';
import type { Sink } from '../../src/contract/driver.ts';
import { limits } from '../../src/contract/limits.ts';
import type { Address } from './address.ts';
import { compileWord, placesOf, SaidWords, type Word } from './availability.ts';
import { Copies } from './copies.ts';
import { FilterTree } from './filters.ts';
import { compileReader, type Reader } from './readings.ts';
import { compilePattern, parseFilter, parseTopic, type TopicPattern } from './topic.ts';

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
  /** The convention of what every gateway of a group needs, and nobody but us reads: what is announced. */
  source: string | undefined;
  /** Of a filter that shares topics with another: by this MQTT 5 brokers say which of the two a message is for (§3.8.2.1.2). */
  identifier: number | undefined;
}

/** A filter that is heard beside those of points, for what is announced by a convention. */
export type Ours = Required<Pick<Filter, 'filter' | 'source'>>;

/** Who reads the messages of one topic, each with the identifier of the subscription it hangs on. */
export interface Readers {
  readonly readers: { readonly reader: Reader; readonly filter: Filter }[];
  readonly words: { readonly word: Word; readonly filter: Filter }[];
  /** False as long as nobody looked whether patterns have this topic too. */
  complete: boolean;
  /** Of a topic that several subscriptions bring. */
  copies?: Copies;
}

/** What a template, or a device whose points have wildcards, has on one pattern. */
interface Entry {
  /** Absent for a device. */
  readonly template: string | undefined;
  readonly filter: string;
  readonly pattern: TopicPattern;
  /** Of a template: ids of its points. */
  readonly points: string[];
  readonly readers: Reader[];
  hasWord: boolean;
}

export class Topics {
  readonly #sink: Pick<Sink<Address>, 'device'>;
  readonly #filters = new Map<string, Filter>();
  /** Filters that are not asked for, because a wider one brings their topics. */
  readonly #covered = new Map<string, Filter>();
  readonly #identifiers = new Set<number>();
  readonly #readers = new Map<string, Readers>();
  readonly #tree = new FilterTree<Entry>();
  readonly #entries = new Map<string, Entry>();

  /**
   * `points` are to be heard; of `devices` only the availability; `ours` are filters heard beside them, which have no readers here. `said` is what was
   * said of devices before. Write-only places among the points are left out.
   */
  constructor(
    points: readonly Point<Address>[],
    devices: readonly Device<unknown, Address>[],
    sink: Pick<Sink<Address>, 'device'>,
    ours: readonly Ours[] = [],
    said = new SaidWords(),
  ) {
    this.#sink = sink;
    for (const { filter, source } of ours) this.#filter(filter, availabilityQoS).source = source;
    const fixedWords: [string, Word][] = [];
    const fixedReaders: [string, Reader][] = [];
    for (const { id, availability } of devices) {
      for (const place of availability ? placesOf(availability) : []) {
        const topic = parseTopic(place.topic);
        this.#filter(topic.fixed ?? compilePattern(topic).filter, availabilityQoS).words.push(id);
        if (topic.fixed === undefined) this.#entry(id, place.topic).hasWord = true;
        else if (availability) fixedWords.push([topic.fixed, said.join(compileWord(id, place), place.topic, availability)]);
      }
    }
    for (const point of points) {
      const { topic: text, qos } = point.address;
      if (text === undefined) continue;
      const topic = parseFilter(text);
      if (topic.placeholders.length > 0) {
        this.#filter(compilePattern(topic).filter, qos).heard.push({ point, clockTrouble: undefined });
        this.#entry(point.device, text).points.push(point.id);
        continue;
      }
      const reader = compileReader(point);
      this.#filter(topic.fixed ?? compilePattern(topic).filter, qos).heard.push(reader);
      if (topic.fixed === undefined) this.#entry(undefined, text).readers.push(reader);
      else fixedReaders.push([topic.fixed, reader]);
    }
    if (this.#entries.size > 0 || ours.length > 0) this.#settle();
    for (const [topic, word] of fixedWords) this.#of(topic).words.push({ word, filter: this.#asked(topic) });
    for (const [topic, reader] of fixedReaders) this.#of(topic).readers.push({ reader, filter: this.#asked(topic) });
  }

  get filters(): ReadonlyMap<string, Filter> {
    return this.#filters;
  }

  /**
   * Undefined if nobody reads this topic. An empty message makes no device: it is how a broker is told to forget what it keeps of one.
   */
  of(topic: string, isEmpty: boolean): Readers | undefined {
    const known = this.#readers.get(topic);
    return known?.complete ? known : this.#complete(topic, known, isEmpty);
  }

  /** True if a subscription of ours brings this topic. */
  isAsked(topic: string): boolean {
    return this.#readers.has(topic) || this.#tree.under(topic.split('/')).length > 0;
  }

  /** False for an identifier of earlier settings, which a kept session's messages may still have. */
  knows(identifier: number): boolean {
    return this.#identifiers.has(identifier);
  }

  #of(topic: string): Readers {
    const readers = this.#readers.get(topic) ?? { readers: [], words: [], complete: false };
    this.#readers.set(topic, readers);
    return readers;
  }

  #filter(text: string, qos: QoS): Filter {
    const filter = this.#filters.get(text) ?? { filter: text, qos, heard: [], words: [], source: undefined, identifier: undefined };
    if (qos > filter.qos) filter.qos = qos;
    this.#filters.set(text, filter);
    return filter;
  }

  #asked(text: string): Filter {
    const filter = this.#filters.get(text) ?? this.#covered.get(text);
    if (!filter) throw new Error(`the filter ${JSON.stringify(text)} is not known`);
    return filter;
  }

  #entry(template: string | undefined, text: string): Entry {
    const key = `${template ?? ''}\n${text}`;
    const known = this.#entries.get(key);
    if (known) return known;
    const pattern = compilePattern(parseFilter(text));
    const entry: Entry = { template, filter: pattern.filter, pattern, points: [], readers: [], hasWord: false };
    this.#entries.set(key, entry);
    this.#tree.add(pattern.filter, entry);
    return entry;
  }

  /**
   * A broker may send a message once for each subscription it falls under [MQTT-3.3.4-2], so what another filter brings is not asked for
   * again, and those that only cross get an identifier each.
   */
  #settle(): void {
    const all = new FilterTree<never>();
    for (const filter of this.#filters.keys()) all.add(filter);
    for (const filter of [...this.#filters.values()]) {
      let cover: string | undefined;
      for (let next = all.cover(filter.filter); next !== undefined; next = all.cover(next)) cover = next;
      // The wider one may itself have been taken away before, and stands for its own cover then.
      const wider = cover === undefined ? undefined : this.#filters.get(cover);
      if (!wider) continue;
      if (filter.qos > wider.qos) wider.qos = filter.qos;
      wider.heard.push(...filter.heard);
      wider.words.push(...filter.words);
      wider.source ??= filter.source;
      this.#filters.delete(filter.filter);
      this.#covered.set(filter.filter, wider);
    }
    const left = new FilterTree<never>();
    for (const filter of this.#filters.keys()) left.add(filter);
    for (const filter of this.#filters.values()) {
      if (!/[+#]/.test(filter.filter) || !left.crosses(filter.filter)) continue;
      const identifier = identifierOf(filter.filter);
      // Two filters with one identifier would be heard twice again; that does not happen to a few crossing filters out of 2^28.
      if (this.#identifiers.has(identifier)) continue;
      this.#identifiers.add(identifier);
      filter.identifier = identifier;
    }
  }

  #complete(topic: string, known: Readers | undefined, isEmpty: boolean): Readers | undefined {
    if (this.#entries.size === 0) {
      if (known) known.complete = true;
      return known;
    }
    const levels = topic.split('/');
    const readers: Readers = known ?? { readers: [], words: [], complete: false };
    const added: Readers = { readers: [], words: [], complete: true };
    let isLeft = false;
    for (const entry of this.#tree.under(levels)) isLeft = !this.#add(entry, levels, isEmpty, added) || isLeft;
    if (isEmpty && isLeft)
      return nonEmpty({ ...readers, readers: [...readers.readers, ...added.readers], words: [...readers.words, ...added.words] });
    readers.readers.push(...added.readers);
    readers.words.push(...added.words);
    if (!nonEmpty(readers)) return undefined;
    readers.complete = true;
    const subscriptions = new Set([...readers.readers, ...readers.words].map(({ filter }) => filter)).size;
    if (subscriptions > 1) readers.copies = new Copies(subscriptions);
    // Whoever invents topics without end under a wildcard fills no memory.
    if (known || this.#readers.size < limits.mqttTopicsKnownMax) this.#readers.set(topic, readers);
    return readers;
  }

  /** False if a template was left out because the message makes no device. */
  #add(
    { template, filter: text, pattern, points, readers: own, hasWord }: Entry,
    levels: string[],
    isEmpty: boolean,
    to: Readers,
  ): boolean {
    const values = pattern.match(levels);
    if (!values) return true;
    const filter = this.#asked(text);
    for (const reader of own) to.readers.push({ reader, filter });
    if (template === undefined) return true;
    if (isEmpty) return false;
    const device = this.#sink.device(template, values);
    if (!device) return true;
    for (const id of points) {
      const point = device.points.find((one) => one.id === id);
      if (point) to.readers.push({ reader: compileReader(point), filter });
    }
    if (hasWord && device.availability) to.words.push({ word: compileWord(device.id, device.availability), filter });
    return true;
  }
}

const nonEmpty = (readers: Readers) => (readers.readers.length > 0 || readers.words.length > 0 ? readers : undefined);

/** From the text, so that it is the same after a restart: a kept session's messages come with the identifier of their time. 1 to 2^28 - 1. */
function identifierOf(filter: string): number {
  return (createHash('sha256').update(filter).digest().readUInt32BE(0) % 268_435_455) + 1;
}
