/** Rows without a value where a series was silent for longer than it should have been, so that a chart breaks the line there. */
import { cell } from './frame.ts';
import type { Series } from './series.ts';
import { spread } from './spread.ts';

/** `silenceNs` after its last sample a value is not known any more: there the row is. The series itself if there is no such gap. */
export function withGaps(series: Series, silenceNs: bigint): Series {
  const { times } = series;
  const after: number[] = [];
  for (let row = 1; row < times.length; row += 1) if ((times[row] ?? 0n) - (times[row - 1] ?? 0n) > silenceNs) after.push(row - 1);
  if (after.length === 0) return series;
  const places = new Int32Array(times.length + after.length);
  const gapped = new BigInt64Array(places.length);
  let next = 0;
  let to = 0;
  for (let row = 0; row < times.length; row += 1) {
    places[to] = row;
    gapped[to] = times[row] ?? 0n;
    to += 1;
    if (after[next] !== row) continue;
    places[to] = -1;
    gapped[to] = (times[row] ?? 0n) + silenceNs;
    to += 1;
    next += 1;
  }
  const { quality, reasons } = series;
  return {
    ...series,
    times: gapped,
    value: spread(series.value, places, cell.null),
    ...(quality && {
      quality: Uint8Array.from(places, (place) => (place < 0 ? 2 : (quality[place] ?? 0))),
      reasons: Array.from(places, (place) => (place < 0 ? 'stale' : (reasons?.[place] ?? ''))),
    }),
  };
}
