/**
 * Confirmations of messages of QoS 1 and 2 that wait for their samples to be committed, sent in the order of the messages [MQTT-4.6.0-2, -3].
 * They do not hold up what comes after them: how many wait is bounded by the broker's window of unconfirmed messages (`receiveMaximum`).
 */
import type { Confirmation } from './incoming.ts';

/** Messages that came together and wait for the same commit. */
interface Group {
  readonly committed: Promise<void>;
  readonly messages: { messageId: number; confirmation: Confirmation }[];
  done: boolean;
}

const nothingToCommit = Promise.resolve();

export class Acknowledger {
  readonly #send: (messageId: number, confirmation: Confirmation) => void;
  /** In the order in which they came. */
  readonly #groups: Group[] = [];

  constructor(send: (messageId: number, confirmation: Confirmation) => void) {
    this.#send = send;
  }

  /** Confirms the message once `committed` is kept; never if it is refused, so that the broker sends it again. */
  add(messageId: number, confirmation: Confirmation, committed = nothingToCommit): void {
    const last = this.#groups.at(-1);
    const group = last?.committed === committed ? last : this.#begin(committed);
    group.messages.push({ messageId, confirmation });
  }

  #begin(committed: Promise<void>): Group {
    const group: Group = { committed, messages: [], done: false };
    this.#groups.push(group);
    committed.then(
      () => {
        group.done = true;
        this.#sendDone();
      },
      () => {
        // The ones behind must not wait for it for ever.
        this.#groups.splice(this.#groups.indexOf(group), 1);
        this.#sendDone();
      },
    );
    return group;
  }

  #sendDone(): void {
    while (this.#groups[0]?.done) {
      const { messages } = this.#groups.shift() as Group;
      for (const { messageId, confirmation } of messages) this.#send(messageId, confirmation);
    }
  }
}
