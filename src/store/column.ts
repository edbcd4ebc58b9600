import type { Columns } from '../contract/sample.ts';

/** Buffers of columns, to be transferred; what is shared goes along by itself. */
export function buffersOf(columns: Columns): ArrayBuffer[] {
  const arrays = [columns.times, columns.valid, columns.quality, ...(Array.isArray(columns.values) ? [] : [columns.values])];
  return arrays.flatMap(({ buffer }) => (buffer instanceof ArrayBuffer ? [buffer] : []));
}
