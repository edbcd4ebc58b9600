/**
 * The bus arbiter (DESIGN §2, §4): the physical endpoint behind one or several connections gets at most `maxInFlight` requests, whoever
 * asks: commands before fresh reads before polls before surveys, and within each in turn among the units.
 */
import type { Clock } from '../contract/clock.ts';
import { limits } from '../contract/limits.ts';
import { Arbiter, type Share } from './arbiter.ts';
import type { BusJob, Tenant } from './job.ts';
import type { PlannedConnection } from './plan.ts';
import type { Span, SpanRoom } from './spans.ts';

export { type BusJob, type BusOutcome, type Priority, priorities, QueueFull, type Tenant, UnitAside } from './job.ts';

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

export interface BusSpan extends Omit<Span, 'owner'> {
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

/** The buses of the process. An endpoint's arbiter lives as long as a connection holds a share of it. */
export function createBuses(deps: { clock: Clock }): Buses {
  const arbiters = new Map<string, Arbiter>();
  const room: SpanRoom = { left: limits.busSpansAllMax };
  /** By kind: what buses did that nobody leases any more. */
  const past = new Map<string, number>();
  return {
    uses: () => ({
      open: Array.from(arbiters.values(), (arbiter) => ({ kind: kindOf(arbiter), busyMs: arbiter.busyMs })),
      past: Array.from(past, ([kind, busyMs]) => ({ kind, busyMs })),
    }),
    lease(endpoint, maxInFlight, tenant) {
      const arbiter = arbiters.get(endpoint) ?? new Arbiter(deps.clock, room);
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
            arbiter.spans.close();
            past.set(kind, (past.get(kind) ?? 0) + arbiter.busyMs);
          }
          // One that allowed fewer at once may have gone.
          else arbiter.dispatch();
        },
      };
    },
  };
}

/** The share of a connection, on the bus of its endpoint. */
export function leaseFor(buses: Buses, key: string, { driver, connection: { id, kind, options } }: PlannedConnection): Bus {
  const tenant = { key, connection: id, kind, terms: driver.terms?.(options) };
  return buses.lease(driver.endpoint(options), driver.maxInFlight(options), tenant);
}

function kindOf(arbiter: Arbiter): string {
  const [first] = arbiter.shares;
  return first?.tenant?.kind ?? '';
}

/** What the tenant of a bus may know of a request: of another gateway's only that it was there. */
function shown({ owner, ...span }: Span, tenant: Tenant | undefined): BusSpan {
  if (owner?.key === tenant?.key) return { ...span, connection: owner?.connection };
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
