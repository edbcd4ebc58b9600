/** How one point finds its frames and takes its value out of them. */
import type { Taken } from '../../src/contract/pattern.ts';
import type { Address } from './address.ts';
import { createTake, type Take } from './decoding/take.ts';
import type { Frame } from './frame.ts';
import { compileMatch, type Match, type Places } from './match.ts';
import { type Parsed, parseValue, settleValue } from './value.ts';

export interface Decoder {
  readonly take: Take | undefined;
  /** The named group with the value; undefined with `take`. */
  readonly group: number | undefined;
  /** What the groups took of a frame of this point, by number; undefined if it is another one. */
  choose(frame: Frame, places: Places): Taken | undefined;
}

const nothingTaken: Taken = [];

export function createDecoder({ line, reply, take: options, field }: Address, encoding: 'utf-8' | 'latin1'): Decoder {
  const text = line ?? reply;
  const match: Match | undefined = text === undefined ? undefined : compileMatch(text);
  const take = options && createTake(options, encoding);
  return {
    take,
    group: field === undefined ? undefined : match?.numberOf(field),
    // Without an expression, frames that have the value are meant.
    choose: (frame, places) => (match ? match.find(frame, places) : take?.from(frame) && nothingTaken),
  };
}

export function readValue(how: Address, { take, group }: Decoder, frame: Frame, groups: Taken): Parsed {
  if (!take) return parseValue(group === undefined ? undefined : groups[group], how);
  const taken = take.from(frame);
  if (taken === undefined || 'text' in taken) return parseValue(taken?.text, how);
  return settleValue(taken.value, how);
}
