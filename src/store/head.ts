import type { DatabaseSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import { orderRows } from './order.ts';
import { Pack } from './pack.ts';
import { concatRows, type Rows, rowsBetween } from './rows.ts';
import { troubleOf } from './schema.ts';

/** How far the log has been folded into chunks. */
export interface FoldMark {
  /** Packs up to this one are in chunks. */
  done: number;
  /** Packs up to `target` are in chunks too as far as series up to `upto` go: a fold is under way. */
  target: number;
  upto: number;
}

interface Held {
  seq: number;
  pack: Pack;
}

/** The newest samples: packs of the log that are not in chunks yet, in memory. */
export class Head {
  #packs: Held[] = [];
  /** The packs of each series, as they came: of thousands of small ones a read wants a few. */
  readonly #bySeries = new Map<number, Held[]>();
  /** The highest number seen. */
  #last = 0;
  #mark: FoldMark = { done: 0, target: 0, upto: 0 };
  rows = 0;
  bytes = 0;

  get count(): number {
    return this.#packs.length;
  }

  get last(): number {
    return this.#last;
  }

  get mark(): FoldMark {
    return this.#mark;
  }

  set mark(mark: FoldMark) {
    const { done } = mark;
    this.#mark = mark;
    this.#last = Math.max(this.#last, done);
    const kept = this.#packs.findIndex(({ seq }) => seq > done);
    const gone = this.#packs.splice(0, kept < 0 ? this.#packs.length : kept);
    const touched = new Set<number>();
    for (const { pack } of gone) {
      this.rows -= pack.length;
      this.bytes -= pack.bytes;
      for (const id of pack.ids) touched.add(id);
    }
    for (const id of touched) {
      const left = this.#bySeries.get(id)?.filter(({ seq }) => seq > done) ?? [];
      if (left.length > 0) this.#bySeries.set(id, left);
      else this.#bySeries.delete(id);
    }
  }

  add(seq: number, pack: Pack | undefined): void {
    this.#last = seq;
    if (!pack) return;
    const held = { seq, pack };
    this.#packs.push(held);
    this.rows += pack.length;
    this.bytes += pack.bytes;
    for (const id of pack.ids) {
      const list = this.#bySeries.get(id);
      if (list) list.push(held);
      else this.#bySeries.set(id, [held]);
    }
  }

  /** What is known of a series here and not in chunks; undefined if nothing. */
  rowsOf(id: number, fromNs?: bigint, toNs?: bigint, through?: number): Rows | undefined {
    const packs = this.#packsOf(id, through);
    const single = packs.length > 1 ? onePerPack(packs, id) : undefined;
    if (single) {
      const rows = orderRows(single);
      return fromNs === undefined || toNs === undefined ? rows : some(rowsBetween(rows, fromNs, toNs));
    }
    const pieces = packs.flatMap((pack) => pack.rowsOf(id, fromNs, toNs) ?? []);
    return pieces.length === 0 ? undefined : orderRows(concatRows(pieces));
  }

  /** At most how many rows of a series there are, without looking for them: every other series of a pack has one of its rows at least. */
  mostOf(id: number): number {
    return this.#packsOf(id).reduce((most, { length, ids }) => most + length - ids.length + 1, 0);
  }

  /** The same for a range, by looking; a time that came twice is counted twice. */
  countOf(id: number, fromNs: bigint, toNs: bigint): number {
    return this.#packsOf(id).reduce((count, pack) => count + pack.countOf(id, fromNs, toNs), 0);
  }

  #packsOf(id: number, through = Number.POSITIVE_INFINITY): Pack[] {
    const { done, target, upto } = this.#mark;
    const after = id <= upto ? target : done;
    return (this.#bySeries.get(id) ?? []).filter(({ seq }) => seq > after && seq <= through).map(({ pack }) => pack);
  }

  /** Series that have rows in packs up to `through`, after `upto`. */
  series(through: number, upto: number): number[] {
    const ids: number[] = [];
    for (const [id, [oldest]] of this.#bySeries) if (id > upto && oldest && oldest.seq <= through) ids.push(id);
    return ids.sort((a, b) => a - b);
  }
}

/** One plain row of each pack, as a round of polls brings them; undefined where it is otherwise. Views of each would cost more than the rows. */
function onePerPack(packs: readonly Pack[], id: number): Rows | undefined {
  const length = packs.length;
  const rows: Rows = { length, times: new BigInt64Array(length), bits: new BigInt64Array(length) };
  const [times, bits] = [new Int32Array(rows.times.buffer), new Int32Array(rows.bits.buffer)];
  return packs.every((pack, place) => pack.putOne(id, times, bits, place)) ? rows : undefined;
}

function some(rows: Rows): Rows | undefined {
  return rows.length > 0 ? rows : undefined;
}

/** Brings a head up to what the log holds; `onDamage` is told of packs that cannot be read, once each. */
export function createTail(database: DatabaseSync, head: Head, onDamage: (what: string) => void): () => void {
  const mark = database.prepare('SELECT done, target, upto FROM fold');
  const newer = database.prepare('SELECT seq FROM log WHERE seq > ? ORDER BY seq');
  const one = database.prepare('SELECT crc, data FROM log WHERE seq = ?');

  const read = (seq: number): Pack | undefined => {
    try {
      const row = one.get(seq);
      const data = row?.data as Uint8Array;
      if (crc32(data) !== row?.crc) throw new RangeError('its checksum does not fit');
      return new Pack(data);
    } catch (error) {
      if (!(error instanceof RangeError) && troubleOf(error).kind !== 'damaged') throw error;
      // One pack is some hundred samples; the others are whole.
      onDamage(`part ${seq} of the log: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  };
  return () => {
    const { done, target, upto } = mark.get() as unknown as FoldMark;
    const before = head.mark;
    if (done !== before.done || target !== before.target || upto !== before.upto) head.mark = { done, target, upto };
    for (const row of newer.all(head.last)) {
      const seq = Number(row.seq);
      head.add(seq, read(seq));
    }
  };
}
