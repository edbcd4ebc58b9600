/**
 * Doubles, bit by bit. Devices mostly send decimals with few digits: if every value is exactly a whole number of some power of ten, those
 * whole numbers are kept as a sequence. Everything else is XORed with the value before, and the zero bytes at both ends are left out; how many, stands
 * apart from the others, which look like noise and would have to be unpacked for the sake of it.
 */
import { ByteReader, type ByteWriter } from './bytes.ts';
import { type Packed, readPacked, takePacked, unpack, writePacked } from './packed.ts';
import { borrowSequence, sequenceMax, writeSequence } from './sequence.ts';
import { Sequence } from './sequence-read.ts';

/** The second is of version 1, the third has lengths and bytes mixed; both are only read. */
const form = { decimal: 0, oldXor: 1, mixedXor: 2, xor: 3 } as const;
const digitsMax = 9;
const powers = Float64Array.from({ length: digitsMax + 1 }, (_, digits) => 10 ** digits);

export function writeDoubles(writer: ByteWriter, values: Float64Array, count: number): void {
  if (count === 0) return;
  const whole = borrowSequence(count);
  const digits = decimals(values, whole, count);
  if (digits !== undefined) {
    const base = whole[0] as number;
    for (let index = 0; index < count; index++) whole[index] = (whole[index] as number) - base;
    writer.byte(form.decimal);
    writer.byte(digits);
    writer.double(base);
    writeSequence(writer, whole, count);
    return;
  }
  writer.byte(form.xor);
  writeXor(writer, values, count);
}

/** Fills `whole` and answers with the number of decimal digits, or undefined if the values are no decimals. */
function decimals(values: Float64Array, whole: Float64Array, count: number): number | undefined {
  // With more digits rounding may tell otherwise of values that were decimals with fewer, so each number of digits looks at all of them.
  for (let digits = 0, reached = 0; digits <= digitsMax; digits++) {
    const power = powers[digits] as number;
    // Not decimal with fewer digits: mostly not with these either, and then there is nothing to do for those before.
    if (!isDecimal(values[reached] as number, power)) continue;
    let index = 0;
    for (; index < count; index++) {
      const value = values[index] as number;
      if (!isDecimal(value, power)) break;
      whole[index] = Math.round(value * power);
    }
    if (index === count) return digits;
    reached = Math.max(reached, index);
  }
  return undefined;
}

function isDecimal(value: number, power: number): boolean {
  const whole = Math.round(value * power);
  // Half of what a sequence can hold, because the first of them is subtracted. A whole number has no -0.
  return whole <= sequenceMax / 2 && whole >= -sequenceMax / 2 && whole / power === value && (whole !== 0 || !Object.is(value, -0));
}

function writeXor(writer: ByteWriter, values: Float64Array, count: number): void {
  const words = new Uint32Array(values.buffer, values.byteOffset, count * 2);
  const lengths = new Uint8Array(count);
  const bytes = new Uint8Array(count * 8);
  let at = 0;
  let low = 0;
  let high = 0;
  for (let index = 0; index < count; index++) {
    const nextLow = words[2 * index] as number;
    const nextHigh = words[2 * index + 1] as number;
    const restLow = low ^ nextLow;
    const restHigh = high ^ nextHigh;
    low = nextLow;
    high = nextHigh;
    if (restLow === 0 && restHigh === 0) continue;
    const skipped = restLow !== 0 ? zeroBytesBelow(restLow) : 4 + zeroBytesBelow(restHigh);
    const last = restHigh !== 0 ? 8 - (Math.clz32(restHigh) >> 3) : 4 - (Math.clz32(restLow) >> 3);
    lengths[index] = (skipped << 4) | (last - skipped);
    for (let place = skipped; place < last; place++) bytes[at++] = place < 4 ? restLow >>> (place * 8) : restHigh >>> (place * 8 - 32);
  }
  writePacked(writer, lengths);
  writePacked(writer, bytes.subarray(0, at));
}

function zeroBytesBelow(word: number): number {
  return (31 - Math.clz32(word & -word)) >> 3;
}

/** Doubles any part of which can be read; those that are XORed with one another are made all at once. */
export class Doubles {
  readonly #count: number;
  readonly #power: number = 1;
  readonly #base: number = 0;
  readonly #sequence: Sequence | undefined;
  readonly #xor: { lengths: Packed; bytes: Packed } | undefined;
  #all: Float64Array | undefined;

  /** Reads as far as the column reaches, `count` numbers. */
  constructor(reader: ByteReader, count: number) {
    this.#count = count;
    if (count === 0) return;
    const chosen = reader.byte();
    switch (chosen) {
      case form.decimal:
        this.#power = powers[reader.byte()] ?? Number.NaN;
        this.#base = reader.double();
        this.#sequence = new Sequence(reader, count);
        return;
      case form.xor:
        this.#xor = { lengths: takePacked(reader), bytes: takePacked(reader) };
        return;
      case form.mixedXor:
      case form.oldXor: {
        this.#all = new Float64Array(count);
        const bytes = chosen === form.mixedXor ? new ByteReader(readPacked(reader)) : reader;
        readMixedXor(bytes, new Uint32Array(this.#all.buffer), count);
        return;
      }
      default:
        throw new RangeError(`${chosen} is no form of doubles`);
    }
  }

  /** In memory, unpacked. */
  get bytes(): number {
    return this.#sequence?.bytes ?? this.#count * 8;
  }

  /** Fills `into` with the numbers from place `from` on. */
  read(into: Float64Array, from = 0): void {
    const size = into.length;
    if (size === 0) return;
    if (this.#sequence) {
      const power = this.#power;
      const base = this.#base;
      this.#sequence.read(into, from);
      for (let place = 0; place < size; place++) into[place] = ((into[place] as number) + base) / power;
    } else if (!this.#all && size === this.#count) this.#readXor(into);
    else {
      this.#all ??= this.#readXor(new Float64Array(this.#count));
      into.set(this.#all.subarray(from, from + size));
    }
  }

  #readXor(all: Float64Array): Float64Array {
    const words = new Uint32Array(all.buffer, all.byteOffset, 2 * all.length);
    if (this.#xor) readXor(unpack(this.#xor.lengths, this.#count), unpack(this.#xor.bytes), words, this.#count);
    return all;
  }
}

function readXor(lengths: Uint8Array, bytes: Uint8Array, words: Uint32Array, count: number): void {
  if (lengths.length !== count) throw new RangeError(`${lengths.length} lengths of doubles, wanted are ${count}`);
  let at = 0;
  let low = 0;
  let high = 0;
  for (let index = 0; index < count; index++) {
    const length = lengths[index] as number;
    const skipped = length >> 4;
    const last = skipped + (length & 15);
    if (skipped === 0 && last > 3) {
      // As readings mostly are: all of the lower word, and some of the higher.
      low ^=
        (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24);
      at += 4;
      for (let shift = 0; shift < 8 * last - 32; shift += 8) high ^= (bytes[at++] as number) << shift;
    } else
      for (let place = skipped; place < last; place++) {
        const byte = bytes[at++] as number;
        if (place < 4) low ^= byte << (place * 8);
        else high ^= byte << (place * 8 - 32);
      }
    words[2 * index] = low;
    words[2 * index + 1] = high;
  }
  if (at !== bytes.length) throw new RangeError(`${bytes.length} bytes of doubles, wanted are ${at}`);
}

function readMixedXor(reader: ByteReader, words: Uint32Array, count: number): void {
  const { bytes } = reader;
  let at = reader.at;
  let low = 0;
  let high = 0;
  for (let index = 0; index < count; index++) {
    const control = bytes[at++] as number;
    const skipped = control >> 4;
    const last = skipped + (control & 15);
    for (let place = skipped; place < last; place++) {
      const byte = bytes[at++] as number;
      if (place < 4) low ^= byte << (place * 8);
      else high ^= byte << (place * 8 - 32);
    }
    words[2 * index] = low;
    words[2 * index + 1] = high;
  }
  if (at > bytes.length) throw new RangeError('doubles end early');
  reader.at = at;
}
