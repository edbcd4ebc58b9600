/** Reads what is remembered when the store lets it, and writes what changes, in order and bounded, when it does. */
import type { Clock } from '../../contract/clock.ts';
import { Fault, messageOf } from '../../contract/fault.ts';
import { limits } from '../../contract/limits.ts';
import type { Log } from '../../contract/log.ts';
import type { Ledger, Remembered } from './ledger.ts';

export interface Memory {
  /** Resolves after the first try to read; whoever needs what is remembered waits for it, and goes on without it if the store cannot be read yet. */
  readonly tried: Promise<void>;
  /** Whether it has been read: from then on it can be written. */
  readonly ready: boolean;
  /**
   * Writes when that is possible. What is written under a name while an earlier one still waits takes its place. Resolves when it is on disk;
   * rejects if it will not be, and says so in the log.
   */
  write(name: string, job: (ledger: Ledger) => Promise<void>): Promise<void>;
  /** Ends the trying. What waits is not written any more. */
  close(): void;
}

/** Without a data folder nothing outlives the process, so nothing is remembered. */
export const noMemory: Memory = { tried: Promise.resolve(), ready: true, write: () => Promise.resolve(), close: () => undefined };

/** `take` gets what was found, once, before anything is written. */
export function createMemory(
  { ledger, clock, log }: { ledger: Ledger; clock: Clock; log: Log },
  take: (found: Remembered[]) => void,
): Memory {
  const closing = new AbortController();
  const tried = Promise.withResolvers<void>();
  const read = Promise.withResolvers<void>();
  const waiting = new Map<string, (ledger: Ledger) => Promise<void>>();
  const tails = new Map<string, Promise<void>>();
  let ready = false;
  void load();

  async function load(): Promise<void> {
    for (let told = false; !ready && !closing.signal.aborted; ) {
      try {
        const found = await ledger.load();
        if (closing.signal.aborted) break;
        take(found);
        ready = true;
        read.resolve();
        void reseal(found);
      } catch (error) {
        if (!told && !closing.signal.aborted)
          log.warn('what is remembered of the data sources cannot be read yet', { error: messageOf(error) });
        told = true;
        tried.resolve();
        await clock.sleep(limits.recallRetryMs, closing.signal).catch(() => undefined);
      }
    }
    tried.resolve();
  }

  /** A `state_key` that was set since takes over from the key file, which then goes. What waits to be written is sealed anew anyway. */
  async function reseal(found: readonly Remembered[]): Promise<void> {
    const stale = found.filter(({ key, stale }) => stale && !waiting.has(key));
    try {
      await Promise.all(
        stale.map(({ key, orgId, settings, retentionMs, removed }) => write(key, (to) => to.save(orgId, settings, retentionMs, removed))),
      );
      await Promise.all(found.map(({ key }) => tails.get(key)));
      if (!found.some(({ lost }) => lost) && (await ledger.dropKeyFile()))
        log.info('state_key has taken over from the key file, which is removed');
    } catch {
      // Said where it was noticed; the key file stays as long as it may be needed.
    }
  }

  function write(name: string, job: (to: Ledger) => Promise<void>): Promise<void> {
    if (closing.signal.aborted) return Promise.resolve();
    const queued = waiting.has(name) ? tails.get(name) : undefined;
    waiting.set(name, job);
    if (queued !== undefined) return queued;
    const tail = (tails.get(name) ?? read.promise)
      .catch(() => undefined)
      .then(() => {
        const latest = waiting.get(name);
        waiting.delete(name);
        return latest?.(ledger);
      });
    tails.set(name, tail);
    const done = () => {
      if (tails.get(name) === tail) tails.delete(name);
    };
    tail.then(done, (error: unknown) => {
      log.warn('settings are not remembered', { what: name, error: messageOf(error) });
      done();
    });
    return tail;
  }

  return {
    tried: tried.promise,
    get ready() {
      return ready;
    },
    write,
    close: () => closing.abort(),
  };
}

/** For what must be on disk before it is answered. */
export function demandReady(memory: Memory): void {
  if (memory.ready) return;
  throw new Fault('what is remembered cannot be changed: the data folder is not open; health says why', {
    type: 'storage-waiting',
    blame: 'gateway',
    status: 503,
  });
}
