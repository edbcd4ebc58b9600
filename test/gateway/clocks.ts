import type { Clock } from '../../src/contract/clock.ts';

/** A clock that runs `factor` times as fast as ours, for tests over a real wire whose waits are seconds. */
export function fastClock(factor: number): Clock {
  const startMs = Date.now();
  const start = performance.now();
  const monotonicMs = () => (performance.now() - start) * factor;
  const nowMs = () => Math.floor(startMs + monotonicMs());
  const after = (delayMs: number, run: () => void) => {
    const timer = setTimeout(run, delayMs / factor);
    return () => clearTimeout(timer);
  };
  return { nowNs: () => BigInt(nowMs()) * 1_000_000n, nowMs, monotonicMs, after, sleep: sleepBy(after) };
}

export interface ManualClock extends Clock {
  /** Lets time pass, running what becomes due in order, each at its moment; awaits what it starts. */
  pass(ms: number): Promise<void>;
  /** Sets the wall clock, as an administrator or NTP would; the monotonic one goes on. */
  jump(ms: number): void;
  timers(): number;
}

export function manualClock(startMs = 1_700_000_000_000): ManualClock {
  let monotonic = 0;
  let wall = startMs;
  const timers = new Map<() => void, number>();
  const after = (delayMs: number, run: () => void) => {
    const once = () => {
      timers.delete(once);
      run();
    };
    timers.set(once, monotonic + Math.max(0, delayMs));
    return () => void timers.delete(once);
  };
  return {
    nowNs: () => BigInt(Math.floor(wall)) * 1_000_000n,
    nowMs: () => Math.floor(wall),
    monotonicMs: () => monotonic,
    after,
    sleep: sleepBy(after),
    jump: (ms) => {
      wall += ms;
    },
    timers: () => timers.size,
    async pass(ms) {
      const end = monotonic + ms;
      for (;;) {
        const [next, atMs] = [...timers].sort((a, b) => a[1] - b[1])[0] ?? [];
        if (!next || atMs === undefined || atMs > end) break;
        wall += atMs - monotonic;
        monotonic = atMs;
        next();
        await new Promise((resolve) => setImmediate(resolve));
      }
      wall += end - monotonic;
      monotonic = end;
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

function sleepBy(after: Clock['after']): Clock['sleep'] {
  return (delayMs, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error);
      const stop = () => {
        cancel();
        reject(signal?.reason as Error);
      };
      const cancel = after(delayMs, () => {
        signal?.removeEventListener('abort', stop);
        resolve();
      });
      signal?.addEventListener('abort', stop, { once: true });
    });
}
