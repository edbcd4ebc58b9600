/**
 * A chunk: up to some thousand rows of one series as one run of bytes. Layout: version, flags, count of rows, columns; the columns
 * are compressed together where that pays. Whoever keeps it keeps its `crc32` beside it.
 */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { ColumnKind } from '../../contract/sample.ts';
import { blanks, type Rows, reasonNames, reasonPlace } from '../rows.ts';
import { ByteReader, ByteWriter } from './bytes.ts';
import { readDoubles, writeDoubles } from './doubles.ts';
import { readIntegers, writeIntegers } from './integers.ts';
import { readRuns, writeRuns } from './runs.ts';
import { readTexts, writeTexts } from './texts.ts';

const version = 1;
const flag = { compressed: 1, lags: 2, valid: 4, quality: 8, reasons: 16 } as const;

/** Smaller chunks are mostly merged soon, and beginning to decompress one costs more than reading it (25 us). */
const compressFromBytes = 1_536;
const compression = { params: { [constants.ZSTD_c_compressionLevel]: 3 } };

export function writeChunk(kind: ColumnKind, rows: Rows): Uint8Array {
  const { length, valid, quality, reasons } = rows;
  const lags = rows.lags && !isZero(rows.lags) ? rows.lags : undefined;
  const body = new ByteWriter(length * 4 + 64);
  writeIntegers(body, rows.times, length);
  writeValues(body, kind, rows);
  let flags = 0;
  if (lags) {
    flags |= flag.lags;
    writeIntegers(body, lags, length);
  }
  if (valid?.includes(0)) {
    flags |= flag.valid;
    writeRuns(body, valid, length);
  }
  if (quality?.some((one) => one !== 0)) {
    flags |= flag.quality;
    writeRuns(body, quality, length);
  }
  if (reasons?.some((one) => one !== 0)) {
    flags |= flag.reasons;
    writeReasons(body, reasons);
  }
  let bytes: Uint8Array = body.bytes.subarray(0, body.at);
  if (bytes.length >= compressFromBytes) {
    const compressed = zstdCompressSync(bytes, compression);
    if (compressed.length < bytes.length * 0.95) {
      bytes = compressed;
      flags |= flag.compressed;
    }
  }
  const writer = new ByteWriter(bytes.length + 16);
  writer.byte(version);
  writer.byte(flags);
  writer.varint(length);
  writer.run(bytes);
  return writer.finish();
}

/** Throws a `RangeError` where the bytes make no sense; what is damaged is found by its checksum before. */
export function readChunk(kind: ColumnKind, bytes: Uint8Array): Rows {
  const head = new ByteReader(bytes);
  const found = head.byte();
  if (found !== version) throw new RangeError(`a chunk of version ${found}, known is ${version}`);
  const flags = head.byte();
  const length = head.varint();
  const packed = bytes.subarray(head.at);
  const body = new ByteReader((flags & flag.compressed) !== 0 ? zstdDecompressSync(packed) : packed);
  const rows: Rows = { length, times: new BigInt64Array(length), bits: new BigInt64Array(length) };
  readIntegers(body, rows.times, 0, length);
  readValues(body, kind, rows);
  if ((flags & flag.lags) !== 0) {
    rows.lags = new BigInt64Array(length);
    readIntegers(body, rows.lags, 0, length);
  }
  if ((flags & flag.valid) !== 0) {
    rows.valid = new Uint8Array(length);
    readRuns(body, rows.valid, length);
    clearNulls(rows, rows.valid);
  }
  if ((flags & flag.quality) !== 0) {
    rows.quality = new Uint8Array(length);
    readRuns(body, rows.quality, length);
  }
  if ((flags & flag.reasons) !== 0) rows.reasons = readReasons(body, length);
  return rows;
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
      writeRuns(
        body,
        Uint8Array.from(bits, (one) => Number(one)),
        length,
      );
      return;
    case 'string':
      writeTexts(body, rows.texts ?? blanks(length));
  }
}

function readValues(body: ByteReader, kind: ColumnKind, rows: Rows): void {
  const { length } = rows;
  switch (kind) {
    case 'double':
      readDoubles(body, new Float64Array(rows.bits.buffer), 0, length);
      return;
    case 'int64':
    case 'uint64':
      readIntegers(body, rows.bits, 0, length);
      return;
    case 'boolean': {
      const states = new Uint8Array(length);
      readRuns(body, states, length);
      const words = new Uint32Array(rows.bits.buffer);
      for (let index = 0; index < length; index++) words[2 * index] = states[index] as number;
      return;
    }
    case 'string':
      rows.texts = readTexts(body, length);
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
