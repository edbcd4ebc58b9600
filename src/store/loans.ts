import { limits } from '../contract/limits.ts';
import type { Columns } from '../contract/sample.ts';

/** What the reader's slabs are on the main thread: lent with an answer, and given back. */
export class Loans {
  readonly #giveBack: (slabs: SharedArrayBuffer[]) => void;
  #lentBytes = 0;
  /** Garbage collectors do not count shared memory, so it is counted here: what was lost comes off when it is really gone. */
  readonly #lost = new FinalizationRegistry<number>((bytes) => {
    this.#lentBytes -= bytes;
  });

  constructor(giveBack: (slabs: SharedArrayBuffer[]) => void) {
    this.#giveBack = giveBack;
  }

  /** Whether an answer may come on loan: while too much is, it has memory of its own. */
  get isPossible(): boolean {
    return this.#lentBytes <= limits.storeLentBytesMax;
  }

  /** Takes note of what came with an answer; the result gives it back, after which nobody may look at the columns. */
  take(answer: readonly { columns: Columns }[]): () => void {
    const buffers = new Set(answer.map(({ columns: { times } }) => times.buffer));
    const slabs = [...buffers].filter((buffer) => buffer instanceof SharedArrayBuffer);
    for (const slab of slabs) {
      this.#lentBytes += slab.byteLength;
      this.#lost.register(slab, slab.byteLength, slab);
    }
    return () => {
      const back = slabs.splice(0);
      for (const slab of back) {
        this.#lost.unregister(slab);
        this.#lentBytes -= slab.byteLength;
      }
      if (back.length > 0) this.#giveBack(back);
    };
  }
}
