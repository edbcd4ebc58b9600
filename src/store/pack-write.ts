/** Makes packs of what is committed. */
import type { Batch } from './messages.ts';
import { slot } from './messages.ts';
import { momentsOf } from './moments.ts';
import { orderRows } from './order.ts';
import { flag, headWords, version, wordsOf } from './pack.ts';
import { blanks, concatRows, type Rows, reasonNames, reasonPlace, sliceRows } from './rows.ts';

/** Of the place of a series among those of a batch: they are no more than its rows. */
const placeBits = 21;
/** UTF-16 units of text in one pack: SQLite takes a blob of up to 1 GB, memory much less. */
const textUnitsMax = 1024 * 1024;

const encoder = new TextEncoder();

/** The samples of a batch as packs; several only where texts are long. */
export function packsOf(batch: Batch): Uint8Array[] {
  const size = batch.places.length;
  if (size === 0) return [];
  if (batch.texts.length === 0) return [packOf(batch, 0, size)];
  const packs: Uint8Array[] = [];
  for (let from = 0, to = 0, units = 0; from < size; from = to, units = 0) {
    do if (batch.slots[to] === slot.text) units += batch.texts[Number(batch.bits[to])]?.length ?? 0;
    while (++to < size && units < textUnitsMax);
    packs.push(packOf(batch, from, to));
  }
  return packs;
}

function packOf(batch: Batch, from: number, to: number): Uint8Array {
  const round = from === 0 && to === batch.places.length ? roundOf(batch) : undefined;
  if (round) return layOut(batch.numbers, round, batch.places);
  const { ids, starts, order } = groupBySeries(batch, from, to);
  const size = to - from;
  const times = new BigInt64Array(size);
  const bits = new BigInt64Array(size);
  const lags = new BigInt64Array(size);
  const valid = new Uint8Array(size);
  const quality = new Uint8Array(size);
  const reasons = new Uint16Array(size);
  const places = batch.reasonNames.map(reasonPlace);
  const texts = batch.texts.length > 0 ? blanks(size) : undefined;
  let flags = 0;
  const [fromTimes, fromBits, toTimes, toBits] = [wordsOf(batch.times), wordsOf(batch.bits), wordsOf(times), wordsOf(bits)];
  const arrivals = wordsOf(batch.arrivals);
  for (let place = 0; place < size; place++) {
    const row = order[place] as number;
    // Halves of 32 bits: a bigint for each would cost more than all the rest.
    toTimes[2 * place] = fromTimes[2 * row] as number;
    toTimes[2 * place + 1] = fromTimes[2 * row + 1] as number;
    if (arrivals[2 * row] !== fromTimes[2 * row] || arrivals[2 * row + 1] !== fromTimes[2 * row + 1]) {
      lags[place] = BigInt.asIntN(64, (batch.arrivals[row] as bigint) - (batch.times[row] as bigint));
      flags |= flag.lags;
    }
    switch (batch.slots[row]) {
      case slot.none:
        flags |= flag.valid;
        continue;
      case slot.text:
        if (texts) texts[place] = batch.texts[Number(batch.bits[row])] ?? '';
        break;
      default:
        toBits[2 * place] = fromBits[2 * row] as number;
        toBits[2 * place + 1] = fromBits[2 * row + 1] as number;
    }
    valid[place] = 1;
  }
  for (let place = 0; place < size; place++) {
    const row = order[place] as number;
    if (batch.quality[row] !== 0) {
      quality[place] = batch.quality[row] as number;
      flags |= flag.quality;
    }
    if (batch.reasons[row] !== 0) {
      reasons[place] = places[batch.reasons[row] as number] ?? 0;
      flags |= flag.reasons;
    }
  }
  const rows: Rows = {
    length: size,
    times,
    bits,
    texts,
    lags: (flags & flag.lags) !== 0 ? lags : undefined,
    valid: (flags & flag.valid) !== 0 ? valid : undefined,
    quality: (flags & flag.quality) !== 0 ? quality : undefined,
    reasons: (flags & flag.reasons) !== 0 ? reasons : undefined,
  };
  return layOut(ids, ...inOrder(rows, starts));
}

/** Rows of `from` to before `to` by series, in order of their numbers; those of one series as they came. */
function groupBySeries(batch: Batch, from: number, to: number): { ids: Uint32Array; starts: Uint32Array; order: Uint32Array } {
  const { numbers, places } = batch;
  const size = to - from;
  const order = new Uint32Array(size);
  const counts = new Uint32Array(numbers.length);
  for (let row = from; row < to; row++) counts[places[row] as number] = (counts[places[row] as number] as number) + 1;
  const groups = ascending(numbers).filter((place) => counts[place] !== 0);
  const ids = Uint32Array.from(groups, (place) => numbers[place] as number);
  const starts = new Uint32Array(groups.length);
  /** Where the next row of a series goes. */
  const next = counts;
  let at = 0;
  for (let group = 0; group < groups.length; group++) {
    const place = groups[group] as number;
    const count = counts[place] as number;
    starts[group] = at;
    next[place] = at;
    at += count;
  }
  for (let row = from; row < to; row++) {
    const place = places[row] as number;
    const to = next[place] as number;
    order[to] = row;
    next[place] = to + 1;
  }
  return { ids, starts, order };
}

/** The rows of a round of polls as they are: one number of each series, in the order of their numbers. Undefined if it is anything else. */
function roundOf({ numbers, places, times, arrivals, bits, slots, quality, reasons, reasonNames }: Batch): Rows | undefined {
  const length = places.length;
  if (numbers.length !== length || !isAscending(numbers)) return undefined;
  let qualities = 0;
  let reasonsSeen = 0;
  for (let row = 0; row < length; row++) {
    if (places[row] !== row || slots[row] === slot.none || slots[row] === slot.text) return undefined;
    qualities |= quality[row] as number;
    reasonsSeen |= reasons[row] as number;
  }
  const rows: Rows = { length, times, bits, lags: lagsOf(times, arrivals) };
  if (qualities !== 0) rows.quality = Uint8Array.from(quality);
  if (reasonsSeen !== 0) {
    const names = reasonNames.map(reasonPlace);
    rows.reasons = Uint16Array.from(reasons, (place) => names[place] ?? 0);
  }
  return rows;
}

/** Undefined if all are 0. */
function lagsOf(times: BigInt64Array, arrivals: BigInt64Array): BigInt64Array<ArrayBuffer> | undefined {
  const [words, others] = [wordsOf(times), wordsOf(arrivals)];
  let place = 0;
  while (place < words.length && words[place] === others[place]) place += 1;
  return place < words.length ? BigInt64Array.from(times, (time, row) => BigInt.asIntN(64, (arrivals[row] as bigint) - time)) : undefined;
}

/** Places of numbers in their order. */
function ascending(numbers: Uint32Array): Uint32Array {
  const places = Uint32Array.from(numbers.keys());
  if (isAscending(numbers)) return places;
  // Number and place in one, exact within 53 bits: sorting without asking back for each pair is twenty times as fast.
  const sorted = Float64Array.from(numbers, (number, place) => number * 2 ** placeBits + place).sort();
  return places.map((_, index) => (sorted[index] as number) % 2 ** placeBits);
}

function isAscending(numbers: Uint32Array): boolean {
  for (let place = 1; place < numbers.length; place++) if ((numbers[place] as number) <= (numbers[place - 1] as number)) return false;
  return true;
}

/** Each group in order of time, a time once. Mostly nothing has to be done. */
function inOrder(rows: Rows, starts: Uint32Array): [Rows, Uint32Array] {
  const groups: Rows[] = [];
  let changed = false;
  for (let group = 0; group < starts.length; group++) {
    const from = starts[group] as number;
    const to = starts[group + 1] ?? rows.length;
    let place = from + 1;
    while (place < to && (rows.times[place] as bigint) > (rows.times[place - 1] as bigint)) place += 1;
    const isOrdered = place >= to;
    if (!isOrdered && !changed) {
      // The groups before are in order: they are taken over together.
      changed = true;
      for (let earlier = 0; earlier < group; earlier++) groups.push(groupOf(rows, starts, earlier));
    }
    if (changed) groups.push(orderRows(groupOf(rows, starts, group)));
  }
  if (!changed) return [rows, starts];
  const newStarts = new Uint32Array(starts.length);
  let at = 0;
  for (const [group, { length }] of groups.entries()) {
    newStarts[group] = at;
    at += length;
  }
  return [concatRows(groups), newStarts];
}

function groupOf(rows: Rows, starts: Uint32Array, group: number): Rows {
  return sliceRows(rows, starts[group] as number, starts[group + 1] ?? rows.length);
}

function layOut(ids: Uint32Array, rows: Rows, starts: Uint32Array): Uint8Array {
  const { length, lags, valid, quality, reasons, texts } = rows;
  const encoded = texts?.map((text) => encoder.encode(text)) ?? [];
  const names = reasons ? encoder.encode(JSON.stringify(reasonNames)) : new Uint8Array();
  const moments = momentsOf(rows.times);
  const columns: ArrayBufferView[] = [moments?.times ?? rows.times, rows.bits];
  let flags = 0;
  if (lags) {
    flags |= flag.lags;
    columns.push(lags);
  }
  const runs = runsOf(ids);
  if (runs) flags |= flag.runs;
  columns.push(runs ?? ids);
  if (ids.length === length) flags |= flag.round;
  else columns.push(starts);
  if (texts) {
    const ends = new Uint32Array(length);
    let end = 0;
    for (const [index, { length: bytes }] of encoded.entries()) {
      end += bytes;
      ends[index] = end;
    }
    columns.push(ends);
  }
  if (moments) {
    flags |= flag.moments;
    columns.push(moments.places);
  }
  if (reasons) {
    flags |= flag.reasons;
    columns.push(reasons);
  }
  if (valid) {
    flags |= flag.valid;
    columns.push(valid);
  }
  if (quality) {
    flags |= flag.quality;
    columns.push(quality);
  }
  columns.push(names, ...encoded);
  const bytes = new Uint8Array(headWords * 4 + columns.reduce((sum, { byteLength }) => sum + byteLength, 0));
  new Uint32Array(bytes.buffer, 0, headWords).set([
    version,
    length,
    ids.length,
    flags,
    texts ? length : 0,
    names.length,
    (runs?.length ?? 0) / 2,
    moments?.times.length ?? 0,
  ]);
  let at = headWords * 4;
  for (const column of columns) {
    bytes.set(new Uint8Array(column.buffer, column.byteOffset, column.byteLength), at);
    at += column.byteLength;
  }
  return bytes;
}

/** Ascending numbers as runs of such as follow each other; undefined if they are not shorter so. */
function runsOf(ids: Uint32Array): Uint32Array | undefined {
  const runs: number[] = [];
  for (let from = 0; from < ids.length; ) {
    const first = ids[from] as number;
    let to = from + 1;
    while (to < ids.length && ids[to] === first + to - from) to += 1;
    runs.push(first, to - from);
    if (runs.length >= ids.length) return undefined;
    from = to;
  }
  return Uint32Array.from(runs);
}
