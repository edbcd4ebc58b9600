/** Every call into a driver goes through here: one that ignores its signal or never ends cannot hang the gateway. */
import type { Clock } from '../contract/clock.ts';
import { limits } from '../contract/limits.ts';

/** The driver did not end a call in its time. */
export class Overdue extends Error {
  constructor(limitMs: number) {
    super(`no result within ${limitMs / 1_000} s`);
    this.name = 'Overdue';
  }
}

/**
 * Runs `call` with a signal that is aborted with `signal` or after `limitMs`. Settles as the call does, but at the latest with `Overdue`
 * at the limit, or with the signal's reason `limits.abortGraceMs` after it was aborted. A call left behind has nobody waiting for it.
 */
export function bounded<T>(clock: Clock, limitMs: number, signal: AbortSignal, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error);
    const own = new AbortController();
    let cancel = clock.after(limitMs, () => {
      const overdue = new Overdue(limitMs);
      reject(overdue);
      own.abort(overdue);
    });
    const abort = () => {
      cancel();
      cancel = clock.after(limits.abortGraceMs, () => reject(signal.reason as Error));
      own.abort(signal.reason);
    };
    signal.addEventListener('abort', abort, { once: true });
    // The async function turns what the driver throws before its first await into a rejection too.
    (async () => await call(own.signal))()
      .then(resolve, reject)
      .finally(() => {
        cancel();
        signal.removeEventListener('abort', abort);
      });
  });
}

/** Waits at most `limitMs` for a promise that cannot be cancelled. */
export function within<T>(clock: Clock, limitMs: number, promise: Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const cancel = clock.after(limitMs, () => reject(new Overdue(limitMs)));
    promise.then(resolve, reject).finally(cancel);
  });
}
