import { limits } from '../../contract/limits.ts';
import type { SeriesKey } from '../../contract/sample.ts';
import type { RangeResult, SeriesInfo, Store, TimeRange } from '../../store/store.ts';

export interface Past {
  store: Store;
  /** The gateway's name in the store. */
  gateway: string;
  quality: 'good' | 'usable' | 'all';
  signal: AbortSignal;
}

/**
 * The history of one point in ascending pages of bounded size, whatever its length. The series of a point (its kind was changed) come together.
 * The store keeps the newest rows of a range that has too many, so that the range is narrowed until it keeps all.
 */
export async function* pagesOf(past: Past, key: SeriesKey, series: readonly SeriesInfo[], range: TimeRange): AsyncGenerator<RangeResult[]> {
  const { store, gateway, quality, signal } = past;
  const rowsMax = series.some(({ kind }) => kind === 'string') ? limits.exportTextRowsPerPage : limits.exportRowsPerPage;
  let fromNs = largest(range.fromNs, series.map((one) => one.firstNs).reduce(smallest));
  const endNs = smallest(range.toNs, series.map((one) => one.lastNs).reduce(largest) + 1n);
  let widthNs = endNs - fromNs;
  while (fromNs < endNs) {
    const toNs = smallest(fromNs + widthNs, endNs);
    const found = await store.range(gateway, [key], { fromNs, toNs }, { quality, rowsMax }, signal);
    // One moment has one row of a series: that many always fit.
    if (toNs - fromNs > 1n && found.some(({ cut }) => cut)) {
      widthNs = (toNs - fromNs) / 2n;
      continue;
    }
    const rows = found.reduce((sum, { columns }) => sum + columns.times.length, 0);
    if (rows > 0) yield found;
    fromNs = toNs;
    if (rows < rowsMax / 4) widthNs *= 2n;
  }
}

function largest(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}

function smallest(one: bigint, other: bigint): bigint {
  return one < other ? one : other;
}
