/**
 * Sequences of whole numbers that begin with 0: what times, counters, scaled decimals and lags have in common. Each is written as what is
 * left after a guess, as zigzag varints; three guesses are tried, the closest is taken:
 * `line`: on a straight line from the first to the last (a poll on a schedule, with jitter); `previous`: the same as before (a reading that
 * wanders); `slope`: as much more as last time (delta of delta: a counter).
 */
import { type ByteReader, type ByteWriter, putVarint } from './bytes.ts';

const form = { exactLine: 0, line: 1, previous: 2, slope: 3 } as const;

/** Numbers in a sequence lie within ±`sequenceMax`, so that every difference of differences is exact and fits a zigzag varint. */
export const sequenceMax = 2 ** 49;

/** `values[0]` is 0 and the first `count` are whole numbers within `sequenceMax`. */
export function writeSequence(writer: ByteWriter, values: Float64Array, count: number): void {
  const slope = count > 1 ? (values[count - 1] as number) / (count - 1) : 0;
  let offLine = 0;
  let offPrevious = 0;
  let offSlope = 0;
  let before = 0;
  let step = 0;
  for (let index = 1; index < count; index++) {
    const value = values[index] as number;
    offLine += Math.abs(value - Math.round(index * slope));
    offPrevious += Math.abs(value - before);
    offSlope += Math.abs(value - before - step);
    step = value - before;
    before = value;
  }
  if (offLine === 0) {
    writer.byte(form.exactLine);
    writer.double(slope);
    return;
  }
  const chosen = offLine < offPrevious && offLine < offSlope ? form.line : offSlope < offPrevious ? form.slope : form.previous;
  writer.byte(chosen);
  if (chosen === form.line) writer.double(slope);
  writer.ensure(count * 8);
  const { bytes } = writer;
  let at = writer.at;
  before = 0;
  step = 0;
  for (let index = 1; index < count; index++) {
    const value = values[index] as number;
    const rest =
      chosen === form.line ? value - Math.round(index * slope) : chosen === form.previous ? value - before : value - before - step;
    step = value - before;
    before = value;
    const folded = rest < 0 ? -2 * rest - 1 : 2 * rest;
    if (folded < 0x80) bytes[at++] = folded;
    else at = putVarint(bytes, at, folded);
  }
  writer.at = at;
}

/** Fills the first `count` of `values`. */
export function readSequence(reader: ByteReader, values: Float64Array, count: number): void {
  const chosen = reader.byte();
  const slope = chosen === form.exactLine || chosen === form.line ? reader.double() : 0;
  values[0] = 0;
  if (chosen === form.exactLine) {
    for (let index = 1; index < count; index++) values[index] = Math.round(index * slope);
    return;
  }
  if (chosen > form.slope) throw new RangeError(`${chosen} is no form of a sequence`);
  const { bytes } = reader;
  let at = reader.at;
  let before = 0;
  let step = 0;
  for (let index = 1; index < count; index++) {
    let folded = bytes[at++] as number;
    if (folded >= 0x80) {
      folded &= 0x7f;
      for (let unit = 128; ; unit *= 128) {
        const byte = bytes[at++] as number;
        folded += (byte & 0x7f) * unit;
        // Beyond the end a byte is undefined: the loop ends, and the check below says so.
        if (!(byte >= 0x80)) break;
      }
    }
    const rest = folded % 2 === 0 ? folded / 2 : -(folded + 1) / 2;
    let value: number;
    if (chosen === form.line) value = Math.round(index * slope) + rest;
    else if (chosen === form.previous) value = before + rest;
    else {
      step += rest;
      value = before + step;
    }
    before = value;
    values[index] = value;
  }
  if (at > bytes.length) throw new RangeError('a sequence ends early');
  reader.at = at;
}
