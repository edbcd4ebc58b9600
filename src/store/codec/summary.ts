/**
 * What stands beside a chunk so that it need not be read: count, min, max, sum, first and last of its samples, and whether they ever fall, in parts of a round length of
 * time (the shortest of `summaryWidths` that gives few enough parts). A bucket that holds whole parts is made of them. Texts have none.
 */
import { crc32 } from 'node:zlib';
import type { ColumnKind } from '../../contract/sample.ts';
import { createTally, type IntegerTally, NumberTally, TextTally } from '../aggregate.ts';
import { usableRows, valuesOf } from '../between.ts';
import { fallAfter } from '../falls.ts';
import { placeOf, type Rows, sliceRows } from '../rows.ts';
import { summaryWidths } from '../widths.ts';

/**
 * Samples a part must stand for on average. The 16 parts of a full chunk, 56 bytes each, are what SQLite keeps of a row of the list without a page of its own
 * for the rest (1002 bytes).
 */
const rowsPerPart = 512;
const headBytes = 24;
const partBytes = 56;
/** Good, uncertain and bad. */
const allQualities = 2;

export interface Part {
  fromNs: bigint;
  /** Not part of it any more. */
  toNs: bigint;
  count: number;
  worst: number;
  /** The place of its eight-byte columns. */
  at: number;
  /** False: the sum of doubles needs more digits than are here. */
  hasSum: boolean;
  /** No value is less than the one before it; of chunks that were written before this was, nobody knows. */
  rises: boolean;
}

/** Above the index of a part, which is less than the parts of a chunk. */
const risesFlag = 2 ** 31;

export function writeSummary(kind: ColumnKind, rows: Rows): Uint8Array | null {
  if (kind === 'string') return null;
  const first = rows.times[0] ?? 0n;
  const last = rows.times[rows.length - 1] ?? 0n;
  const partsMax = BigInt(Math.max(1, Math.floor(rows.length / rowsPerPart)));
  // Without a width that fits the whole chunk is one part.
  const width = summaryWidths.find((one) => floorDiv(last, one) - floorDiv(first, one) < partsMax) ?? 0n;
  const ends: { index: bigint; end: number }[] = [];
  for (let from = 0; from < rows.length; ) {
    const index = width === 0n ? 0n : floorDiv(rows.times[from] as bigint, width);
    const end = width === 0n ? rows.length : placeOf(rows.times, (index + 1n) * width, from, rows.length);
    ends.push({ index, end });
    from = end;
  }
  const bytes = new Uint8Array(headBytes + ends.length * partBytes);
  const view = new DataView(bytes.buffer);
  const base = ends[0]?.index ?? 0n;
  view.setUint32(4, ends.length, true);
  view.setBigInt64(8, width, true);
  view.setBigInt64(16, base, true);
  let from = 0;
  for (const [place, { index, end }] of ends.entries()) {
    const tally = createTally(kind);
    tally.take(rows, from, end);
    const at = headBytes + place * partBytes;
    if (!(tally instanceof TextTally)) writePart(view, at, Number(index - base), tally, rises(kind, sliceRows(rows, from, end)));
    from = end;
  }
  view.setUint32(0, crc32(bytes.subarray(4)), true);
  return bytes;
}

function rises(kind: ColumnKind, rows: Rows): boolean {
  const usable = usableRows(rows, allQualities);
  const values = valuesOf(kind, usable) as Float64Array | BigInt64Array;
  return fallAfter(values, 1, usable.length) >= usable.length;
}

function writePart(view: DataView, at: number, index: number, tally: NumberTally | IntegerTally, doesRise: boolean): void {
  const hasSum = typeof tally.sum === 'bigint' || tally.sum.isShort;
  view.setUint32(at, tally.count, true);
  view.setUint32(at + 4, index * 8 + (hasSum ? 4 : 0) + tally.worst + (doesRise ? risesFlag : 0), true);
  if (tally instanceof NumberTally) {
    const { min, max, first, last, sum } = tally;
    for (const [place, value] of [min, max, first, last, sum.high, sum.low].entries()) view.setFloat64(at + 8 + place * 8, value, true);
    return;
  }
  const { min, max, first, last, sum } = tally;
  for (const [place, value] of [min, max, first, last, sum, sum >> 64n].entries())
    view.setBigInt64(at + 8 + place * 8, BigInt.asIntN(64, value), true);
}

/** Parts of a chunk that reaches from `firstNs` to `lastNs`; undefined if the bytes are damaged. */
export class Summary {
  readonly parts: Part[] = [];
  readonly #view: DataView;

  private constructor(view: DataView) {
    this.#view = view;
  }

  static read(bytes: Uint8Array, firstNs: bigint, lastNs: bigint): Summary | undefined {
    if (bytes.length < headBytes) return undefined;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const count = view.getUint32(4, true);
    if (bytes.length !== headBytes + count * partBytes || crc32(bytes.subarray(4)) !== view.getUint32(0, true)) return undefined;
    const summary = new Summary(view);
    const width = view.getBigInt64(8, true);
    const base = view.getBigInt64(16, true);
    for (let place = 0; place < count; place++) {
      const at = headBytes + place * partBytes;
      const packed = view.getUint32(at + 4, true);
      const fromNs = (base + BigInt((packed % risesFlag) >>> 3)) * width;
      const toNs = width === 0n ? lastNs + 1n : fromNs + width;
      // No further than the chunk reaches: a bucket may end between its last sample and the end of its last part.
      summary.parts.push({
        fromNs: width === 0n || fromNs < firstNs ? firstNs : fromNs,
        toNs: toNs > lastNs ? lastNs + 1n : toNs,
        count: view.getUint32(at, true),
        worst: packed & 3,
        hasSum: (packed & 4) !== 0,
        rises: packed >= risesFlag,
        at: at + 8,
      });
    }
    return summary;
  }

  /** The first and the last value of a part. */
  ends({ at }: Part, kind: Exclude<ColumnKind, 'string'>): Float64Array | BigInt64Array | BigUint64Array {
    const { buffer, byteOffset } = this.#view;
    const ends = buffer.slice(byteOffset + at + 16, byteOffset + at + 32);
    if (kind === 'double' || kind === 'boolean') return new Float64Array(ends);
    return kind === 'uint64' ? new BigUint64Array(ends) : new BigInt64Array(ends);
  }

  join(part: Part, tally: NumberTally | IntegerTally): void {
    const { at, count, worst } = part;
    const view = this.#view;
    if (tally instanceof NumberTally) {
      const double = (place: number) => view.getFloat64(at + place * 8, true);
      tally.join({ count, worst, min: double(0), max: double(1), first: double(2), last: double(3), high: double(4), low: double(5) });
      return;
    }
    const { kind } = tally;
    const integer = (place: number) =>
      kind === 'uint64' ? view.getBigUint64(at + place * 8, true) : view.getBigInt64(at + place * 8, true);
    const sum = BigInt.asUintN(64, view.getBigInt64(at + 32, true)) + (view.getBigInt64(at + 40, true) << 64n);
    tally.join({ count, worst, min: integer(0), max: integer(1), first: integer(2), last: integer(3), sum });
  }
}

export function floorDiv(value: bigint, width: bigint): bigint {
  const whole = value / width;
  return value < 0n && whole * width !== value ? whole - 1n : whole;
}
