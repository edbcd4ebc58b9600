import { limits } from '../contract/limits.ts';
import type { Chunk } from './chunks.ts';
import { bytesOf as bytesOfTexts, ChunkReader } from './codec/chunk.ts';
import type { Rows } from './rows.ts';

type Held = Rows | ChunkReader;

/**
 * The chunks that were read last: small reads' decoded, those of long ranges only unpacked, an eighth of the size. A panel asks for the same ones
 * again at every refresh. What is here is found by all that is listed of a
 * chunk, its checksum among it, so that one that was rewritten, expired or erased is never found, even where its number in the file is given anew.
 */
export class ChunkCache {
  /** By block, longest unused first. */
  readonly #held = new Map<number, { chunk: Chunk; held: Held; bytes: number }>();
  readonly #bytesMax: number;
  bytes = 0;

  constructor(bytesMax: number = limits.storeCacheBytesMax) {
    this.#bytesMax = bytesMax;
  }

  get(chunk: Chunk): Held | undefined {
    const found = this.#held.get(chunk.block);
    if (!found) return undefined;
    this.#held.delete(chunk.block);
    if (!isSame(found.chunk, chunk)) {
      this.bytes -= found.bytes;
      return undefined;
    }
    this.#held.set(chunk.block, found);
    return found.held;
  }

  add(chunk: Chunk, held: Held): void {
    const bytes = held instanceof ChunkReader ? held.bytes : bytesOf(held);
    if (bytes > this.#bytesMax) return;
    this.#drop(chunk.block);
    // The summary is not needed for the comparison and would be held for nothing.
    this.#held.set(chunk.block, { chunk: { ...chunk, summary: null }, held, bytes });
    this.bytes += bytes;
    for (const block of this.#held.keys()) {
      if (this.bytes <= this.#bytesMax) break;
      this.#drop(block);
    }
  }

  #drop(block: number): void {
    this.bytes -= this.#held.get(block)?.bytes ?? 0;
    this.#held.delete(block);
  }
}

function isSame(a: Chunk, b: Chunk): boolean {
  return a.series === b.series && a.first === b.first && a.last === b.last && a.rows === b.rows && a.crc === b.crc;
}

function bytesOf({ times, bits, lags, valid, quality, reasons, texts }: Rows): number {
  let bytes = bytesOfTexts(texts);
  for (const column of [times, bits, lags, valid, quality, reasons]) bytes += column?.byteLength ?? 0;
  return bytes;
}
