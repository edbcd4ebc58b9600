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
  readonly #isLine: boolean;
  #held: Buffer = Buffer.alloc(0);
  /** What comes up to the next delimiter is dropped for this reason. */
  #skipping: Dropped | undefined;

  constructor(options: DelimiterOptions, told: Told) {
    this.#options = options;
    this.#isLine = options.delimiter.length === 1 && options.delimiter[0] === lineFeed;
    this.#told = told;
  }

  skip(): void {
    this.#skipping ??= 'partial';
  }

  *idle(): Generator<Buffer> {}

  *push(bytes: Buffer): Generator<Buffer> {
    const { delimiter, maxLength, decode, skipEmpty = false } = this.#options;
    // A delimiter may be divided between two pieces.
    const from = Math.max(0, this.#held.length - delimiter.length + 1);
    let rest = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    // One byte is found sooner as a number.
    const sought = delimiter.length === 1 ? delimiter.readUInt8(0) : delimiter;
    let begin = 0;
    for (let end = rest.indexOf(sought, from); end >= 0; end = rest.indexOf(sought, begin)) {
      const raw = this.#lineOf(rest.subarray(begin, end));
      begin = end + delimiter.length;
      const why = this.#skipping ?? (raw.length > maxLength ? 'too-long' : undefined);
      this.#skipping = undefined;
      if (why !== undefined) this.#told(why, raw);
      else if (raw.length > 0 || !skipEmpty) {
        const frame = decode ? decode(raw) : raw;
        if (frame) yield frame;
        else this.#told('malformed', raw);
      }
    }
    rest = rest.subarray(begin);
    // The last bytes may be the beginning of the delimiter.
    if (this.#lineOf(rest).length > maxLength + delimiter.length - 1) this.#skipping ??= 'too-long';
    // Of what is dropped only the end can matter: the beginning of a delimiter.
    this.#held = Buffer.from(this.#skipping === undefined ? rest : rest.subarray(-delimiter.length));
  }

  /** A carriage return before a line feed is no part of a line, nor of its length. */
  #lineOf(raw: Buffer): Buffer {
    return this.#isLine && raw[raw.length - 1] === carriageReturn ? raw.subarray(0, -1) : raw;
  }
}
