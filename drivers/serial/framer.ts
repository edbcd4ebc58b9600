/** A stream of bytes → lines: bytes only, no port. */

/** A line that was too long, or whose beginning was missed. */
export type Dropped = 'too-long' | 'partial';

export class Framer {
  readonly #delimiter: Buffer;
  readonly #maxLength: number;
  readonly #encoding: 'utf-8' | 'latin1';
  readonly #dropped: (why: Dropped) => void;
  #held: Buffer = Buffer.alloc(0);
  /** What comes up to the next delimiter is dropped for this reason. */
  #skipping: Dropped | undefined;

  constructor(options: { delimiter: string; maxLength: number; encoding: 'utf-8' | 'latin1' }, dropped: (why: Dropped) => void) {
    this.#delimiter = Buffer.from(options.delimiter, options.encoding);
    this.#maxLength = options.maxLength;
    this.#encoding = options.encoding;
    this.#dropped = dropped;
  }

  /** Nobody knows where the line began that is under way: it is dropped. */
  skip(): void {
    this.#skipping ??= 'partial';
  }

  *push(bytes: Buffer): Generator<string> {
    // A delimiter may be divided between two pieces.
    let from = Math.max(0, this.#held.length - this.#delimiter.length + 1);
    let rest = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    for (let end = rest.indexOf(this.#delimiter, from); end >= 0; end = rest.indexOf(this.#delimiter, from)) {
      const line = rest.subarray(0, end);
      rest = rest.subarray(end + this.#delimiter.length);
      from = 0;
      const why = this.#skipping ?? (line.length > this.#maxLength ? 'too-long' : undefined);
      this.#skipping = undefined;
      if (why === undefined) yield this.#text(line);
      else this.#dropped(why);
    }
    if (rest.length > this.#maxLength) this.#skipping ??= 'too-long';
    // Of what is dropped only the end can matter: the beginning of a delimiter.
    this.#held = Buffer.from(this.#skipping === undefined ? rest : rest.subarray(-this.#delimiter.length));
  }

  #text(line: Buffer): string {
    const text = line.toString(this.#encoding === 'latin1' ? 'latin1' : 'utf8');
    return this.#delimiter.length === 1 && this.#delimiter[0] === 0x0a && text.endsWith('\r') ? text.slice(0, -1) : text;
  }
}
