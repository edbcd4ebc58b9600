/** What waits for one reader of a long answer: bounded, in the order it came. */
import type { Clock } from '../../contract/clock.ts';
import { limits } from '../../contract/limits.ts';

export class Backlog {
  /** Events that came when there was no room any more, or after that. */
  lost = 0;
  readonly #bytesMax: number;
  #waiting: Buffer[] = [];
  #bytes = 0;
  #wake: () => void = () => undefined;

  constructor(bytesMax: number = limits.eventsWaitingBytesMax) {
    this.#bytesMax = bytesMax;
  }

  /** From the first event that has no room on nothing is taken: a reader that is so far behind is to be dropped, not given half. */
  push(text: string): void {
    if (this.lost > 0 || this.#waiting.length >= limits.eventsWaitingMax || this.#bytes >= this.#bytesMax) {
      this.lost += 1;
      // What it was too slow for is not sent any more either: the word why comes next.
      this.#clear();
    } else {
      const bytes = Buffer.from(text);
      this.#waiting.push(bytes);
      this.#bytes += bytes.length;
    }
    this.#wake();
  }

  take(): Buffer | undefined {
    if (this.#waiting.length === 0) return undefined;
    const all = Buffer.concat(this.#waiting);
    this.#clear();
    return all;
  }

  /** True as soon as something waits, was lost, or `wake` was called; false when that takes too long. */
  next(clock: Clock, patienceMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const cancel = clock.after(patienceMs, () => resolve(false));
      this.#wake = () => {
        cancel();
        resolve(true);
      };
      if (this.#waiting.length > 0 || this.lost > 0) this.#wake();
    });
  }

  wake(): void {
    this.#wake();
  }

  #clear(): void {
    this.#waiting = [];
    this.#bytes = 0;
  }
}
