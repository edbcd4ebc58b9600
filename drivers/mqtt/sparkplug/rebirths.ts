/**
 * Requests for a new birth (specification 3.0, §5.20): never more often than an edge node can bear. Each waits longer than the one before as long as the
 * reasons do not end, and all together keep a rate, so that a broker with thousands of edge nodes is not flooded when the gateway comes.
 */
import type { Clock } from '../../../src/contract/clock.ts';
import { limits } from '../../../src/contract/limits.ts';

interface Asked {
  atMs: number;
  gapMs: number;
}

export class Rebirths {
  readonly #clock: Clock;
  readonly #send: (node: string) => void;
  readonly #waiting = new Set<string>();
  readonly #asked = new Map<string, Asked>();
  #takeBack: (() => void) | undefined;
  /** When the next may be sent, whoever it is for. */
  #freeMs = 0;

  constructor(clock: Clock, send: (node: string) => void) {
    this.#clock = clock;
    this.#send = send;
  }

  /** Asks the node, as soon as it may be asked. */
  ask(node: string): void {
    if (this.#waiting.has(node)) return;
    this.#waiting.add(node);
    // The timer may be set for one that has to wait long.
    this.#lookAt(this.#freeMs);
  }

  /** The node was born: what it was to be asked for has come. */
  born(node: string): void {
    this.#waiting.delete(node);
  }

  close(): void {
    this.#takeBack?.();
    this.#takeBack = undefined;
    this.#waiting.clear();
  }

  #look(): void {
    this.#takeBack = undefined;
    const nowMs = this.#clock.monotonicMs();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const node of this.#waiting) {
      const before = this.#asked.get(node);
      const dueMs = before ? before.atMs + before.gapMs : nowMs;
      if (dueMs > nowMs) {
        nextMs = Math.min(nextMs, dueMs);
        continue;
      }
      this.#waiting.delete(node);
      const isAgain = before !== undefined && nowMs - dueMs < before.gapMs;
      const gapMs = isAgain ? Math.min(before.gapMs * 2, limits.sparkplugRebirthGapMaxMs) : limits.sparkplugRebirthGapMs;
      this.#asked.set(node, { atMs: nowMs, gapMs });
      this.#send(node);
      this.#freeMs = nowMs + limits.sparkplugRebirthEveryMs;
      nextMs = this.#freeMs;
      break;
    }
    if (this.#waiting.size > 0) this.#lookAt(nextMs);
  }

  #lookAt(atMs: number): void {
    this.#takeBack?.();
    this.#takeBack = this.#clock.after(Math.max(0, atMs - this.#clock.monotonicMs()), () => this.#look());
  }
}
