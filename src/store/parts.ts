import type { Chunk } from './chunks.ts';
import { type Part, Summary } from './codec/summary.ts';
import type { ReadChunk } from './reading.ts';
import { type Rows, rowsBetween } from './rows.ts';
import type { TimeRange } from './store.ts';

/** What becomes of a chunk's parts (codec/summary.ts), in order of time. */
export interface PartTaker {
  /** Whether what the summary says of a part is enough; `next` is the part after it in the chunk. Asked before the parts before it are taken. */
  isEnough(part: Part, next: Part | undefined, summary: Summary): boolean;
  takePart(part: Part, summary: Summary): void;
  takeRows(rows: Rows): void;
}

/** Takes a chunk by its parts; those of which the summary is not enough are read, and nothing else of it where that is possible. */
export function takeParts(chunk: Chunk, read: ReadChunk, { fromNs, toNs }: TimeRange, taker: PartTaker): void {
  const { summary: bytes, first, last } = chunk;
  const takeBetween = (rows: Rows | undefined, from: bigint, to: bigint) => {
    if (rows) taker.takeRows(rowsBetween(rows, from < fromNs ? fromNs : from, to > toNs ? toNs : to));
  };
  const summary = bytes ? Summary.read(bytes, first, last) : undefined;
  if (!summary) {
    takeBetween(read(), first, last + 1n);
    return;
  }
  const { parts } = summary;
  // Parts count values. Only where no value is null that says at which row a part begins.
  const isFull = parts.reduce((sum, { count }) => sum + count, 0) === chunk.rows;
  /** Parts that are read, one after the other: they are read together. */
  let cut: { from: number; fromNs: bigint; to: number; toNs: bigint } | undefined;
  let whole: Rows | undefined;
  const takeCut = () => {
    if (!cut) return;
    if (!isFull) whole ??= read();
    takeBetween(isFull ? read(cut.from, cut.to) : whole, cut.fromNs, cut.toNs);
    cut = undefined;
  };
  let place = 0;
  for (const [index, part] of parts.entries()) {
    const from = place;
    place += part.count;
    if (part.toNs <= fromNs || part.fromNs >= toNs) continue;
    if (part.fromNs < fromNs || part.toNs > toNs || !taker.isEnough(part, parts[index + 1], summary))
      cut = { from, fromNs: part.fromNs, ...cut, to: place, toNs: part.toNs };
    else {
      takeCut();
      taker.takePart(part, summary);
    }
  }
  takeCut();
}
