/** A growing run of bytes to write to, little-endian. */
export class ByteWriter {
  bytes: Uint8Array<ArrayBuffer>;
  at = 0;
  #view: DataView;

  constructor(capacity = 1_024) {
    this.bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.bytes.buffer);
  }

  /** Makes room for `count` more bytes. */
  ensure(count: number): void {
    if (this.at + count <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.at + count, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.at));
    this.bytes = grown;
    this.#view = new DataView(grown.buffer);
  }

  byte(value: number): void {
    this.ensure(1);
    this.bytes[this.at++] = value;
  }

  double(value: number): void {
    this.ensure(8);
    this.#view.setFloat64(this.at, value, true);
    this.at += 8;
  }

  uint32(value: number): void {
    this.ensure(4);
    this.#view.setUint32(this.at, value, true);
    this.at += 4;
  }

  /** An integer of 0 to 2^53 - 1, seven bits a byte, the lowest first. */
  varint(value: number): void {
    this.ensure(8);
    this.at = putVarint(this.bytes, this.at, value);
  }

  run(bytes: Uint8Array): void {
    this.ensure(bytes.length);
    this.bytes.set(bytes, this.at);
    this.at += bytes.length;
  }

  /** What was written, in an array of its own. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(0, this.at);
  }
}

/** Reads what `ByteWriter` wrote. Reading beyond the end throws a `RangeError`. */
export class ByteReader {
  readonly bytes: Uint8Array;
  at = 0;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  byte(): number {
    return this.#view.getUint8(this.at++);
  }

  double(): number {
    const value = this.#view.getFloat64(this.at, true);
    this.at += 8;
    return value;
  }

  uint32(): number {
    const value = this.#view.getUint32(this.at, true);
    this.at += 4;
    return value;
  }

  varint(): number {
    let value = 0;
    let unit = 1;
    for (;;) {
      const byte = this.byte();
      value += (byte & 0x7f) * unit;
      if (byte < 0x80) return value;
      unit *= 128;
    }
  }

  run(count: number): Uint8Array {
    if (this.at + count > this.bytes.length) throw new RangeError(`${count} bytes wanted, ${this.bytes.length - this.at} left`);
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }
}

/** Writes one varint where eight bytes of room are; answers with the place after it. */
function putVarint(bytes: Uint8Array, place: number, value: number): number {
  let at = place;
  let rest = value;
  // Beyond 31 bits the operators of bits do not reach.
  while (rest >= 0x80000000) {
    const low = rest % 128;
    bytes[at++] = low | 0x80;
    rest = (rest - low) / 128;
  }
  while (rest >= 0x80) {
    bytes[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[at++] = rest;
  return at;
}
