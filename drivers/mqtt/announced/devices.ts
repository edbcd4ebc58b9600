/**
 * The devices that announced themselves by one convention. What is announced comes in bursts (retained messages), so devices are made when it has been quiet
 * for a moment: a timer of the driver's own, without which a device of thirty entities would be made thirty times.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Device, Point } from '../../../src/contract/device.ts';
import type { Host, Sink } from '../../../src/contract/driver.ts';
import { limits } from '../../../src/contract/limits.ts';
import type { Address } from '../address.ts';
import type { Ours } from '../topics.ts';
import type { Convention, Description, Part, Question } from './convention.ts';

type DeviceSink = Pick<Sink<Address>, 'announce' | 'withdraw' | 'misunderstood'>;

/** What is kept while the link goes and comes. */
interface Kept<P> {
  /** By topic. */
  parts: Map<string, readonly P[]>;
  count: number;
  /** Topics whose announcement the broker keeps. */
  retained: Set<string>;
}

interface Made {
  device: Device<unknown, Address>;
  echoes: Description['echoes'];
}

export class AnnouncedDevices<P extends Part = Part> {
  /** What is subscribed to. */
  readonly filters: readonly Ours[];
  readonly #convention: Convention<P>;
  readonly #host: Host;
  readonly #kept: Kept<P>;
  readonly #devices = new Map<string, Made>();
  readonly #stale = new Set<string>();
  /** Questions by device, until they are taken; undefined for one that was taken. */
  readonly #questions = new Map<string, Question | undefined>();
  #sink: DeviceSink | undefined;
  #changed: (() => void) | undefined;
  /** While the broker repeats what it keeps, after every opening: the topics it repeated. */
  #repeated: Set<string> | undefined;
  #firstMs: number | undefined;
  #lastMs = 0;

  constructor(connection: string, convention: Convention<P>, host: Host) {
    this.#convention = convention;
    this.#host = host;
    this.filters = convention.filters.map((filter) => ({ filter, source: convention.name }));
    const key = `mqtt ${convention.name} of ${connection} below ${convention.prefix}`;
    const kept = (host.shared.get(key) as Kept<P> | undefined) ?? { parts: new Map(), count: 0, retained: new Set() };
    host.shared.set(key, kept);
    this.#kept = kept;
  }

  /** From now on devices are announced to this sink, all that are known at once; `changed` is called when others came or went later. */
  attach(sink: DeviceSink, changed: () => void): void {
    this.#sink = sink;
    this.#changed = undefined;
    this.#repeated = new Set();
    for (const parts of this.#kept.parts.values()) for (const { device } of parts) this.#stale.add(device.id);
    this.#make();
    this.#changed = changed;
  }

  detach(sink: DeviceSink): void {
    if (this.#sink === sink) this.#sink = undefined;
  }

  /** Those that run. */
  get devices(): readonly Device<unknown, Address>[] {
    return Array.from(this.#devices.values(), ({ device }) => device);
  }

  /** What is to be heard of them: each point once for every place that tells it. */
  get points(): readonly Point<Address>[] {
    return [...this.#devices.values()].flatMap(({ device, echoes }) =>
      device.points
        .filter(({ access }) => access !== 'write')
        .flatMap((point) => [
          point,
          ...(echoes?.get(point.id) ?? []).map((echo): Point<Address> => ({ ...point, address: { ...point.address, ...echo } })),
        ]),
    );
  }

  /** Of the devices that run and were not asked yet. */
  takeQuestions(): Question[] {
    return [...this.#questions].flatMap(([id, question]) => {
      if (!question || !this.#devices.has(id)) return [];
      this.#questions.set(id, undefined);
      return [question];
    });
  }

  /** Takes a message; true if it is an announcement. An empty one takes back what was announced. `retained`: the broker kept it. */
  take(topic: string, payload: Buffer, retained: boolean): boolean {
    const read = this.#convention.reader(topic);
    if (!read) return false;
    if (retained && this.#repeated) {
      this.#repeated.add(topic);
      this.#kept.retained.add(topic);
      this.#makeSoon();
    }
    const { parts: known } = this.#kept;
    const before = known.get(topic) ?? [];
    const { parts = before, faults } = payload.length === 0 ? { parts: [], faults: [] } : read(payload);
    const count = this.#kept.count - before.length + parts.length;
    const isTooMany = count > limits.mqttAnnouncedMax;
    const fault = isTooMany ? `is beyond the ${limits.mqttAnnouncedMax} entities that are taken` : faults[0];
    this.#sink?.misunderstood(this.#convention.name, topic, fault === undefined ? undefined : `${topic}: ${fault}`);
    if (isTooMany || isDeepStrictEqual(before, parts)) return true;
    if (parts.length > 0) known.set(topic, parts);
    else {
      known.delete(topic);
      this.#kept.retained.delete(topic);
    }
    this.#kept.count = count;
    for (const { device } of [...before, ...parts]) this.#stale.add(device.id);
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
    const { parts, retained } = this.#kept;
    for (const topic of retained) {
      if (repeated.has(topic)) continue;
      retained.delete(topic);
      const gone = parts.get(topic) ?? [];
      parts.delete(topic);
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
    const { name } = this.#convention;
    const byDevice = new Map<string, { topic: string; part: P }[]>();
    for (const [topic, parts] of this.#kept.parts) {
      for (const part of parts) {
        if (!this.#stale.has(part.device.id)) continue;
        const list = byDevice.get(part.device.id) ?? [];
        byDevice.set(part.device.id, list);
        list.push({ topic, part });
      }
    }
    let hasChanged = false;
    for (const id of this.#stale) {
      const before = this.#devices.get(id);
      const list = byDevice.get(id);
      const description = list && this.#convention.describe(id, list);
      if (!description) sink.withdraw(name, id);
      const device = description && sink.announce(name, description.device);
      if (device) this.#devices.set(id, { device, echoes: description.echoes });
      else this.#devices.delete(id);
      if (!device) this.#questions.delete(id);
      else if (description.question && !this.#questions.has(id)) this.#questions.set(id, description.question);
      hasChanged ||= device !== before?.device || !isDeepStrictEqual(description?.echoes, before?.echoes);
    }
    this.#stale.clear();
    if (hasChanged) this.#changed?.();
  }
}
