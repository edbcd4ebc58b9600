import { placeOf } from './rows.ts';

/**
 * Where buckets begin: at multiples of `widthNs` since 1970; or at given moments (days, weeks and months of a calendar), in order, the last of
 * which ends the last bucket.
 */
export type Grid = { widthNs: bigint } | { edges: BigInt64Array };

/** The bucket that is looked at; times come in order. */
export class Bucket {
  /** `start <= time < end`; empty before the first time. */
  start = 0n;
  end = 0n;
  readonly #grid: Grid;
  /** The place of `end` among the edges. */
  #place = 0;

  constructor(grid: Grid) {
    this.#grid = grid;
  }

  /** Moves to the bucket a time is in; false if it is there already. */
  moveTo(time: bigint): boolean {
    if (time < this.end && time >= this.start) return false;
    if ('widthNs' in this.#grid) {
      this.start = floorTo(time, this.#grid.widthNs);
      this.end = this.start + this.#grid.widthNs;
      return true;
    }
    const { edges } = this.#grid;
    while (this.#place < edges.length - 1 && (edges[this.#place] as bigint) <= time) this.#place += 1;
    this.start = edges[this.#place - 1] ?? time;
    this.end = edges[this.#place] ?? time + 1n;
    return true;
  }
}

/** The largest multiple of `width` that is not above `time`; division of bigints rounds towards zero, which is wrong before 1970. */
export function floorTo(time: bigint, width: bigint): bigint {
  const rest = time % width;
  return time - (rest < 0n ? rest + width : rest);
}

/** The first place at or after `end`; looks near first, because buckets may be as short as a sample. */
export function endPlace(times: BigInt64Array, end: bigint, from: number): number {
  let step = 1;
  while (from + step < times.length && (times[from + step] as bigint) < end) step *= 2;
  return placeOf(times, end, from + (step >> 1), Math.min(from + step, times.length));
}
