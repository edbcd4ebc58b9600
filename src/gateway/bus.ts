/**
 * The bus arbiter (DESIGN §2, §4): the physical endpoint behind one or several connections gets at most `maxInFlight` requests, whoever
 * asks: commands before fresh reads before polls before surveys, and within each in turn among the units.
 */
import type { Clock } from '../contract/clock.ts';
import { messageOf } from '../contract/fault.ts';
import { limits } from '../contract/limits.ts';
import { Aside } from './aside.ts';
import { Lane } from './lane.ts';
import { type Outcome, type Span, Spans } from './spans.ts';

/** In the order they are served. */
export const priorities = ['command', 'fresh', 'poll', 'survey'] as const;
export type Priority = (typeof priorities)[number];

export interface BusJob<T> {
  /** Who is to answer: `PlannedRequest.unit`. */
  unit: string;
  priority: Priority;
  /** What is asked, for people who look at the bus; the priority's name unless said. */
  text?: string;
  /** Takes a job that still waits out of the queue. One that has begun ends by itself. */
  signal: AbortSignal;
  run(): Promise<BusOutcome<T>>;
}

export interface BusOutcome<T> {
  value: T;
  /** Whether the unit said anything at all; undefined if this request cannot tell. */
  answered: boolean | undefined;
}

/** A connection's share of a bus. */
export interface Bus {
  /** Resolves with what the job gave. Rejects with `UnitAside`, `QueueFull`, the signal's reason, or what the job threw. */
  run<T>(job: BusJob<T>): Promise<T>;
  /** Milliseconds until a unit that is set aside is tried again; undefined if it is not set aside. */
  asideForMs(unit: string): number | undefined;
  /** Gives a unit that is set aside its next try at once. */
  retryNow(unit: string): void;
  /** Jobs of all connections that wait. */
  waiting(): number;
  /** What went over the bus lately, whoever asked. */
  spans(fromMs: number, toMs: number): BusSpan[];
  /** What connections on this bus hold together: `Host.shared`. */
  readonly shared: Map<string, unknown>;
  /**
   * Asks for the endpoint on the tenant's terms, before each opening. Undefined: it may be opened, and others have to agree until this
   * connection is released. Else why not, in words.
   */
  claim(): string | undefined;
  release(): void;
}

/** Who shares a bus, and how it wants to use an endpoint that is opened only once. */
export interface Tenant {
  /** The gateway's name in the store: a connection of another one is not named to people. */
  key: string;
  connection: string;
  kind: string;
  /** `Driver.terms`; undefined if every connection opens its own. */
  terms: string | undefined;
}

export interface BusSpan extends Omit<Span<Priority>, 'owner'> {
  /** Undefined for a connection of another gateway, which is then not described: `unit` and `text` are empty. */
  connection: string | undefined;
}

/** How much a bus was used since somebody leased it. */
export interface BusUse {
  /** Of the connection that leased it first. */
  kind: string;
  /** Milliseconds in which at least one request was on it. */
  busyMs: number;
}

export interface Buses {
  lease(endpoint: string, maxInFlight: number, tenant?: Tenant): Bus;
  /** Each bus that is leased, and those that were as one of each kind. */
  uses(): { open: BusUse[]; past: BusUse[] };
}

/** The unit does not answer and its next try is not due: nothing was sent. */
export class UnitAside extends Error {
  readonly retryInMs: number;

  constructor(unit: string, retryInMs: number) {
    super(`unit ${unit} does not answer; next try in ${(retryInMs / 1_000).toFixed(1)} s`);
    this.name = 'UnitAside';
    this.retryInMs = retryInMs;
  }
}

/** As many requests of this priority wait as are allowed: nothing was sent. */
export class QueueFull extends Error {
  constructor(priority: Priority) {
    super(`${limits.busQueueMax} requests (${priority}) wait for the bus already`);
    this.name = 'QueueFull';
  }
}

interface Waiting {
  readonly unit: string;
  readonly priority: Priority;
  start(): void;
  refuse(error: Error): void;
}

interface Share {
  maxInFlight: number;
  tenant: Tenant | undefined;
  /** Its terms count. */
  claimed: boolean;
}

class Arbiter {
  /** In the order they came; of what each connection allows at once the strictest counts. */
  readonly shares = new Set<Share>();
  readonly shared = new Map<string, unknown>();
  readonly aside: Aside;
  readonly spans = new Spans(priorities);
  readonly #clock: Clock;
  readonly #lanes: Record<Priority, Lane<Waiting>> = { command: new Lane(), fresh: new Lane(), poll: new Lane(), survey: new Lane() };
  #inFlight = 0;
  #busyMs = 0;
  #busySinceMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
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

/** The buses of the process. An endpoint's arbiter lives as long as a connection holds a share of it. */
export function createBuses(deps: { clock: Clock }): Buses {
  const arbiters = new Map<string, Arbiter>();
  /** By kind: what buses did that nobody leases any more. */
  const past = new Map<string, number>();
  return {
    uses: () => ({
      open: Array.from(arbiters.values(), (arbiter) => ({ kind: kindOf(arbiter), busyMs: arbiter.busyMs })),
      past: Array.from(past, ([kind, busyMs]) => ({ kind, busyMs })),
    }),
    lease(endpoint, maxInFlight, tenant) {
      const arbiter = arbiters.get(endpoint) ?? new Arbiter(deps.clock);
      arbiters.set(endpoint, arbiter);
      const share: Share = { maxInFlight: Math.max(1, maxInFlight), tenant, claimed: false };
      arbiter.shares.add(share);
      return {
        run: (job) => arbiter.run(job, share),
        spans: (fromMs, toMs) => arbiter.spans.between(fromMs, toMs).map((span) => shown(span, tenant)),
        asideForMs: (unit) => arbiter.aside.retryInMs(unit),
        retryNow: (unit) => arbiter.aside.retryNow(unit),
        waiting: () => arbiter.waiting(),
        shared: arbiter.shared,
        claim: () => claim(endpoint, share, arbiter.shares),
        release() {
          const kind = kindOf(arbiter);
          if (!arbiter.shares.delete(share)) return;
          if (arbiter.shares.size === 0) {
            arbiters.delete(endpoint);
            past.set(kind, (past.get(kind) ?? 0) + arbiter.busyMs);
          }
          // One that allowed fewer at once may have gone.
          else arbiter.dispatch();
        },
      };
    },
  };
}

function kindOf(arbiter: Arbiter): string {
  const [first] = arbiter.shares;
  return first?.tenant?.kind ?? '';
}

/** What the tenant of a bus may know of a request: of another gateway's only that it was there. */
function shown({ owner, ...span }: Span<Priority>, tenant: Tenant | undefined): BusSpan {
  const theirs = owner as Tenant | undefined;
  if (theirs?.key === tenant?.key) return { ...span, connection: theirs?.connection };
  const { detail: _, ...bare } = span;
  return { ...bare, unit: '', text: '', connection: undefined };
}

/** The first to open it decides on which terms an endpoint is used that is opened only once. */
function claim(endpoint: string, share: Share, shares: ReadonlySet<Share>): string | undefined {
  const mine = share.tenant;
  if (mine?.terms === undefined) return undefined;
  for (const { tenant: theirs, claimed } of shares) {
    if (!claimed || !theirs || (theirs.kind === mine.kind && theirs.terms === mine.terms)) continue;
    const holder = theirs.key === mine.key ? `connection ${theirs.connection}` : 'a connection of another data source';
    return `${endpoint} is used by ${holder} as ${theirs.kind}, ${theirs.terms}; this one asks for ${mine.kind}, ${mine.terms}, and they must agree`;
  }
  share.claimed = true;
  return undefined;
}
