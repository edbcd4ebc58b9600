/** Rows of several series in one order of time. */

/** `series[i]` and `row[i]` say where the i-th row of the merged order comes from; at equal times the earlier series goes first. */
export interface Order {
  series: Uint16Array;
  row: Uint32Array;
}

/** Merges series that are each in order. Pairs of runs are merged until one is left: n log k comparisons for k series. */
export function mergeByTime(times: readonly BigInt64Array[]): Order {
  let runs: Order[] = times.map((one, series) => ({
    series: new Uint16Array(one.length).fill(series),
    row: Uint32Array.from({ length: one.length }, (_, row) => row),
  }));
  const base = times.reduce((least, one) => (one.length > 0 && (one[0] as bigint) < least ? (one[0] as bigint) : least), 2n ** 63n - 1n);
  const keys = times.map((one) => Float64Array.from(one, (time) => Number(time - base)));
  while (runs.length > 1) {
    const merged: Order[] = [];
    for (let i = 0; i < runs.length; i += 2) {
      const [left, right] = [runs[i], runs[i + 1]];
      if (left) merged.push(right ? mergeTwo(left, right, times, keys) : left);
    }
    runs = merged;
  }
  return runs[0] ?? { series: new Uint16Array(), row: new Uint32Array() };
}

/** Compares doubles first: they are fast and never contradict the exact order; where they are equal the nanoseconds decide. */
function mergeTwo(left: Order, right: Order, times: readonly BigInt64Array[], keys: readonly Float64Array[]): Order {
  const length = left.row.length + right.row.length;
  const merged: Order = { series: new Uint16Array(length), row: new Uint32Array(length) };
  let l = 0;
  let r = 0;
  for (let i = 0; i < length; i += 1) {
    const takeRight = l >= left.row.length || (r < right.row.length && isBefore(right, r, left, l, times, keys));
    const from = takeRight ? right : left;
    const at = takeRight ? r++ : l++;
    merged.series[i] = from.series[at] ?? 0;
    merged.row[i] = from.row[at] ?? 0;
  }
  return merged;
}

function isBefore(a: Order, i: number, b: Order, j: number, times: readonly BigInt64Array[], keys: readonly Float64Array[]): boolean {
  const [aSeries, aRow, bSeries, bRow] = [a.series[i] ?? 0, a.row[i] ?? 0, b.series[j] ?? 0, b.row[j] ?? 0];
  const [aKey, bKey] = [keys[aSeries]?.[aRow] ?? 0, keys[bSeries]?.[bRow] ?? 0];
  return aKey === bKey ? (times[aSeries]?.[aRow] ?? 0n) < (times[bSeries]?.[bRow] ?? 0n) : aKey < bKey;
}
