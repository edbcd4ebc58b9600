/** Commands of a gateway: checked, recorded, sent in order, verified, each step in the record (DESIGN §8). */
import type { User } from '../../contract/caller.ts';
import type { Clock } from '../../contract/clock.ts';
import type { CommandRecord } from '../../contract/command.ts';
import { badRequest, Fault, forbidden, notFound } from '../../contract/fault.ts';
import { limits } from '../../contract/limits.ts';
import { seriesName } from '../../contract/sample.ts';
import type { Store } from '../../store/store.ts';
import type { Intake } from '../intake.ts';
import type { Link } from '../link.ts';
import type { Plant } from '../plant.ts';
import { Confirmations } from './confirmations.ts';
import { deliver } from './delivery.ts';
import type { Guarding } from './guarding.ts';
import { Idempotency, type Running } from './idempotency.ts';
import type { Journal } from './journal.ts';
import type { Locks } from './locks.ts';
import type { Pauses } from './pauses.ts';
import { readAfterCrash } from './recovery.ts';
import { anotherRefused, notSent, type Refusals } from './refusals.ts';
import type { Task } from './tasks.ts';
import { Turns } from './turns.ts';
import { verify, type Watch, watchPoint } from './verification.ts';

export interface CommandsDeps {
  key: string;
  store: Store;
  clock: Clock;
  plant: Plant;
  intake: Intake;
  journal: Journal;
  locks: Locks;
  pauses: Pauses;
  guarding: Guarding;
  refusals: Refusals;
  link(connection: string): Link | undefined;
}

export class Commands {
  readonly #deps: CommandsDeps;
  readonly #turns = new Turns();
  readonly #confirmations: Confirmations;
  readonly #open = new Map<string, { record: CommandRecord; leaving: AbortController; ended: Promise<unknown> }>();
  readonly #keys: Idempotency;
  /** Verifications under way, by point: a later command to the same point ends them. */
  readonly #verifying = new Map<string, AbortController>();
  /** Points that were commanded in this run. */
  readonly #commanded = new Set<string>();
  readonly #closing = new AbortController();
  readonly #recovered: Promise<void>;
  readonly #background = new Set<Promise<void>>();

  constructor(deps: CommandsDeps) {
    this.#deps = deps;
    this.#confirmations = new Confirmations(deps.clock);
    this.#recovered = this.#recover();
    this.#keys = new Idempotency(async (key) => {
      // One that a crash left open has an end first.
      await this.#recovered;
      return await deps.store.commandByKey(deps.key, key);
    });
  }

  /** Checks a command, sends it, and answers when it has ended or `body.wait` is over. Throws a `Fault` for what never became one. */
  async send(task: Task): Promise<CommandRecord> {
    return await this.#answer(await this.#submit(task), task.body.wait);
  }

  /**
   * Several at once: all are checked before the first is sent, and nothing is sent if one is refused. Then those of one bus go one after the other, in
   * the order of the list. Resolves when all have ended or `waitMs` is over; a fault in the place of each that was refused or never sent.
   */
  async sendAll(tasks: readonly Task[], waitMs: number): Promise<(CommandRecord | Fault)[]> {
    const checked = await Promise.all(tasks.map((task) => this.#check(task)));
    if (checked.some((fault) => fault !== undefined)) {
      return checked.map((fault) => fault ?? anotherRefused());
    }
    // A command takes its place only when the one before it on the bus has: else two lists could wait for each other.
    const lastOfBus = new Map<Link, Promise<Running>>();
    const running = tasks.map((task) => {
      const link = this.#deps.link(task.target.device.device.connection);
      const before = link && lastOfBus.get(link);
      const own = (async () => {
        const earlier = await before?.catch(() => undefined);
        return await this.#submit(task, earlier?.delivered);
      })();
      if (link) lastOfBus.set(link, own);
      return own;
    });
    const settled = await Promise.allSettled(running.map(async (one) => await this.#answer(await one, waitMs)));
    return settled.map((one) => (one.status === 'fulfilled' ? one.value : faultOf(one.reason)));
  }

  /** Takes a command out of the queue. Throws a `Fault`: 404, 403 for one of somebody else, 409 for one that was sent. */
  async cancel(id: string, user: User): Promise<CommandRecord> {
    const { store, key } = this.#deps;
    const open = this.#open.get(id);
    const record = open?.record ?? (await store.command(key, id));
    if (!record) throw notFound(`there is no command ${JSON.stringify(id)}`, 'id');
    if (record.user.login !== user.login && user.role !== 'Admin') throw forbidden('only its author or an Admin may cancel a command');
    if (!open || record.state !== 'queued') {
      const state = record.times.ended === undefined ? `is ${record.state}` : `has ended as ${record.state}`;
      throw badRequest(`the command ${state}; only one that waits can be cancelled`, 'id', 'not-cancellable', 409);
    }
    const by = { login: user.login, name: user.name };
    open.leaving.abort(
      new Fault(`cancelled by ${by.name || by.login}; nothing was sent`, {
        type: 'cancelled',
        blame: 'caller',
        status: 409,
        extra: { by },
      }),
    );
    await open.ended;
    // In the last moment it may have left all the same.
    if (!record.cancelledBy)
      throw badRequest(`the command was sent already and has ended as ${record.state}`, 'id', 'not-cancellable', 409);
    return structuredClone(record);
  }

  /** How many have to be sent before it; undefined if it does not wait. */
  position({ device, id, state }: CommandRecord): number | undefined {
    return state === 'queued' ? this.#turns.position(device, id) : undefined;
  }

  get openCount(): number {
    return this.#open.size;
  }

  /** What waits is not sent any more; what was sent is not verified any more. Resolves when all have ended. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('the gateway was stopped'));
    await Promise.allSettled([...Array.from(this.#open.values(), ({ ended }) => ended), ...this.#background]);
  }

  async #recover(): Promise<void> {
    const { journal, pauses, store, key, clock } = this.#deps;
    const startedNs = clock.nowNs();
    try {
      pauses.recall(await store.commands(key, { limit: limits.guardsRecalledMax }));
    } catch {
      // Then the store takes no record, and without a record there is no command.
    }
    const left = await journal.recover();
    for (const record of left) {
      const reading = readAfterCrash(
        { ...this.#deps, startedNs },
        record,
        () => this.#commanded.has(seriesName(record)),
        this.#closing.signal,
      ).finally(() => this.#background.delete(reading));
      this.#background.add(reading);
    }
  }

  /** Everything that can be told before it is in the queue. Throws a `Fault`. */
  async #admit(task: Task): Promise<Link> {
    await this.#deps.locks.known();
    const link = this.#deps.guarding.reachable(task.target.device);
    this.#deps.guarding.admit(task.target);
    return link;
  }

  /** The same and the interlock, for one of several; also whether it has to be confirmed. Resolves with what stands against it. */
  async #check(task: Task): Promise<Fault | undefined> {
    const late = new AbortController();
    const cancel = this.#deps.clock.after(task.body.expires, () => late.abort(notSent('the interlock was not answered in time')));
    try {
      await this.#recovered;
      await this.#admit(task);
      if (task.target.guards.confirm)
        throw badRequest(
          `${seriesName(task.record)} has to be confirmed, so it goes by itself and not in a list`,
          undefined,
          'confirm-required',
          422,
        );
      await this.#deps.guarding.pass(task.target, AbortSignal.any([this.#closing.signal, late.signal]));
      return undefined;
    } catch (error) {
      const fault = faultOf(error);
      this.#deps.refusals.note(task.record, fault);
      return fault;
    } finally {
      cancel();
    }
  }

  /** The same idempotency key is the same command, in this run or an earlier one. */
  #submit(task: Task, before?: Promise<void>): Promise<Running> {
    return this.#keys.once(task.record, () => this.#begin(task, before));
  }

  async #answer(running: Running, waitMs: number): Promise<CommandRecord> {
    const over = Promise.withResolvers<undefined>();
    const cancel = this.#deps.clock.after(waitMs, () => over.resolve(undefined));
    const fault = await Promise.race([running.ended, over.promise]);
    cancel();
    if (fault) throw fault;
    return structuredClone(running.record);
  }

  /** Records the command and sets it going. Throws a `Fault` if it is refused, cannot be recorded, or too many are under way. */
  async #begin(task: Task, before?: Promise<void>): Promise<Running> {
    const { record, target } = task;
    let link: Link;
    try {
      if (this.#open.size >= limits.commandsOpenMax) throw tooMany();
      // A pause that began before a restart holds after it.
      if (target.guards.cooldown !== undefined || target.guards.rate) await this.#recovered;
      link = await this.#admit(task);
      if (target.guards.confirm) this.#confirmations.require(record, task.reading(), task.body.confirm, task.sameReading);
      if (this.#open.size >= limits.commandsOpenMax) throw tooMany();
    } catch (error) {
      const fault = faultOf(error);
      this.#deps.refusals.note(task.record, fault);
      throw fault;
    }
    // The place in the row is taken before the record is written, so that the order is that of the callers.
    const turn = this.#turns.take(record.device, record.id);
    const come = Promise.all([turn.come, before]).then(() => undefined);
    const leaving = new AbortController();
    const delivered = Promise.withResolvers<void>();
    const done = () => {
      turn.done();
      delivered.resolve();
    };
    const recorded = this.#deps.journal.begin(record);
    const ended = recorded.then(() => this.#run(task, link, come, done, leaving.signal)).finally(done);
    this.#open.set(record.id, { record, leaving, ended: ended.catch(() => undefined) });
    ended.finally(() => this.#open.delete(record.id)).catch(() => undefined);
    await recorded;
    return { record, delivered: delivered.promise, ended };
  }

  /** Never rejects. */
  async #run(task: Task, link: Link, turn: Promise<void>, sentOrNot: () => void, leaving: AbortSignal): Promise<Fault | undefined> {
    const { clock, journal, intake, plant, guarding } = this.#deps;
    const { record, target, check } = task;
    const { device } = target;
    const name = seriesName(record);
    const superseded = new AbortController();
    let watch: Watch | undefined;
    const delivered = await deliver(clock, {
      link,
      unit: link.unitOf(device.device),
      text: record.kind === 'set' ? `set ${name}` : `run ${name}`,
      expiresMs: task.body.expires,
      turn,
      compare: async (signal) => {
        await guarding.pass(target, signal);
        await task.compare(link, signal);
      },
      send: task.send,
      sent: () => {
        this.#commanded.add(name);
        guarding.sent(target);
        journal.step(record, 'sent');
        this.#verifying.get(name)?.abort(new Error(`a later command to ${name} was sent before the effect was seen`));
        this.#verifying.set(name, superseded);
        if (check) watch = watchPoint(intake, check.target);
      },
      closing: AbortSignal.any([this.#closing.signal, leaving]),
    });
    sentOrNot();
    if (delivered.fault?.type === 'cancelled') record.cancelledBy = delivered.fault.extra.by as NonNullable<CommandRecord['cancelledBy']>;
    try {
      if (delivered.state === 'acknowledged' || delivered.state === 'failed') plant.answered(device);
      else if (delivered.state === 'unknown') plant.silent(device);
      if (delivered.state !== 'acknowledged' || !check || !watch) {
        await journal.end(record, delivered.state, { detail: delivered.detail });
        return delivered.fault;
      }
      journal.step(record, 'acknowledged');
      const signal = AbortSignal.any([superseded.signal, this.#closing.signal]);
      const outcome = await verify({ clock, intake, link }, check, watch, signal);
      await journal.end(record, outcome.state, { detail: outcome.detail ?? delivered.detail, readBack: outcome.readBack });
      return undefined;
    } finally {
      watch?.stop();
      if (this.#verifying.get(name) === superseded) this.#verifying.delete(name);
    }
  }
}

function tooMany(): Fault {
  return new Fault(`${limits.commandsOpenMax} commands are under way; try again when some have ended`, {
    type: 'too-many-commands',
    blame: 'caller',
    status: 429,
  });
}

/** Throws what is none. */
export function faultOf(error: unknown): Fault {
  if (error instanceof Fault) return error;
  throw error;
}
