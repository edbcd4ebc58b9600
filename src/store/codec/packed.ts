/** Runs of bytes that are compressed where it pays. What stands before them is not: a few odd bytes spoil the table of the frequent ones. */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { ByteReader, ByteWriter } from './bytes.ts';

/** Beginning to decompress costs as much as reading some thousand numbers (13 us). */
const compressFromBytes = 512;
/** Level 1 packs bytes that stand for differences as well as level 9. */
const compression = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/** zlib's own, and the least it takes. */
const zstdChunkBytes = 16 * 1024;
const leastChunkBytes = 64;

/** Twice the length, plus one where they are compressed, and the bytes. Fewer than `fromBytes` are not compressed. */
export function writePacked(writer: ByteWriter, bytes: Uint8Array, fromBytes = compressFromBytes): void {
  const compressed = bytes.length >= fromBytes ? zstdCompressSync(bytes, compression) : bytes;
  const pays = compressed.length < bytes.length * 0.95;
  writer.varint((pays ? compressed.length : bytes.length) * 2 + Number(pays));
  writer.run(pays ? compressed : bytes);
}

/** Such a run as it lies in its chunk: what nobody looks at need not be unpacked. */
export interface Packed {
  bytes: Uint8Array;
  isCompressed: boolean;
}

export function takePacked(reader: ByteReader): Packed {
  const head = reader.varint();
  return { bytes: reader.run(Math.floor(head / 2)), isCompressed: head % 2 === 1 };
}

/** `expected`: how many bytes there should be, where it is known; then they are unpacked into one piece of memory, which holds no more than them. */
export function unpack({ bytes, isCompressed }: Packed, expected = 0): Uint8Array {
  // One more than there should be, or zlib would get more memory to look for the end.
  return isCompressed
    ? zstdDecompressSync(bytes, { chunkSize: expected > 0 ? Math.max(expected + 1, leastChunkBytes) : zstdChunkBytes })
    : bytes;
}

export function readPacked(reader: ByteReader, expected?: number): Uint8Array {
  return unpack(takePacked(reader), expected);
}
