interface Place {
  id: string;
  /** Resolves when it and all before it have gone. */
  gone: Promise<void>;
  isOver: boolean;
}

/** Commands of one device are sent in the order they came, one after the other, whatever each waits for before. */
export class Turns {
  readonly #rows = new Map<string, Place[]>();

  /** Takes the next place in the row of a device: await `come`, then call `done` exactly when the next may go. */
  take(device: string, id: string): { come: Promise<void>; done: () => void } {
    const row = this.#rows.get(device) ?? [];
    this.#rows.set(device, row);
    const come = row.at(-1)?.gone ?? Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    const place: Place = { id, gone: come.then(() => promise), isOver: false };
    row.push(place);
    void place.gone.then(() => {
      row.splice(row.indexOf(place), 1);
      if (row.length === 0 && this.#rows.get(device) === row) this.#rows.delete(device);
    });
    const done = () => {
      place.isOver = true;
      resolve();
    };
    return { come, done };
  }

  /** How many have to go before it: 0 if it is next, or on its way; undefined if it does not wait. */
  position(device: string, id: string): number | undefined {
    let before = 0;
    for (const place of this.#rows.get(device) ?? []) {
      if (place.id === id) return place.isOver ? undefined : before;
      if (!place.isOver) before += 1;
    }
    return undefined;
  }
}
