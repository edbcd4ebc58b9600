/**
 * Raw samples as a chart shows them: of each pixel's width the first, the least, the greatest and the last one. A line drawn through these
 * covers the same pixels as a line through all of them, however many there are.
 */
import { limits } from '../contract/limits.ts';
import { type ColumnKind, type Columns, columnKinds } from '../contract/sample.ts';
import { valuesOf } from './between.ts';
import { Bucket, endPlace } from './grid.ts';
import type { Calls } from './messages.ts';
import { worstQuality } from './range.ts';
import type { Reading } from './reading.ts';
import { columnsOf, concatRows, pickRows, type Rows, rowsBetween, rowsOfQuality } from './rows.ts';

type Ask = Calls['outline']['ask'];

export function* readOutline(reading: Reading, ask: Ask): Generator<void, { id: number; columns: Columns; samples: number }[]> {
  const { fromNs, toNs } = ask;
  const worst = worstQuality[ask.quality];
  const results: { id: number; columns: Columns; samples: number }[] = [];
  let sinceYield = performance.now();
  for (const [index, id] of ask.ids.entries()) {
    const kind = columnKinds[ask.kinds[index] ?? 0] ?? 'double';
    const kept = new Kept(kind, ask);
    const take = (rows: Rows | undefined) => {
      if (rows) kept.take(rowsOfQuality(rowsBetween(rows, fromNs, toNs), worst));
    };
    for (let from = fromNs; from < toNs; ) {
      const reached = reading.forward(id, kind, from, toNs, take, (_, read) => take(read()));
      if (reached === undefined) break;
      from = reached;
      if (performance.now() - sinceYield > limits.storeSliceMs) {
        yield;
        sinceYield = performance.now();
      }
    }
    if (kept.samples > 0) results.push({ id, columns: columnsOf(kind, kept.finish()), samples: kept.samples });
  }
  return results;
}

/** A row among pieces. */
interface Place {
  piece: Rows;
  index: number;
}

/** All rows as long as they are few; then those that show. */
class Kept {
  readonly #kind: ColumnKind;
  readonly #keepMax: number;
  readonly #bucket: Bucket;
  /** Rows to be given, in order of time. */
  #pieces: Rows[] = [];
  #isThinned = false;
  samples = 0;
  #first: Place | undefined;
  #least: Place | undefined;
  #greatest: Place | undefined;
  #last: Place | undefined;
  #null: Place | undefined;
  #leastValue: number | bigint = 0;
  #greatestValue: number | bigint = 0;

  constructor(kind: ColumnKind, ask: Ask) {
    this.#kind = kind;
    this.#keepMax = kind === 'string' ? Number.POSITIVE_INFINITY : ask.keepMax;
    this.#bucket = new Bucket({ widthNs: ask.widthNs });
  }

  take(rows: Rows): void {
    if (rows.length === 0) return;
    this.samples += rows.length;
    if (this.#isThinned) this.#thin(rows);
    else {
      this.#pieces.push(rows);
      if (this.samples <= this.#keepMax) return;
      this.#isThinned = true;
      const all = this.#pieces;
      this.#pieces = [];
      for (const piece of all) this.#thin(piece);
    }
  }

  finish(): Rows {
    this.#close();
    return concatRows(this.#pieces);
  }

  #thin(rows: Rows): void {
    const values = valuesOf(this.#kind, rows) as Float64Array | BigInt64Array;
    for (let from = 0; from < rows.length; ) {
      const time = rows.times[from] as bigint;
      if (this.#bucket.moveTo(time)) this.#close();
      const to = endPlace(rows.times, this.#bucket.end, from);
      this.#look(rows, values, from, to);
      from = to;
    }
  }

  /** Through rows of one bucket. */
  #look(rows: Rows, values: Float64Array | BigInt64Array, from: number, to: number): void {
    const { valid } = rows;
    let least = -1;
    let greatest = -1;
    for (let index = from; index < to; index++) {
      if (valid?.[index] === 0) {
        this.#null ??= { piece: rows, index };
        continue;
      }
      const value = values[index] as number | bigint;
      if (least < 0 || value < (values[least] as number | bigint)) least = index;
      if (greatest < 0 || value > (values[greatest] as number | bigint)) greatest = index;
    }
    this.#first ??= { piece: rows, index: from };
    this.#last = { piece: rows, index: to - 1 };
    if (least < 0) return;
    const lowest = values[least] as number | bigint;
    const highest = values[greatest] as number | bigint;
    if (!this.#least || lowest < this.#leastValue) {
      this.#least = { piece: rows, index: least };
      this.#leastValue = lowest;
    }
    if (!this.#greatest || highest > this.#greatestValue) {
      this.#greatest = { piece: rows, index: greatest };
      this.#greatestValue = highest;
    }
  }

  /** Hands over the rows of a bucket, each once, in order. */
  #close(): void {
    const places = [this.#first, this.#least, this.#greatest, this.#null, this.#last].filter((place) => place !== undefined);
    this.#first = this.#least = this.#greatest = this.#null = this.#last = undefined;
    const pieces = [...new Set(places.map(({ piece }) => piece))];
    // One piece is read after the other, so first and last tell their order.
    pieces.sort((one, other) => ((one.times[0] as bigint) < (other.times[0] as bigint) ? -1 : 1));
    for (const piece of pieces) {
      const order = [...new Set(places.flatMap((place) => (place.piece === piece ? [place.index] : [])))].sort((a, b) => a - b);
      this.#pieces.push(pickRows(piece, Uint32Array.from(order)));
    }
  }
}
