/** What went over a bus lately: one span a request, in columns, so that a busy bus costs a few bytes a request and nothing to collect. */
import { limits } from '../contract/limits.ts';
import { type Priority, priorities, type Tenant } from './job.ts';

/** `done`: the request cannot tell whether the unit said anything; `failed`: it threw. */
const outcomes = ['answered', 'silent', 'done', 'failed'] as const;
export type Outcome = (typeof outcomes)[number];

/** Times are of the clock that never jumps, in milliseconds. */
export interface Span {
  /** Counts up on this bus. */
  number: number;
  unit: string;
  /** What was asked, for people. */
  text: string;
  priority: Priority;
  outcome: Outcome;
  /** Why it failed. */
  detail?: string | undefined;
  /** Whose request it was. */
  owner: Tenant | undefined;
  queuedMs: number;
  startedMs: number;
  endedMs: number;
}

/** What stands in no column. Requests come again and again, and those that are the same share one. */
interface Row {
  readonly unit: string;
  readonly text: string;
  readonly detail: string | undefined;
  readonly owner: Tenant | undefined;
}

const firstRows = 64;

/** How many more spans the buses of a process may remember together, beyond the first of each. */
export interface SpanRoom {
  left: number;
}

export class Spans {
  /** Queued, started, ended. */
  #times = new Float64Array(firstRows * 3);
  /** Priority and outcome. */
  #codes = new Uint8Array(firstRows * 2);
  readonly #rows: Row[] = [];
  /** The newest row of each text. */
  readonly #newest = new Map<string, Row>();
  #count = 0;
  #room: SpanRoom;

  constructor(room: SpanRoom) {
    this.#room = room;
  }

  /** The oldest gives way at `limits.busSpansMax`, or when all buses together have no room for more. */
  add(span: Omit<Span, 'number'>): void {
    const capacity = this.#codes.length / 2;
    if (this.#count === capacity) this.#grow(Math.min(capacity * 2, limits.busSpansMax));
    const at = this.#count % (this.#codes.length / 2);
    this.#times[at * 3] = span.queuedMs;
    this.#times[at * 3 + 1] = span.startedMs;
    this.#times[at * 3 + 2] = span.endedMs;
    this.#codes[at * 2] = priorities.indexOf(span.priority);
    this.#codes[at * 2 + 1] = outcomes.indexOf(span.outcome);
    this.#rows[at] = this.#rowOf(span);
    this.#count += 1;
  }

  /** Those that ended after `fromMs` and were queued before `toMs`, in the order they ended. */
  between(fromMs: number, toMs: number): Span[] {
    const found: Span[] = [];
    const kept = Math.min(this.#count, this.#codes.length / 2);
    for (let number = this.#count - kept; number < this.#count; number += 1) {
      const at = number % (this.#codes.length / 2);
      const [queuedMs = 0, startedMs = 0, endedMs = 0] = this.#times.subarray(at * 3, at * 3 + 3);
      const row = this.#rows[at];
      if (!row || endedMs < fromMs || queuedMs >= toMs) continue;
      const { unit, text, detail, owner } = row;
      found.push({
        number,
        unit,
        text,
        priority: priorities[this.#codes[at * 2] ?? 0] as Priority,
        outcome: outcomes[this.#codes[at * 2 + 1] ?? 0] as Outcome,
        detail,
        owner,
        queuedMs,
        startedMs,
        endedMs,
      });
    }
    return found;
  }

  /** Others may have its room. */
  close(): void {
    this.#room.left += this.#codes.length / 2 - firstRows;
    // What still ends on it takes none again.
    this.#room = { left: 0 };
  }

  #rowOf({ unit, text, detail, owner }: Omit<Span, 'number'>): Row {
    const newest = this.#newest.get(text);
    if (newest && newest.unit === unit && newest.detail === detail && newest.owner === owner) return newest;
    const row = { unit, text, detail, owner };
    // Each write of another value is another text.
    if (this.#newest.size >= this.#codes.length / 2) this.#newest.clear();
    this.#newest.set(text, row);
    return row;
  }

  /** Only ever while nothing has been overwritten: rows keep their places. */
  #grow(capacity: number): void {
    const more = capacity - this.#codes.length / 2;
    if (more === 0 || more > this.#room.left) return;
    this.#room.left -= more;
    const times = new Float64Array(capacity * 3);
    times.set(this.#times);
    this.#times = times;
    const codes = new Uint8Array(capacity * 2);
    codes.set(this.#codes);
    this.#codes = codes;
  }
}
