/**
 * The driver contract (DESIGN §4). A driver knows its protocol and nothing else of us. The host (the gateway room) owns time, retry,
 * back-off, queueing and counters: a driver has no retry loop, no globals, no console, and no timer except a request's timeout.
 */
import type * as z from 'zod';
import type { Clock } from './clock.ts';
import type { ActionConfig, Device, Point } from './device.ts';
import type { ConfigFault } from './fault.ts';
import type { Log } from './log.ts';
import type { Values } from './placeholders.ts';
import type { Reason, Value } from './sample.ts';

/** What a point's place can hold; decides how series are kept and how a written value is rounded. `any` is known only when a value comes. */
export interface Shape {
  type: 'integer' | 'float32' | 'float64' | 'boolean' | 'string' | 'any';
  /** Of a float64 that is written as text: whole numbers beyond 2^53 come as bigint and are kept as 64-bit integers, by the value that comes. */
  exact?: true;
  /** Bounds of an integer's raw value. */
  min?: bigint;
  max?: bigint;
}

/** A connection's settings after the driver's schema: defaults filled. */
export interface Connection<C = unknown> {
  id: string;
  kind: string;
  title: string;
  options: C;
}

/** Everything a driver may check or open: one connection with all devices behind it, templates of devices to be discovered among them. */
export interface Line<C = unknown, D = unknown, A = unknown> {
  connection: Connection<C>;
  devices: Device<D, A>[];
}

export interface Driver<C = unknown, D = unknown, A = unknown> {
  readonly kind: string;
  readonly title: string;
  /** The connection's settings beside `id`, `kind` and `title`. */
  readonly connection: z.ZodType<C>;
  /** A device's `address`. */
  readonly device: z.ZodType<D>;
  /** A point's `address`. */
  readonly address: z.ZodType<A>;
  /** What a named action needs beside `id`, `title`, `confirm` and `role`; absent if the protocol has none. */
  readonly action?: z.ZodType;
  /** Names of the secrets a connection may have: `secureJsonData["<connection id>.<name>"]`. */
  readonly secrets: readonly string[];
  /** Checks that need more than one field. Pure: no I/O. Places are relative to the line: `devices[0].points[1].address`, `connection.url`. */
  check(line: Line<C, D, A>): ConfigFault[];
  /** The physical endpoint (`tcp://10.0.0.5:502`, `/dev/ttyUSB0`): connections with the same one share one bus. Holds no secret. */
  endpoint(options: C): string;
  /**
   * For an endpoint that is opened once for all connections on it (a serial port): how it is used, in words (`19200 baud 8E1`). A connection
   * that wants it otherwise than an earlier one, or is of another kind, is refused. Absent or undefined: each connection opens its own.
   */
  terms?(options: C): string | undefined;
  /** Requests that may be on the bus at once. */
  maxInFlight(options: C): number;
  shape(address: A): Shape;
  /** Whether a point with this address can be read or heard, and written; faults say so when `access` asks for more. */
  abilities(address: A): { read: boolean; write: boolean };
  /** Present if devices behind it can be discovered: how `{placeholders}` stand in its addresses (placeholders.ts). */
  readonly discovery?: {
    /** The address with the texts in the places of its placeholders; throws an Error if one cannot stand there. Pure. */
    fill(address: A, values: Values): A;
  };
  /** What its sessions can do for commissioning. The schemas hold what a person may choose (ranges, seconds), with bounds and defaults; they draw the form. */
  readonly survey?: { readonly probe?: z.ZodType; readonly scan?: z.ZodType };
  /** Whether devices behind it announce themselves (`Sink.announce`): then it listens even if no point is known. */
  announces?(options: C): boolean;
  /** True if it hears the `availability.topic` of its devices. */
  readonly availability?: boolean;
  /**
   * Opens the far end. The signal covers opening only. Rejects with what went wrong (refused, wrong password, unknown host), in words;
   * the host calls again with back-off. Called again, with a new session, after every `LinkLost`.
   * `line.devices` is live: after a change of settings that leaves the connection alone, the host replaces its contents before it asks
   * `plan` and `listen` again. So look a device's address up when it is used, not once in `open`.
   */
  open(line: Line<C, D, A>, host: Host, signal: AbortSignal): Promise<Session<A>>;
}

export interface Host {
  readonly log: Log;
  readonly clock: Clock;
  /** Secrets by the names the driver declared; undefined where none is set. */
  secret(name: string): string | undefined;
  /** A small persisted map of this connection (learned register ranges, aliases): at most 64 KiB of JSON. */
  readonly memory: { get(key: string): unknown; set(key: string, value: unknown): void };
  /** What connections with the same endpoint and `terms` hold together (one open serial port); lives as long as any of them. */
  readonly shared: Map<string, unknown>;
  /** Called by the driver when it notices between requests that the link is gone; the same as throwing `LinkLost` from a call. */
  lost(error: Error): void;
  /** What the driver has learned (or forgotten) of the far end changes its plan: `plan` is asked again soon, after the running call. */
  replan?(): void;
  /** Counts something that came and was thrown away; the connection's status and the metrics show how often. Absent where nobody looks. */
  discarded?(why: Discard): void;
  /** Takes raw traffic, for those who look at it; bounded, the oldest goes first. Never throws. Absent where nobody could look. */
  traffic?(message: Traffic): void;
  /**
   * True if this session is opened for a probe or a scan only, perhaps beside the one that runs: nothing that names us to the far end (client
   * id, kept session, birth, last will) may be that of the connection, and nothing is told to others.
   */
  readonly trial?: true;
}

/**
 * Why an answer was thrown away. `late`: nobody waits for it any more. `transaction`: it has a number nobody asked with. `unit`, `function`,
 * `length`: another unit's, to another function, of other length than was asked for. `echo`: it confirms another write. `checksum`: damaged.
 * `framing`: no frame at all, or one that broke off. `noise`: bytes on a line where nobody had asked.
 */
export const discards = ['late', 'transaction', 'unit', 'function', 'length', 'echo', 'checksum', 'framing', 'noise'] as const;
export type Discard = (typeof discards)[number];

/** A frame, line or message as it went over the wire. The driver leaves out what is secret (a password in a start-up dialogue). */
export interface Traffic {
  direction: 'in' | 'out';
  bytes: Uint8Array;
  /** For people, in a few words: `read holding 30-41`, `exception 2: illegal data address`, `CRC does not fit`. */
  meaning?: string;
  /** Who is meant: the unit id, the topic. */
  unit?: string;
  /** True if something was wrong with it. */
  isFault?: true;
  /** Wall time in milliseconds, where many come at once; now unless said. */
  atMs?: number;
}

/** One open far end. Members that the protocol does not have are absent. */
export interface Session<A = unknown> {
  /**
   * The requests that read these points, in the order they would be sent; pure. Points that share a request share its fate.
   * The host asks with the points that are due together (one interval), for all devices of the line.
   */
  plan?(points: readonly Point<A>[]): PlannedRequest<A>[];
  /**
   * Sends one planned request and answers with one reading per point of it. A point that fails alone, and a unit that does not answer,
   * is a reading with quality `bad`; only a broken link throws (`LinkLost`). Never hangs longer than the request's timeout.
   */
  read?(request: PlannedRequest<A>, signal: AbortSignal): Promise<Reading<A>[]>;
  /**
   * Hears what speaks by itself for these points until the signal is aborted, then resolves; rejects with `LinkLost` when the link breaks.
   * Called again with other points after a change of settings; the link stays open in between.
   */
  listen?(points: readonly Point<A>[], sink: Sink<A>, signal: AbortSignal): Promise<void>;
  /**
   * Resolves when what the last call of `listen` asked for is heard, or was refused (which is told as a trouble): only then the connection is up.
   * Never rejects. Absent where all is heard from the first moment.
   */
  ready?(): Promise<void>;
  /** Sets one point to a raw value. */
  write?(point: Point<A>, value: Value, signal: AbortSignal): Promise<Answer>;
  /** Runs a named action of a device. */
  act?(device: Device, action: ActionConfig, parameters: Record<string, unknown>, signal: AbortSignal): Promise<Answer>;
  /**
   * Finds out how the far end wants to be spoken to (line speed, framing, byte order). `options` have passed `Driver.survey.probe`. Resolves when
   * it has tried everything; rejects with what went wrong, in words. Changes nothing at the far end. Ends soon after the signal.
   */
  probe?(options: unknown, survey: Survey, signal: AbortSignal): Promise<void>;
  /** Finds out who and what is there (unit ids, register ranges, topics). `options` have passed `Driver.survey.scan`. Else like `probe`. */
  scan?(options: unknown, survey: Survey, signal: AbortSignal): Promise<void>;
  /** Never rejects; may be called any number of times, in any state. Resolves when sockets and timers are gone. */
  close(): Promise<void>;
}

/** Where a probe or a scan tells what it does and finds. */
export interface Survey {
  /** One request of it, when the bus gives the turn: after commands, fresh reads and polls. Rejects with what `call` threw, or the signal's reason. */
  turn<T>(unit: string, call: (signal: AbortSignal) => Promise<T>): Promise<T>;
  /** How far it is: `done` of `total` steps (undefined: not known), and what it does now, in words. */
  progress(done: number, total: number | undefined, text: string): void;
  /** Something was found; one with the same `id` takes the place of an earlier one. At most `limits.findingsMax` are kept. */
  found(finding: Finding): void;
}

export interface Finding {
  /** Names it within this survey. */
  id: string;
  /** The driver's word, the same for all of a sort: `unit`, `range`, `part`, `topic`, `line`, `byte-order`. */
  kind: string;
  /** For people: one sentence. */
  text: string;
  /** Columns of a table, the same for all of a kind. */
  values: Readonly<Record<string, string | number | boolean | null>>;
  /** How sure it is, 0 to 1; absent for what simply is so. */
  score?: number;
  /**
   * What would go into the settings, in the language of DESIGN §5: options of the connection, devices, points (ticked by a person, then saved). A device with
   * an address stands for whichever device of the connection has that address: it is made once, and gets the points.
   */
  proposes?: { connection?: Record<string, unknown>; devices?: Record<string, unknown>[]; points?: Record<string, unknown>[] };
}

export interface PlannedRequest<A = unknown> {
  /** Who answers: the fairness and set-aside key within the bus (`1` for Modbus unit id 1). */
  unit: string;
  /** For people: `read holding 30-41 of unit 1`. */
  text: string;
  points: readonly Point<A>[];
  /** What it costs, where the driver can say: shown in the poll plan (query `explain`), never used to decide anything. */
  cost?: Cost;
  /** The driver's own. */
  detail: unknown;
}

export interface Cost {
  /** What it reads at the far end, in the protocol's own unit: registers, bits. */
  places: number;
  /** How many of them no point of the request needs: gaps that are read over. */
  wasted: number;
  /** How long its bytes, there and back, and the silence the protocol demands take on the line; without what the device needs to think. */
  wireMs?: number;
  /** Why it is a request of its own, in a few words: `gap of 40 registers`, `longer than 125`, `another table`, `refused as a block`. */
  breaks?: string;
}

/** A raw value of one point, before the value pipeline; or why there is none. */
export interface Reading<A = unknown> {
  point: Point<A>;
  /** Raw, as decoded; null with a `reason` when there is none. */
  value: Value;
  /** '' if all is well; anything else makes the sample bad. */
  reason: Reason;
  /** For people, beside a reason: `exception 2: illegal data address`. */
  detail?: string;
  /**
   * Beside a reason: the far end put us off or was not heard, and may be asked again after this time, at most so often. The host does so for polls, while others
   * use the bus, and takes this reading only if it did not help.
   */
  again?: { afterMs: number; times: number };
  /** The time the device itself gave, in nanoseconds since 1970. */
  timeNs?: bigint;
  /** True if the device gave a time that cannot be read: the time of arrival is taken, and it is not as good. */
  timeUnreadable?: boolean;
  /** True for a value that was stored at the far end before we asked (an MQTT retained message): current, not news. */
  retained?: boolean;
  /**
   * What it is worth: `history` what was true once and is told late, which changes nothing of what is known now and is no news; `now` what the far
   * end does not want kept. Both unless said.
   */
  only?: 'history' | 'now';
}

/** What is heard of a device itself, beside its readings. */
export interface Availability {
  /** `unclear`: something was said that means neither, or nothing can be heard of it; shown as trouble. */
  state: 'online' | 'offline' | 'unclear';
  /** For people: `said "offline"`. */
  detail: string;
  retained: boolean;
  /** When it was so, if the far end says it: the time of the samples that say that its values are no longer valid. */
  timeNs?: bigint;
}

export interface Sink<A = unknown> {
  /**
   * Readings in the order in which they were heard. Resolves once their samples are committed (or a bound on series refused them, which is counted),
   * however long the disk takes; rejects if they are lost, so that nobody is told that they were kept. Calls of one turn of the event loop share a
   * commit, and mostly its promise.
   */
  commit(readings: readonly Reading<A>[]): Promise<void>;
  /** The same where the device need not know whether they are kept: they go with the next group commit. */
  samples(readings: readonly Reading<A>[]): void;
  /** Something that concerns a point without being a reading of it: a refused subscription. Shown in health at the device until `undefined`. */
  trouble(point: Point<A>, message: string | undefined): void;
  /**
   * A device was heard that fits the template of this id, with these texts in the places of its placeholders. Answers with the device that runs as it,
   * made the first time: its points are those of the template in the same order, their addresses filled. Undefined if it may not run (too many, its
   * id is taken or too long), which the host reports; the driver then leaves its messages.
   */
  device(template: string, values: Values): Device<unknown, A> | undefined;
  /**
   * The far end describes a device itself: as in the settings (DESIGN §5: id, title, labels, points, availability), without `connection`. It is checked
   * like settings; a point with a fault is left out. Answers with the device that runs, the same object as long as it means the same; undefined if it may
   * not run. The host reports either, and keeps the device over a restart. `source` is the convention it follows, for people.
   */
  announce(source: string, device: Readonly<Record<string, unknown>>): Device<unknown, A> | undefined;
  /** The far end takes back a device it announced. */
  withdraw(source: string, id: string): void;
  /** Something that is announced is not understood, and why; undefined when it is over. `what` names it. */
  misunderstood(source: string, what: string, message: string | undefined): void;
  /** What a device said of itself; `device` is its id, or a template's for what concerns all that are made of it. */
  availability(device: string, said: Availability): void;
}

/** What became of a write: the driver's half of a command's outcome (DESIGN §8). */
export type Answer =
  /** The far end said yes (or there is nothing to wait for: MQTT QoS 0). */
  | { state: 'acknowledged'; detail?: string }
  /** The far end said no; nothing was changed. */
  | { state: 'refused'; detail: string }
  /** Bytes left, no answer came: nobody knows. Never sent again. */
  | { state: 'unknown'; detail: string }
  /** Nothing left this machine. */
  | { state: 'not-sent'; detail: string };
