/** A series laid out along other times than its own: those of a wide frame, or of every interval. */
import { type Cells, cell } from './frame.ts';

/** For each of `times` the row of `own` with that time (the last of several), or −1. Both are in order. */
export function placesOf(own: BigInt64Array, times: BigInt64Array): Int32Array {
  const places = new Int32Array(times.length).fill(-1);
  let at = 0;
  for (let row = 0; row < times.length; row += 1) {
    const time = times[row] ?? 0n;
    while (at < own.length && (own[at] ?? 0n) < time) at += 1;
    while (at < own.length && own[at] === time) {
      places[row] = at;
      at += 1;
    }
  }
  return places;
}

/** The cells at their places; where none is, `empty` of `cell`. */
export function spread(cells: Cells, places: Int32Array, empty: number): Cells {
  const valid = Uint8Array.from(places, (place) => (place < 0 ? empty : (cells.valid?.[place] ?? cell.value)));
  const fill = <T extends { [index: number]: V }, V>(to: T, from: { readonly [index: number]: V }): T => {
    for (let row = 0; row < places.length; row += 1) {
      const value = from[places[row] ?? -1];
      if (value !== undefined) to[row] = value;
    }
    return to;
  };
  switch (cells.type) {
    case 'float64':
      return { type: 'float64', valid, values: fill(new Float64Array(places.length), cells.values) };
    case 'int64':
    case 'time':
      return { type: cells.type, valid, values: fill(new BigInt64Array(places.length), cells.values) };
    case 'uint64':
      return { type: 'uint64', valid, values: fill(new BigUint64Array(places.length), cells.values) };
    case 'boolean':
      return { type: 'boolean', valid, values: fill(new Uint8Array(places.length), cells.values) };
    case 'enum':
      return { type: 'enum', valid, values: fill(new Uint16Array(places.length), cells.values) };
    case 'coded':
      return { type: 'coded', valid, texts: cells.texts, values: fill(new Uint16Array(places.length), cells.values) };
    case 'string':
    case 'json':
      return { type: cells.type, valid, values: fill(new Array<string>(places.length).fill(''), cells.values) };
  }
}
