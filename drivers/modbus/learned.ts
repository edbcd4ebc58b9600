/**
 * What the devices of a connection have refused to read (exceptions 2 and 3), kept across restarts in the host's memory, and forgotten after a
 * day: a device may be replaced or get new firmware.
 */
import type { Clock } from '../../src/contract/clock.ts';
import type { Host } from '../../src/contract/driver.ts';
import { limits } from '../../src/contract/limits.ts';
import type { Table } from './reference.ts';

/** Places from `start` to before `end`. */
export interface Range {
  start: number;
  end: number;
}

/** What the planner has to go round. */
export interface Known {
  refused(unitId: number, table: Table): readonly Range[];
  /** The most places the unit gave at once where it refused more; undefined if it did not. */
  most(unitId: number, table: Table): number | undefined;
}

export const nothingKnown: Known = { refused: () => [], most: () => undefined };

/** Short, because the memory of a connection is. `s` and `e` of a range, or `m` for the most. */
interface Entry {
  u: number;
  t: Table;
  s?: number;
  e?: number;
  m?: number;
  /** When, in seconds since 1970. */
  at: number;
}

const key = 'refused';

export class Learned implements Known {
  readonly #memory: Host['memory'];
  readonly #clock: Clock;
  #entries: Entry[];
  /** Rises with every change: a request planned before it may be planned anew. */
  version = 0;

  constructor(memory: Host['memory'], clock: Clock) {
    this.#memory = memory;
    this.#clock = clock;
    const kept = memory.get(key);
    this.#entries = Array.isArray(kept) ? kept.filter(isEntry).slice(-limits.modbusRefusedMax) : [];
    this.forget();
  }

  refused(unitId: number, table: Table): Range[] {
    return this.#entries.flatMap(({ u, t, s, e }) =>
      u === unitId && t === table && s !== undefined && e !== undefined ? [{ start: s, end: e }] : [],
    );
  }

  most(unitId: number, table: Table): number | undefined {
    return this.#entries.find(({ u, t, m }) => u === unitId && t === table && m !== undefined)?.m;
  }

  refuse(unitId: number, table: Table, { start, end }: Range): void {
    if (this.refused(unitId, table).some((range) => range.start <= start && range.end >= end)) return;
    this.#add({ u: unitId, t: table, s: start, e: end, at: this.#now() });
  }

  atMost(unitId: number, table: Table, most: number): void {
    if ((this.most(unitId, table) ?? Number.POSITIVE_INFINITY) <= most) return;
    this.#entries = this.#entries.filter(({ u, t, m }) => m === undefined || u !== unitId || t !== table);
    this.#add({ u: unitId, t: table, m: most, at: this.#now() });
  }

  /** Forgets what is old; true if there was any. */
  forget(): boolean {
    if (this.#entries.length === 0) return false;
    const since = this.#now() - limits.modbusRefusedMs / 1_000;
    // A clock that was set back makes them older than they are, never younger for ever.
    const young = this.#entries.filter(({ at }) => at > since && at <= this.#now());
    if (young.length === this.#entries.length) return false;
    this.#entries = young;
    this.#save();
    return true;
  }

  #add(entry: Entry): void {
    this.#entries = [...this.#entries, entry].slice(-limits.modbusRefusedMax);
    this.#save();
  }

  #save(): void {
    this.version += 1;
    this.#memory.set(key, this.#entries);
  }

  #now(): number {
    return Math.floor(this.#clock.nowMs() / 1_000);
  }
}

/** The memory is a file: what is in it may be of another version. */
function isEntry(value: unknown): value is Entry {
  if (typeof value !== 'object' || value === null) return false;
  const { u, t, s, e, m, at } = value as Record<string, unknown>;
  const range = Number.isInteger(s) && Number.isInteger(e);
  return Number.isInteger(u) && typeof t === 'string' && (range || Number.isInteger(m)) && typeof at === 'number';
}
