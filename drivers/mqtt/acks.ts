/**
 * Confirmations of messages of QoS 1 and 2 that wait for their samples to be committed, sent in the order of the messages [MQTT-4.6.0-2, -3].
 * They do not hold up what comes after them: how many wait is bounded by the broker's window of unconfirmed messages (`receiveMaximum`).
 */
import type { Confirmation } from './incoming.ts';

interface Waiting {
  messageId: number;
  confirmation: Confirmation;
  done: boolean;
}

export class Acknowledger {
  readonly #send: (messageId: number, confirmation: Confirmation) => void;
  readonly #waiting: Waiting[] = [];

  constructor(send: (messageId: number, confirmation: Confirmation) => void) {
    this.#send = send;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Confirms the message once all of `commits` are kept; never if one is refused, so that the broker sends it again. */
  add(messageId: number, confirmation: Confirmation, commits: readonly Promise<void>[]): void {
    const entry = { messageId, confirmation, done: false };
    this.#waiting.push(entry);
    Promise.all(commits).then(
      () => {
        entry.done = true;
        this.#sendDone();
      },
      () => {
        // The ones behind must not wait for it for ever.
        const at = this.#waiting.indexOf(entry);
        if (at >= 0) this.#waiting.splice(at, 1);
        this.#sendDone();
      },
    );
  }

  #sendDone(): void {
    let sent = 0;
    for (const { messageId, confirmation, done } of this.#waiting) {
      if (!done) break;
      this.#send(messageId, confirmation);
      sent++;
    }
    this.#waiting.splice(0, sent);
  }
}
