/** One open session: what is asked, polled and heard on it, and how its end is noticed. */
import type { Clock } from '../contract/clock.ts';
import type { Device, Point } from '../contract/device.ts';
import type { PlannedRequest, Session } from '../contract/driver.ts';
import { LinkLost, messageOf } from '../contract/fault.ts';
import { limits } from '../contract/limits.ts';
import type { Log } from '../contract/log.ts';
import type { Bus, Priority } from './bus.ts';
import { bounded, Overdue, within } from './guard.ts';
import type { Intake } from './intake.ts';
import { type ListenerDeps, type Listening, listen } from './listener.ts';
import type { PlacedDevice, Plant } from './plant.ts';
import { type Polled, type Poller, type PollerDeps, poll } from './poller.ts';

/** One question to the far end. */
export interface Question<T> {
  /** Who is to answer. */
  unit: string;
  priority: Priority;
  /** What is asked, for people who look at the bus. */
  text?: string;
  /** Takes it out of the queue; what has been sent goes to its end. */
  signal: AbortSignal;
  call(session: Session, signal: AbortSignal): Promise<T>;
  /** Whether the unit said anything; undefined if that cannot be told. */
  answered(result: T): boolean | undefined;
}

export interface OpenedDeps {
  clock: Clock;
  log: Log;
  intake: Intake;
  plant: Plant;
  bus: Bus;
  place: PollerDeps['place'];
  /** All devices of the connection, discovered ones among them. */
  behind(): PlacedDevice[];
  /** Where what is heard goes, beside samples. */
  reports: Pick<ListenerDeps, 'trouble' | 'discovered' | 'said' | 'announcer'>;
  /** Devices announce themselves: it is listened to even if no point is known. */
  announces: boolean;
  ask: PollerDeps['ask'];
  overrun(): void;
  failure(): void;
}

export class Opened {
  readonly session: Session;
  readonly #deps: OpenedDeps;
  /** Aborted with the reason of its end. */
  readonly #life = new AbortController();
  /** Somebody answered or was heard on this session. */
  #alive = false;
  /** Heard since the last look. */
  #heard = false;
  /** Errors in a row that the contract does not know. */
  #strange = 0;
  #poller: Poller | undefined;
  #listening: Listening | undefined;
  #working: Promise<void> = Promise.resolve();
  #hasWorked = false;

  constructor(session: Session, deps: OpenedDeps) {
    this.session = session;
    this.#deps = deps;
  }

  get isEnded(): boolean {
    return this.#life.signal.aborted;
  }

  /** Whether somebody answered or was heard: if so, its end is a new story and the back-off begins anew. */
  get wasAlive(): boolean {
    return this.#alive;
  }

  get polled(): readonly Polled[] {
    return this.#poller?.polled ?? [];
  }

  /** Aborted with the reason of its end. */
  get life(): AbortSignal {
    return this.#life.signal;
  }

  get requests(): readonly PlannedRequest[] {
    return this.#poller?.requests ?? [];
  }

  /** The link is gone, or not wanted any more. */
  end(reason: unknown): void {
    if (!this.isEnded) this.#life.abort(reason);
  }

  /** Resolves with the reason when the session has ended and is closed. Never rejects. */
  async ended(): Promise<unknown> {
    const { signal } = this.#life;
    if (!signal.aborted) await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    this.#working = this.#working.then(() => this.#stop());
    await this.#working;
    try {
      // `close` never rejects by contract; a driver that does, or hangs, is left alone.
      await within(this.#deps.clock, limits.abortGraceMs, this.session.close());
    } catch (error) {
      this.#deps.log.warn('the driver did not close properly', { error: messageOf(error) });
    }
    return signal.reason;
  }

  /** Polls and hears these devices, templates among them, from now on instead of those before. */
  work(devices: readonly Device[]): void {
    this.#working = this.#working.then(() => this.#stop()).then(() => this.#start(devices));
  }

  /** Resolves when what `work` asked for is heard or refused, or the session has ended; a driver that never says so is at fault and ends it. */
  async ready(): Promise<void> {
    await this.#working;
    const { session } = this;
    if (this.isEnded || !session.ready) return;
    try {
      await bounded(this.#deps.clock, limits.requestGuardMs, this.#life.signal, async () => session.ready?.());
    } catch (error) {
      this.end(error);
    }
  }

  /** Called when the bus gives the turn. Throws what the driver threw. */
  async run<T>(question: Question<T>): Promise<{ value: T; answered: boolean | undefined }> {
    try {
      const value = await bounded(this.#deps.clock, limits.requestGuardMs, this.#life.signal, (signal) =>
        question.call(this.session, signal),
      );
      const answered = question.answered(value);
      if (answered === false) this.#deps.failure();
      this.#alive ||= answered === true;
      this.#strange = 0;
      return { value, answered };
    } catch (error) {
      this.#deps.failure();
      this.#failed(error);
      throw error;
    }
  }

  /** When nobody at all answers, it may be the link itself: a half-open TCP connection looks just like that, and only opening anew helps. */
  considerSilence(): void {
    const units = new Set(this.requests.map((request) => request.unit));
    const heard = this.#heard;
    this.#heard = false;
    if (units.size === 0 || heard) return;
    for (const unit of units) if (this.#deps.bus.asideForMs(unit) === undefined) return;
    this.end(
      new LinkLost(units.size === 1 ? `unit ${[...units].join()} does not answer` : `none of the ${units.size} units behind it answers`),
    );
  }

  /** The requests the driver would send for these points; none if they cannot be asked for. */
  plan(points: readonly Point[]): PlannedRequest[] {
    try {
      return (this.session.read && this.session.plan?.(points)) ?? [];
    } catch (error) {
      this.#deps.log.error('the driver cannot plan these points', { points: points.length, error: messageOf(error) });
      return [];
    }
  }

  #failed(error: unknown): void {
    if (this.isEnded) return;
    if (error instanceof LinkLost || error instanceof Overdue) {
      this.end(error);
      return;
    }
    // Not in the contract: a bug of the driver, or a library's error it did not expect. A session that does nothing else is opened anew.
    this.#strange += 1;
    if (this.#strange === 1) this.#deps.log.warn('the driver failed in a way it should not', { error: messageOf(error) });
    if (this.#strange >= limits.setAsideAfter) this.end(error);
  }

  #start(devices: readonly Device[]): void {
    if (this.isEnded) return;
    const { clock, log, intake, plant, bus } = this.#deps;
    const templates = new Set(devices.filter((device) => device.placeholders !== undefined).map((device) => device.id));
    const points = devices.flatMap((device) => device.points.filter((point) => point.access !== 'write'));
    const poller = poll(
      {
        clock,
        log,
        intake,
        plant,
        place: this.#deps.place,
        ask: this.#deps.ask,
        overrun: this.#deps.overrun,
        asideForMs: (unit) => bus.asideForMs(unit),
        isEnded: () => this.isEnded,
      },
      this.session,
      this.session.read ? points.filter((point) => !templates.has(point.device)) : [],
    );
    this.#poller = poller;
    // Units may have been set aside on the link before this one: each gets a try at once.
    if (!this.#alive) for (const request of poller.requests) bus.retryNow(request.unit);
    const polled = new Set(poller.requests.flatMap((request) => request.points.map((point) => point.device)));
    // Only when the link has come up: a device that is gone stays gone when others are added.
    if (!this.#hasWorked) {
      const unheard = this.#deps.behind().filter(({ device }) => !polled.has(device.id));
      plant.await(unheard);
      plant.unknown(
        unheard.filter(({ state }) => state === 'offline'),
        'the connection is up; nothing heard yet',
      );
    }
    this.#hasWorked = true;
    const heard = () => {
      this.#alive = true;
      this.#heard = true;
    };
    if (points.length === 0 && !this.#deps.announces && !devices.some(({ availability }) => availability?.topic !== undefined)) return;
    this.#listening = listen({ clock, intake, ...this.#deps.reports, heard, broken: (error) => this.end(error) }, this.session, points);
  }

  async #stop(): Promise<void> {
    this.#poller?.stop();
    await this.#listening?.stop();
  }
}
