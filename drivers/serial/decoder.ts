/** How one point finds its frames and takes its value out of them. */
import type { Address } from './address.ts';
import { createTake, type Take } from './decoding/take.ts';
import type { Frame } from './frame.ts';
import { compileMatch, type Match, type Places } from './match.ts';
import { type Parsed, parseValue, settleValue } from './value.ts';

export interface Decoder {
  readonly take: Take | undefined;
  /** What the named groups took of a frame of this point, {} where there are none; undefined if it is another one. */
  choose(frame: Frame, places: Places): Record<string, string | undefined> | undefined;
}

export function createDecoder({ line, reply, take: options }: Address, encoding: 'utf-8' | 'latin1'): Decoder {
  const text = line ?? reply;
  const match: Match | undefined = text === undefined ? undefined : compileMatch(text);
  const take = options && createTake(options, encoding);
  return {
    take,
    // Without an expression, frames that have the value are meant.
    choose: (frame, places) => (match ? match.find(frame, places) : take?.from(frame) && {}),
  };
}

export function readValue({ field, type }: Address, { take }: Decoder, frame: Frame, groups: Record<string, string | undefined>): Parsed {
  if (!take) return parseValue(groups[field ?? ''], type);
  const taken = take.from(frame);
  if (taken === undefined || 'text' in taken) return parseValue(taken?.text, type);
  return settleValue(taken.value, type);
}
