/** Time and randomness are passed in, so that tests can hold them still. */
export interface Clock {
  /** Wall time in nanoseconds since 1970, in whole milliseconds: the resolution of a sample's time. */
  nowNs(): bigint;
  /** Wall time in milliseconds since 1970. */
  nowMs(): number;
  /** A clock that never jumps, in milliseconds from an arbitrary start: for intervals and time-outs. */
  monotonicMs(): number;
  /** Calls back once after `delayMs`; the returned function takes it back. */
  after(delayMs: number, run: () => void): () => void;
  /** Resolves after `delayMs`, rejects with the signal's reason when it is aborted first. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

/** A number in [0, 1), as `Math.random`. */
export type Random = () => number;

export const systemClock: Clock = {
  nowNs: () => BigInt(Date.now()) * 1_000_000n,
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
  sleep(delayMs, signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', stop);
        resolve();
      }, delayMs);
      const stop = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', stop, { once: true });
    });
  },
};
