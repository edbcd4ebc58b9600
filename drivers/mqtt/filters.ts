/** Subscription filters as a tree of their levels, so that a topic finds the ones it falls under however many there are (MQTT 5 §4.7). */

interface Level<T> {
  /** By the text of the next level, without wildcards; made when the first comes. */
  next: Map<string, Level<T>> | undefined;
  any: Level<T> | undefined;
  /** `#`: what hangs on it takes this level and all below. */
  rest: Level<T> | undefined;
  /** The filter that ends here. */
  filter: string | undefined;
  entries: T[];
}

const level = <T>(): Level<T> => ({ next: undefined, any: undefined, rest: undefined, filter: undefined, entries: [] });

export class FilterTree<T> {
  readonly #root = level<T>();

  add(filter: string, entry?: T): void {
    let at = this.#root;
    for (const text of filter.split('/')) {
      if (text === '+') at = at.any ??= level();
      else if (text === '#') at = at.rest ??= level();
      else {
        at.next ??= new Map();
        const next = at.next.get(text) ?? level<T>();
        at.next.set(text, next);
        at = next;
      }
    }
    at.filter = filter;
    if (entry !== undefined) at.entries.push(entry);
  }

  /** What was added under the filters this topic falls under. */
  under(levels: readonly string[]): T[] {
    const found: T[] = [];
    const take = (end: Level<T>) => {
      for (const entry of end.entries) found.push(entry);
    };
    collect(this.#root, levels, 0, take);
    return found;
  }

  /** Another filter that takes every topic this one takes. */
  cover(filter: string): string | undefined {
    let cover: string | undefined;
    collect(this.#root, filter.split('/'), 0, (end) => {
      if (end.filter !== undefined && end.filter !== filter) cover ??= end.filter;
    });
    return cover;
  }

  /** True if a topic could fall under this filter and under another one. */
  crosses(filter: string): boolean {
    return meets(this.#root, filter.split('/'), 0, filter);
  }
}

/** Where a topic, or a filter taken for one, ends. */
function collect<T>(at: Level<T>, levels: readonly string[], index: number, take: (end: Level<T>) => void): void {
  // A wildcard at the beginning takes no topic of the broker's own, such as `$SYS/…` [MQTT-4.7.2-1].
  const isWild = index > 0 || levels[0]?.startsWith('$') !== true;
  if (at.rest && isWild) take(at.rest);
  const text = levels[index];
  if (text === undefined) {
    take(at);
    return;
  }
  if (text === '#') return;
  const literal = text === '+' ? undefined : at.next?.get(text);
  if (literal) collect(literal, levels, index + 1, take);
  if (at.any && isWild) collect(at.any, levels, index + 1, take);
}

function meets<T>(at: Level<T>, levels: readonly string[], index: number, self: string): boolean {
  const isOther = (end: Level<T> | undefined) => end?.filter !== undefined && end.filter !== self;
  const text = levels[index];
  if (isOther(at.rest) && (index > 0 || text?.startsWith('$') !== true)) return true;
  if (text === undefined) return isOther(at);
  if (text === '#') return anyBelow(at, self, index === 0);
  const nexts = text === '+' ? literalsOf(at, index === 0) : [at.next?.get(text)];
  const any = index > 0 || !text.startsWith('$') ? at.any : undefined;
  return [...nexts, any].some((next) => next !== undefined && meets(next, levels, index + 1, self));
}

function anyBelow<T>(at: Level<T>, self: string, isRoot: boolean): boolean {
  return [at, at.rest, at.any, ...literalsOf(at, isRoot)].some(
    (end) => end !== undefined && ((end.filter !== undefined && end.filter !== self) || (end !== at && anyBelow(end, self, false))),
  );
}

/** What a wildcard may stand for here: not the broker's own topics at the beginning. */
function literalsOf<T>(at: Level<T>, isRoot: boolean): Level<T>[] {
  return [...(at.next ?? [])].flatMap(([text, next]) => (isRoot && text.startsWith('$') ? [] : [next]));
}
