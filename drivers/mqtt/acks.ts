/**
 * Confirmations of QoS 1 messages that wait for their samples to be committed, sent in the order of the messages [MQTT-4.6.0-2].
 * They do not hold up what comes after them: how many wait is bounded by the broker's window of unconfirmed messages.
 */
export class Acknowledger {
  readonly #send: (messageId: number) => void;
  readonly #waiting: { messageId: number; done: boolean }[] = [];

  constructor(send: (messageId: number) => void) {
    this.#send = send;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Confirms the message once all of `commits` are kept; never if one is refused, so that the broker sends it again. */
  add(messageId: number, commits: readonly Promise<void>[]): void {
    const entry = { messageId, done: false };
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
    for (const entry of this.#waiting) {
      if (!entry.done) break;
      this.#send(entry.messageId);
      sent++;
    }
    this.#waiting.splice(0, sent);
  }
}
