/** All that has to do with the commands of a gateway, put together: what the gateway and those who ask it see of them. */
import type { User } from '../../contract/caller.ts';
import type { ActBody, CommandRecord, DeviceLock, LockBody, Obstacle, SetBody } from '../../contract/command.ts';
import { badRequest, Fault, forbidden, notFound } from '../../contract/fault.ts';
import { limits } from '../../contract/limits.ts';
import type { SeriesKey } from '../../contract/sample.ts';
import { Commands, type CommandsDeps, faultOf } from './commands.ts';
import { Guarding } from './guarding.ts';
import type { Journal } from './journal.ts';
import { Locks } from './locks.ts';
import { Pauses } from './pauses.ts';
import { type Attempt, anotherRefused, Refusals } from './refusals.ts';
import { actTask, type Sender, setTask, type Task } from './tasks.ts';

/** One command of a list. */
export type Wish = { device: string } & ({ point: string; body: SetBody } | { command: string; body: ActBody });

/** A wish as it is recorded if it is refused. */
export function attemptOf(wish: Wish, { user, origin }: Sender): Attempt {
  const what =
    'point' in wish
      ? ({ point: wish.point, kind: 'set', value: wish.body.value } as const)
      : ({ point: wish.command, kind: 'act' } as const);
  return { device: wish.device, ...what, user, reason: wish.body.reason, origin };
}

/** Whoever commands beside `Gateway.set` and `act`. */
export interface CommandDesk {
  /** Several at once: nothing is sent if one is refused. One outcome each, in their order. Throws nothing. */
  sendAll(wishes: readonly { wish: Wish; sender: Sender }[], waitMs: number): Promise<(CommandRecord | Fault)[]>;
  /** One, with what made it. Throws a `Fault` as `Gateway.set` does. */
  send(wish: Wish, sender: Sender): Promise<CommandRecord>;
  /** Takes one out of the queue: its author or an Admin. Throws a `Fault`: 403, 404, 409. */
  cancel(id: string, user: User): Promise<CommandRecord>;
  /** How many go before one that waits. */
  position(record: CommandRecord): number | undefined;
  lockOf(device: string): DeviceLock | undefined;
  /** Throws a `Fault`: 404, 409 for a device that somebody else has locked. */
  lock(device: string, body: LockBody, user: User): Promise<DeviceLock>;
  /** Whoever locked it, or an Admin. Throws a `Fault`: 403, 404. */
  unlock(device: string, user: User): Promise<void>;
  /** Records an attempt that was refused before it came here. */
  refused(attempt: Attempt, fault: Fault): void;
  /** Why a command would not go now, whoever sends it. */
  obstacles(device: string, name: string, kind: 'set' | 'act'): Obstacle[];
  /** The last command of each point and action, of those that did not end well. */
  failing(): CommandRecord[];
  /** Attempts that were refused since the start, by type of problem. */
  refusals(): Record<string, number>;
  /** Commands that have not ended. */
  open(): number;
}

type DeskDeps = Omit<CommandsDeps, 'locks' | 'pauses' | 'guarding' | 'refusals'> & { journal: Journal };

export class Desk implements CommandDesk {
  readonly #deps: DeskDeps;
  readonly #locks: Locks;
  readonly #guarding: Guarding;
  readonly #refusals: Refusals;
  readonly #commands: Commands;

  constructor(deps: DeskDeps) {
    this.#deps = deps;
    const pauses = new Pauses(deps.clock);
    this.#locks = new Locks(deps);
    // Known before somebody looks at the list of devices.
    this.#locks.known().catch(() => undefined);
    this.#guarding = new Guarding({ ...deps, locks: this.#locks, pauses });
    this.#refusals = new Refusals(deps.clock, deps.journal);
    this.#commands = new Commands({ ...deps, locks: this.#locks, pauses, guarding: this.#guarding, refusals: this.#refusals });
  }

  set(key: SeriesKey, body: SetBody, sender: Sender): Promise<CommandRecord> {
    return this.send({ ...key, body }, sender);
  }

  act(device: string, command: string, body: ActBody, sender: Sender): Promise<CommandRecord> {
    return this.send({ device, command, body }, sender);
  }

  async send(wish: Wish, sender: Sender): Promise<CommandRecord> {
    return await this.#commands.send(this.#task(wish, sender));
  }

  async sendAll(wishes: readonly { wish: Wish; sender: Sender }[], waitMs: number): Promise<(CommandRecord | Fault)[]> {
    const tasks = wishes.map(({ wish, sender }) => {
      try {
        return this.#task(wish, sender);
      } catch (error) {
        return faultOf(error);
      }
    });
    if (!tasks.some((task) => task instanceof Fault)) return await this.#commands.sendAll(tasks as Task[], waitMs);
    return tasks.map((task) => (task instanceof Fault ? task : anotherRefused()));
  }

  cancel(id: string, user: User): Promise<CommandRecord> {
    return this.#commands.cancel(id, user);
  }

  position(record: CommandRecord): number | undefined {
    return this.#commands.position(record);
  }

  lockOf(device: string): DeviceLock | undefined {
    return this.#locks.of(device);
  }

  async lock(device: string, { reason, for: forMs = limits.lockMaxMs }: LockBody, { login, name, role }: User): Promise<DeviceLock> {
    if (!this.#deps.plant.device(device)) throw notFound(`there is no device ${JSON.stringify(device)} that runs`, 'device');
    await this.#locks.known();
    const before = this.#locks.of(device);
    if (before && before.by.login !== login && role !== 'Admin')
      throw badRequest(`${device} is locked by ${before.by.name || before.by.login} already: ${before.reason}`, undefined, 'locked', 409);
    const now = this.#deps.clock.nowMs();
    const lock: DeviceLock = { reason, by: { login, name }, since: now, until: now + forMs };
    await this.#locks.set(device, lock);
    return lock;
  }

  async unlock(device: string, { login, role }: User): Promise<void> {
    await this.#locks.known();
    const lock = this.#locks.of(device);
    if (!lock) throw notFound(`${device} is not locked`, 'device');
    if (lock.by.login !== login && role !== 'Admin')
      throw forbidden(`${lock.by.name || lock.by.login} locked ${device}; only they or an Admin may lift it`);
    await this.#locks.lift(device);
  }

  refused(attempt: Attempt, fault: Fault): void {
    this.#refusals.note(attempt, fault);
  }

  obstacles(device: string, name: string, kind: 'set' | 'act'): Obstacle[] {
    const placed = this.#deps.plant.device(device);
    const action = placed?.device.actions.find(({ id }) => id === name);
    const guards = kind === 'set' ? placed?.points.get(name)?.point.write : action;
    return placed ? this.#guarding.obstacles({ device: placed, name, kind, guards: guards ?? {} }) : [];
  }

  failing(): CommandRecord[] {
    return [...this.#deps.journal.failing.values()];
  }

  refusals(): Record<string, number> {
    return { ...this.#refusals.counts };
  }

  open(): number {
    return this.#commands.openCount;
  }

  close(): Promise<void> {
    return this.#commands.close();
  }

  /** Throws a `Fault`, which is recorded if it is the refusal of an attempt. */
  #task(wish: Wish, sender: Sender): Task {
    const about = { ...this.#deps, nowMs: this.#deps.clock.nowMs() };
    try {
      return 'point' in wish
        ? setTask(about, { device: wish.device, point: wish.point }, wish.body, sender)
        : actTask(about, wish.device, wish.command, wish.body, sender);
    } catch (error) {
      if (error instanceof Fault) this.#refusals.note(attemptOf(wish, sender), error);
      throw error;
    }
  }
}
