/** History of the selected series from the store, as series of frames: raw, or what a drawing shows of it. */
import { limits } from '../contract/limits.ts';
import type { Query } from '../contract/query.ts';
import type { Cells, Notice } from '../frame/frame.ts';
import { cellsOf, type Series } from '../frame/series.ts';
import type { Borrow, RangeResult, Store, TimeRange } from '../store/store.ts';
import { configOf, identityOf, type Named } from './query-series.ts';

export interface Read {
  series: Series[];
  notices: Notice[];
}

export interface Reader {
  store: Store;
  /** The gateway's name in the store. */
  gateway: string;
  signal: AbortSignal;
  /** Absent: samples are kept for longer than the store would lend them. */
  borrow?: Borrow;
}

/** Samples as they came. With `quality: all` bad ones are nulls, and quality and reason go along. */
export async function readRaw(
  reader: Reader,
  named: readonly Named[],
  range: TimeRange,
  quality: Query['quality'],
  rowsMax: number = limits.rowsPerQueryMax,
): Promise<Read> {
  const keys = keysOf(named).map(({ key }) => key);
  const lent = reader.borrow ? { borrow: reader.borrow } : {};
  const results = await reader.store.range(reader.gateway, keys, range, { quality, rowsMax, ...lent }, reader.signal);
  const cut = results.some((result) => result.cut);
  const notice: Notice = {
    severity: 'warning',
    text: `More than ${rowsMax} samples: the oldest are left out. Choose a shorter range, or an aggregate such as avg.`,
  };
  return { series: rawSeries(named, results, quality), notices: cut ? [notice] : [] };
}

/** Rows a pixel: the first, the least, the greatest and the last sample. */
const rowsPerPixel = 4;

/** What a drawing that is so many pixels wide shows of the samples, and how many were left out. */
export async function readOutline(
  reader: Reader,
  named: readonly Named[],
  range: TimeRange,
  quality: Query['quality'],
  pixels: number,
): Promise<Read> {
  const keys = keysOf(named).map(({ key }) => key);
  const columnsMax = Math.max(1, Math.floor(limits.rowsPerQueryMax / (rowsPerPixel * named.length)));
  const columns = Math.max(1, Math.min(Math.floor(pixels), columnsMax));
  const widthNs = (range.toNs - range.fromNs + BigInt(columns) - 1n) / BigInt(columns);
  const options = { quality, widthNs, keepMax: columns * rowsPerPixel };
  const results = await reader.store.outline(reader.gateway, keys, range, options, reader.signal);
  const samples = results.reduce((sum, one) => sum + one.samples, 0);
  const rows = results.reduce((sum, one) => sum + one.columns.times.length, 0);
  const notice: Notice = {
    severity: 'info',
    text: `${rows} of ${samples} samples are shown: of each of ${columns} pixels the first, least, greatest and last one, which draw the same line. For all of them set "reduce" to "none", for one value an interval an aggregate.`,
  };
  return { series: rawSeries(named, results, quality), notices: rows < samples ? [notice] : [] };
}

function rawSeries(named: readonly Named[], results: readonly RangeResult[], quality: Query['quality']): Series[] {
  const found = new Map(results.map((result) => [identityOf(result.series), result]));
  return named.flatMap((one) => {
    const result = found.get(identityOf({ ...one.key, kind: one.kind }));
    if (!result) return [];
    const { columns } = result;
    const value = cellsOf(columns);
    return [
      {
        ...titled(one, value),
        times: columns.times,
        value,
        ...(quality === 'all' ? { quality: columns.quality, ...(columns.reasons ? { reasons: columns.reasons } : {}) } : {}),
      },
    ];
  });
}

/** Two kinds of one point are two series, and both come back for its key: ask once. */
export function keysOf(named: readonly Named[]): Named[] {
  return [...new Map(named.map((one) => [`${one.key.device}\n${one.key.point}`, one])).values()];
}

function titled(one: Named, value: Cells): Pick<Series, 'name' | 'point' | 'labels' | 'config'> {
  return { name: one.name, point: one.key.point, labels: one.labels, config: configOf(one, value.type) };
}

/** What is said of rows that did not fit into a wide frame. */
export function wideNotices(cutRows: number): Notice[] {
  if (cutRows === 0) return [];
  return [
    {
      severity: 'warning',
      text: `The oldest ${cutRows} rows are left out: so many series in one wide frame have too many cells. Use format multi, or an aggregate such as avg.`,
    },
  ];
}
