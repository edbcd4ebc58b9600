/**
 * A chunk: up to some thousand rows of one series as one run of bytes. Layout: version, flags, count of rows, columns. Each column is compressed by
 * itself, because what is frequent in one is not in another; those of version 1, which is only read, are compressed together. Whoever keeps a
 * chunk keeps its `crc32` beside it.
 */
import { zstdDecompressSync } from 'node:zlib';
import type { ColumnKind } from '../../contract/sample.ts';
import { blanks, doublesOf, type Rows, reasonNames, reasonPlace } from '../rows.ts';
import { ByteReader, ByteWriter } from './bytes.ts';
import { Doubles, writeDoubles } from './doubles.ts';
import { Integers, writeIntegers } from './integers.ts';
import { readPacked, writePacked } from './packed.ts';
import { readRuns, writeRuns } from './runs.ts';
import { readTexts, writeTexts } from './texts.ts';

const version = 2;
/** `compressed` is of version 1. */
const flag = { compressed: 1, lags: 2, valid: 4, quality: 8, reasons: 16 } as const;

export function writeChunk(kind: ColumnKind, rows: Rows): Uint8Array {
  const { length, valid, quality, reasons } = rows;
  const lags = rows.lags && !isZero(rows.lags) ? rows.lags : undefined;
  const chunk = new ByteWriter(length * 3 + 64);
  chunk.byte(version);
  const flagsAt = chunk.at;
  chunk.byte(0);
  chunk.varint(length);
  writeIntegers(chunk, rows.times, length);
  writeValues(chunk, kind, rows);
  let flags = 0;
  if (lags) {
    flags |= flag.lags;
    writeIntegers(chunk, lags, length);
  }
  if (valid?.includes(0)) {
    flags |= flag.valid;
    writeWhole(chunk, (column) => writeRuns(column, valid, length));
  }
  if (quality?.some((one) => one !== 0)) {
    flags |= flag.quality;
    writeWhole(chunk, (column) => writeRuns(column, quality, length));
  }
  if (reasons?.some((one) => one !== 0)) {
    flags |= flag.reasons;
    writeWhole(chunk, (column) => writeReasons(column, reasons));
  }
  chunk.bytes[flagsAt] = flags;
  return chunk.finish();
}

/** A column that is compressed as it is. */
function writeWhole(chunk: ByteWriter, write: (column: ByteWriter) => void): void {
  const column = new ByteWriter();
  write(column);
  writePacked(chunk, column.bytes.subarray(0, column.at));
}

/** All rows of a chunk, with times and bits in `room` if it is given. Throws as `ChunkReader` does. */
export function readChunk(kind: ColumnKind, bytes: Uint8Array, room?: Room): Rows {
  const chunk = new ChunkReader(kind, bytes);
  return chunk.rows(0, chunk.length, { room });
}

type Room = Pick<Rows, 'times' | 'bits'>;

/** A chunk whose rows can be read in parts, cheapest in order. Throws a `RangeError` where the bytes make no sense; what is damaged is found by its checksum before. */
export class ChunkReader {
  readonly length: number;
  /** About what it takes in memory once its columns are unpacked. */
  readonly bytes: number;
  readonly #kind: ColumnKind;
  readonly #times: Integers;
  readonly #doubles: Doubles | undefined;
  readonly #integers: Integers | undefined;
  readonly #states: Uint8Array | undefined;
  readonly #texts: string[] | undefined;
  readonly #lags: Integers | undefined;
  readonly #valid: Uint8Array<ArrayBuffer> | undefined;
  readonly #quality: Uint8Array<ArrayBuffer> | undefined;
  readonly #reasons: Uint16Array<ArrayBuffer> | undefined;

  constructor(kind: ColumnKind, bytes: Uint8Array) {
    const head = new ByteReader(bytes);
    const found = head.byte();
    if (found !== version && found !== 1) throw new RangeError(`a chunk of version ${found}, known are 1 and ${version}`);
    const flags = head.byte();
    const length = head.varint();
    const body = found === 1 && (flags & flag.compressed) !== 0 ? new ByteReader(zstdDecompressSync(bytes.subarray(head.at))) : head;
    const whole = () => (found === 1 ? body : new ByteReader(readPacked(body)));
    const runs = () => {
      const column = new Uint8Array(length);
      readRuns(whole(), column, length);
      return column;
    };
    this.#kind = kind;
    this.length = length;
    this.#times = new Integers(body, length);
    if (kind === 'double') this.#doubles = new Doubles(body, length);
    else if (kind === 'boolean') this.#states = runs();
    else if (kind === 'string') this.#texts = readTexts(whole(), length);
    else this.#integers = new Integers(body, length);
    if ((flags & flag.lags) !== 0) this.#lags = new Integers(body, length);
    if ((flags & flag.valid) !== 0) this.#valid = runs();
    if ((flags & flag.quality) !== 0) this.#quality = runs();
    if ((flags & flag.reasons) !== 0) this.#reasons = readReasons(whole(), length);
    const columns = [this.#times, this.#doubles, this.#integers, this.#lags];
    this.bytes = columns.reduce((sum, column) => sum + (column?.bytes ?? 0), bytes.length + bytesOf(this.#texts));
    for (const column of [this.#states, this.#valid, this.#quality, this.#reasons]) this.bytes += column?.byteLength ?? 0;
  }

  /**
   * Rows from place `from` to before `to`. Times and bits go into `room` if it is given, which then has as many places. Who asks only for values does
   * without `lags`, which are a column to unpack.
   */
  rows(from: number, to: number, { room, lags = true }: { room?: Room | undefined; lags?: boolean } = {}): Rows {
    const length = to - from;
    const { times, bits } = room ?? { times: new BigInt64Array(length), bits: new BigInt64Array(length) };
    if (times.length !== length) throw new RangeError(`${length} rows, listed are ${times.length}`);
    const rows: Rows = { length, times, bits };
    this.#times.read(times, from);
    this.#readValues(rows, from);
    if (this.#lags && lags) {
      rows.lags = new BigInt64Array(length);
      this.#lags.read(rows.lags, from);
    }
    if (this.#valid) {
      rows.valid = this.#valid.subarray(from, to);
      clearNulls(rows, rows.valid);
    }
    if (this.#quality) rows.quality = this.#quality.subarray(from, to);
    if (this.#reasons) rows.reasons = this.#reasons.subarray(from, to);
    return rows;
  }

  #readValues(rows: Rows, from: number): void {
    const { bits, length } = rows;
    switch (this.#kind) {
      case 'double':
        this.#doubles?.read(doublesOf(rows), from);
        return;
      case 'int64':
      case 'uint64':
        this.#integers?.read(bits, from);
        return;
      case 'boolean': {
        const words = new Uint32Array(bits.buffer, bits.byteOffset, 2 * length);
        for (let place = 0; place < length; place++) {
          words[2 * place] = this.#states?.[from + place] as number;
          // There may be something left of what the memory was for before.
          words[2 * place + 1] = 0;
        }
        return;
      }
      case 'string':
        rows.texts = this.#texts?.slice(from, from + length);
    }
  }
}

function writeValues(body: ByteWriter, kind: ColumnKind, rows: Rows): void {
  const { length } = rows;
  const bits = rows.valid ? filled(rows.bits, rows.valid) : rows.bits;
  switch (kind) {
    case 'double':
      writeDoubles(body, new Float64Array(bits.buffer, bits.byteOffset, length), length);
      return;
    case 'int64':
    case 'uint64':
      writeIntegers(body, bits, length);
      return;
    case 'boolean':
      writeWhole(body, (column) =>
        writeRuns(
          column,
          Uint8Array.from(bits, (one) => Number(one)),
          length,
        ),
      );
      return;
    case 'string':
      writeWhole(body, (column) => writeTexts(column, rows.texts ?? blanks(length)));
  }
}

/** Where there is no value the one before stands, which costs least; on reading it is taken away again. */
function filled(bits: BigInt64Array, valid: Uint8Array): BigInt64Array<ArrayBuffer> {
  const full = bits.slice();
  let before = full[valid.indexOf(1)] ?? 0n;
  for (let index = 0; index < full.length; index++) {
    if (valid[index] === 0) full[index] = before;
    else before = full[index] as bigint;
  }
  return full;
}

/** Two bytes a unit and a pointer, as if no text came twice. */
export function bytesOf(texts: readonly string[] | undefined): number {
  return texts?.reduce((sum, text) => sum + 8 + 2 * text.length, 0) ?? 0;
}

function clearNulls(rows: Rows, valid: Uint8Array): void {
  for (let index = 0; index < rows.length; index++) if (valid[index] === 0) rows.bits[index] = 0n;
}

/** Only the reasons that occur, by name: numbers in memory mean nothing to another process. */
function writeReasons(body: ByteWriter, reasons: Uint16Array): void {
  const places = [...new Set(reasons)];
  body.varint(places.length);
  writeTexts(
    body,
    places.map((place) => reasonNames[place] ?? ''),
  );
  writeRuns(
    body,
    Uint16Array.from(reasons, (place) => places.indexOf(place)),
    reasons.length,
  );
}

function readReasons(body: ByteReader, length: number): Uint16Array<ArrayBuffer> {
  const places = readTexts(body, body.varint()).map(reasonPlace);
  const reasons = new Uint16Array(length);
  readRuns(body, reasons, length);
  for (let index = 0; index < length; index++) reasons[index] = places[reasons[index] as number] ?? 0;
  return reasons;
}

function isZero(values: BigInt64Array): boolean {
  const words = new Int32Array(values.buffer, values.byteOffset, values.length * 2);
  return words.every((word) => word === 0);
}
