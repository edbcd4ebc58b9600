import type { Clock } from '../contract/clock.ts';
import { limits } from '../contract/limits.ts';

/**
 * By which time history is deleted. A clock that is set wrong (a battery that is empty, a time server that lies) must not take the history with it:
 * one that is suddenly far ahead is believed when it has gone on like that for a while, until then time goes on from what was believed last. One that
 * is behind is taken at once, because it only deletes less.
 */
export class BelievedClock {
  readonly #clock: Clock;
  #believed: { wallMs: number; atMs: number } | undefined;
  #doubted: { aheadMs: number; sinceMs: number } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The latest time that was believed, from an earlier run. How long ago that was nobody knows but the clock. */
  recall(wallMs: number): void {
    this.#believed ??= { wallMs, atMs: this.#clock.monotonicMs() };
  }

  /** Milliseconds since 1970. */
  now(): number {
    const wallMs = this.#clock.nowMs();
    const atMs = this.#clock.monotonicMs();
    const expectedMs = this.#expectedMs(atMs) ?? wallMs;
    if (wallMs <= expectedMs + limits.clockJumpMs) return this.#believe(wallMs, atMs);
    // The difference to the clock that never jumps tells one jump from the next.
    const aheadMs = wallMs - atMs;
    if (!this.#doubted || Math.abs(this.#doubted.aheadMs - aheadMs) > limits.clockJumpMs) this.#doubted = { aheadMs, sinceMs: atMs };
    if (atMs - this.#doubted.sinceMs >= limits.clockDoubtMs) return this.#believe(wallMs, atMs);
    return expectedMs;
  }

  /** How far the clock is ahead of what is believed; undefined if it is believed. As of the last `now`. */
  get doubtedMs(): number | undefined {
    if (!this.#doubted) return undefined;
    const expectedMs = this.#expectedMs(this.#clock.monotonicMs());
    return expectedMs === undefined ? undefined : this.#clock.nowMs() - expectedMs;
  }

  /** What the clock should show if time went on from what was believed last. */
  #expectedMs(atMs: number): number | undefined {
    return this.#believed && this.#believed.wallMs + (atMs - this.#believed.atMs);
  }

  #believe(wallMs: number, atMs: number): number {
    this.#believed = { wallMs, atMs };
    this.#doubted = undefined;
    return wallMs;
  }
}
