import type { Clock } from '../contract/clock.ts';
import { limits } from '../contract/limits.ts';
import type { Sample } from '../contract/sample.ts';
import { type OpenBatch, SpareColumns } from './batch.ts';
import type { SeriesRecord } from './catalogue.ts';
import { hasDied, mayPass, storageFull } from './faults.ts';
import { Group } from './group.ts';
import type { RecordWrite } from './messages.ts';

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
 * One batch is on its way at a time, so that those who want it at once share the next one. One that the disk refused stays the first and is tried again
 * when the queue is opened. Bounded; beyond the bound it refuses. Records, for which somebody waits, do not wait for the samples that are not due yet to
 * be written with them, unless commits are counted (`gapMs`).
 */
export class CommitQueue {
  readonly #clock: Clock;
  readonly #commit: (batch: OpenBatch) => Promise<CommitOutcome>;
  /** In the order in which they will be committed; only the last one grows. */
  #groups: Group[] = [];
  /** Records alone: they go as soon as nothing is on its way, before samples that are due; then these, with what records came meanwhile. */
  #records: Group;
  /** Those that got samples since the last ticket was given, from this place on. */
  #begun: number | undefined;
  #pending = 0;
  #inFlight = 0;
  /** Of texts that wait. */
  #textUnits = 0;
  /** When the next batch is to go; infinite while nobody waits. */
  #dueMs = Number.POSITIVE_INFINITY;
  #cancelTimer = () => {};
  #running = false;
  /** The commit that went last had records alone. */
  #wentAlone = false;
  #open = false;
  #isClosed = false;
  #lastMs = Number.NEGATIVE_INFINITY;
  readonly #gapMs: number;
  readonly #spare = new SpareColumns();
  readonly counters: QueueCounters = { committed: 0, dropped: 0, commits: 0 };

  /** `gapMs`: the least time from the beginning of one commit to that of the next. */
  constructor(clock: Clock, commit: (batch: OpenBatch) => Promise<CommitOutcome>, gapMs = 0) {
    this.#clock = clock;
    this.#commit = commit;
    this.#gapMs = gapMs;
    this.#records = new Group(this.#spare);
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
    if (this.#pending + rows > limits.storeQueueMax || this.#textUnits > limits.storeQueueTextMax) {
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
    if (typeof sample.value === 'string') this.#textUnits += sample.value.length;
  }

  /**
   * Resolves when what was put since the last call is committed, which it is within `withinMs` if the disk can; rejects if it will not be. `failFast`
   * rejects as soon as the disk has refused it, though it is tried again.
   */
  committed(withinMs: number, failFast = false): Promise<void> {
    const groups = this.#groups.slice(this.#begun ?? this.#groups.length);
    this.#begun = undefined;
    const [first] = groups;
    if (!first) return Promise.resolve();
    const promises = groups.map((group) => (failFast ? this.#tried(group) : group.committed));
    this.#due(withinMs);
    return promises.length === 1 ? (promises[0] as Promise<void>) : Promise.all(promises).then(() => {});
  }

  /** `patient`: as long as the disk refuses. Else it rejects then, and is not written. */
  write(record: RecordWrite, patient = false): Promise<void> {
    if (this.#pending >= limits.storeQueueMax) return Promise.reject(storageFull(`${this.#pending} entries wait for their commit already`));
    this.#pending += 1;
    return new Promise((resolve, reject) => {
      this.#records.take({ record, patient, resolve, reject });
      this.#pump();
    });
  }

  /** Resolves when everything added before is committed; rejects when the disk refuses any of it. */
  flush(): Promise<void> {
    if (this.idle) return Promise.resolve();
    const tried = this.#tried(this.#last());
    this.#due(0);
    return tried;
  }

  /** Rejects what waits and has to be known at once: commands, and flushes. The rest goes on waiting. */
  refuseImpatient(error: Error): void {
    for (const group of [...this.#groups, this.#records]) this.#pending -= group.rejectImpatient(error);
  }

  /** The end: rejects everything that waits. */
  abandon(error: Error): void {
    this.#isClosed = true;
    this.#cancelTimer();
    for (const group of [...this.#groups, this.#records]) {
      this.counters.dropped += group.batch.rows;
      this.#pending -= group.size;
      this.#textUnits -= group.batch.textUnits;
      group.reject(error);
    }
    this.#groups = [];
    this.#records = new Group(this.#spare);
    this.#dueMs = Number.POSITIVE_INFINITY;
  }

  #last(): Group {
    const last = this.#groups.at(-1);
    return last && !last.batch.isSealed ? last : this.#next();
  }

  #next(): Group {
    const isFull = (this.#groups.at(-1)?.batch.rows ?? 0) >= limits.storeCommitRowsMax;
    const group = new Group(this.#spare);
    this.#groups.push(group);
    // The one before it is full: this one will be.
    if (isFull) group.batch.reserve(limits.storeCommitRowsMax);
    return group;
  }

  #tried(group: Group): Promise<void> {
    return new Promise((resolve, reject) => group.triers.push({ resolve, reject }));
  }

  #due(withinMs: number): void {
    this.#dueMs = Math.min(this.#dueMs, this.#clock.monotonicMs() + withinMs);
    this.#pump();
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

  /** What goes next: records alone, twice running only if no samples are due, or with the samples. */
  #takeNext(): Group | undefined {
    const records = this.#records;
    if (records.size > 0) this.#records = new Group(this.#spare);
    const samplesCanWait = !this.#wentAlone || this.#samplesDueInMs(this.#clock.monotonicMs()) > 0;
    this.#wentAlone = records.size > 0 && this.#gapMs === 0 && samplesCanWait;
    if (this.#wentAlone) return records;
    const group = this.#groups.shift();
    // What is left has waited for a whole batch already: it is due.
    this.#dueMs = this.#groups.length > 0 ? this.#clock.monotonicMs() : Number.POSITIVE_INFINITY;
    if (!group) return records.size > 0 ? records : undefined;
    for (const ticket of records.recordTickets) group.take(ticket);
    return group;
  }

  async #run(): Promise<void> {
    const group = this.#open ? this.#takeNext() : undefined;
    if (!group) {
      this.#running = false;
      return;
    }
    const { batch, size } = group;
    this.#pending -= size;
    this.#textUnits -= batch.textUnits;
    this.#inFlight = size;
    // A flush of nothing costs the medium nothing.
    if (size > 0) this.#lastMs = this.#clock.monotonicMs();
    try {
      const { refused } = await this.#commit(batch);
      this.counters.committed += batch.rows;
      this.counters.commits += 1;
      group.resolve(refused);
    } catch (error) {
      if (hasDied(error)) group.deaths += 1;
      if (this.#isClosed || !mayPass(error) || group.deaths >= limits.storeDeathsMax) {
        this.counters.dropped += batch.rows;
        group.reject(error);
      } else this.#putBack(group, error);
    }
    this.#inFlight = 0;
    this.#running = false;
    this.#pump();
  }

  /** What the disk refused is tried again before anything else. */
  #putBack(group: Group, error: unknown): void {
    group.rejectImpatient(error);
    if (group.size === 0) return;
    this.#groups.unshift(group);
    this.#pending += group.size;
    this.#textUnits += group.batch.textUnits;
    this.#dueMs = this.#clock.monotonicMs();
  }
}
