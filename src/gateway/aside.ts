/**
 * Units that do not answer are set aside so that their time-outs do not use up the bus: after `limits.setAsideAfter` silences in a row
 * nothing is sent to them but one probe, first after `limits.setAsideFirstMs`, then after twice as long each time.
 */
import type { Clock } from '../contract/clock.ts';
import { limits } from '../contract/limits.ts';

interface Silence {
  count: number;
  /** Set once it is aside. */
  waitMs?: number;
  retryAtMs: number;
  probing: boolean;
}

export class Aside {
  readonly #clock: Clock;
  // Only units that are silent are in here: it cannot grow beyond what fails.
  readonly #silent = new Map<string, Silence>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds until the unit may be tried again (0: now); undefined if it is not set aside. */
  retryInMs(unit: string): number | undefined {
    const silence = this.#silent.get(unit);
    if (silence?.waitMs === undefined) return undefined;
    return Math.max(0, silence.retryAtMs - this.#clock.monotonicMs());
  }

  /** True if a job may be sent to the unit now; a unit set aside gets one at a time, and only when its wait is over. */
  admits(unit: string): boolean {
    const silence = this.#silent.get(unit);
    if (silence?.waitMs === undefined) return true;
    return !silence.probing && silence.retryAtMs <= this.#clock.monotonicMs();
  }

  begin(unit: string): void {
    const silence = this.#silent.get(unit);
    if (silence?.waitMs !== undefined) silence.probing = true;
  }

  /** `answered` is undefined when the job says nothing about the unit (the link broke). True if the unit has just been set aside. */
  end(unit: string, answered: boolean | undefined): boolean {
    if (answered === true) {
      this.#silent.delete(unit);
      return false;
    }
    const silence = this.#silent.get(unit) ?? { count: 0, retryAtMs: 0, probing: false };
    silence.probing = false;
    if (answered === undefined) return false;
    this.#silent.set(unit, silence);
    silence.count += 1;
    if (silence.count < limits.setAsideAfter) return false;
    const first = silence.waitMs === undefined;
    silence.waitMs = Math.min(silence.waitMs === undefined ? limits.setAsideFirstMs : silence.waitMs * 2, limits.setAsideMaxMs);
    silence.retryAtMs = this.#clock.monotonicMs() + silence.waitMs;
    return first;
  }

  /** Lets the next job of the unit through at once: its link has been opened anew. */
  retryNow(unit: string): void {
    const silence = this.#silent.get(unit);
    if (silence) silence.retryAtMs = this.#clock.monotonicMs();
  }
}
