/** Frames between a start and an end marker, with or without escaping, and perhaps a checksum behind the end: STX … ETX BCC, HDLC, DLE stuffing. */
import type { Framer, Told } from './framer.ts';

export interface MarkersOptions {
  start: Buffer;
  end: Buffer;
  /** Stands before a byte that is meant as it is; undefined without escaping. */
  escape: number | undefined;
  /** What an escaped byte is combined with by exclusive or; 0 where it is meant as it is. */
  escapeXor: number;
  /** Bytes behind the end marker that belong to the frame. */
  trailing: number;
  maxLength: number;
}

export interface Marked {
  /** Between the markers, escapes resolved. */
  content: Buffer;
  /** As it came, markers and what is behind the end included. */
  raw: Buffer;
}

export class MarkersFramer implements Framer {
  readonly #options: MarkersOptions;
  readonly #told: Told;
  readonly #open: (marked: Marked) => Buffer | undefined;
  /** Bytes not looked at yet. */
  #held: Buffer = Buffer.alloc(0);
  /** Of the frame under way; undefined outside one. */
  #content: number[] | undefined;
  #raw: number[] = [];

  /** `open` gives what is inside a frame, undefined if its checksum does not fit. */
  constructor(options: MarkersOptions, told: Told, open: (marked: Marked) => Buffer | undefined) {
    this.#options = options;
    this.#told = told;
    this.#open = open;
  }

  skip(): void {}

  *idle(): Generator<Buffer> {}

  *push(bytes: Buffer): Generator<Buffer> {
    const { start, end, escape: mark, escapeXor, trailing, maxLength } = this.#options;
    const held = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    let at = 0;
    // Markers and escapes are looked at only when they are there whole.
    const needed = Math.max(start.length, end.length + trailing, mark === undefined ? 1 : 2);
    while (at < held.length) {
      const rest = held.subarray(at);
      if (this.#content === undefined) {
        const found = rest.indexOf(start);
        if (found < 0) {
          at = Math.max(at, held.length - start.length + 1);
          break;
        }
        at += found;
        this.#begin();
        at += start.length;
        continue;
      }
      const byte = rest.readUInt8(0);
      if (rest.length < needed && this.#mayNeedMore(rest)) break;
      if (startsWith(rest, end)) {
        const whole = Buffer.concat([Buffer.from(this.#raw), rest.subarray(0, end.length + trailing)]);
        const content = Buffer.from(this.#content);
        at += end.length + trailing;
        this.#content = undefined;
        // Where both markers are the same, the end of one frame begins the next.
        if (start.equals(end)) this.#begin();
        if (content.length > 0) yield* this.#end({ content, raw: whole });
        continue;
      }
      if (startsWith(rest, start)) {
        this.#told('partial', Buffer.from(this.#raw));
        this.#begin();
        at += start.length;
        continue;
      }
      const isEscape = byte === mark;
      const taken = isEscape ? 2 : 1;
      this.#content.push(isEscape ? rest.readUInt8(1) ^ escapeXor : byte);
      this.#raw.push(...rest.subarray(0, taken));
      at += taken;
      if (this.#content.length > maxLength) {
        this.#told('too-long', Buffer.from(this.#raw));
        this.#content = undefined;
      }
    }
    this.#held = Buffer.from(held.subarray(at));
  }

  #begin(): void {
    this.#content = [];
    this.#raw = [...this.#options.start];
  }

  *#end(marked: Marked): Generator<Buffer> {
    const inside = this.#open(marked);
    if (inside) yield inside;
    else this.#told('checksum', marked.raw);
  }

  /** Whether what follows decides what this byte is. */
  #mayNeedMore(rest: Buffer): boolean {
    const { start, end, escape: mark, trailing } = this.#options;
    const couldBe = (marker: Buffer, extra: number) =>
      rest.length < marker.length + extra && startsWith(rest, marker.subarray(0, Math.min(rest.length, marker.length)));
    return couldBe(end, trailing) || couldBe(start, 0) || (rest.readUInt8(0) === mark && rest.length < 2);
  }
}

function startsWith(bytes: Buffer, marker: Buffer): boolean {
  return bytes.length >= marker.length && bytes.subarray(0, marker.length).equals(marker);
}
