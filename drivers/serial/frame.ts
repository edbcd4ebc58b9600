/** One frame as it came, its delimiters and checksum taken off. */
export class Frame {
  readonly bytes: Buffer;
  readonly #encoding: 'utf-8' | 'latin1';
  #text: string | undefined;
  #document: { value: unknown } | undefined;

  constructor(bytes: Buffer, encoding: 'utf-8' | 'latin1') {
    this.bytes = bytes;
    this.#encoding = encoding;
  }

  get text(): string {
    this.#text ??= this.bytes.toString(this.#encoding);
    return this.#text;
  }

  /** Kept for whoever looks next: many points take their value out of one frame. */
  once(make: (text: string) => unknown): unknown {
    this.#document ??= { value: make(this.text) };
    return this.#document.value;
  }
}
