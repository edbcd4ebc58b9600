/**
 * The life of one connection: open, poll and listen, notice its end, wait, open again, without end (DESIGN §4). A link never stops by
 * itself; why it is down and since when is in its status.
 */
import type { Clock, Random } from '../contract/clock.ts';
import type { Device, Point } from '../contract/device.ts';
import type { Host, Line, PlannedRequest, Reading } from '../contract/driver.ts';
import { messageOf } from '../contract/fault.ts';
import type { Log } from '../contract/log.ts';
import type { SeriesKey } from '../contract/sample.ts';
import type { ConnectionStatus } from '../contract/status.ts';
import type { Store } from '../store/store.ts';
import type { Announcements } from './announcements.ts';
import { type Bus, type Buses, type BusSpan, leaseFor, type Priority } from './bus.ts';
import { createHost, logOf } from './host.ts';
import { areReadings, type Intake, saysSomething } from './intake.ts';
import type { ListenerDeps } from './listener.ts';
import { openSession } from './open.ts';
import { Opened, type Question } from './opened.ts';
import type { PlannedConnection } from './plan.ts';
import type { Plant } from './plant.ts';
import type { Polled } from './poller.ts';
import { backoffMs } from './schedule.ts';
import { conduct, type Findings, type SurveyKind } from './survey.ts';
import type { Traffics } from './traffic.ts';

export interface LinkDeps {
  key: string;
  store: Store;
  buses: Buses;
  clock: Clock;
  random: Random;
  log: Log;
  intake: Intake;
  plant: Plant;
  traffics: Traffics;
  /** Where what is heard goes, beside samples. */
  reports: Pick<ListenerDeps, 'trouble' | 'discovered' | 'said'>;
  announcements: Announcements;
  /** Among the connections of its gateway: when its polls are due beside theirs. */
  place: number;
}

/** Counters of a connection; they outlive a change of its settings. */
export type LinkCounters = Pick<ConnectionStatus, 'opens' | 'requests' | 'failures' | 'overruns' | 'discarded'>;

/** The link is not open: nothing was sent. */
export class LinkDown extends Error {
  constructor(why: string) {
    super(why);
    this.name = 'LinkDown';
  }
}

export class Link {
  readonly counters: LinkCounters;
  readonly #deps: LinkDeps;
  readonly #log: Log;
  readonly #bus: Bus;
  readonly #line: Line;
  readonly #closing = new AbortController();
  readonly #ended: Promise<void>;
  #planned: PlannedConnection;
  #opened: Opened | undefined;
  /** Of which list `#rhythm` was made: how often each point is polled, by device and point. */
  #rhythmOf: readonly Polled[] = [];
  #rhythm = new Map<string, number>();
  #state: ConnectionStatus['state'] = 'connecting';
  #sinceMs: number;
  #error: string | undefined;

  constructor(
    planned: PlannedConnection,
    deps: LinkDeps,
    counters: LinkCounters = { opens: 0, requests: 0, failures: 0, overruns: 0, discarded: {} },
  ) {
    this.#planned = planned;
    this.#deps = deps;
    this.#log = logOf(deps.log, planned.connection.id);
    this.counters = counters;
    this.#line = { connection: planned.connection, devices: devicesOf(planned) };
    this.#sinceMs = deps.clock.nowMs();
    this.#bus = leaseFor(deps.buses, deps.key, planned);
    this.#ended = this.#live();
  }

  get planned(): PlannedConnection {
    return this.#planned;
  }

  /** Why nothing can be asked now, in words; undefined if the link is up. */
  get downBecause(): string | undefined {
    if (this.#opened && !this.#opened.isEnded) return undefined;
    return this.#error ?? 'the connection is not open yet';
  }

  status(): ConnectionStatus {
    const { connection, driver } = this.#planned;
    return {
      id: connection.id,
      kind: connection.kind,
      title: connection.title,
      state: this.#state,
      sinceMs: this.#sinceMs,
      ...(this.#error === undefined ? {} : { error: this.#error }),
      endpoint: driver.endpoint(connection.options),
      ...this.counters,
      queued: this.#bus.waiting(),
    };
  }

  /** Other devices or points behind the same connection, or `anew` the same: asked and heard from now on; the session stays open. */
  update(planned: PlannedConnection, anew = false): void {
    const before = this.#line.devices;
    const now = devicesOf(planned);
    const same = now.length === before.length && now.every((device, index) => device === before[index]);
    this.#planned = planned;
    if (same && !anew) return;
    before.splice(0, before.length, ...now);
    this.#opened?.work([...before]);
    if (this.#state === 'down') this.#takeDown(this.#error ?? '');
  }

  /** Ends everything. Never rejects; resolves when the driver has closed or its time is over. */
  async close(): Promise<void> {
    const reason = new LinkDown('the connection is being closed');
    this.#closing.abort(reason);
    this.#opened?.end(reason);
    await this.#ended;
  }

  /** Sends something through the bus. Rejects like `Bus.run`, with `LinkDown`, or with what the driver threw. */
  async ask<T>(question: Question<T>): Promise<T> {
    let asked: Opened | undefined;
    const result = await this.#bus.run({
      unit: question.unit,
      priority: question.priority,
      ...(question.text === undefined ? {} : { text: question.text }),
      signal: question.signal,
      run: async () => {
        asked = this.#opened;
        const { downBecause } = this;
        if (!asked || downBecause !== undefined) throw new LinkDown(downBecause ?? '');
        this.counters.requests += 1;
        return await asked.run(question);
      },
    });
    if (question.answered(result) === false) asked?.considerSilence();
    return result;
  }

  get clock(): Clock {
    return this.#deps.clock;
  }

  /** The requests that would read these points; none if they cannot be asked for, or the link is down. */
  requestsFor(points: readonly Point[]): PlannedRequest[] {
    return this.#opened?.plan(points) ?? [];
  }

  read(request: PlannedRequest, priority: Priority, signal: AbortSignal): Promise<Reading[]> {
    return this.ask<Reading[]>({
      unit: request.unit,
      priority,
      text: request.text,
      signal,
      call: async (session, life) => {
        const readings: unknown = await session.read?.(request, life);
        if (!areReadings(readings)) throw new TypeError('the driver answered with something that is no list of readings');
        return readings;
      },
      answered: saysSomething,
    });
  }

  /** What is asked again and again; nothing while the link is down. */
  get polled(): readonly Polled[] {
    return this.#opened?.polled ?? [];
  }

  /** How often a point is polled; while the link is down, how often it was. */
  everyMs({ device, point }: SeriesKey): number | undefined {
    const { polled } = this;
    if (polled.length > 0 && polled !== this.#rhythmOf) {
      this.#rhythmOf = polled;
      this.#rhythm = new Map(
        polled.flatMap(({ request, intervalMs }) => request.points.map((one) => [`${one.device}\n${one.id}`, intervalMs] as const)),
      );
    }
    return this.#rhythm.get(`${device}\n${point}`);
  }

  /** What went over its bus lately, whoever asked; times are of the clock that never jumps. */
  spans(fromMs: number, toMs: number): BusSpan[] {
    return this.#bus.spans(fromMs, toMs);
  }

  /** A probe or a scan on the session that runs. Rejects with `LinkDown`, with what ended the session, or like the driver. */
  async survey(kind: SurveyKind, options: unknown, findings: Findings, signal: AbortSignal): Promise<void> {
    const opened = this.#opened;
    const { downBecause } = this;
    if (!opened || downBecause !== undefined) throw new LinkDown(downBecause ?? '');
    const { session, life } = opened;
    const broken = (error: Error) => opened.end(error);
    await conduct({ clock: this.#deps.clock, bus: this.#bus, session, life, kind, options, findings, signal, broken });
  }

  /** Who answers for a device: fair turns and setting aside go by it. */
  unitOf(device: Device): string {
    const polled = this.#opened?.requests.find((request) => request.points.some((point) => point.device === device.id));
    return polled?.unit ?? this.requestsFor(device.points)[0]?.unit ?? device.id;
  }

  /** Milliseconds until a unit that does not answer is tried again; undefined if it may be asked now. */
  asideForMs(unit: string): number | undefined {
    return this.#bus.asideForMs(unit) || undefined;
  }

  async #live(): Promise<void> {
    const { clock, random } = this.#deps;
    const closing = this.#closing.signal;
    const host = await createHost(this.#deps, this.#log, this.#planned, this.#bus.shared);
    host.traffic = this.#deps.traffics.taker(this.#planned.connection.id);
    const { discarded } = this.counters;
    host.discarded = (why) => {
      discarded[why] = (discarded[why] ?? 0) + 1;
    };
    let attempt = 0;
    // What the operator was told last. A far end that takes connections and never answers is opened again and again: that is said once.
    let told: string | undefined;
    let isFruitless = false;
    while (!closing.aborted) {
      let why: unknown;
      try {
        const opened = await this.#open(host);
        this.#opened = opened;
        this.counters.opens += 1;
        opened.work([...this.#line.devices]);
        if (closing.aborted) opened.end(closing.reason);
        // A far end that refuses what is to be heard says so first: whoever sees "up" misses nothing from then on.
        await opened.ready();
        if (!opened.isEnded) {
          this.#setState('up');
          this.#log[isFruitless ? 'debug' : 'info']('connection is up', { opens: this.counters.opens });
        }
        why = await opened.ended();
        isFruitless = !opened.wasAlive;
        if (opened.wasAlive) {
          attempt = 0;
          told = undefined;
        }
      } catch (error) {
        why = error;
        isFruitless = false;
      }
      this.#opened = undefined;
      if (closing.aborted) break;
      const words = messageOf(why);
      this.#log[words === told ? 'debug' : 'warn']('connection is down', { error: words });
      told = words;
      this.#takeDown(words);
      await clock.sleep(backoffMs(attempt, random), closing).catch(() => undefined);
      attempt += 1;
    }
    this.#setState('stopped');
    this.#bus.release();
  }

  async #open(host: Omit<Host, 'lost' | 'replan'>): Promise<Opened> {
    const { clock, intake, plant } = this.#deps;
    const refusal = this.#bus.claim();
    if (refusal !== undefined) throw new Error(refusal);
    // A driver may notice the loss before its own `open` has resolved.
    const lost = new AbortController();
    const session = await openSession(
      clock,
      this.#planned.driver,
      this.#line,
      {
        ...host,
        lost: (error) => lost.abort(error),
        // After the call that taught it: its readings still count.
        replan: () => void clock.after(0, () => !lost.signal.aborted && this.#opened?.work([...this.#line.devices])),
      },
      this.#closing.signal,
    );
    const opened = new Opened(session, {
      clock,
      log: this.#log,
      intake,
      plant,
      reports: { ...this.#deps.reports, announcer: this.#deps.announcements.by(this.#planned.connection.id) },
      announces: this.#planned.driver.announces?.(this.#planned.connection.options) ?? false,
      behind: () => plant.behind(this.#planned.connection.id),
      bus: this.#bus,
      place: this.#deps.place,
      ask: (request, signal) => this.read(request, 'poll', signal),
      overrun: () => {
        this.counters.overruns += 1;
      },
      failure: () => {
        this.counters.failures += 1;
      },
    });
    if (lost.signal.aborted) opened.end(lost.signal.reason);
    lost.signal.addEventListener('abort', () => opened.end(lost.signal.reason), { once: true });
    return opened;
  }

  #takeDown(why: string): void {
    this.#error = why;
    this.#setState('down');
    const { intake, plant } = this.#deps;
    // Devices that were silent before stay as they are: one sample says it.
    const lost = plant.behind(this.#planned.connection.id).filter((device) => device.state !== 'offline');
    for (const device of lost)
      intake.fail(
        [...device.points.values()].filter((placed) => placed.point.access !== 'write'),
        'offline',
        why,
      );
    plant.offline(lost, why);
  }

  #setState(state: ConnectionStatus['state']): void {
    if (state === 'up') this.#error = undefined;
    if (state === this.#state) return;
    this.#state = state;
    this.#sinceMs = this.#deps.clock.nowMs();
  }
}

/** What a driver knows of: devices, then templates of those it may discover. */
function devicesOf(planned: PlannedConnection): Device[] {
  return [...planned.devices, ...(planned.templates ?? [])];
}
