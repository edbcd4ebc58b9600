import type { ByteReader } from './bytes.ts';
import { type Packed, takePacked, unpack } from './packed.ts';
import { form } from './sequence.ts';

/** Up to here the sum of a chunk's smallest rests is exact. */
const leastMax = 2 ** 39;

/** A sequence (sequence.ts) any part of which can be read: those of a straight line at once, the others by going on from where the last one ended. */
export class Sequence {
  readonly #guess: number;
  readonly #count: number;
  readonly #line: number = 0;
  readonly #least: number = 0;
  /** Bytes of a number. */
  readonly #width: number = 0;
  #packed: Packed | undefined;
  #planes: Uint8Array = new Uint8Array();
  /** What is left after the guess, of version 1. */
  readonly #rests: Float64Array | undefined;
  /** The place that comes next, and the number and the step before it. */
  #at = 1;
  #value = 0;
  #step = 0;

  /** Reads as far as the sequence reaches, `count` numbers; its bytes are unpacked when they are first wanted. */
  constructor(reader: ByteReader, count: number) {
    this.#count = count;
    this.#guess = reader.byte();
    if (this.#guess > form.slope) throw new RangeError(`${this.#guess} is no form of a sequence`);
    if (this.#isLine) this.#line = reader.double();
    if (this.#guess === form.exactLine) return;
    if (this.#guess < form.line) {
      this.#rests = readVarints(reader, count);
      return;
    }
    this.#least = reader.double();
    this.#width = reader.byte();
    this.#packed = takePacked(reader);
  }

  get #isLine(): boolean {
    return this.#guess === form.exactLine || this.#guess === form.oldLine || this.#guess === form.line;
  }

  /** Bytes in memory, unpacked. */
  get bytes(): number {
    return this.#rests?.byteLength ?? this.#width * this.#count;
  }

  /** No number is further from 0, where that is known without a look at them. */
  get farthest(): number {
    if (!this.#isLine || this.#rests) return Number.POSITIVE_INFINITY;
    return Math.abs(this.#line) * this.#count + Math.abs(this.#least) + 256 ** this.#width + 1;
  }

  /** Fills `into` with the numbers from place `from` on. */
  read(into: Float64Array, from: number): void {
    this.#unpack();
    if (from === 0) into[0] = 0;
    const wanted = from === 0 ? into.subarray(1) : into;
    const begin = Math.max(1, from);
    if (this.#isLine) this.#readLine(wanted, begin);
    else this.#readOn(wanted, begin);
  }

  #unpack(): void {
    if (!this.#packed) return;
    const wanted = this.#width * (this.#count - 1);
    this.#planes = unpack(this.#packed, wanted);
    this.#packed = undefined;
    if (this.#planes.length !== wanted) throw new RangeError(`${this.#planes.length} bytes of a sequence, wanted are ${wanted}`);
  }

  #readLine(into: Float64Array, from: number): void {
    const line = this.#line;
    const size = into.length;
    if (this.#width === 1 && Number.isInteger(line)) {
      // A schedule with some jitter, as nearly all times are: in one go.
      const least = this.#least;
      const bytes = this.#planes;
      for (let place = 0, index = from; place < size; place++, index++) into[place] = least + (bytes[index - 1] as number) + index * line;
      return;
    }
    this.#readRests(into, from);
    if (Number.isInteger(line)) for (let place = 0; place < size; place++) into[place] = (into[place] as number) + (from + place) * line;
    else for (let place = 0; place < size; place++) into[place] = (into[place] as number) + Math.round((from + place) * line);
  }

  #readOn(into: Float64Array, from: number): void {
    if (from < this.#at) {
      this.#at = 1;
      this.#value = 0;
      this.#step = 0;
    }
    const size = into.length;
    const isStep = this.#guess === form.previous || this.#guess === form.oldPrevious;
    if (isStep && this.#width === 1 && Math.abs(this.#least) < leastMax) {
      const least = this.#least;
      const bytes = this.#planes;
      let skipped = 0;
      for (let index = this.#at; index < from; index++) skipped = (skipped + (bytes[index - 1] as number)) | 0;
      let value = this.#value + (from - this.#at) * least + skipped;
      for (let place = 0, index = from - 1; place < size; place++, index++) {
        value += least + (bytes[index] as number);
        into[place] = value;
      }
      this.#value = value;
    } else {
      const skipped = new Float64Array(from - this.#at);
      this.#readRests(skipped, this.#at);
      this.#readRests(into, from);
      this.#sumUp(skipped, isStep);
      this.#sumUp(into, isStep);
    }
    this.#at = from + size;
  }

  #sumUp(rests: Float64Array, isStep: boolean): void {
    let value = this.#value;
    let step = this.#step;
    if (isStep)
      for (let place = 0; place < rests.length; place++) {
        value += rests[place] as number;
        rests[place] = value;
      }
    else
      for (let place = 0; place < rests.length; place++) {
        step += rests[place] as number;
        value += step;
        rests[place] = value;
      }
    this.#value = value;
    this.#step = step;
  }

  #readRests(into: Float64Array, from: number): void {
    const size = into.length;
    if (this.#rests) {
      into.set(this.#rests.subarray(from, from + size));
      return;
    }
    const least = this.#least;
    const bytes = this.#planes;
    if (this.#width === 0) into.fill(least);
    else for (let place = 0, at = from - 1; place < size; place++, at++) into[place] = least + (bytes[at] as number);
    const rows = this.#count - 1;
    for (let plane = 1, unit = 256; plane < this.#width; plane++, unit *= 256) {
      for (let place = 0, at = plane * rows + from - 1; place < size; place++, at++)
        into[place] = (into[place] as number) + (bytes[at] as number) * unit;
    }
  }
}

/** Zigzag varints. */
function readVarints(reader: ByteReader, count: number): Float64Array {
  const values = new Float64Array(count);
  const { bytes } = reader;
  let at = reader.at;
  for (let index = 1; index < count; index++) {
    let folded = bytes[at++] as number;
    if (folded >= 0x80) {
      folded &= 0x7f;
      for (let unit = 128; ; unit *= 128) {
        const byte = bytes[at++] as number;
        folded += (byte & 0x7f) * unit;
        // Beyond the end a byte is undefined: the loop ends, and the check below says so.
        if (!(byte >= 0x80)) break;
      }
    }
    values[index] = folded % 2 === 0 ? folded / 2 : -(folded + 1) / 2;
  }
  if (at > bytes.length) throw new RangeError('a sequence ends early');
  reader.at = at;
  return values;
}
