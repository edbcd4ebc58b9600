import type { DatabaseSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import { gather, isGathered } from './gather.ts';
import { orderRows } from './order.ts';
import { Pack } from './pack.ts';
import { concatRows, type Rows, rowsBetween } from './rows.ts';
import { troubleOf } from './schema.ts';
import { Stack } from './stack.ts';

/** How far the log has been folded into chunks. */
export interface FoldMark {
  /** Packs up to this one are in chunks. */
  done: number;
  /** Packs up to `target` are in chunks too as far as series up to `upto` go: a fold is under way. */
  target: number;
  upto: number;
}

/** Rows of so many series are gathered in one go when all are wanted: they stand together in each pack, and a look into its memory costs more than the rows. */
const seriesAtOnce = 16;
/** But no more rows than these at a time, half a megabyte. */
const rowsAtOnce = 32_768;
/** Stacks of a series that are asked whether a pack is one of theirs. */
const stacksAsked = 8;

/** The newest samples: packs of the log that are not in chunks yet, in memory. */
export class Head {
  readonly #stacks = new Set<Stack>();
  /** The stacks of each series, as they began: of thousands of small packs a read wants a few. */
  readonly #bySeries = new Map<number, Stack[]>();
  /** What was gathered last. */
  #gathered: { stack: Stack; done: number; target: number; group: number; rows: readonly Rows[] } | undefined;
  /** The highest number seen. */
  #last = 0;
  #mark: FoldMark = { done: 0, target: 0, upto: 0 };
  count = 0;
  rows = 0;
  bytes = 0;
  readonly #frees: boolean;

  /** `frees`: packs that are let go of give their memory back at once, because nobody holds rows of them longer than a slice of work. */
  constructor(frees = false) {
    this.#frees = frees;
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
    if (done !== this.#gathered?.done) this.#gathered = undefined;
    // Each series once: where every pack has series of its own, as many connections make them, a series is in as many stacks as packs.
    const touched = new Set<number>();
    for (const stack of this.#stacks) {
      const { ids } = stack;
      for (const { pack } of stack.drop(done)) {
        this.count -= 1;
        this.rows -= pack.length;
        this.bytes -= pack.bytes;
        if (this.#frees) pack.free();
      }
      if (stack.oldest !== undefined) continue;
      this.#stacks.delete(stack);
      for (const id of ids) touched.add(id);
    }
    for (const id of touched) {
      const left = this.#bySeries.get(id)?.filter(({ oldest }) => oldest !== undefined) ?? [];
      if (left.length > 0) this.#bySeries.set(id, left);
      else this.#bySeries.delete(id);
    }
  }

  add(seq: number, pack: Pack | undefined): void {
    this.#last = seq;
    if (!pack) return;
    this.count += 1;
    this.rows += pack.length;
    this.bytes += pack.bytes;
    const held = { seq, pack };
    const alike = this.#bySeries.get(pack.ids[0] ?? 0)?.slice(-stacksAsked);
    if (alike?.some((stack) => stack.takes(held))) return;
    const stack = new Stack(held);
    this.#stacks.add(stack);
    for (const id of pack.ids) {
      const list = this.#bySeries.get(id);
      if (list) list.push(stack);
      else this.#bySeries.set(id, [stack]);
    }
  }

  /** What is known of a series here and not in chunks; undefined if nothing. */
  rowsOf(id: number, fromNs?: bigint, toNs?: bigint, through?: number): Rows | undefined {
    const { packs, groups } = this.#packsOf(id, through);
    if (isGathered(packs, groups)) {
      const rows = orderRows(gather(packs, groups, 1)[0] as Rows);
      return fromNs === undefined || toNs === undefined ? rows : some(rowsBetween(rows, fromNs, toNs));
    }
    const pieces = packs.flatMap((pack, place) => pack.rowsOf(groups[place] as number, fromNs, toNs) ?? []);
    return pieces.length === 0 ? undefined : orderRows(concatRows(pieces));
  }

  /** The same for whoever wants all series, in the order of their numbers, up to the target of the fold that is under way or begins. */
  nextRowsOf(id: number, target: number): Rows | undefined {
    const [stack, more] = this.#bySeries.get(id) ?? [];
    if (!stack || more) return this.rowsOf(id, undefined, undefined, target);
    const { done } = this.#mark;
    const group = stack.groupOf(id);
    const known = this.#gathered;
    const place = group - (known?.group ?? 0);
    if (known?.stack === stack && known.done === done && known.target === target && place >= 0 && known.rows[place])
      return orderRows(known.rows[place]);
    const packs = stack.between(done, target).map(({ pack }) => pack);
    const groups = new Array<number>(packs.length).fill(group);
    if (!isGathered(packs, groups)) return this.rowsOf(id, undefined, undefined, target);
    const most = packs.reduce((size, { length }) => size + length, 0) / stack.ids.length;
    const count = Math.min(stack.ids.length - group, seriesAtOnce, Math.ceil(rowsAtOnce / most));
    const rows = gather(packs, groups, count);
    this.#gathered = { stack, done, target, group, rows };
    return orderRows(rows[0] as Rows);
  }

  /** At most how many rows of a series there are, without looking for them: every other series of a pack has one of its rows at least. */
  mostOf(id: number): number {
    return this.#packsOf(id).packs.reduce((most, { length, ids }) => most + length - ids.length + 1, 0);
  }

  /** The same for a range, by looking; a time that came twice is counted twice. */
  countOf(id: number, fromNs: bigint, toNs: bigint): number {
    const { packs, groups } = this.#packsOf(id);
    return packs.reduce((count, pack, place) => count + pack.countOf(groups[place] as number, fromNs, toNs), 0);
  }

  /** The packs of a series in the order of the log, and its place in each. */
  #packsOf(id: number, through = Number.POSITIVE_INFINITY): { packs: Pack[]; groups: number[] } {
    const { done, target, upto } = this.#mark;
    const after = id <= upto ? target : done;
    const stacks = this.#bySeries.get(id) ?? [];
    const found = stacks.flatMap((stack) => {
      const group = stack.groupOf(id);
      return stack.between(after, through).map(({ seq, pack }) => ({ seq, pack, group }));
    });
    if (stacks.length > 1) found.sort((one, other) => one.seq - other.seq);
    return { packs: found.map(({ pack }) => pack), groups: found.map(({ group }) => group) };
  }

  /** Series that have rows in packs up to `through`, after `upto`. */
  series(through: number, upto: number): number[] {
    const ids: number[] = [];
    for (const [id, stacks] of this.#bySeries)
      if (id > upto && stacks.some(({ oldest }) => oldest !== undefined && oldest <= through)) ids.push(id);
    return ids.sort((a, b) => a - b);
  }
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
