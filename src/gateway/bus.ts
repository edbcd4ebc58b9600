/**
 * The bus arbiter (DESIGN §2, §4): the physical endpoint behind one or several connections gets at most `maxInFlight` requests, whoever
 * asks: commands before fresh reads before polls, and within each in turn among the units.
 */
import type { Clock } from '../contract/clock.ts';
import { limits } from '../contract/limits.ts';
import { Aside } from './aside.ts';
import { Lane } from './lane.ts';

/** In the order they are served. */
export const priorities = ['command', 'fresh', 'poll'] as const;
export type Priority = (typeof priorities)[number];

export interface BusJob<T> {
  /** Who is to answer: `PlannedRequest.unit`. */
  unit: string;
  priority: Priority;
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

export interface Buses {
  lease(endpoint: string, maxInFlight: number, tenant?: Tenant): Bus;
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
  readonly #lanes: Record<Priority, Lane<Waiting>> = { command: new Lane(), fresh: new Lane(), poll: new Lane() };
  #inFlight = 0;

  constructor(clock: Clock) {
    this.aside = new Aside(clock);
  }

  waiting(): number {
    return priorities.reduce((sum, priority) => sum + this.#lanes[priority].size, 0);
  }

  run<T>(job: BusJob<T>): Promise<T> {
    const lane = this.#lanes[job.priority];
    return new Promise<T>((resolve, reject) => {
      if (job.signal.aborted) return reject(job.signal.reason as Error);
      if (!this.aside.admits(job.unit)) return reject(this.#refusal(job.unit));
      if (lane.size >= limits.busQueueMax) return reject(new QueueFull(job.priority));
      const leave = () => {
        if (lane.remove(waiting)) reject(job.signal.reason as Error);
      };
      const waiting: Waiting = {
        unit: job.unit,
        start: () => {
          job.signal.removeEventListener('abort', leave);
          this.#start(job).then(resolve, reject);
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

  async #start<T>(job: BusJob<T>): Promise<T> {
    this.#inFlight += 1;
    this.aside.begin(job.unit);
    let answered: boolean | undefined;
    try {
      const outcome = await job.run();
      answered = outcome.answered;
      return outcome.value;
    } finally {
      this.#inFlight -= 1;
      this.aside.end(job.unit, answered);
      // Whatever waits for a unit that has just been set aside would only wait for its time-outs.
      if (!this.aside.admits(job.unit)) {
        for (const priority of priorities)
          for (const waiting of this.#lanes[priority].drain(job.unit)) waiting.refuse(this.#refusal(job.unit));
      }
      this.dispatch();
    }
  }

  dispatch(): void {
    const most = Math.min(...Array.from(this.shares, (share) => share.maxInFlight));
    while (this.#inFlight < most) {
      const next = this.#lanes.command.take() ?? this.#lanes.fresh.take() ?? this.#lanes.poll.take();
      if (!next) return;
      if (this.aside.admits(next.unit)) next.start();
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
  return {
    lease(endpoint, maxInFlight, tenant) {
      const arbiter = arbiters.get(endpoint) ?? new Arbiter(deps.clock);
      arbiters.set(endpoint, arbiter);
      const share: Share = { maxInFlight: Math.max(1, maxInFlight), tenant, claimed: false };
      arbiter.shares.add(share);
      return {
        run: (job) => arbiter.run(job),
        asideForMs: (unit) => arbiter.aside.retryInMs(unit),
        retryNow: (unit) => arbiter.aside.retryNow(unit),
        waiting: () => arbiter.waiting(),
        shared: arbiter.shared,
        claim: () => claim(endpoint, share, arbiter.shares),
        release() {
          arbiter.shares.delete(share);
          if (arbiter.shares.size === 0) arbiters.delete(endpoint);
          // One that allowed fewer at once may have gone.
          else arbiter.dispatch();
        },
      };
    },
  };
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
