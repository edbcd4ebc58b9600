/** What is asked on a bus: by whom, how urgent, and why it may not be sent at all. */
import { limits } from '../contract/limits.ts';

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

/** Who shares a bus, and how it wants to use an endpoint that is opened only once. */
export interface Tenant {
  /** The gateway's name in the store: a connection of another one is not named to people. */
  key: string;
  connection: string;
  kind: string;
  /** `Driver.terms`; undefined if every connection opens its own. */
  terms: string | undefined;
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
