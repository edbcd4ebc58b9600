/**
 * The order of an edge node's messages by their number of 0 to 255 (specification 3.0, §5.13 "Message Ordering"). What is ahead of its turn is held until
 * what is missing comes, or the time for that is over; then it is handed on all the same, because data are worth having.
 */
import type { Clock } from '../../../src/contract/clock.ts';

export interface SequenceOptions<T> {
  clock: Clock;
  timeoutMs: number;
  /** A message whose turn it is, or whose turn is over. */
  deliver(message: T): void;
  /** Something is missing, and did not come in time; undefined: the birth itself. */
  missing(seq: number | undefined): void;
  /** Takes bytes from what all may hold together; false if there is no room. */
  hold(bytes: number): boolean;
  release(bytes: number): void;
}

interface Held<T> {
  message: T;
  bytes: number;
}

const after = (seq: number) => (seq + 1) & 255;

export class Sequence<T> {
  readonly #options: SequenceOptions<T>;
  readonly #held = new Map<number, Held<T>>();
  #expected: number | undefined;
  #takeBack: (() => void) | undefined;

  constructor(options: SequenceOptions<T>) {
    this.#options = options;
  }

  /** False until a birth has come: then messages wait for one. */
  get hasBegun(): boolean {
    return this.#expected !== undefined;
  }

  /** A birth with this number: `begin` is called between what was held of the session before and what belongs to the new one. */
  start(seq: number, begin: () => void): void {
    const next: Held<T>[] = [];
    for (let at = after(seq); this.#held.has(at); at = after(at)) {
      next.push(this.#held.get(at) as Held<T>);
      this.#held.delete(at);
    }
    const hadBegun = this.hasBegun;
    this.#cancel();
    for (const held of this.#drain()) if (hadBegun) this.#options.deliver(held.message);
    this.#expected = after(seq);
    begin();
    for (const { message, bytes } of next) {
      this.#options.release(bytes);
      this.#expected = after(this.#expected);
      this.#options.deliver(message);
    }
  }

  /** The edge node is gone: nothing is waited for, and nothing comes before its next birth. */
  end(): void {
    this.#cancel();
    this.#drain();
    this.#expected = undefined;
  }

  /** `keep` makes what can be held of the message. */
  take(seq: number, message: T, bytes: number, keep: (message: T) => T): void {
    if (seq === this.#expected) {
      this.#expected = after(seq);
      this.#options.deliver(message);
      this.#goOn();
      return;
    }
    if (this.#options.timeoutMs === 0) {
      const missing = this.#expected;
      if (this.#ahead(seq) > 0) this.#expected = after(seq);
      if (missing !== undefined) this.#options.deliver(message);
      this.#options.missing(missing);
      return;
    }
    if (this.#held.has(seq) || !this.#options.hold(bytes)) {
      this.#elapsed();
      if (this.#expected !== undefined) this.#options.deliver(message);
      return;
    }
    this.#held.set(seq, { message: keep(message), bytes });
    this.#takeBack ??= this.#options.clock.after(this.#options.timeoutMs, () => this.#elapsed());
  }

  /** Hands on what was only waiting for the message just now. */
  #goOn(): void {
    while (this.#expected !== undefined && this.#held.size > 0) {
      const held = this.#held.get(this.#expected);
      if (!held) return;
      this.#held.delete(this.#expected);
      this.#options.release(held.bytes);
      this.#expected = after(this.#expected);
      this.#options.deliver(held.message);
    }
    if (this.#held.size === 0) this.#cancel();
  }

  #elapsed(): void {
    this.#cancel();
    const missing = this.#expected;
    const last = [...this.#held.keys()].toSorted((one, other) => this.#ahead(one) - this.#ahead(other)).at(-1);
    const held = this.#drain();
    if (missing !== undefined) {
      if (last !== undefined && this.#ahead(last) > 0) this.#expected = after(last);
      for (const { message } of held) this.#options.deliver(message);
    }
    this.#options.missing(missing);
  }

  /** In the order of their numbers. */
  #drain(): Held<T>[] {
    const held = [...this.#held].toSorted(([one], [other]) => this.#ahead(one) - this.#ahead(other)).map(([, each]) => each);
    this.#held.clear();
    for (const { bytes } of held) this.#options.release(bytes);
    return held;
  }

  /** How far a number is ahead of the one whose turn it is: below 0 for what comes after its time, or before the birth of its session. */
  #ahead(seq: number): number {
    if (this.#expected === undefined) return 0;
    const ahead = (seq - this.#expected) & 255;
    return ahead < 128 ? ahead : ahead - 256;
  }

  #cancel(): void {
    this.#takeBack?.();
    this.#takeBack = undefined;
  }
}
