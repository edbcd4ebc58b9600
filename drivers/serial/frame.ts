/** Frames as they came, their delimiters and checksums taken off. */
import { isAscii } from 'node:buffer';

type Encoding = 'utf-8' | 'latin1';

export class Frame {
  readonly bytes: Buffer;
  readonly #batch: Batch;
  #text: string | undefined;
  #document: { value: unknown } | undefined;

  constructor(bytes: Buffer, batch: Batch) {
    this.bytes = bytes;
    this.#batch = batch;
  }

  get text(): string {
    this.#text ??= this.#batch.textOf(this.bytes);
    return this.#text;
  }

  /** Kept for whoever looks next: many points take their value out of one frame. */
  once(make: (text: string) => unknown): unknown {
    this.#document ??= { value: make(this.text) };
    return this.#document.value;
  }
}

/** Frames that came at once. Most lie one behind the other in memory, and where a byte is a character they are decoded together. */
export class Batch {
  readonly #encoding: Encoding;
  #memory: ArrayBufferLike | undefined;
  #from = 0;
  #to = 0;
  /** From `from` to `to`; undefined until somebody asks for a text, null where a character may take several bytes. */
  #decoded: string | null | undefined;

  constructor(encoding: Encoding) {
    this.#encoding = encoding;
  }

  add(bytes: Buffer): Frame {
    if (this.#memory === undefined) {
      this.#memory = bytes.buffer;
      this.#from = bytes.byteOffset;
    }
    if (this.#decoded === undefined && bytes.buffer === this.#memory) this.#to = bytes.byteOffset + bytes.length;
    return new Frame(bytes, this);
  }

  textOf(bytes: Buffer): string {
    if (this.#decoded === undefined) this.#decoded = this.#decode() ?? null;
    const from = bytes.byteOffset - this.#from;
    const isInside = bytes.buffer === this.#memory && from >= 0 && bytes.byteOffset + bytes.length <= this.#to;
    return this.#decoded !== null && isInside ? this.#decoded.slice(from, from + bytes.length) : bytes.toString(this.#encoding);
  }

  #decode(): string | undefined {
    if (this.#memory === undefined || this.#to < this.#from) return undefined;
    const bytes = Buffer.from(this.#memory, this.#from, this.#to - this.#from);
    return this.#encoding === 'latin1' || isAscii(bytes) ? bytes.toString('latin1') : undefined;
  }
}
