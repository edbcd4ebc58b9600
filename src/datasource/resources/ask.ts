import type { Caller, User } from '../../contract/caller.ts';
import type { Clock } from '../../contract/clock.ts';
import type { Driver } from '../../contract/driver.ts';
import type { Fault } from '../../contract/fault.ts';
import type { routes } from '../../contract/rights.ts';
import type { Store } from '../../store/store.ts';
import type { BuiltIn } from '../built-in.ts';
import type { Instance } from '../instance.ts';

/** A request that passed the door: the route exists, the caller may use it, the body is JSON. */
export interface Ask extends ProcessAsk {
  instance: Instance;
}

/** One that concerns no single data source. */
export interface ProcessAsk {
  caller: Caller;
  user: User;
  /** The `{name}` segments of the route, decoded. */
  params: Readonly<Record<string, string>>;
  query: URLSearchParams;
  header(name: string): string | undefined;
  /** The parsed body of a POST. */
  body: unknown;
  /** The body's bytes as they came. */
  bytes: Uint8Array;
  signal: AbortSignal;
}

export type Reply = JsonReply | TextReply | StreamReply;

/** `body` becomes JSON; 64-bit integers become strings in it. */
export interface JsonReply {
  status?: number;
  /** A fault makes it a problem document, `body` adds members to it. */
  fault?: Fault;
  body: unknown;
}

export interface TextReply {
  status?: number;
  /** Content type. */
  type: string;
  headers?: Record<string, string>;
  text: string;
}

/** A body that is made while it is sent. */
export interface StreamReply {
  type: string;
  headers?: Record<string, string>;
  /**
   * Asked for the next piece when the reader has taken the last one. What is thrown before the first piece is a problem document; later it breaks the
   * answer off, because its status is gone out.
   */
  stream(): AsyncIterable<Uint8Array>;
}

export type Handler = (ask: Ask) => Reply | Promise<Reply>;
export type ProcessHandler = (ask: ProcessAsk) => Reply | Promise<Reply>;

/** What answers are made from. */
export interface ResourceDeps {
  store: Store;
  drivers: readonly Driver[];
  builtIn: BuiltIn;
  clock: Clock;
}

type NameOf<R> = R extends { method: infer M extends string; path: infer P extends string } ? `${M} ${P}` : never;

type Line = (typeof routes)[number];
type ProcessLine = Extract<Line, { without: 'data source' }>;

/** `GET devices/{device}`: a line of the table of rights. The compiler demands a handler for each. */
export type RouteName = NameOf<Exclude<Line, ProcessLine>>;
/** Those without a data source. */
export type ProcessRouteName = NameOf<ProcessLine>;
