/** Columns that seldom change: validity, quality, reasons, states. Kept as pairs of a value and how often it comes in a row. */
import type { ByteReader, ByteWriter } from './bytes.ts';

type Small = Uint8Array | Uint16Array;

export function writeRuns(writer: ByteWriter, values: Small, count: number): void {
  for (let from = 0; from < count; ) {
    const value = values[from] as number;
    let to = from + 1;
    while (to < count && values[to] === value) to += 1;
    writer.varint(value);
    writer.varint(to - from);
    from = to;
  }
}

/** Fills the first `count` of `into`. */
export function readRuns(reader: ByteReader, into: Small, count: number): void {
  for (let from = 0; from < count; ) {
    const value = reader.varint();
    const to = from + reader.varint();
    if (to > count || to === from) throw new RangeError('a run is longer than its column, or empty');
    into.fill(value, from, to);
    from = to;
  }
}
