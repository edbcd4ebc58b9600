import type { ColumnKind, Columns, Reason } from '../contract/sample.ts';
import { flatColumn } from './flat.ts';

/**
 * Samples of one series as columns, in order of time, a time at most once: what log, chunks and readers hand to each other. A column that
 * holds nothing special is absent. Arrays may be views into larger ones; nobody changes them.
 */
export interface Rows {
  length: number;
  times: BigInt64Array;
  /** Arrival minus time, modulo 2^64. Absent: all 0. */
  lags?: BigInt64Array<ArrayBuffer> | undefined;
  /** 64 bits a value: a double's, an int64, a uint64's, 0 or 1 of a boolean; 0 where there is none, and for texts. */
  bits: BigInt64Array;
  /** Of a series of strings only. */
  texts?: string[] | undefined;
  /** 0 where the value is null. Absent: none is. */
  valid?: Uint8Array<ArrayBuffer> | undefined;
  /** Absent: all good. */
  quality?: Uint8Array<ArrayBuffer> | undefined;
  /** Places in `reasonNames`. Absent: nothing is wrong. */
  reasons?: Uint16Array<ArrayBuffer> | undefined;
  /** The arrays are somebody else's too (a cache's): they must not be given away. */
  shared?: boolean | undefined;
}

/** Every reason this process has met, by its number in memory; on disk they are written out. */
export const reasonNames: Reason[] = [''];
const reasonPlaces = new Map<string, number>([['', 0]]);

/** There are a few hundred reasons (contract `Reason`); beyond 16 bits, which only a damaged file could bring, it is none. */
export function reasonPlace(name: string): number {
  let place = reasonPlaces.get(name);
  if (place === undefined) {
    if (reasonNames.length > 0xffff) return 0;
    place = reasonNames.push(name as Reason) - 1;
    reasonPlaces.set(name, place);
  }
  return place;
}

export function doublesOf(rows: Rows): Float64Array {
  return new Float64Array(rows.bits.buffer, rows.bits.byteOffset, rows.length);
}

export function sliceRows(rows: Rows, from: number, to: number): Rows {
  if (from === 0 && to === rows.length) return rows;
  return {
    length: to - from,
    times: rows.times.subarray(from, to),
    bits: rows.bits.subarray(from, to),
    lags: rows.lags?.subarray(from, to),
    texts: rows.texts?.slice(from, to),
    valid: rows.valid?.subarray(from, to),
    quality: rows.quality?.subarray(from, to),
    reasons: rows.reasons?.subarray(from, to),
    shared: rows.shared,
  };
}

/** The rows at `order`'s places. */
export function pickRows(rows: Rows, order: Uint32Array): Rows {
  const length = order.length;
  const pick = <T extends { [place: number]: V }, V>(from: T & { readonly [place: number]: V }, to: T): T => {
    for (let index = 0; index < length; index++) to[index] = from[order[index] as number] as V;
    return to;
  };
  return {
    length,
    times: pick(rows.times, new BigInt64Array(length) as BigInt64Array),
    bits: pick(rows.bits, new BigInt64Array(length) as BigInt64Array),
    lags: rows.lags && pick(rows.lags, new BigInt64Array(length)),
    texts: rows.texts && pick(rows.texts, new Array<string>(length)),
    valid: rows.valid && pick(rows.valid, new Uint8Array(length)),
    quality: rows.quality && pick(rows.quality, new Uint8Array(length)),
    reasons: rows.reasons && pick(rows.reasons, new Uint16Array(length)),
  };
}

export function concatRows(pieces: readonly Rows[]): Rows {
  const [only] = pieces;
  if (pieces.length === 1 && only) return only;
  let length = 0;
  for (const piece of pieces) length += piece.length;
  const rows: Rows = {
    length,
    times: joined(
      pieces.map(({ times }) => times),
      length,
    ),
    bits: joined(
      pieces.map(({ bits }) => bits),
      length,
    ),
  };
  let at = 0;
  for (const piece of pieces) {
    if (piece.lags) {
      rows.lags ??= new BigInt64Array(length);
      rows.lags.set(piece.lags, at);
    }
    if (piece.valid) {
      rows.valid ??= new Uint8Array(length).fill(1);
      rows.valid.set(piece.valid, at);
    }
    if (piece.quality) {
      rows.quality ??= new Uint8Array(length);
      rows.quality.set(piece.quality, at);
    }
    if (piece.reasons) {
      rows.reasons ??= new Uint16Array(length);
      rows.reasons.set(piece.reasons, at);
    }
    at += piece.length;
  }
  if (pieces.some(({ texts }) => texts !== undefined)) rows.texts = pieces.flatMap(({ texts, length: count }) => texts ?? blanks(count));
  return rows;
}

/** Arrays as one: where each begins where the one before ends (a `Room`), they are one already. */
function joined(parts: readonly BigInt64Array[], length: number): BigInt64Array {
  const [first] = parts;
  const begins = parts.every((part, index) => {
    const before = parts[index - 1];
    return !before || (before.buffer === part.buffer && before.byteOffset + before.byteLength === part.byteOffset);
  });
  if (first && begins) return new BigInt64Array(first.buffer, first.byteOffset, length);
  const all = new BigInt64Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The first place whose time is `time` or later. */
export function placeOf(times: BigInt64Array, time: bigint, from = 0, end = times.length): number {
  let low = from;
  let high = end;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] as bigint) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Rows of `fromNs <= time < toNs`. */
export function rowsBetween(rows: Rows, fromNs: bigint, toNs: bigint): Rows {
  const from = placeOf(rows.times, fromNs);
  return sliceRows(rows, from, placeOf(rows.times, toNs, from));
}

/** Rows of at most this quality; the same object if none is worse. */
export function rowsOfQuality(rows: Rows, worst: number): Rows {
  const { quality } = rows;
  if (!quality || worst >= 2) return rows;
  const order = new Uint32Array(rows.length);
  let count = 0;
  for (let index = 0; index < rows.length; index++) if ((quality[index] as number) <= worst) order[count++] = index;
  return count === rows.length ? rows : pickRows(rows, order.subarray(0, count));
}

/** Rows as the interface gives them: in arrays that can be given away, or that are lent. */
export function columnsOf(kind: ColumnKind, rows: Rows): Columns {
  const { length, valid, reasons } = rows;
  // Two columns in one memory (a pack's) could not be given away one after the other.
  const isOwn = !rows.shared && rows.times.buffer !== rows.bits.buffer;
  const own = (column: BigInt64Array) =>
    column.buffer instanceof SharedArrayBuffer || (isOwn && column.byteLength >= column.buffer.byteLength * ownShare)
      ? column
      : column.slice();
  return {
    kind,
    times: own(rows.times),
    values: valuesOf(kind, own(rows.bits), rows.texts),
    valid: valid ? valid.slice() : flatColumn(1, length),
    quality: rows.quality ? rows.quality.slice() : flatColumn(0, length),
    ...(reasons?.some((place) => place !== 0) ? { reasons: Array.from(reasons, (place) => reasonNames[place] ?? '') } : {}),
  };
}

/** A column that is a smaller part of its memory is copied: what goes with it to another thread is the whole. */
const ownShare = 0.75;

/** The texts of rows that are all null. */
export function blanks(count: number): string[] {
  return new Array<string>(count).fill('');
}

function valuesOf(kind: ColumnKind, bits: BigInt64Array, texts: string[] | undefined): Columns['values'] {
  switch (kind) {
    case 'double':
      return new Float64Array(bits.buffer, bits.byteOffset, bits.length);
    case 'int64':
      return bits;
    case 'uint64':
      return new BigUint64Array(bits.buffer, bits.byteOffset, bits.length);
    case 'boolean': {
      const words = new Uint32Array(bits.buffer, bits.byteOffset, 2 * bits.length);
      const values = new Uint8Array(bits.length);
      for (let index = 0; index < values.length; index++) values[index] = words[2 * index] as number;
      return values;
    }
    case 'string':
      return texts ?? blanks(bits.length);
  }
}
