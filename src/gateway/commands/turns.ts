/** Commands of one device are sent in the order they came, one after the other, whatever each waits for before. */
export class Turns {
  readonly #last = new Map<string, Promise<void>>();

  /** Takes the next place in the row of a device: await `come`, then call `done` exactly when the next may go. */
  take(device: string): { come: Promise<void>; done: () => void } {
    const come = this.#last.get(device) ?? Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    const both = come.then(() => promise);
    this.#last.set(device, both);
    void both.then(() => {
      if (this.#last.get(device) === both) this.#last.delete(device);
    });
    return { come, done: resolve };
  }
}
