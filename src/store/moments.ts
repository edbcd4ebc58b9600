/** Columns of times in which few are different: a poll gives all of its points the same one. */
import { wordsOf } from './pack.ts';

/** So many a place of two bytes can tell apart. */
const momentsMax = 65_536;

export interface Moments {
  /** Each time once, in the order in which they first come. */
  times: BigInt64Array<ArrayBuffer>;
  /** Of each row, which of them. */
  places: Uint16Array<ArrayBuffer>;
}

/** Undefined where that would not be at least a fifth shorter than the column. */
export function momentsOf(times: BigInt64Array): Moments | undefined {
  const most = Math.min(momentsMax, Math.floor(times.length * 0.55));
  if (most === 0) return undefined;
  const words = wordsOf(times);
  const places = new Uint16Array(times.length);
  /** The row in which each moment came first. */
  const firsts = new Uint32Array(most);
  /** Moments by their hash, one more than their place; 0 where there is none. */
  const slots = new Uint32Array(2 ** Math.ceil(Math.log2(2 * most)));
  const mask = slots.length - 1;
  let count = 0;
  let before = -1;
  for (let row = 0; row < places.length; row++) {
    const low = words[2 * row] as number;
    const high = words[2 * row + 1] as number;
    // Mostly as the row before.
    if (before >= 0 && words[2 * before] === low && words[2 * before + 1] === high) {
      places[row] = places[before] as number;
      before = row;
      continue;
    }
    let slot = hash(low, high) & mask;
    let place = -1;
    while (place < 0) {
      const found = (slots[slot] as number) - 1;
      if (found < 0) {
        if (count === most) return undefined;
        firsts[count] = row;
        slots[slot] = count + 1;
        place = count++;
      } else if (words[2 * (firsts[found] as number)] === low && words[2 * (firsts[found] as number) + 1] === high) place = found;
      else slot = (slot + 1) & mask;
    }
    places[row] = place;
    before = row;
  }
  const all = new BigInt64Array(count);
  const allWords = wordsOf(all);
  for (let place = 0; place < count; place++) {
    const row = firsts[place] as number;
    allWords[2 * place] = words[2 * row] as number;
    allWords[2 * place + 1] = words[2 * row + 1] as number;
  }
  return { times: all, places };
}

/** Of whole milliseconds in nanoseconds all low bits are alike: the high ones of the product tell them apart. */
function hash(low: number, high: number): number {
  return Math.imul(Math.imul(low, 0x9e3779b1) ^ high, 0x85ebca6b) >>> 13;
}
