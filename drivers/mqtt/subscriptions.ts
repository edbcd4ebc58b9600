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
  /** The group that shares the messages. */
  share: string | undefined;
}

export class Subscriptions {
  readonly #link: Link;
  readonly #host: Host;
  readonly #options: SubscriptionsOptions;
  /** By filter: who was told its retained messages, by name, and the QoS asked for. */
  readonly #asked = new Map<string, { qos: number; names: Set<string> }>();
  readonly #strays = new Set<string>();
  #settled: Promise<void> = Promise.resolve();

  constructor(link: Link, host: Host, options: SubscriptionsOptions) {
    this.#link = link;
    this.#host = host;
    this.#options = options;
  }

  /** Subscribes to what is new, takes back what is gone; refusals become troubles. Resolves when the broker has answered. */
  async follow(listener: Listener): Promise<void> {
    const following = this.#follow(listener);
    // Whoever waits for it does not care why it failed.
    this.#settled = following.catch(() => {});
    await following;
  }

  /** Resolves when the broker has answered what was asked last: from then on nothing is missed. */
  settled(): Promise<void> {
    return this.#settled;
  }

  async #follow({ topics: { filters }, sink }: Listener): Promise<void> {
    const names = new Set([...filters.values()].map((filter) => this.#nameOf(filter)));
    const gone = [...new Set([...this.#asked.keys(), ...this.#remembered()])].filter((name) => !names.has(name));
    for (const name of gone) this.#asked.delete(name);
    if (gone.length > 0) this.#link.client.unsubscribe(gone, () => {});
    const wanted = [...filters.values()].filter((filter) => this.#isNews(filter));
    this.#remember([...names]);
    await Promise.all(
      batchesOf(wanted, this.#hasIdentifiers).map(async (batch) => {
        const codes = await this.#subscribe(batch);
        if (!codes) return;
        batch.forEach((filter, index) => {
          const code = codes[index] ?? 0;
          const refused = code >= failureFrom;
          if (refused) this.#asked.delete(this.#nameOf(filter));
          const trouble = `the broker refuses to tell topic ${JSON.stringify(this.#nameOf(filter))}: ${refusal(code, this.#options.version)}`;
          // A refusal of an earlier session is over; a message that was faster than the broker's yes may have left a trouble of its own.
          for (const { point, clockTrouble } of filter.heard) sink.trouble(point, refused ? trouble : clockTrouble);
          if (filter.source !== undefined) sink.misunderstood(filter.source, filter.filter, refused ? trouble : undefined);
          for (const device of filter.words) if (refused) sink.availability(device, { state: 'unclear', detail: trouble, retained: false });
        });
      }),
    );
  }

  /** How the broker is asked. Whether a device is there all of a group want to know. */
  #nameOf({ filter, words, source }: Filter): string {
    return this.#options.share === undefined || words.length > 0 || source !== undefined
      ? filter
      : `$share/${this.#options.share}/${filter}`;
  }

  get #hasIdentifiers(): boolean {
    return this.#options.version === 5 && this.#link.client.serverProperties?.subscriptionIdentifiersAvailable !== false;
  }

  /** Subscribing again costs nothing and brings the retained messages, which a new point of a known topic has not seen. */
  #isNews(filter: Filter): boolean {
    const { qos, heard, words } = filter;
    const known = this.#asked.get(this.#nameOf(filter));
    const names = new Set([...heard.map(({ point }) => `${point.device}.${point.id}`), ...words]);
    if (known && known.qos === qos && [...names].every((name) => known.names.has(name))) return false;
    this.#asked.set(this.#nameOf(filter), { qos, names });
    return true;
  }

  /** Fixed topics of a kept session that nobody wants any more show themselves by their messages (`dropStray`); of a wildcard one cannot tell. */
  #remembered(): string[] {
    const known = this.#options.kept ? this.#host.memory.get(rememberedAs) : undefined;
    return Array.isArray(known) ? known.filter((name) => typeof name === 'string' && isRemembered(name)) : [];
  }

  #remember(names: readonly string[]): void {
    if (!this.#options.kept) return;
    const wildcards = names.filter(isRemembered);
    if (wildcards.join('\n') !== this.#remembered().join('\n')) this.#host.memory.set(rememberedAs, wildcards);
  }

  /** The broker's code for each filter of a batch of one QoS; undefined if the link went meanwhile. */
  #subscribe(batch: readonly Filter[]): Promise<readonly number[] | undefined> {
    return new Promise((resolve) => {
      const takeBack = this.#host.clock.after(this.#options.timeoutMs, () => {
        this.#link.end(
          `the broker did not confirm the subscription of ${JSON.stringify(
            batch
              .slice(0, 1)
              .map((filter) => this.#nameOf(filter))
              .join(),
          )}${batch.length > 1 ? ` and ${batch.length - 1} more` : ''}`,
        );
        // Not before the loss is known: else it would look as if all had been answered.
        this.#link.whenLost(() => resolve(undefined));
      });
      const [first] = batch;
      const identifier = this.#hasIdentifiers ? first?.identifier : undefined;
      const options = { qos: first?.qos ?? 0, ...(identifier === undefined ? {} : { properties: { subscriptionIdentifier: identifier } }) };
      const names = batch.map((filter) => this.#nameOf(filter));
      this.#link.client.subscribe(names, options, (_error, _granted, packet) => {
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

/** Of a fixed topic one can tell by its messages that nobody wants it any more (`dropStray`). */
const isRemembered = (name: string) => /[+#]/.test(name) || name.startsWith('$share/');

/** Words of availability first: whether a device is there decides what its retained values are worth. One identifier holds for a whole SUBSCRIBE. */
function batchesOf(wanted: readonly Filter[], hasIdentifiers: boolean): Filter[][] {
  const batches: Filter[][] = [];
  for (const words of [true, false]) {
    for (const qos of [0, 1, 2]) {
      const same = wanted.filter((filter) => filter.qos === qos && filter.words.length > 0 === words);
      const alone = same.filter(({ identifier }) => hasIdentifiers && identifier !== undefined);
      const together = same.filter(({ identifier }) => !hasIdentifiers || identifier === undefined);
      for (let at = 0; at < together.length; at += limits.mqttTopicsPerSubscribeMax)
        batches.push(together.slice(at, at + limits.mqttTopicsPerSubscribeMax));
      batches.push(...alone.map((filter) => [filter]));
    }
  }
  return batches;
}

function refusal(code: number, version: 4 | 5): string {
  return version === 5 ? reasonText(code) : "no reason given (MQTT 3.1.1 has none); check this user's rights at the broker";
}
