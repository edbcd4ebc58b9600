/**
 * Frames whose length is known from their beginning: always the same, or from a field in it. After garbage it finds its place again by the bytes
 * a frame begins with, by the checksum, and by silence.
 */
import { limits } from '../../../src/contract/limits.ts';
import type { Framer, Told } from './framer.ts';

export interface HeaderOptions {
  /** Bytes every frame begins with; may be none. */
  start: Buffer;
  /** Bytes that must be there until the length can be told. */
  headerLength: number;
  /** Of a beginning of `headerLength` bytes, the bytes of the whole frame. */
  measure(beginning: Buffer): number;
  maxLength: number;
  /** What is inside a whole frame; undefined if its checksum does not fit. Absent without a checksum. */
  open?: (frame: Buffer) => Buffer | undefined;
}

export class HeaderFramer implements Framer {
  readonly #options: HeaderOptions;
  readonly #told: Told;
  #held: Buffer = Buffer.alloc(0);
  /** Without a start and a checksum only silence tells where a frame begins. */
  #waitsForSilence = false;
  /** Bytes under checksums that did not fit, since the last piece came or the last frame was found. */
  #searched = 0;

  constructor(options: HeaderOptions, told: Told) {
    this.#options = options;
    this.#told = told;
  }

  get #canFind(): boolean {
    return this.#options.start.length > 0 || this.#options.open !== undefined;
  }

  skip(): void {
    if (!this.#canFind) this.#waitsForSilence = true;
  }

  *push(bytes: Buffer): Generator<Buffer> {
    if (this.#waitsForSilence) return;
    this.#searched = 0;
    this.#held = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    yield* this.#scan();
    this.#held = Buffer.from(this.#held);
  }

  /** What has not ended by now will not; a frame may still begin inside it. */
  *idle(): Generator<Buffer> {
    this.#waitsForSilence = false;
    this.#searched = 0;
    if (this.#held.length > 0) this.#told('partial', this.#held);
    if (!this.#canFind) this.#held = Buffer.alloc(0);
    while (this.#held.length > 0) {
      this.#held = this.#held.subarray(1);
      yield* this.#scan();
    }
  }

  *#scan(): Generator<Buffer> {
    const { start, headerLength, measure, maxLength, open } = this.#options;
    for (;;) {
      this.#seek(start);
      if (this.#held.length < headerLength) return;
      const length = measure(this.#held);
      if (length < headerLength || length > maxLength) {
        this.#pass(length > maxLength ? 'too-long' : 'malformed', headerLength);
        continue;
      }
      if (this.#held.length < length) return;
      const frame = this.#held.subarray(0, length);
      const inside = open ? open(frame) : frame;
      if (inside) {
        this.#held = this.#held.subarray(length);
        this.#searched = 0;
        yield inside;
        continue;
      }
      this.#searched += length;
      if (this.#searched <= limits.serialSearchBytesMax) this.#pass('checksum', length);
      else this.#giveUp();
    }
  }

  /** To where a frame may begin. */
  #seek(start: Buffer): void {
    if (start.length === 0) return;
    const at = this.#held.indexOf(start);
    // Of what is left the end may be the beginning of a start.
    this.#held = at >= 0 ? this.#held.subarray(at) : this.#held.subarray(-start.length + 1 || this.#held.length);
  }

  /** Noise in which nearly every byte begins a long frame: looking on byte by byte would hold up everything else. */
  #giveUp(): void {
    this.#told('checksum', this.#held);
    this.#held = Buffer.alloc(0);
  }

  /** This was no frame; the next may begin one byte on. Without anything to find it by, all that came is thrown away until the line is silent. */
  #pass(why: 'too-long' | 'malformed' | 'checksum', length: number): void {
    this.#told(why, this.#held.subarray(0, length));
    if (this.#canFind) this.#held = this.#held.subarray(1);
    else {
      this.#held = Buffer.alloc(0);
      this.#waitsForSilence = true;
    }
  }
}
