import { limits } from '../contract/limits.ts';
import type { Chunk } from './chunks.ts';
import type { Rows } from './rows.ts';

/**
 * The chunks that were read last, decoded: a panel asks for the same ones again at every refresh. What is here is found by all that is listed of a
 * chunk, its checksum among it, so that one that was rewritten, expired or erased is never found, even where its number in the file is given anew.
 */
export class DecodedChunks {
  /** By block, longest unused first. */
  readonly #held = new Map<number, { chunk: Chunk; rows: Rows; bytes: number }>();
  readonly #bytesMax: number;
  bytes = 0;

  constructor(bytesMax: number = limits.storeCacheBytesMax) {
    this.#bytesMax = bytesMax;
  }

  get(chunk: Chunk): Rows | undefined {
    const found = this.#held.get(chunk.block);
    if (!found) return undefined;
    this.#held.delete(chunk.block);
    if (!isSame(found.chunk, chunk)) {
      this.bytes -= found.bytes;
      return undefined;
    }
    this.#held.set(chunk.block, found);
    return found.rows;
  }

  add(chunk: Chunk, rows: Rows): void {
    const bytes = bytesOf(rows);
    if (bytes > this.#bytesMax) return;
    this.#drop(chunk.block);
    // The summary is not needed for the comparison and would be held for nothing.
    this.#held.set(chunk.block, { chunk: { ...chunk, summary: null }, rows, bytes });
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

/** In memory; of texts two bytes a unit and a pointer, as if none came twice. */
function bytesOf({ times, bits, lags, valid, quality, reasons, texts }: Rows): number {
  let bytes = texts?.reduce((sum, text) => sum + 8 + 2 * text.length, 0) ?? 0;
  for (const column of [times, bits, lags, valid, quality, reasons]) bytes += column?.byteLength ?? 0;
  return bytes;
}
