/**
 * The wire format of Protocol Buffers, as far as Sparkplug needs it (protobuf.dev, "Encoding"): fields are read one after the other and nothing is
 * believed. What is not known is skipped; what cannot be, throws an Error that goes on from "the message".
 */

const wireTypes = ['a number', 'eight bytes', 'a text', 'a group', 'a group', 'four bytes'] as const;

export class FieldReader {
  /** The number of the field `next` came to. */
  field = 0;
  readonly #bytes: Buffer;
  #at = 0;
  #wire = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Goes on to the next field, whose value is then to be read or skipped; false at the end. */
  next(): boolean {
    if (this.#at >= this.#bytes.length) return false;
    const tag = Number(this.#varint() & 0xffff_ffffn);
    this.field = tag >>> 3;
    this.#wire = tag & 7;
    if (this.field === 0) throw new Error('has a field number 0');
    return true;
  }

  /** An unsigned number of 32 bits; more bits are cut off, as the format says. */
  uint32(): number {
    this.#expect(0);
    const first = this.#bytes[this.#at];
    // Nearly all are small.
    if (first !== undefined && first < 0x80) {
      this.#at += 1;
      return first;
    }
    return Number(this.#varint() & 0xffff_ffffn);
  }

  uint64(): bigint {
    this.#expect(0);
    return this.#varint();
  }

  bool(): boolean {
    return this.uint64() !== 0n;
  }

  float(): number {
    this.#expect(5);
    return this.#take(4).readFloatLE();
  }

  double(): number {
    this.#expect(1);
    return this.#take(8).readDoubleLE();
  }

  /** A view of the message's own bytes. */
  bytes(): Buffer {
    this.#expect(2);
    return this.#take(this.#length());
  }

  text(): string {
    return this.bytes().toString();
  }

  message(): FieldReader {
    return new FieldReader(this.bytes());
  }

  /** Numbers of a repeated field, packed or one at a time. */
  uint32s(): number[] {
    if (this.#wire !== 2) return [this.uint32()];
    const packed = this.message();
    const numbers: number[] = [];
    while (packed.#at < packed.#bytes.length) numbers.push(Number(packed.#varint() & 0xffff_ffffn));
    return numbers;
  }

  skip(): void {
    if (this.#wire === 0) this.#varint();
    else if (this.#wire === 1) this.#take(8);
    else if (this.#wire === 2) this.#take(this.#length());
    else if (this.#wire === 5) this.#take(4);
    else
      throw new Error(`has ${wireTypes[this.#wire] ?? `the wire type ${this.#wire}`} in field ${this.field}, which nobody writes any more`);
  }

  #expect(wire: number): void {
    if (this.#wire !== wire)
      throw new Error(`has ${wireTypes[this.#wire] ?? 'no value'} in field ${this.field} instead of ${wireTypes[wire]}`);
  }

  #length(): number {
    const length = this.#varint();
    if (length > BigInt(this.#bytes.length)) throw new Error(`is cut off in field ${this.field}`);
    return Number(length);
  }

  #take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new Error(`is cut off in field ${this.field}`);
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  /** At most ten bytes of seven bits. */
  #varint(): bigint {
    let low = 0;
    // Numbers of up to 28 bits without a bigint on the way.
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte();
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt(low);
    }
    let value = BigInt(low);
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new Error('has a number of more than ten bytes');
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new Error(`is cut off in field ${this.field}`);
    this.#at += 1;
    return byte;
  }
}

/** Writes fields in the order they are given. */
export class FieldWriter {
  readonly #parts: Buffer[] = [];

  uint(field: number, value: number | bigint): this {
    return this.#varint((field << 3) | 0).#varint(value);
  }

  bool(field: number, value: boolean): this {
    return this.uint(field, value ? 1 : 0);
  }

  float(field: number, value: number): this {
    const bytes = Buffer.alloc(4);
    bytes.writeFloatLE(value);
    return this.#varint((field << 3) | 5).#push(bytes);
  }

  double(field: number, value: number): this {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(value);
    return this.#varint((field << 3) | 1).#push(bytes);
  }

  text(field: number, value: string): this {
    return this.#framed(field, Buffer.from(value));
  }

  message(field: number, value: FieldWriter): this {
    return this.#framed(field, value.finish());
  }

  finish(): Buffer {
    return Buffer.concat(this.#parts);
  }

  #framed(field: number, bytes: Buffer): this {
    return this.#varint((field << 3) | 2)
      .#varint(bytes.length)
      .#push(bytes);
  }

  #varint(value: number | bigint): this {
    const bytes: number[] = [];
    let left = BigInt.asUintN(64, BigInt(value));
    while (left > 0x7fn) {
      bytes.push(Number(left & 0x7fn) | 0x80);
      left >>= 7n;
    }
    bytes.push(Number(left));
    return this.#push(Buffer.from(bytes));
  }

  #push(bytes: Buffer): this {
    this.#parts.push(bytes);
    return this;
  }
}
