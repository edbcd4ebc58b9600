import type { Pack } from './pack.ts';
import type { Rows } from './rows.ts';

/** The columns of several series, one after the other; those of eight bytes as halves of 32 bits, for a bigint each would cost more than all the rest. */
export interface Gathered {
  times: Int32Array<ArrayBuffer>;
  bits: Int32Array<ArrayBuffer>;
  lags: Int32Array<ArrayBuffer> | undefined;
  valid: Uint8Array<ArrayBuffer> | undefined;
  quality: Uint8Array<ArrayBuffer> | undefined;
  reasons: Uint16Array<ArrayBuffer> | undefined;
}

/** So few rows of a series a pack are copied; of more a view costs less. */
const copiedMax = 16;

/** Whether the rows of one group of each pack are better gathered than looked at pack by pack. */
export function isGathered(packs: readonly Pack[], groups: readonly number[]): boolean {
  if (packs.length < 2) return false;
  let rows = 0;
  for (let place = 0; place < packs.length; place++) {
    const pack = packs[place] as Pack;
    if (pack.hasTexts) return false;
    rows += pack.isRound ? 1 : pack.sizeOf(groups[place] as number);
  }
  return rows <= copiedMax * packs.length;
}

/** Rows of `count` series that stand together in all of the packs, from `groups` on, each series in the order of the packs. Not of texts. */
export function gather(packs: readonly Pack[], groups: readonly number[], count: number): Rows[] {
  /** Where the next row of each series goes. */
  const next = new Uint32Array(count);
  let rounds = 0;
  for (let place = 0; place < packs.length; place++) {
    const pack = packs[place] as Pack;
    if (pack.isRound) rounds += 1;
    else
      for (let series = 0; series < count; series++)
        next[series] = (next[series] as number) + pack.sizeOf((groups[place] as number) + series);
  }
  let size = 0;
  const begins: number[] = [];
  for (let series = 0; series < count; series++) {
    begins.push(size);
    size += (next[series] as number) + rounds;
    next[series] = begins[series] as number;
  }
  const has = (column: 'lags' | 'valid' | 'quality' | 'reasons') => packs.some((pack) => pack.has(column));
  const into: Gathered = {
    times: new Int32Array(2 * size),
    bits: new Int32Array(2 * size),
    lags: has('lags') ? new Int32Array(2 * size) : undefined,
    valid: has('valid') ? new Uint8Array(size).fill(1) : undefined,
    quality: has('quality') ? new Uint8Array(size) : undefined,
    reasons: has('reasons') ? new Uint16Array(size) : undefined,
  };
  for (let place = 0; place < packs.length; place++) (packs[place] as Pack).gather(groups[place] as number, next, into);
  return begins.map((from, series) => rowsOf(into, from, begins[series + 1] ?? size));
}

function rowsOf(all: Gathered, from: number, to: number): Rows {
  const length = to - from;
  const { valid, quality, reasons } = all;
  const wide = (words: Int32Array<ArrayBuffer>) => new BigInt64Array(words.buffer, 8 * from, length);
  return {
    length,
    times: wide(all.times),
    bits: wide(all.bits),
    lags: all.lags && wide(all.lags),
    // What is special of one series is not of its neighbours.
    valid: valid?.subarray(from, to).includes(0) ? valid.subarray(from, to) : undefined,
    quality: quality?.subarray(from, to).some(isSome) ? quality.subarray(from, to) : undefined,
    reasons: reasons?.subarray(from, to).some(isSome) ? reasons.subarray(from, to) : undefined,
  };
}

const isSome = (value: number) => value !== 0;
