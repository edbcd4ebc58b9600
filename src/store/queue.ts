import type { Clock } from '../contract/clock.ts';
import { limits } from '../contract/limits.ts';
import type { Sample } from '../contract/sample.ts';
import { OpenBatch } from './batch.ts';
import type { SeriesRecord } from './catalogue.ts';
import { storageFull } from './faults.ts';
import type { RecordWrite } from './messages.ts';

/** One call that waits for its commit; it may be spread over several batches. */
interface Ticket {
  parts: number;
  resolve(): void;
  reject(error: unknown): void;
}

/** A batch and who waits for it. */
class Group {
  readonly batch = new OpenBatch();
  /** Of samples. */
  readonly tickets: Ticket[] = [];
  /** Of `batch.records`, in their order. */
  readonly recordTickets: Ticket[] = [];
  readonly flushes: Ticket[] = [];

  get size(): number {
    return this.batch.rows + this.batch.records.length;
  }

  get everybody(): Ticket[] {
    return [...this.tickets, ...this.recordTickets, ...this.flushes];
  }
}

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
 * One batch is on its way at a time, so that those who want it at once share the next one. Bounded; beyond the bound it refuses. Records, for which
 * somebody waits, do not wait for the samples that are not due yet to be written with them, unless commits are counted (`gapMs`).
 */
export class CommitQueue {
  readonly #clock: Clock;
  readonly #commit: (batch: OpenBatch) => Promise<CommitOutcome>;
  /** In the order in which they will be committed; only the last one grows. */
  #groups: Group[] = [];
  /** Records alone: they go as soon as nothing is on its way, and with the samples when those are due. */
  #records = new Group();
  /** Those that got samples since the last ticket was given, from this place on. */
  #begun: number | undefined;
  #pending = 0;
  #inFlight = 0;
  /** When the next batch is to go; infinite while nobody waits. */
  #dueMs = Number.POSITIVE_INFINITY;
  #cancelTimer = () => {};
  #running = false;
  #open = false;
  #lastMs = Number.NEGATIVE_INFINITY;
  readonly #gapMs: number;
  readonly counters: QueueCounters = { committed: 0, dropped: 0, commits: 0 };

  /** `gapMs`: the least time from the beginning of one commit to that of the next. */
  constructor(clock: Clock, commit: (batch: OpenBatch) => Promise<CommitOutcome>, gapMs = 0) {
    this.#clock = clock;
    this.#commit = commit;
    this.#gapMs = gapMs;
  }

  /** Samples and records that are not committed yet. */
  get pending(): number {
    return this.#pending + this.#inFlight;
  }

  get idle(): boolean {
    return this.#dueMs === Number.POSITIVE_INFINITY && this.#records.size === 0 && !this.#running;
  }

  /** While it is not open, what is added waits. */
  setOpen(open: boolean): void {
    this.#open = open;
    this.#pump();
  }

  /** Makes room for so many samples; false if they are too many, which then count as dropped. */
  reserve(rows: number): boolean {
    if (this.#pending + rows > limits.storeQueueMax) {
      this.counters.dropped += rows;
      return false;
    }
    const { batch } = this.#last();
    batch.reserve(Math.min(rows, limits.storeCommitRowsMax - batch.rows));
    return true;
  }

  /** Takes a sample; `committed` says what became of it. */
  put(series: SeriesRecord, sample: Sample): void {
    let { batch } = this.#last();
    if (batch.rows >= limits.storeCommitRowsMax) batch = this.#next().batch;
    this.#begun ??= this.#groups.length - 1;
    batch.put(series, sample);
    this.#pending += 1;
  }

  /** Resolves when what was put since the last call is committed, which it is within `withinMs` if the disk can; rejects if it will not be. */
  committed(withinMs: number): Promise<void> {
    const groups = this.#groups.slice(this.#begun ?? this.#groups.length);
    this.#begun = undefined;
    if (groups.length === 0) return Promise.resolve();
    return this.#wait(groups.length, withinMs, (ticket) => {
      for (const { tickets } of groups) tickets.push(ticket);
    });
  }

  write(record: RecordWrite): Promise<void> {
    if (this.#pending >= limits.storeQueueMax) return Promise.reject(storageFull(`${this.#pending} entries wait for their commit already`));
    this.#pending += 1;
    return new Promise((resolve, reject) => {
      this.#records.batch.records.push(record);
      this.#records.recordTickets.push({ parts: 1, resolve, reject });
      this.#pump();
    });
  }

  /** Resolves when everything added before has been tried; rejects if its own batch failed. */
  flush(): Promise<void> {
    return this.idle ? Promise.resolve() : this.#wait(1, 0, (ticket) => this.#last().flushes.push(ticket));
  }

  /** Rejects what waits and has to be known at once: commands, and flushes. The rest goes on waiting. */
  refuseImpatient(error: Error): void {
    for (const { batch, recordTickets, flushes } of [...this.#groups, this.#records]) {
      for (const ticket of [...recordTickets, ...flushes]) ticket.reject(error);
      this.#pending -= batch.records.length;
      batch.records.length = recordTickets.length = flushes.length = 0;
    }
  }

  /** Rejects everything that waits. */
  abandon(error: Error): void {
    this.#cancelTimer();
    for (const group of [...this.#groups, this.#records]) {
      for (const ticket of group.everybody) ticket.reject(error);
      this.counters.dropped += group.batch.rows;
      this.#pending -= group.size;
    }
    this.#groups = [];
    this.#records = new Group();
    this.#dueMs = Number.POSITIVE_INFINITY;
  }

  #last(): Group {
    return this.#groups.at(-1) ?? this.#next();
  }

  #next(): Group {
    const group = new Group();
    // A second one is there because the first one is full.
    if (this.#groups.push(group) > 1) group.batch.reserve(limits.storeCommitRowsMax);
    return group;
  }

  #wait(parts: number, withinMs: number, join: (ticket: Ticket) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      join({ parts, resolve, reject });
      this.#dueMs = Math.min(this.#dueMs, this.#clock.monotonicMs() + withinMs);
      this.#pump();
    });
  }

  #pump(): void {
    this.#cancelTimer();
    const hasRecords = this.#records.size > 0;
    if (!this.#open || this.#running || (this.#dueMs === Number.POSITIVE_INFINITY && !hasRecords)) return;
    const nowMs = this.#clock.monotonicMs();
    const dueInMs = hasRecords ? 0 : this.#samplesDueInMs(nowMs);
    const waitMs = Math.max(dueInMs, this.#lastMs + this.#gapMs - nowMs);
    if (waitMs > 0) {
      this.#cancelTimer = this.#clock.after(waitMs, () => this.#pump());
      return;
    }
    this.#running = true;
    // Those who ask in the same turn of the loop share the commit.
    queueMicrotask(() => void this.#run());
  }

  #samplesDueInMs(nowMs: number): number {
    return this.#pending >= limits.storeCommitRowsMax ? 0 : this.#dueMs - nowMs;
  }

  /** What goes next: records alone, or with the samples. */
  #takeNext(): Group | undefined {
    const records = this.#records;
    if (records.size > 0) this.#records = new Group();
    if (records.size > 0 && this.#gapMs === 0 && this.#samplesDueInMs(this.#clock.monotonicMs()) > 0) return records;
    const group = this.#groups.shift();
    // What is left has waited for a whole batch already: it is due.
    this.#dueMs = this.#groups.length > 0 ? this.#clock.monotonicMs() : Number.POSITIVE_INFINITY;
    if (!group) return records.size > 0 ? records : undefined;
    for (const record of records.batch.records) group.batch.records.push(record);
    for (const ticket of records.recordTickets) group.recordTickets.push(ticket);
    return group;
  }

  async #run(): Promise<void> {
    const group = this.#open ? this.#takeNext() : undefined;
    if (!group) {
      this.#running = false;
      return;
    }
    const { batch, tickets, recordTickets, flushes, size } = group;
    this.#pending -= size;
    this.#inFlight = size;
    // A flush of nothing costs the medium nothing.
    if (size > 0) this.#lastMs = this.#clock.monotonicMs();
    try {
      const { refused } = await this.#commit(batch);
      this.counters.committed += batch.rows;
      this.counters.commits += 1;
      for (const [index, error] of refused) recordTickets[index]?.reject(error);
      for (const ticket of [...recordTickets, ...flushes]) ticket.resolve();
      for (const ticket of tickets) if (--ticket.parts === 0) ticket.resolve();
    } catch (error) {
      this.counters.dropped += batch.rows;
      for (const ticket of group.everybody) ticket.reject(error);
    }
    this.#inFlight = 0;
    this.#running = false;
    this.#pump();
  }
}
