/**
 * Sequences of whole numbers that begin with 0: what times, counters, scaled decimals and lags have in common. What is left after a guess is
 * written less the smallest of it, lowest bytes of all first, then the next bytes of all: bytes of a kind stand together, which packs well, and
 * reading them back (sequence-read.ts) has no branches. Guesses: a straight line (a poll on a schedule, with jitter), as before (a reading that wanders), as much
 * more as last time (a counter). Chunks of version 1 have varints instead.
 */
import type { ByteWriter } from './bytes.ts';
import { writePacked } from './packed.ts';

/** The first four are of version 1; a line without anything left is the same in both. */
export const form = { exactLine: 0, oldLine: 1, oldPrevious: 2, oldSlope: 3, line: 4, previous: 5, slope: 6 } as const;

/** Numbers in a sequence lie within ±`sequenceMax`, so that every difference of differences is exact, and less the smallest one too. */
export const sequenceMax = 2 ** 49;

/** Where integers and doubles are turned into sequences and back, a column at a time: a new array for each would cost more than the turning. */
let scratch = new Float64Array(0);

/** Room for `count` numbers that is anybody's again at the next call; what is in it is left from before. */
export function borrowSequence(count: number): Float64Array {
  if (scratch.length < count) scratch = new Float64Array(count);
  return scratch.subarray(0, count);
}

/**
 * What is left of a guess mostly has six or seven bits in eight: a short run of it is not worth the beginning of a compression, which costs as much as all the
 * rest of its chunk, because short chunks are merged with others before long.
 */
const compressFromBytes = 2_048;

/** A guess is tried on so many stretches of this many numbers: enough to tell which is closest, and little work beside the writing. */
const [stretchesLeast, stretchesMost] = [3, 8];
const stretchSize = 16;
/** One stretch for so many numbers. */
const stretchEvery = 128;
const tried = new Float64Array(stretchesMost * stretchSize);
const probed = new Float64Array(8);

/** `values[0]` is 0 and the first `count` are whole numbers within `sequenceMax`. They are used up. */
export function writeSequence(writer: ByteWriter, values: Float64Array, count: number): void {
  const { guess, line } = closest(values, count);
  toRests(values, count, guess, line);
  let least = count > 1 ? (values[1] as number) : 0;
  let most = least;
  for (let index = 2; index < count; index++) {
    const rest = values[index] as number;
    if (rest < least) least = rest;
    if (rest > most) most = rest;
  }
  const isExact = guess === form.line && least === 0 && most === 0;
  writer.byte(isExact ? form.exactLine : guess);
  if (guess === form.line) writer.double(line);
  if (isExact) return;
  writer.double(least);
  const spread = most - least;
  const width = spread < 1 ? 0 : 1 + Math.floor(Math.log2(spread) / 8);
  writer.byte(width);
  const bytes = new Uint8Array(width * (count - 1));
  let at = 0;
  for (let place = 0, unit = 1; place < width; place++, unit *= 256) {
    // A whole number that is put into a byte array leaves its lowest eight bits there.
    if (unit === 1) for (let index = 1; index < count; index++) bytes[at++] = (values[index] as number) - least;
    else for (let index = 1; index < count; index++) bytes[at++] = Math.floor(((values[index] as number) - least) / unit) % 256;
  }
  writePacked(writer, bytes, compressFromBytes);
}

/** The guess that leaves the least to write; on a line, its slope. */
function closest(values: Float64Array, count: number): { guess: number; line: number } {
  const straight = count > 1 ? (values[count - 1] as number) / (count - 1) : 0;
  const round = Math.round(straight);
  // A schedule keeps a round step, where the line between the ends is off by their jitter.
  const lines = Math.abs(round - straight) * count < Math.abs(round) ? [round, straight] : [straight];
  const guesses = [...lines.map((line) => ({ guess: form.line, line })), { guess: form.previous, line: 0 }, { guess: form.slope, line: 0 }];
  let best: { guess: number; line: number } = { guess: form.line, line: straight };
  let bestBits = Number.POSITIVE_INFINITY;
  for (const { guess, line } of guesses) {
    const bits = bitsLeft(values, count, guess, line);
    // The simpler ones stand first, and of two that are about as close the simpler is mostly the truth.
    if (bits >= bestBits * 0.98) continue;
    best = { guess, line };
    bestBits = bits;
  }
  return best;
}

/** About how many bits tell what a guess leaves from the middle of it. */
function bitsLeft(values: Float64Array, count: number, guess: number, line: number): number {
  let size = 0;
  const stretches = Math.max(stretchesLeast, Math.min(stretchesMost, Math.floor(count / stretchEvery)));
  if (count <= tried.length) for (let index = 1; index < count; index++) tried[size++] = restAt(values, index, guess, line);
  else {
    for (let stretch = 0; stretch < stretches; stretch++) {
      const from = 1 + Math.floor((stretch * (count - 1 - stretchSize)) / (stretches - 1));
      for (let index = from; index < from + stretchSize; index++) tried[size++] = restAt(values, index, guess, line);
    }
  }
  for (let probe = 0; probe < probed.length; probe++) probed[probe] = tried[Math.floor((probe * size) / probed.length)] ?? 0;
  const middle = size === 0 ? 0 : (probed.sort()[probed.length >> 1] as number);
  let bits = 0;
  // The logarithm of a product is the sum of the logarithms, and costs one: sixteen times 2^52 is no infinity yet.
  for (let from = 0; from < size; from += stretchSize) {
    const end = Math.min(size, from + stretchSize);
    let product = 1;
    for (let index = from; index < end; index++) product *= 1 + Math.abs((tried[index] as number) - middle);
    bits += Math.log2(product);
  }
  return bits;
}

function restAt(values: Float64Array, index: number, guess: number, line: number): number {
  const value = values[index] as number;
  if (guess === form.line) return value - Math.round(index * line);
  const before = values[index - 1] as number;
  return guess === form.previous ? value - before : value - before - (before - (values[index - 2] ?? 0));
}

/** From the last to the first, because each needs those before it. */
function toRests(values: Float64Array, count: number, guess: number, line: number): void {
  if (guess === form.line) for (let index = 1; index < count; index++) values[index] = (values[index] as number) - Math.round(index * line);
  else if (guess === form.previous)
    for (let index = count - 1; index > 0; index--) values[index] = (values[index] as number) - (values[index - 1] as number);
  else {
    for (let index = count - 1; index > 1; index--) {
      const before = values[index - 1] as number;
      values[index] = (values[index] as number) - before - (before - (values[index - 2] as number));
    }
  }
}
