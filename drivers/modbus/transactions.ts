/** Which open request an answer belongs to, by the number both carry. */
import { limits } from '../../src/contract/limits.ts';

export class Transactions<T> {
  readonly #open = new Map<number, T>();
  /** Not answered in time; kept so that the number is not used again while an answer may still come. */
  readonly #givenUp = new Set<number>();
  #last = 0;

  get size(): number {
    return this.#open.size;
  }

  /** A number for a new request; undefined if `limits.modbusInFlightMax` are open. */
  take(): number | undefined {
    if (this.#open.size >= limits.modbusInFlightMax) return undefined;
    do this.#last = (this.#last + 1) % 0x1_0000;
    while (this.#open.has(this.#last) || this.#givenUp.has(this.#last));
    return this.#last;
  }

  begin(transaction: number, request: T): void {
    this.#open.set(transaction, request);
  }

  /** The request that an answer with this number is for; undefined if nobody waits for it. */
  find(transaction: number): T | undefined {
    return this.#open.get(transaction);
  }

  /** Something with this number has come: it may be used again. True if its request had been given up. */
  heard(transaction: number): boolean {
    return this.#givenUp.size > 0 && this.#givenUp.delete(transaction);
  }

  /** Ends a request; `answered` is false if its answer may still come. */
  end(transaction: number, answered: boolean): void {
    this.#open.delete(transaction);
    if (answered) return;
    this.#givenUp.add(transaction);
    if (this.#givenUp.size <= limits.modbusGivenUpMax) return;
    for (const oldest of this.#givenUp) {
      this.#givenUp.delete(oldest);
      break;
    }
  }

  all(): T[] {
    return [...this.#open.values()];
  }
}
