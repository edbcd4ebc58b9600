/** One gateway: the devices of one data source, running. Interface of the room; `createGateway` is in `create.ts`. */

import type { User } from '../contract/caller.ts';
import type { Clock, Random } from '../contract/clock.ts';
import type { ActBody, CommandRecord, SetBody } from '../contract/command.ts';
import type { Device, Point } from '../contract/device.ts';
import type { Log } from '../contract/log.ts';
import type { ColumnKind, Sample, SeriesKey } from '../contract/sample.ts';
import type { ConnectionStatus, DeviceStatus, DiscoveryStatus } from '../contract/status.ts';
import type { Store } from '../store/store.ts';
import type { Buses, BusSpan } from './bus.ts';
import type { CommandDesk } from './commands/desk.ts';
import type { GatewayEvent } from './news.ts';
import type { Plan } from './plan.ts';
import type { Polled } from './poller.ts';
import type { Surveys } from './surveys.ts';
import type { TrafficPool, TrafficRing } from './traffic.ts';

export interface GatewayDeps {
  /** `"<orgId>/<uid>"`: the name of this gateway in the store. */
  key: string;
  store: Store;
  /** Buses of the process, from `createBuses` (bus.ts): two connections with one endpoint share one, also across gateways. */
  buses: Buses;
  /** Memory for raw traffic, one for the process. */
  trafficPool: TrafficPool;
  clock: Clock;
  random: Random;
  log: Log;
  /** False: a replica, which opens no connection and refuses commands. True unless said. */
  active?: boolean;
}

/** A sample on its way to live viewers. */
export interface LiveSample {
  key: SeriesKey;
  kind: ColumnKind;
  point: Point;
  sample: Sample;
}

export interface GatewayCounters {
  samples: number;
  badSamples: number;
  /** Dropped by a bound: the hub's or the store's. */
  dropped: number;
  commands: Record<string, number>;
}

/** How a connection is polled, and what its bus did lately. */
export interface Polling {
  polled: readonly Polled[];
  /** Why nothing is planned, in words; undefined if the link is up. */
  downBecause: string | undefined;
  /** Requests of all who share the bus; times in milliseconds since 1970, fractions of them. */
  spans(fromMs: number, toMs: number): BusSpan[];
  /** How often a point is polled, in milliseconds; undefined if it is not, or was never while this process lives. */
  everyMs(key: SeriesKey): number | undefined;
  /** Who answers for a device. */
  unitOf(device: Device): string;
}

export interface Gateway {
  /** Starts, stops and restarts what differs from the last plan; the rest keeps running. Returns at once: opening goes on by itself. */
  apply(plan: Plan): Promise<void>;
  /** What runs: what it was told last, and with it the devices that were discovered. */
  readonly plan: Plan;
  device(id: string): Device | undefined;
  point(key: SeriesKey): Point | undefined;
  connections(): ConnectionStatus[];
  devices(): DeviceStatus[];
  discoveries(): DiscoveryStatus[];
  /** The last sample of a point, or undefined if it never said anything. */
  last(key: SeriesKey): Sample | undefined;
  /** Asks the device now, through the arbiter. Throws a `Fault`: 404, 409 for a point that cannot be asked, 503 offline. */
  readNow(key: SeriesKey, signal: AbortSignal): Promise<Sample>;
  /**
   * Sets a point: checks limits, records, sends, verifies. Resolves when it ended or `body.wait` is over, whichever is first; the record
   * says which. Throws a `Fault` for what never became a command: 404, 409 `expect`, 422 refused by a limit, 429, 503 offline.
   */
  set(key: SeriesKey, body: SetBody, user: User, idempotencyKey?: string): Promise<CommandRecord>;
  /** Runs a named action. */
  act(device: string, action: string, body: ActBody, user: User, idempotencyKey?: string): Promise<CommandRecord>;
  /** Lists of commands, cancellation, locks, and what is known of commands now. */
  readonly commands: CommandDesk;
  /**
   * Calls back for every sample of the gateway, in batches, until the returned function is called. A taker that returns a promise gets its
   * next batch when it is kept; meanwhile at most `limits.hubQueueMax` samples wait, then the oldest are dropped and counted.
   */
  subscribe(take: (samples: readonly LiveSample[]) => void | Promise<void>): () => void;
  /** Calls back for every change of connectivity and every step of a command, until the returned function is called. */
  follow(see: (event: GatewayEvent) => void): () => void;
  counters(): GatewayCounters;
  /** Probes and scans. `begin` also throws a `Fault` 503 in a replica. */
  readonly surveys: Pick<Surveys, 'begin' | 'last' | 'all'>;
  /** Raw traffic by connection; of those that have said something. */
  traffic(): ReadonlyMap<string, TrafficRing>;
  /** What a connection asks again and again, and why it may be nothing. Undefined if it does not run here. */
  polling(connection: string): Polling | undefined;
  /** Ends collection, flushes, closes sessions. Never rejects. */
  close(): Promise<void>;
}
