import type { Worker } from 'node:worker_threads';
import { limits } from '../contract/limits.ts';
import { type Answer, type CallName, type Calls, type Request, StoreTrouble } from './messages.ts';

export interface CallOptions<K extends CallName> {
  signal?: AbortSignal;
  /** Is given an answer that comes after the signal was aborted. */
  late?: (answer: Calls[K]['answer']) => void;
}

export interface Link {
  /** Rejects with a `StoreTrouble`, or with the signal's reason as soon as it is aborted. */
  call<K extends CallName>(name: K, ask: Calls[K]['ask'], options?: CallOptions<K>): Promise<Calls[K]['answer']>;
  readonly waiting: number;
  /** Ends the thread; what waits is rejected. */
  end(): Promise<void>;
}

interface Waiter {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/**
 * Requests and answers over one worker thread. `onCrash` is called once if the thread ends without having been told to, `onDamage` for each part
 * of the history that turned out to be unreadable.
 */
export function createLink(worker: Worker, onCrash: (error: Error) => void, onDamage: (what: string) => void): Link {
  const waiters = new Map<number, Waiter>();
  const stops = new Int32Array(new SharedArrayBuffer(4 * limits.storeStopCells));
  let nextId = 1;
  let ended = false;

  const rejectAll = (error: Error) => {
    for (const waiter of waiters.values()) waiter.reject(error);
    waiters.clear();
  };
  const crash = (error: Error) => {
    if (ended) return;
    ended = true;
    rejectAll(new StoreTrouble('died', `the worker of the store ended by itself: ${error.message}`));
    void worker.terminate();
    onCrash(error);
  };
  worker.on('error', (error) => crash(error instanceof Error ? error : new Error(String(error))));
  worker.on('messageerror', crash);
  worker.on('exit', (code) => crash(new Error(`exit code ${code}`)));
  worker.on('message', (answer: Answer) => {
    for (const what of answer.damage ?? []) onDamage(what);
    const waiter = waiters.get(answer.id);
    waiters.delete(answer.id);
    if (!waiter) return;
    if ('trouble' in answer) waiter.reject(new StoreTrouble(answer.trouble.kind, answer.trouble.message));
    else waiter.resolve(answer.value);
  });

  return {
    get waiting() {
      return waiters.size;
    },

    call(name, ask, { signal, late } = {}) {
      if (ended) return Promise.reject(new StoreTrouble('disk', 'the worker of the store has ended'));
      if (signal?.aborted) return Promise.reject(signal.reason);
      return new Promise((resolve, reject) => {
        const id = nextId++;
        const request: Request = { id, name, ask };
        let stop = () => {};
        if (id === 1) request.stops = stops;
        if (signal) {
          stop = () => {
            // The answer still comes, soon, and finds nobody but `late`.
            Atomics.store(stops, id % stops.length, id);
            reject(signal.reason);
          };
          signal.addEventListener('abort', stop, { once: true });
        }
        waiters.set(id, {
          resolve(value) {
            signal?.removeEventListener('abort', stop);
            if (signal?.aborted) late?.(value as never);
            else resolve(value as never);
          },
          reject(error) {
            signal?.removeEventListener('abort', stop);
            reject(error);
          },
        });
        try {
          worker.postMessage(request);
        } catch (error) {
          waiters.delete(id);
          signal?.removeEventListener('abort', stop);
          reject(error);
        }
      });
    },

    async end() {
      ended = true;
      rejectAll(new StoreTrouble('disk', 'the store is closed'));
      await worker.terminate();
    },
  };
}
