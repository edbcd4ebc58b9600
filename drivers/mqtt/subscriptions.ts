/** What this session asked the broker for, kept in step with the points that are heard. */
import type { Host } from '../../src/contract/driver.ts';
import { limits } from '../../src/contract/limits.ts';
import type { Listener } from './hearing.ts';
import type { Link } from './link.ts';
import { failureFrom, reasonText } from './reasons.ts';
import type { Filter } from './topics.ts';

/** The filters with wildcards a kept session has, by this name in the connection's memory. */
const rememberedAs = 'filters';

export interface SubscriptionsOptions {
  timeoutMs: number;
  version: 4 | 5;
  /** The broker keeps the session, and with it subscriptions of earlier settings. */
  kept: boolean;
}

export class Subscriptions {
  readonly #link: Link;
  readonly #host: Host;
  readonly #options: SubscriptionsOptions;
  /** By filter: who was told its retained messages, by name, and the QoS asked for. */
  readonly #asked = new Map<string, { qos: number; names: Set<string> }>();
  readonly #strays = new Set<string>();

  constructor(link: Link, host: Host, options: SubscriptionsOptions) {
    this.#link = link;
    this.#host = host;
    this.#options = options;
  }

  /** Subscribes to what is new, takes back what is gone; refusals become troubles. Resolves when the broker has answered. */
  async follow({ topics: { filters }, sink }: Listener): Promise<void> {
    const gone = [...new Set([...this.#asked.keys(), ...this.#rememberedWildcards()])].filter((filter) => !filters.has(filter));
    for (const filter of gone) this.#asked.delete(filter);
    if (gone.length > 0) this.#link.client.unsubscribe(gone, () => {});
    const wanted = [...filters.values()].filter((filter) => this.#isNews(filter));
    this.#rememberWildcards([...filters.keys()]);
    await Promise.all(
      batchesOf(wanted).map(async (batch) => {
        const codes = await this.#subscribe(batch);
        if (!codes) return;
        batch.forEach(({ filter, heard, words }, index) => {
          const code = codes[index] ?? 0;
          const refused = code >= failureFrom;
          if (refused) this.#asked.delete(filter);
          const trouble = `the broker refuses to tell topic ${JSON.stringify(filter)}: ${refusal(code, this.#options.version)}`;
          // A refusal of an earlier session is over; a message that was faster than the broker's yes may have left a trouble of its own.
          for (const { point, clockTrouble } of heard) sink.trouble(point, refused ? trouble : clockTrouble);
          for (const device of words) if (refused) sink.availability(device, { state: 'unclear', detail: trouble, retained: false });
        });
      }),
    );
  }

  /** Subscribing again costs nothing and brings the retained messages, which a new point of a known topic has not seen. */
  #isNews({ filter, qos, heard, words }: Filter): boolean {
    const known = this.#asked.get(filter);
    const names = new Set([...heard.map(({ point }) => `${point.device}.${point.id}`), ...words]);
    if (known && known.qos === qos && [...names].every((name) => known.names.has(name))) return false;
    this.#asked.set(filter, { qos, names });
    return true;
  }

  /** Fixed topics of a kept session that nobody wants any more show themselves by their messages (`dropStray`); of a wildcard one cannot tell. */
  #rememberedWildcards(): string[] {
    const known = this.#options.kept ? this.#host.memory.get(rememberedAs) : undefined;
    return Array.isArray(known) ? known.filter((filter) => typeof filter === 'string' && filter.includes('+')) : [];
  }

  #rememberWildcards(filters: readonly string[]): void {
    if (!this.#options.kept) return;
    const wildcards = filters.filter((filter) => filter.includes('+'));
    if (wildcards.join('\n') !== this.#rememberedWildcards().join('\n')) this.#host.memory.set(rememberedAs, wildcards);
  }

  /** The broker's code for each filter of a batch of one QoS; undefined if the link went meanwhile. */
  #subscribe(batch: readonly Filter[]): Promise<readonly number[] | undefined> {
    return new Promise((resolve) => {
      const takeBack = this.#host.clock.after(this.#options.timeoutMs, () => {
        this.#link.end('the broker did not confirm a subscription');
        resolve(undefined);
      });
      const filters = batch.map(({ filter }) => filter);
      this.#link.client.subscribe(filters, { qos: batch[0]?.qos ?? 0 }, (_error, _granted, packet) => {
        takeBack();
        // A refusal comes as an error and with the packet; only without a packet is there no answer.
        resolve(packet?.granted as readonly number[] | undefined);
      });
    });
  }

  /** A kept session still has subscriptions of earlier settings; each is taken back once. */
  dropStray(topic: string): void {
    if (this.#strays.has(topic) || this.#strays.size >= limits.mqttHeldMessagesMax) return;
    this.#strays.add(topic);
    // mqtt.js answers here if the topic, which came from the broker, is no filter.
    this.#link.client.unsubscribe(topic, () => {});
  }
}

/** Words of availability first: whether a device is there decides what its retained values are worth. */
function batchesOf(wanted: readonly Filter[]): Filter[][] {
  const batches: Filter[][] = [];
  for (const words of [true, false]) {
    for (const qos of [0, 1, 2]) {
      const same = wanted.filter((filter) => filter.qos === qos && filter.words.length > 0 === words);
      for (let at = 0; at < same.length; at += limits.mqttTopicsPerSubscribeMax)
        batches.push(same.slice(at, at + limits.mqttTopicsPerSubscribeMax));
    }
  }
  return batches;
}

function refusal(code: number, version: 4 | 5): string {
  return version === 5 ? reasonText(code) : "no reason given (MQTT 3.1.1 has none); check this user's rights at the broker";
}
