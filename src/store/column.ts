import type { Columns } from '../contract/sample.ts';

/** Buffers of columns, to be transferred. */
export function buffersOf(columns: Columns): ArrayBuffer[] {
  const arrays = [columns.times, columns.valid, columns.quality, ...(Array.isArray(columns.values) ? [] : [columns.values])];
  return arrays.map((array) => array.buffer as ArrayBuffer);
}
