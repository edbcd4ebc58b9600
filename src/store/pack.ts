/**
 * A pack: the samples of one commit as the log keeps them, grouped by series and in order of time, in plain columns. Making one (pack-write.ts) and
 * finding a series in one are cheap; it is read again only after a crash, by the reader, and when it is folded into chunks.
 * Layout, all little-endian: eight numbers of 32 bits (version, rows, groups, flags, texts, bytes of reasons, runs, moments), then the columns
 * with the widest elements first, so that each begins where typed arrays can look at it. A pack of version 2 leaves out where groups begin if each has one
 * row, and has the numbers of its series as runs, a first one and how many follow each other: a round of polls is a third smaller for it. One of version 3
 * has its different times once and their places in two bytes a row (moments.ts), which makes it a third smaller again.
 */
import type { Gathered } from './gather.ts';
import { placeOf, type Rows, reasonPlace, sliceRows } from './rows.ts';

export const version = 3;
/** `round` and `runs` came with version 2, `moments` with version 3. */
export const flag = { lags: 1, valid: 2, quality: 4, reasons: 8, round: 16, runs: 32, moments: 64 } as const;
export const headWords = 8;

const noTimes = new BigInt64Array();

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Numbers of eight bytes as halves of 32 bits. */
export function wordsOf(column: BigInt64Array): Int32Array {
  return new Int32Array(column.buffer, column.byteOffset, 2 * column.length);
}

/** A pack that can be looked into. */
export class Pack {
  #ids: Uint32Array;
  readonly length: number;
  readonly bytes: number;
  /** Without times: those are in `#times`. */
  readonly #rows: Rows;
  /** Of each row, which of the times; without it there is one a row. */
  readonly #moments: Uint16Array | undefined;
  readonly #times: BigInt64Array;
  readonly #timeWords: Int32Array;
  readonly #bitWords: Int32Array;
  readonly #starts: Uint32Array;
  /** Ends of texts in `#textBytes`, one a row. */
  readonly #textEnds: Uint32Array | undefined;
  readonly #textBytes: Uint8Array;
  /** The group that was found last: a fold goes from series to series, and a look-up in each of hundreds of packs costs more than all the rest. */
  #near = 0;

  /** `data` begins at a multiple of eight bytes. Throws a `RangeError` if it is no pack. */
  constructor(data: Uint8Array) {
    const buffer = data.buffer as ArrayBuffer;
    let at = data.byteOffset;
    const head = new Uint32Array(buffer, at, headWords);
    const [found = 0, length = 0, groups = 0, flags = 0, texts = 0, nameBytes = 0, runs = 0, moments = 0] = head;
    if (found < 1 || found > version) throw new RangeError(`a pack of version ${found}, known are 1 to ${version}`);
    at += headWords * 4;
    const wide = (count = length) => {
      at += count * 8;
      return new BigInt64Array(buffer, at - count * 8, count);
    };
    const half = () => {
      at += length * 2;
      return new Uint16Array(buffer, at - length * 2, length);
    };
    const words = (count: number) => {
      at += count * 4;
      return new Uint32Array(buffer, at - count * 4, count);
    };
    const narrow = (count: number) => {
      at += count;
      return new Uint8Array(buffer, at - count, count);
    };
    const hasMoments = (flags & flag.moments) !== 0;
    this.#times = wide(hasMoments ? moments : length);
    const rows: Rows = { length, times: noTimes, bits: wide() };
    if ((flags & flag.lags) !== 0) rows.lags = wide();
    this.#ids = (flags & flag.runs) !== 0 ? spread(words(2 * runs), groups) : words(groups);
    this.#starts = (flags & flag.round) !== 0 ? countingTo(groups) : words(groups);
    this.#textEnds = texts > 0 ? words(texts) : undefined;
    this.#moments = hasMoments ? half() : undefined;
    const reasons = (flags & flag.reasons) !== 0 ? half() : undefined;
    if ((flags & flag.valid) !== 0) rows.valid = narrow(length);
    if ((flags & flag.quality) !== 0) rows.quality = narrow(length);
    const names = narrow(nameBytes);
    if (reasons) {
      const places = (JSON.parse(decoder.decode(names)) as string[]).map(reasonPlace);
      rows.reasons = reasons.map((place) => places[place] ?? 0);
    }
    this.#textBytes = narrow(data.byteOffset + data.byteLength - at);
    this.#rows = rows;
    this.#timeWords = wordsOf(this.#times);
    this.#bitWords = wordsOf(rows.bits);
    this.length = length;
    this.bytes = data.byteLength;
  }

  /** The numbers of its series, ascending. */
  get ids(): Uint32Array {
    return this.#ids;
  }

  /** The same numbers as another pack has: in memory they are once. */
  share(ids: Uint32Array): void {
    this.#ids = ids;
  }

  /** Gives its memory back at once; nobody looks into it or at rows of it any more. The garbage collector would do so some folds later. */
  free(): void {
    (this.#bitWords.buffer as ArrayBuffer).transfer(0);
  }

  get hasTexts(): boolean {
    return this.#textEnds !== undefined;
  }

  /** One row of each series. */
  get isRound(): boolean {
    return this.length === this.ids.length;
  }

  has(column: 'lags' | 'valid' | 'quality' | 'reasons'): boolean {
    return this.#rows[column] !== undefined;
  }

  /** The place of a series among those of the pack; -1 if it has none. */
  groupOf(id: number): number {
    const { ids } = this;
    let group = this.#near;
    if (ids[group] !== id) group = ids[group + 1] === id ? group + 1 : placeIn(ids, id);
    if (ids[group] !== id) return -1;
    this.#near = group;
    return group;
  }

  /** How many rows a group has. */
  sizeOf(group: number): number {
    const starts = this.#starts;
    return (group + 1 < starts.length ? (starts[group + 1] as number) : this.length) - (starts[group] as number);
  }

  /** The rows of a group with `fromNs <= time < toNs`, in order of time; undefined if there are none. */
  rowsOf(group: number, fromNs?: bigint, toNs?: bigint): Rows | undefined {
    const { from, to } = this.#placesOf(group, fromNs, toNs);
    if (from >= to) return undefined;
    const rows = { ...sliceRows(this.#rows, from, to), times: this.#timesOf(from, to) };
    const ends = this.#textEnds;
    if (ends) {
      rows.texts = Array.from({ length: rows.length }, (_, index) =>
        decoder.decode(this.#textBytes.subarray(ends[from + index - 1] ?? 0, ends[from + index])),
      );
    }
    return rows;
  }

  /** How many rows `rowsOf` gives. */
  countOf(group: number, fromNs: bigint, toNs: bigint): number {
    const { from, to } = this.#placesOf(group, fromNs, toNs);
    return to - from;
  }

  #placesOf(group: number, fromNs?: bigint, toNs?: bigint): { from: number; to: number } {
    const first = this.#starts[group] as number;
    const end = first + this.sizeOf(group);
    if (fromNs === undefined && toNs === undefined) return { from: first, to: end };
    const times = this.#timesOf(first, end);
    const from = fromNs === undefined ? 0 : placeOf(times, fromNs, 0, times.length);
    return { from: first + from, to: toNs === undefined ? end : first + placeOf(times, toNs, from, times.length) };
  }

  #timesOf(from: number, to: number): BigInt64Array {
    const moments = this.#moments;
    if (!moments) return this.#times.subarray(from, to);
    const words = new Int32Array(2 * (to - from));
    for (let row = from, at = 0; row < to; row++) {
      const time = 2 * (moments[row] as number);
      words[at++] = this.#timeWords[time] as number;
      words[at++] = this.#timeWords[time + 1] as number;
    }
    return new BigInt64Array(words.buffer);
  }

  /** Puts the rows of as many groups as `next` has places, from `first` on, to those places of `into`, and moves the places on. */
  gather(first: number, next: Uint32Array, into: Gathered): void {
    const starts = this.#starts;
    const { lags, valid, quality, reasons } = this.#rows;
    const [fromTimes, fromBits, fromLags] = [this.#timeWords, this.#bitWords, lags && wordsOf(lags)];
    const moments = this.#moments;
    const { times, bits } = into;
    if (this.isRound && !lags && !valid && !quality && !reasons) {
      for (let series = 0, row = 2 * first; series < next.length; series++, row += 2) {
        const at = next[series] as number;
        next[series] = at + 1;
        const time = moments ? 2 * (moments[first + series] as number) : row;
        times[2 * at] = fromTimes[time] as number;
        times[2 * at + 1] = fromTimes[time + 1] as number;
        bits[2 * at] = fromBits[row] as number;
        bits[2 * at + 1] = fromBits[row + 1] as number;
      }
      return;
    }
    for (let series = 0; series < next.length; series++) {
      const group = first + series;
      const end = group + 1 < starts.length ? (starts[group + 1] as number) : this.length;
      let at = next[series] as number;
      for (let row = starts[group] as number; row < end; row++, at++) {
        const time = moments ? 2 * (moments[row] as number) : 2 * row;
        times[2 * at] = fromTimes[time] as number;
        times[2 * at + 1] = fromTimes[time + 1] as number;
        bits[2 * at] = fromBits[2 * row] as number;
        bits[2 * at + 1] = fromBits[2 * row + 1] as number;
        if (fromLags && into.lags) {
          into.lags[2 * at] = fromLags[2 * row] as number;
          into.lags[2 * at + 1] = fromLags[2 * row + 1] as number;
        }
        if (valid && into.valid) into.valid[at] = valid[row] as number;
        if (quality && into.quality) into.quality[at] = quality[row] as number;
        if (reasons && into.reasons) into.reasons[at] = reasons[row] as number;
      }
      next[series] = at;
    }
  }
}

/** The place of the first that is not less than `id`. */
function placeIn(ids: Uint32Array, id: number): number {
  let low = 0;
  let high = ids.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ids[middle] as number) < id) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Runs written out: so many numbers. */
function spread(runs: Uint32Array, count: number): Uint32Array {
  const ids = new Uint32Array(count);
  let at = 0;
  for (let run = 0; run < runs.length; run += 2) {
    const first = runs[run] as number;
    const end = at + (runs[run + 1] as number);
    if (end > count) break;
    for (let id = first; at < end; at++, id++) ids[at] = id;
  }
  if (at !== count) throw new RangeError(`${at} series in runs, wanted are ${count}`);
  return ids;
}

let counting = new Uint32Array();

/** 0, 1, 2 and so on; nobody changes them. */
function countingTo(count: number): Uint32Array {
  if (counting.length < count) counting = Uint32Array.from({ length: Math.max(count, 2 * counting.length) }, (_, place) => place);
  return counting.subarray(0, count);
}
