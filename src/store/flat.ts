import { limits } from '../contract/limits.ts';

/** All rows valid, all rows good: what nearly every answer says of itself. By value, as long as the longest asked for so far. */
const flats: [zeros: Uint8Array, ones: Uint8Array] = [new Uint8Array(), new Uint8Array()];

/**
 * A column of one value. Of a large answer it is a view of memory that all threads share and nobody writes to: memory of its own, two bytes a row, would be
 * counted by the main thread's garbage collector, which then runs after a few answers.
 */
export function flatColumn(value: 0 | 1, length: number): Uint8Array {
  if (length <= limits.storeRoomRowsMin) return value === 0 ? new Uint8Array(length) : new Uint8Array(length).fill(1);
  if (flats[value].length < length) {
    flats[value] = new Uint8Array(new SharedArrayBuffer(length));
    if (value === 1) flats[value].fill(1);
  }
  return flats[value].subarray(0, length);
}
