/** When something is due: a grid on the monotonic clock, so that it neither drifts nor is disturbed by the system clock. */
import type { Clock, Random } from '../contract/clock.ts';
import { limits } from '../contract/limits.ts';

/**
 * Runs at start + delay + k × interval until the returned function is called. Ticks missed because the process was busy or asleep are
 * skipped, not made up for.
 */
export function every(clock: Clock, delayMs: number, intervalMs: number, run: () => void): () => void {
  const startMs = clock.monotonicMs() + delayMs;
  let tick = 0;
  let cancel = clock.after(delayMs, fire);
  function fire(): void {
    const nowMs = clock.monotonicMs();
    tick = Math.max(tick, Math.floor((nowMs - startMs) / intervalMs)) + 1;
    cancel = clock.after(startMs + tick * intervalMs - nowMs, fire);
    run();
  }
  return () => cancel();
}

/** Multiples of it, less what is whole of them, lie far apart from one another however many they are. */
const goldenRatio = (Math.sqrt(5) - 1) / 2;

/**
 * Where the `index`th of `count` requests of one interval stands on the grid: spread out, yet the first value of each comes soon. `place` is that of its
 * connection: a hundred connections that open together would else ask together for ever, and a command would have to wait for all of their answers.
 */
export function phaseMs(index: number, count: number, intervalMs: number, place = 0): number {
  return ((index / count + place * goldenRatio) % 1) * Math.min(intervalMs, limits.pollSpreadMs);
}

/** The pause before the next attempt to open a link; `attempt` counts failures in a row from 0. A part is random, so that a site does not return in step. */
export function backoffMs(attempt: number, random: Random): number {
  const fullMs = Math.min(limits.backoffFirstMs * 2 ** Math.min(attempt, 30), limits.backoffMaxMs);
  return fullMs * (1 - limits.backoffJitter * random());
}
