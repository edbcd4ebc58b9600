/** Rows of several series in one order of time. */

/** `series[i]` and `row[i]` say where the i-th row of the merged order comes from; at equal times the earlier series goes first. */
export interface Order {
  series: Uint16Array;
  row: Uint32Array;
}

/** Rows in order, with what they are compared by. */
interface Run extends Order {
  key: Float64Array;
}

/** Merges series that are each in order. Pairs of runs are merged until one is left: n log k comparisons for k series. */
export function mergeByTime(times: readonly BigInt64Array[]): Order {
  const baseHigh = times.reduce((least, one) => (one.length > 0 ? Math.min(least, wordsOf(one)[1] as number) : least), 2 ** 31);
  let runs = times.map((one, series): Run => {
    const row = new Uint32Array(one.length);
    for (let i = 0; i < row.length; i += 1) row[i] = i;
    return { series: new Uint16Array(one.length).fill(series), row, key: keysOf(one, baseHigh) };
  });
  while (runs.length > 1) {
    const merged: Run[] = [];
    for (let i = 0; i < runs.length; i += 2) {
      const [left, right] = [runs[i], runs[i + 1]];
      if (left) merged.push(right ? mergeTwo(left, right, times) : left);
    }
    runs = merged;
  }
  return runs[0] ?? { series: new Uint16Array(), row: new Uint32Array() };
}

/** Low and high halves of each time, low first. */
function wordsOf(times: BigInt64Array): Int32Array {
  return new Int32Array(times.buffer, times.byteOffset, times.length * 2);
}

/** Times as doubles, which are compared ten times faster: exact within 2^53 ns (104 days) of the beginning, rounded but never out of order beyond. */
function keysOf(times: BigInt64Array, baseHigh: number): Float64Array {
  const words = wordsOf(times);
  const keys = new Float64Array(times.length);
  for (let i = 0; i < keys.length; i += 1) {
    keys[i] = ((words[2 * i + 1] as number) - baseHigh) * 2 ** 32 + ((words[2 * i] as number) >>> 0);
  }
  return keys;
}

function mergeTwo(left: Run, right: Run, times: readonly BigInt64Array[]): Run {
  const length = left.row.length + right.row.length;
  const merged: Run = { series: new Uint16Array(length), row: new Uint32Array(length), key: new Float64Array(length) };
  let l = 0;
  let r = 0;
  for (let at = 0; at < length; at += 1) {
    const leftKey = l < left.row.length ? (left.key[l] as number) : Number.POSITIVE_INFINITY;
    const rightKey = r < right.row.length ? (right.key[r] as number) : Number.POSITIVE_INFINITY;
    const takeRight =
      rightKey < leftKey || (rightKey === leftKey && rightKey >= 2 ** 53 && timeOf(right, r, times) < timeOf(left, l, times));
    const from = takeRight ? right : left;
    const place = takeRight ? r++ : l++;
    merged.series[at] = from.series[place] as number;
    merged.row[at] = from.row[place] as number;
    merged.key[at] = takeRight ? rightKey : leftKey;
  }
  return merged;
}

function timeOf(run: Run, at: number, times: readonly BigInt64Array[]): bigint {
  return times[run.series[at] as number]?.[run.row[at] as number] as bigint;
}
