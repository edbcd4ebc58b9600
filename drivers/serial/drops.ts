/** Frames that were thrown away: said once for each reason, in words. */
import type { Log } from '../../src/contract/log.ts';
import type { Dropped } from './framing/framer.ts';
import type { FramingOptions } from './framing/settings.ts';

export const droppedWords: Record<Dropped, string> = {
  'too-long': 'longer than framing allows',
  partial: 'not whole',
  checksum: 'checksum does not fit',
  malformed: 'not understood',
};

export class Drops {
  readonly #framing: string;
  readonly #log: Log;
  readonly #said = new Set<Dropped>();

  constructor(framing: FramingOptions, log: Log) {
    this.#framing = JSON.stringify(framing);
    this.#log = log;
  }

  note(why: Dropped): void {
    // The rest of a frame whose beginning was missed is no fault.
    if (why === 'partial' || this.#said.has(why)) return;
    this.#said.add(why);
    const what = why === 'too-long' ? 'a line is longer than framing.maxLength and is dropped' : `a frame is dropped: ${droppedWords[why]}`;
    this.#log.warn(`${what}; further ones are not reported`, { framing: this.#framing });
  }
}
