/** Frames that end with silence on the line. */
import type { Framer, Told } from './framer.ts';

export class SilenceFramer implements Framer {
  readonly #maxLength: number;
  readonly #told: Told;
  #held: Buffer[] = [];
  #length = 0;
  #skipping = false;

  constructor(maxLength: number, told: Told) {
    this.#maxLength = maxLength;
    this.#told = told;
  }

  skip(): void {
    this.#skipping = true;
  }

  // biome-ignore lint/correctness/useYield: bytes never complete a frame, silence does.
  *push(bytes: Buffer): Generator<Buffer> {
    if (this.#skipping || this.#length > this.#maxLength) return;
    this.#held.push(bytes);
    this.#length += bytes.length;
  }

  *idle(): Generator<Buffer> {
    const whole = Buffer.concat(this.#held);
    this.#held = [];
    this.#length = 0;
    if (this.#skipping) this.#skipping = false;
    else if (whole.length > this.#maxLength) this.#told('too-long', whole);
    else if (whole.length > 0) yield whole;
  }
}
