/** Values for intervals that have none. */
import type { Query } from '../contract/query.ts';
import { type Cells, cell } from '../frame/frame.ts';
import { placesOf, spread } from '../frame/spread.ts';

export interface Filled {
  times: BigInt64Array;
  value: Cells;
}

export interface Filling {
  fill: Exclude<Query['fill'], 'none'>;
  /** Of every interval of the range. */
  starts: BigInt64Array;
  /** For `previous`: the value that the first ones take over. */
  before: number | bigint | string | undefined;
  /** `previous` goes no further: nobody knows what will be. */
  nowNs: bigint;
}

/**
 * A row for each interval. `linear` draws a line between neighbours, by number of intervals; whole numbers are rounded, texts stay null.
 */
export function filled(given: Filled, { fill, starts, before, nowNs }: Filling): Filled {
  const value = spread(given.value, placesOf(given.times, starts), cell.null);
  const valid = value.valid ?? new Uint8Array(starts.length).fill(cell.value);
  if (fill === 'previous')
    takeOver(
      value.values as unknown as Value[],
      valid,
      before,
      Array.from(starts, (start) => start <= nowNs),
    );
  else if (fill === 'linear' && value.type !== 'string') drawLines(value.values as unknown as (number | bigint)[], valid);
  return { times: starts, value: { ...value, valid } };
}

type Value = number | bigint | string;

function takeOver(values: Value[], valid: Uint8Array, before: Value | undefined, isPast: readonly boolean[]): void {
  let last = before;
  for (let row = 0; row < valid.length; row += 1) {
    if (valid[row] === cell.value) last = values[row];
    else if (last !== undefined && isPast[row]) {
      values[row] = last;
      valid[row] = cell.value;
    }
  }
}

function drawLines(values: (number | bigint)[], valid: Uint8Array): void {
  let from = -1;
  for (let row = 0; row < valid.length; row += 1) {
    if (valid[row] !== cell.value) continue;
    for (let gap = from + 1; from >= 0 && gap < row; gap += 1) {
      values[gap] = between(values[from] ?? 0, values[row] ?? 0, gap - from, row - from);
      valid[gap] = cell.value;
    }
    from = row;
  }
}

function between(one: number | bigint, other: number | bigint, part: number, whole: number): number | bigint {
  if (typeof one === 'number' || typeof other === 'number') return Number(one) + ((Number(other) - Number(one)) * part) / whole;
  const twice = 2n * (other - one) * BigInt(part);
  const half = BigInt(whole);
  return one + (twice < 0n ? twice - half : twice + half) / (2n * half);
}
