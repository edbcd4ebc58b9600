/** Samples on their way to live viewers, in batches. A slow taker loses the oldest, counted; it never slows the gateway. */
import { messageOf } from '../contract/fault.ts';
import { limits } from '../contract/limits.ts';
import type { Log } from '../contract/log.ts';
import type { LiveSample } from './gateway.ts';

type Take = (samples: readonly LiveSample[]) => void | Promise<void>;

interface Subscriber {
  readonly take: Take;
  /** Waits for the promise of the last batch. */
  queue: LiveSample[];
  busy: boolean;
}

export class Hub {
  dropped = 0;
  readonly #log: Log;
  readonly #subscribers = new Set<Subscriber>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** Whether anybody takes samples. */
  get isHeard(): boolean {
    return this.#subscribers.size > 0;
  }

  subscribe(take: Take): () => void {
    const subscriber: Subscriber = { take, queue: [], busy: false };
    this.#subscribers.add(subscriber);
    return () => {
      subscriber.queue = [];
      this.#subscribers.delete(subscriber);
    };
  }

  publish(samples: readonly LiveSample[]): void {
    for (const subscriber of this.#subscribers) {
      subscriber.queue = subscriber.queue.length === 0 ? samples.slice() : subscriber.queue.concat(samples);
      const excess = subscriber.queue.length - limits.hubQueueMax;
      if (excess > 0) {
        subscriber.queue = subscriber.queue.slice(excess);
        this.dropped += excess;
      }
      if (!subscriber.busy) void this.#deliver(subscriber);
    }
  }

  async #deliver(subscriber: Subscriber): Promise<void> {
    subscriber.busy = true;
    while (subscriber.queue.length > 0) {
      const batch = subscriber.queue;
      subscriber.queue = [];
      try {
        await subscriber.take(batch);
      } catch (error) {
        this.#log.warn('a live viewer failed and is not served any more', { error: messageOf(error) });
        this.#subscribers.delete(subscriber);
        subscriber.queue = [];
      }
    }
    subscriber.busy = false;
  }
}
