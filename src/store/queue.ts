import type { Clock } from '../contract/clock.ts';
import { limits } from '../contract/limits.ts';
import type { Placed } from './batch.ts';
import { storageFull } from './faults.ts';
import type { RecordWrite } from './messages.ts';

/** One call that waits for its commit; it may be spread over several batches. */
interface Ticket {
  parts: number;
  resolve(): void;
  reject(error: unknown): void;
}

type Item = { ticket: Ticket; rows: readonly Placed[]; from: number } | { ticket: Ticket; record: RecordWrite } | { ticket: Ticket };

export interface CommitOutcome {
  /** Records (by index) that hit a bound, with what their callers are told. */
  refused: Map<number, Error>;
}

export interface QueueCounters {
  committed: number;
  dropped: number;
  commits: number;
}

/**
 * Group commit: what is appended waits for others, at most as long as it was told, and goes to disk with everything that waits by then.
 * One batch is on its way at a time, so that those who want it at once share the next one. Bounded; beyond the bound it refuses.
 */
export class CommitQueue {
  readonly #clock: Clock;
  readonly #commit: (rows: Placed[], records: RecordWrite[]) => Promise<CommitOutcome>;
  #items: Item[] = [];
  #pending = 0;
  #inFlight = 0;
  #dueMs = Number.POSITIVE_INFINITY;
  #cancelTimer = () => {};
  #running = false;
  #open = false;
  #lastMs = Number.NEGATIVE_INFINITY;
  readonly #gapMs: number;
  readonly counters: QueueCounters = { committed: 0, dropped: 0, commits: 0 };

  /** `gapMs`: the least time from the beginning of one commit to that of the next. */
  constructor(clock: Clock, commit: (rows: Placed[], records: RecordWrite[]) => Promise<CommitOutcome>, gapMs = 0) {
    this.#clock = clock;
    this.#commit = commit;
    this.#gapMs = gapMs;
  }

  /** Samples and records that are not committed yet. */
  get pending(): number {
    return this.#pending + this.#inFlight;
  }

  get idle(): boolean {
    return this.#items.length === 0 && !this.#running;
  }

  /** While it is not open, what is added waits. */
  setOpen(open: boolean): void {
    this.#open = open;
    this.#pump();
  }

  fits(rows: number): boolean {
    return this.#pending + rows <= limits.storeQueueMax;
  }

  append(rows: readonly Placed[], withinMs: number): Promise<void> {
    if (rows.length === 0) return Promise.resolve();
    if (!this.fits(rows.length)) {
      this.counters.dropped += rows.length;
      return Promise.reject(storageFull(`${this.#pending} samples wait for their commit already`));
    }
    this.#pending += rows.length;
    return this.#add((ticket) => ({ ticket, rows, from: 0 }), withinMs);
  }

  write(record: RecordWrite): Promise<void> {
    if (!this.fits(1)) return Promise.reject(storageFull(`${this.#pending} entries wait for their commit already`));
    this.#pending += 1;
    return this.#add((ticket) => ({ ticket, record }), 0);
  }

  /** Resolves when everything added before has been tried; rejects if its own batch failed. */
  flush(): Promise<void> {
    return this.idle ? Promise.resolve() : this.#add((ticket) => ({ ticket }), 0);
  }

  /** Rejects what waits and has to be known at once: commands, and flushes. The rest goes on waiting. */
  refuseImpatient(error: Error): void {
    this.#reject((item) => !('rows' in item) && (!('record' in item) || item.record.type === 'command'), error);
  }

  /** Rejects everything that waits. */
  abandon(error: Error): void {
    this.#cancelTimer();
    this.#reject(() => true, error);
  }

  #reject(chosen: (item: Item) => boolean, error: Error): void {
    const rejected = this.#items.filter(chosen);
    this.#items = this.#items.filter((item) => !chosen(item));
    for (const item of rejected) {
      const size = 'rows' in item ? item.rows.length - item.from : 'record' in item ? 1 : 0;
      if ('rows' in item) this.counters.dropped += size;
      this.#pending -= size;
      item.ticket.reject(error);
    }
  }

  #add(item: (ticket: Ticket) => Item, withinMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#items.push(item({ parts: 1, resolve, reject }));
      this.#dueMs = Math.min(this.#dueMs, this.#clock.monotonicMs() + withinMs);
      this.#pump();
    });
  }

  #pump(): void {
    this.#cancelTimer();
    if (!this.#open || this.#running || this.#items.length === 0) return;
    const nowMs = this.#clock.monotonicMs();
    const dueInMs = this.#pending >= limits.storeCommitRowsMax ? 0 : this.#dueMs - nowMs;
    const waitMs = Math.max(dueInMs, this.#lastMs + this.#gapMs - nowMs);
    if (waitMs > 0) {
      this.#cancelTimer = this.#clock.after(waitMs, () => this.#pump());
      return;
    }
    this.#running = true;
    // Those who ask in the same turn of the loop share the commit.
    queueMicrotask(() => void this.#run());
  }

  async #run(): Promise<void> {
    if (!this.#open) {
      this.#running = false;
      return;
    }
    const { rows, records, tickets, recordTickets } = this.#take();
    // A flush of nothing costs the medium nothing.
    if (rows.length + records.length > 0) this.#lastMs = this.#clock.monotonicMs();
    this.#inFlight = rows.length + records.length;
    try {
      const { refused } = await this.#commit(rows, records);
      this.counters.committed += rows.length;
      this.counters.commits += 1;
      for (const [index, error] of refused) recordTickets[index]?.reject(error);
      for (const ticket of tickets) if (--ticket.parts === 0) ticket.resolve();
    } catch (error) {
      this.counters.dropped += rows.length;
      for (const ticket of tickets) ticket.reject(error);
    }
    this.#inFlight = 0;
    this.#running = false;
    this.#pump();
  }

  /** The next batch: at most `storeCommitRowsMax` samples; an append that does not fit is divided. */
  #take() {
    const rows: Placed[] = [];
    const records: RecordWrite[] = [];
    const tickets: Ticket[] = [];
    const recordTickets: Ticket[] = [];
    let taken = 0;
    for (const item of this.#items) {
      if ('rows' in item) {
        const to = Math.min(item.rows.length, item.from + limits.storeCommitRowsMax - rows.length);
        for (let at = item.from; at < to; at++) rows.push(item.rows[at] as Placed);
        item.from = to;
        tickets.push(item.ticket);
        if (to < item.rows.length) {
          item.ticket.parts += 1;
          break;
        }
      } else {
        if ('record' in item) recordTickets[records.push(item.record) - 1] = item.ticket;
        tickets.push(item.ticket);
      }
      taken += 1;
    }
    this.#items.splice(0, taken);
    this.#pending -= rows.length + records.length;
    // What is left has waited for a whole batch already: it is due.
    this.#dueMs = this.#items.length > 0 ? this.#clock.monotonicMs() : Number.POSITIVE_INFINITY;
    return { rows, records, tickets, recordTickets };
  }
}
