import type { Pack } from './pack.ts';

/** A pack and its number in the log. */
export interface Held {
  seq: number;
  pack: Pack;
}

/** Packs of the same series, in the order of the log: as polls bring them, round after round. What is looked for is looked for once in all of them. */
export class Stack {
  /** The numbers of their series; not in the memory of any of the packs, which come and go. */
  readonly ids: Uint32Array;
  #held: Held[];

  constructor(first: Held) {
    this.ids = first.pack.ids.slice();
    first.pack.share(this.ids);
    this.#held = [first];
  }

  get oldest(): number | undefined {
    return this.#held[0]?.seq;
  }

  /** Takes a newer pack if it is of the same series. */
  takes(held: Held): boolean {
    const { ids } = this;
    const others = held.pack.ids;
    if (ids.length !== others.length) return false;
    for (let place = 0; place < ids.length; place++) if (ids[place] !== others[place]) return false;
    held.pack.share(ids);
    this.#held.push(held);
    return true;
  }

  /** Lets go of the packs up to this one; answers with them. */
  drop(through: number): Held[] {
    const kept = this.#held.findIndex(({ seq }) => seq > through);
    return this.#held.splice(0, kept < 0 ? this.#held.length : kept);
  }

  /** The place of a series in each of the packs. */
  groupOf(id: number): number {
    return this.#held[0]?.pack.groupOf(id) ?? -1;
  }

  /** Packs after one and up to another. */
  between(after: number, through: number): readonly Held[] {
    const held = this.#held;
    if ((held[0]?.seq ?? 0) > after && (held.at(-1)?.seq ?? 0) <= through) return held;
    return held.filter(({ seq }) => seq > after && seq <= through);
  }
}
