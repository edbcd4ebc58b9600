/** What this session asked the broker for, kept in step with the points that are heard. */
import type { Host } from '../../src/contract/driver.ts';
import { limits } from '../../src/contract/limits.ts';
import type { Listener, TopicPoints } from './hearing.ts';
import type { Link } from './link.ts';
import { failureFrom, reasonText } from './reasons.ts';

export class Subscriptions {
  readonly #link: Link;
  readonly #host: Host;
  readonly #timeoutMs: number;
  readonly #version: 4 | 5;
  /** By topic: the points that were told its retained message, by name, and the QoS asked for. */
  readonly #asked = new Map<string, { qos: number; points: Set<string> }>();
  readonly #strays = new Set<string>();

  constructor(link: Link, host: Host, options: { timeoutMs: number; version: 4 | 5 }) {
    this.#link = link;
    this.#host = host;
    this.#timeoutMs = options.timeoutMs;
    this.#version = options.version;
  }

  /** Subscribes to what is new, takes back what is gone; refusals become troubles of the points. Resolves when the broker has answered. */
  async follow({ topics, sink }: Listener): Promise<void> {
    const gone = [...this.#asked.keys()].filter((topic) => !topics.has(topic));
    for (const topic of gone) this.#asked.delete(topic);
    if (gone.length > 0) this.#link.client.unsubscribe(gone, () => {});
    const wanted = [...topics.values()].filter((group) => this.#isNews(group));
    const batches: TopicPoints[][] = [];
    for (const qos of [0, 1, 2]) {
      const same = wanted.filter((group) => group.qos === qos);
      for (let at = 0; at < same.length; at += limits.mqttTopicsPerSubscribeMax)
        batches.push(same.slice(at, at + limits.mqttTopicsPerSubscribeMax));
    }
    await Promise.all(
      batches.map(async (batch) => {
        const codes = await this.#subscribe(batch);
        if (!codes) return;
        batch.forEach((group, index) => {
          const code = codes[index] ?? 0;
          const refused = code >= failureFrom;
          if (refused) this.#asked.delete(group.topic);
          const trouble = `the broker refuses to tell topic ${JSON.stringify(group.topic)}: ${refusal(code, this.#version)}`;
          // A refusal of an earlier session is over; a message that was faster than the broker's yes may have left a trouble of its own.
          for (const { point, clockTrouble } of group.readers) sink.trouble(point, refused ? trouble : clockTrouble);
        });
      }),
    );
  }

  /** Subscribing again costs nothing and brings the retained message, which a new point of a known topic has not seen. */
  #isNews(group: TopicPoints): boolean {
    const known = this.#asked.get(group.topic);
    const points = new Set(group.readers.map(({ point }) => `${point.device}.${point.id}`));
    if (known && known.qos === group.qos && [...points].every((point) => known.points.has(point))) return false;
    this.#asked.set(group.topic, { qos: group.qos, points });
    return true;
  }

  /** The broker's code for each topic of a batch of one QoS; undefined if the link went meanwhile. */
  #subscribe(batch: readonly TopicPoints[]): Promise<readonly number[] | undefined> {
    return new Promise((resolve) => {
      const takeBack = this.#host.clock.after(this.#timeoutMs, () => {
        this.#link.end('the broker did not confirm a subscription');
        resolve(undefined);
      });
      const topics = batch.map(({ topic }) => topic);
      this.#link.client.subscribe(topics, { qos: batch[0]?.qos ?? 0 }, (_error, _granted, packet) => {
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

function refusal(code: number, version: 4 | 5): string {
  return version === 5 ? reasonText(code) : "no reason given (MQTT 3.1.1 has none); check this user's rights at the broker";
}
