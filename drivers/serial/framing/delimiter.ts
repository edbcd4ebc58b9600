/** Frames with an end: lines, and what SLIP and COBS make so that the end occurs nowhere else. */
import type { Dropped, Framer, Told } from './framer.ts';

export interface DelimiterOptions {
  delimiter: Buffer;
  maxLength: number;
  /** Of the bytes before the end, the frame; undefined if they cannot be one. */
  decode?: (bytes: Buffer) => Buffer | undefined;
  /** Whether nothing between two ends is no frame. */
  skipEmpty?: boolean;
}

const [carriageReturn, lineFeed] = [0x0d, 0x0a];

export class DelimiterFramer implements Framer {
  readonly #options: DelimiterOptions;
  readonly #told: Told;
  #held: Buffer = Buffer.alloc(0);
  /** What comes up to the next delimiter is dropped for this reason. */
  #skipping: Dropped | undefined;

  constructor(options: DelimiterOptions, told: Told) {
    this.#options = options;
    this.#told = told;
  }

  skip(): void {
    this.#skipping ??= 'partial';
  }

  *idle(): Generator<Buffer> {}

  *push(bytes: Buffer): Generator<Buffer> {
    const { delimiter, maxLength, skipEmpty = false } = this.#options;
    // A delimiter may be divided between two pieces.
    let from = Math.max(0, this.#held.length - delimiter.length + 1);
    let rest = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    for (let end = rest.indexOf(delimiter, from); end >= 0; end = rest.indexOf(delimiter, from)) {
      const raw = rest.subarray(0, end);
      rest = rest.subarray(end + delimiter.length);
      from = 0;
      const why = this.#skipping ?? (raw.length > maxLength ? 'too-long' : undefined);
      this.#skipping = undefined;
      if (why !== undefined) this.#told(why, raw);
      else if (raw.length > 0 || !skipEmpty) yield* this.#frame(raw);
    }
    if (rest.length > maxLength) this.#skipping ??= 'too-long';
    // Of what is dropped only the end can matter: the beginning of a delimiter.
    this.#held = Buffer.from(this.#skipping === undefined ? rest : rest.subarray(-delimiter.length));
  }

  *#frame(raw: Buffer): Generator<Buffer> {
    const { delimiter, decode } = this.#options;
    if (decode) {
      const frame = decode(raw);
      if (frame) yield frame;
      else this.#told('malformed', raw);
    } else yield delimiter.length === 1 && delimiter[0] === lineFeed && raw.at(-1) === carriageReturn ? raw.subarray(0, -1) : raw;
  }
}
