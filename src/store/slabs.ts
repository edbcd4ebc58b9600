import { limits } from '../contract/limits.ts';

/** Sizes are rounded up to this, so that an answer of about as many rows finds what the one before gave back. */
const stepBytes = 1024 * 1024;

/**
 * Memory of large answers, shared between the threads and used again. New memory for each would be got from the system, filled with zeros and cleaned
 * up by a full garbage collection in either thread a query. What is lent is not known here any more: what never comes back is garbage.
 */
export class Slabs {
  readonly #free: SharedArrayBuffer[] = [];

  /** At least so many bytes, with anything in them. */
  take(bytes: number): SharedArrayBuffer {
    const size = Math.ceil(bytes / stepBytes) * stepBytes;
    // Not one that is much too large: a larger answer may want it at the same time.
    const place = this.#free.findIndex((slab) => slab.byteLength >= size && slab.byteLength <= 2 * size);
    return this.#free.splice(place, place < 0 ? 0 : 1)[0] ?? new SharedArrayBuffer(size);
  }

  giveBack(slabs: readonly SharedArrayBuffer[]): void {
    this.#free.push(...slabs);
    let bytes = this.#free.reduce((sum, { byteLength }) => sum + byteLength, 0);
    while (bytes > limits.storeSlabBytesMax) bytes -= this.#free.shift()?.byteLength ?? 0;
  }
}
