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
  readonly #lost: (error: unknown) => void;
  #isOver = false;

  /**
   * `lost` is called once, when samples are not kept: from then on nothing is confirmed. A broker sends again only after a new connection
   * [MQTT-4.4.0-1], and until then each such message would take a place of its window for ever.
   */
  constructor(send: (messageId: number, confirmation: Confirmation) => void, lost: (error: unknown) => void) {
    this.#send = send;
    this.#lost = lost;
  }

  /** Confirms the message once `committed` is kept; never if it rejects, so that the broker sends it again. */
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
      (error: unknown) => {
        if (this.#isOver) return;
        this.#isOver = true;
        this.#lost(error);
      },
    );
    return group;
  }

  #sendDone(): void {
    while (!this.#isOver && this.#groups[0]?.done) {
      const { messages } = this.#groups.shift() as Group;
      for (const { messageId, confirmation } of messages) this.#send(messageId, confirmation);
    }
  }
}
