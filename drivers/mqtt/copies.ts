/**
 * Copies of one message. A broker may send a message once for each subscription it falls under (3.1.1 §3.3.5), and without the identifiers of MQTT 5 the
 * copies look like a device that says the same again. They come one right after the other, so what is the same so soon, and no more often than there are
 * subscriptions, is a copy. Where a broker sends none, a device that repeats itself within that time is heard once: its value is the same.
 */
import { limits } from '../../src/contract/limits.ts';

export class Copies {
  readonly #subscriptions: number;
  #payload: Buffer | undefined;
  #heardMs = 0;
  #left = 0;

  /** `subscriptions`: those that bring the topic. */
  constructor(subscriptions: number) {
    this.#subscriptions = subscriptions;
  }

  /** Takes each message of the topic; true if it is one more copy of the last. `nowMs` is monotonic. */
  isCopy(payload: Buffer, nowMs: number): boolean {
    if (this.#left > 0 && nowMs - this.#heardMs <= limits.mqttCopiesMs && this.#payload?.equals(payload)) {
      this.#left--;
      return true;
    }
    // The parser's payload is a view of a whole chunk of the socket.
    this.#payload = Buffer.from(payload);
    this.#heardMs = nowMs;
    this.#left = this.#subscriptions - 1;
    return false;
  }
}
