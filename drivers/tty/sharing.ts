/** One thing for all connections on an endpoint: opened by the first, given to those who come after, closed when the last has left. */

export interface Shareable {
  /** Set when it is gone by itself: whoever comes next opens a new one. */
  readonly over: Error | undefined;
  /** Never rejects; resolves when the endpoint is free. */
  close(): Promise<void>;
}

export interface Member<T> {
  readonly thing: T;
  /** Never rejects; any number of times. Resolves, for the last one, when the endpoint is free. */
  leave(): Promise<void>;
}

interface Entry<T> {
  thing: Promise<T>;
  members: number;
  closing: Promise<void> | undefined;
  /** Aborted when nobody wants it any more, opened or not. */
  abandon: AbortController;
}

const place = 'line';

/** `shared` is the host's map of the endpoint. Aborted, it rejects when what was being opened is closed again, unless somebody else wants it. */
export async function join<T extends Shareable>(
  shared: Map<string, unknown>,
  open: (abandoned: AbortSignal) => Promise<T>,
  signal: AbortSignal,
): Promise<Member<T>> {
  for (;;) {
    signal.throwIfAborted();
    const entry = (shared.get(place) as Entry<T> | undefined) ?? begin(shared, open);
    if (entry.closing !== undefined) {
      await entry.closing;
      continue;
    }
    entry.members += 1;
    let left: Promise<void> | undefined;
    const leave = () => {
      left ??= depart(shared, entry);
      return left;
    };
    try {
      const thing = await unlessAborted(entry.thing, signal);
      if (!thing.over) return { thing, leave };
    } catch (error) {
      await leave();
      throw error;
    }
    await leave();
  }
}

function begin<T extends Shareable>(shared: Map<string, unknown>, open: (abandoned: AbortSignal) => Promise<T>): Entry<T> {
  const abandon = new AbortController();
  const entry: Entry<T> = { thing: open(abandon.signal), members: 0, closing: undefined, abandon };
  shared.set(place, entry);
  // Failed: the next to come tries anew.
  entry.thing.catch(() => {
    if (shared.get(place) === entry) shared.delete(place);
  });
  return entry;
}

async function depart<T extends Shareable>(shared: Map<string, unknown>, entry: Entry<T>): Promise<void> {
  entry.members -= 1;
  if (entry.members === 0) entry.abandon.abort(new Error('nobody waits for it any more'));
  const thing = await entry.thing.catch(() => undefined);
  if (!thing || (entry.members > 0 && !thing.over)) return;
  // Gone, it is closed at once, although others have yet to leave.
  entry.closing ??= thing.close().finally(() => {
    if (shared.get(place) === entry) shared.delete(place);
  });
  await entry.closing;
}

function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    void promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
