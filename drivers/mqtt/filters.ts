/** Subscription filters as a tree of their levels, so that a topic finds the ones it falls under however many there are (MQTT 5 §4.7). */

interface Level<T> {
  readonly next: Map<string, Level<T>>;
  /** The filter that ends here. */
  filter?: string;
  entries: T[];
}

/** Filters with the wildcard `+` only. */
export class FilterTree<T> {
  readonly #root: Level<T> = { next: new Map(), entries: [] };

  add(filter: string, entry?: T): void {
    let level = this.#root;
    for (const text of filter.split('/')) {
      const next: Level<T> = level.next.get(text) ?? { next: new Map(), entries: [] };
      level.next.set(text, next);
      level = next;
    }
    level.filter = filter;
    if (entry !== undefined) level.entries.push(entry);
  }

  /** What was added under the filters this topic falls under. */
  under(levels: readonly string[]): T[] {
    return this.#ends(levels).flatMap((end) => end.entries);
  }

  /** Another filter that takes every topic this one takes. */
  cover(filter: string): string | undefined {
    return this.#ends(filter.split('/')).find((end) => end.filter !== filter)?.filter;
  }

  #ends(levels: readonly string[]): Level<T>[] {
    let reached = [this.#root];
    for (const [index, text] of levels.entries()) {
      // A wildcard at the beginning takes no topic of the broker's own, such as `$SYS/…` [MQTT-4.7.2-1].
      const any = index > 0 || !text.startsWith('$');
      reached = reached.flatMap(({ next }) => {
        const literal = text === '+' ? undefined : next.get(text);
        const wild = any ? next.get('+') : undefined;
        return [...(literal ? [literal] : []), ...(wild ? [wild] : [])];
      });
    }
    return reached.filter((level) => level.filter !== undefined);
  }
}
