/** Who is next on one bus, and what went over it: the queues behind `bus.ts`. */
import type { Clock } from '../contract/clock.ts';
import { messageOf } from '../contract/fault.ts';
import { limits } from '../contract/limits.ts';
import { Aside } from './aside.ts';
import { type BusJob, type Priority, priorities, QueueFull, type Tenant, UnitAside } from './job.ts';
import { Lane } from './lane.ts';
import { type Outcome, type SpanRoom, Spans } from './spans.ts';

interface Waiting {
  readonly unit: string;
  readonly priority: Priority;
  start(): void;
  refuse(error: Error): void;
}

/** A connection's part in a bus. */
export interface Share {
  maxInFlight: number;
  tenant: Tenant | undefined;
  /** Its terms count. */
  claimed: boolean;
}

export class Arbiter {
  /** In the order they came; of what each connection allows at once the strictest counts. */
  readonly shares = new Set<Share>();
  readonly shared = new Map<string, unknown>();
  readonly aside: Aside;
  readonly spans: Spans;
  readonly #clock: Clock;
  readonly #lanes: Record<Priority, Lane<Waiting>> = { command: new Lane(), fresh: new Lane(), poll: new Lane(), survey: new Lane() };
  #inFlight = 0;
  #busyMs = 0;
  #busySinceMs = 0;

  constructor(clock: Clock, room: SpanRoom) {
    this.#clock = clock;
    this.spans = new Spans(room);
    this.aside = new Aside(clock);
  }

  get busyMs(): number {
    return this.#busyMs + (this.#inFlight > 0 ? this.#clock.monotonicMs() - this.#busySinceMs : 0);
  }

  waiting(): number {
    return priorities.reduce((sum, priority) => sum + this.#lanes[priority].size, 0);
  }

  run<T>(job: BusJob<T>, share: Share): Promise<T> {
    const queuedMs = this.#clock.monotonicMs();
    const lane = this.#lanes[job.priority];
    return new Promise<T>((resolve, reject) => {
      if (job.signal.aborted) return reject(job.signal.reason as Error);
      if (!this.#admits(job)) return reject(this.#refusal(job.unit));
      if (lane.size >= limits.busQueueMax) return reject(new QueueFull(job.priority));
      const leave = () => {
        if (lane.remove(waiting)) reject(job.signal.reason as Error);
      };
      const waiting: Waiting = {
        unit: job.unit,
        priority: job.priority,
        start: () => {
          job.signal.removeEventListener('abort', leave);
          this.#start(job, share, queuedMs).then(resolve, reject);
        },
        refuse: (error) => {
          job.signal.removeEventListener('abort', leave);
          reject(error);
        },
      };
      job.signal.addEventListener('abort', leave, { once: true });
      lane.add(waiting);
      this.dispatch();
    });
  }

  async #start<T>(job: BusJob<T>, share: Share, queuedMs: number): Promise<T> {
    const { unit, priority, text = priority } = job;
    const startedMs = this.#clock.monotonicMs();
    if (this.#inFlight === 0) this.#busySinceMs = startedMs;
    this.#inFlight += 1;
    if (priority !== 'survey') this.aside.begin(unit);
    let answered: boolean | undefined;
    let outcome: Outcome = 'failed';
    let detail: string | undefined;
    try {
      const result = await job.run();
      answered = result.answered;
      outcome = answered === undefined ? 'done' : answered ? 'answered' : 'silent';
      return result.value;
    } catch (error) {
      detail = messageOf(error);
      throw error;
    } finally {
      const endedMs = this.#clock.monotonicMs();
      this.#inFlight -= 1;
      if (this.#inFlight === 0) this.#busyMs += endedMs - this.#busySinceMs;
      this.spans.add({ unit, text, priority, outcome, detail, owner: share.tenant, queuedMs, startedMs, endedMs });
      if (priority !== 'survey') this.aside.end(unit, answered);
      // Whatever waits for a unit that has just been set aside would only wait for its time-outs.
      if (!this.aside.admits(unit)) {
        for (const other of priorities)
          if (other !== 'survey') for (const waiting of this.#lanes[other].drain(unit)) waiting.refuse(this.#refusal(unit));
      }
      this.dispatch();
    }
  }

  /** A survey asks those who may not be there at all: their silence means nothing to polls, nor that of polls to it. */
  #admits({ unit, priority }: Pick<BusJob<unknown>, 'unit' | 'priority'>): boolean {
    return priority === 'survey' || this.aside.admits(unit);
  }

  dispatch(): void {
    const most = Math.min(...Array.from(this.shares, (share) => share.maxInFlight));
    while (this.#inFlight < most) {
      const next = this.#lanes.command.take() ?? this.#lanes.fresh.take() ?? this.#lanes.poll.take() ?? this.#lanes.survey.take();
      if (!next) return;
      if (this.#admits(next)) next.start();
      else next.refuse(this.#refusal(next.unit));
    }
  }

  #refusal(unit: string): UnitAside {
    return new UnitAside(unit, this.aside.retryInMs(unit) ?? 0);
  }
}
