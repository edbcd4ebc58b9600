import { pickRows, type Rows } from './rows.ts';

/**
 * Brings rows in order of time and keeps one a time: the one that arrived later, of two that arrived together the one that stands later.
 * Rows that are in order already are given back as they are.
 */
export function orderRows(rows: Rows): Rows {
  const runs = ascendingRuns(rows.times);
  if (runs.length === 2) return rows;
  return pickRows(rows, onePerTime(rows, sortedPlaces(rows.times, runs)));
}

/** Where strictly ascending runs begin, and the end. */
function ascendingRuns(times: BigInt64Array): number[] {
  const words = new Int32Array(times.buffer, times.byteOffset, 2 * times.length);
  const runs = [0];
  // Halves of 32 bits: a bigint for each would cost more than all the rest.
  for (let index = 1; index < times.length; index++) {
    const high = words[2 * index + 1] as number;
    const highBefore = words[2 * index - 1] as number;
    if (high > highBefore || (high === highBefore && (words[2 * index] as number) >>> 0 > (words[2 * index - 2] as number) >>> 0)) continue;
    runs.push(index);
  }
  runs.push(times.length);
  return runs;
}

/** A stable merge sort of places that begins with the runs that are there: late samples make few of them. */
function sortedPlaces(times: BigInt64Array, firstRuns: number[]): Uint32Array {
  let runs = firstRuns;
  let from = Uint32Array.from(times, (_, index) => index);
  let to = new Uint32Array(times.length);
  while (runs.length > 2) {
    const merged = [0];
    for (let run = 0; run + 1 < runs.length; run += 2) {
      const middle = runs[run + 1] as number;
      const end = runs[run + 2] ?? middle;
      mergeInto(to, from, times, runs[run] as number, middle, end);
      merged.push(end);
    }
    runs = merged;
    [from, to] = [to, from];
  }
  return from;
}

function mergeInto(to: Uint32Array, from: Uint32Array, times: BigInt64Array, begin: number, middle: number, end: number): void {
  let left = begin;
  let right = middle;
  for (let at = begin; at < end; at++) {
    const takeRight =
      left === middle || (right < end && (times[from[right] as number] as bigint) < (times[from[left] as number] as bigint));
    to[at] = from[takeRight ? right++ : left++] as number;
  }
}

/** Shortens places in order of time to one a time. */
function onePerTime({ times, lags }: Rows, places: Uint32Array): Uint32Array {
  let count = 0;
  for (let index = 0; index < places.length; index++) {
    const place = places[index] as number;
    const kept = places[count - 1];
    if (kept === undefined || times[kept] !== times[place]) places[count++] = place;
    else if (!lags || (lags[place] as bigint) >= (lags[kept] as bigint)) places[count - 1] = place;
  }
  return places.subarray(0, count);
}
