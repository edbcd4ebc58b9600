import type { Rows } from './rows.ts';

/**
 * Room for the result of one large read: chunks are decoded into it from its end towards its beginning, newest first, so that pieces that follow each
 * other in time follow each other in memory and need not be joined.
 */
export class Room {
  readonly #times: BigInt64Array;
  readonly #bits: BigInt64Array;
  #free: number;
  /** What it is in, if that is lent; memory of its own otherwise. */
  readonly slab: SharedArrayBuffer | undefined;

  constructor(rows: number, slab?: SharedArrayBuffer) {
    this.slab = slab;
    this.#times = slab ? new BigInt64Array(slab, 0, rows) : new BigInt64Array(rows);
    this.#bits = slab ? new BigInt64Array(slab, 8 * rows, rows) : new BigInt64Array(rows);
    this.#free = rows;
  }

  /** The next places before those taken last; undefined if there are not as many. */
  take(rows: number): Pick<Rows, 'times' | 'bits'> | undefined {
    if (rows > this.#free) return undefined;
    const end = this.#free;
    this.#free -= rows;
    return { times: this.#times.subarray(this.#free, end), bits: this.#bits.subarray(this.#free, end) };
  }

  /** The same rows in the next places; as they are if there are not as many. */
  move(rows: Rows): Rows {
    const places = rows.texts ? undefined : this.take(rows.length);
    if (!places) return rows;
    places.times.set(rows.times);
    places.bits.set(rows.bits);
    return { ...rows, ...places, shared: undefined };
  }
}
