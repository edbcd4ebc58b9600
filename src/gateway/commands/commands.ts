/** Commands of a gateway: checked, recorded, sent in order, verified, each step in the record (DESIGN §8). */
import { randomUUID } from 'node:crypto';
import type { User } from '../../contract/caller.ts';
import type { Clock } from '../../contract/clock.ts';
import type { ActBody, CommandRecord, SetBody } from '../../contract/command.ts';
import type { Answer, Session } from '../../contract/driver.ts';
import { badRequest, Fault, notFound } from '../../contract/fault.ts';
import { limits } from '../../contract/limits.ts';
import type { SeriesKey } from '../../contract/sample.ts';
import type { Store } from '../../store/store.ts';
import type { Intake } from '../intake.ts';
import { toRaw } from '../inversion.ts';
import type { Link } from '../link.ts';
import type { PlacedDevice, Plant } from '../plant.ts';
import { compare } from './compare.ts';
import { deliver } from './delivery.ts';
import type { Journal } from './journal.ts';
import { Turns } from './turns.ts';
import { type Check, checkOf, verify, type Watch, watchPoint } from './verification.ts';

export interface CommandsDeps {
  key: string;
  store: Store;
  clock: Clock;
  plant: Plant;
  intake: Intake;
  journal: Journal;
  link(connection: string): Link | undefined;
}

interface Running {
  record: CommandRecord;
  /** Resolves when it has ended; with a fault if it turned out that it never became a command. */
  ended: Promise<Fault | undefined>;
}

/** What is special to a kind of command. */
interface Task {
  record: CommandRecord;
  device: PlacedDevice;
  link: Link;
  body: Pick<SetBody, 'expires'>;
  compare(signal: AbortSignal): Promise<void>;
  send(session: Session, signal: AbortSignal): Promise<Answer>;
  check: Check | undefined;
}

export class Commands {
  readonly #deps: CommandsDeps;
  readonly #turns = new Turns();
  readonly #open = new Set<Promise<unknown>>();
  readonly #byKey = new Map<string, Promise<Running>>();
  /** Verifications under way, by point: a later command to the same point ends them. */
  readonly #verifying = new Map<string, AbortController>();
  readonly #closing = new AbortController();

  constructor(deps: CommandsDeps) {
    this.#deps = deps;
  }

  async set(key: SeriesKey, body: SetBody, user: User, idempotencyKey?: string): Promise<CommandRecord> {
    const placed = this.#deps.plant.point(key);
    if (!placed) throw notFound(`there is no point ${key.device}.${key.point}`);
    const { point, shape } = placed;
    if (point.access === 'read')
      throw badRequest(`${key.device}.${key.point} is not writable: its access is read`, undefined, 'not-writable', 422);
    const written = toRaw(point, shape, body.value);
    const record = this.#record(key.device, key.point, 'set', written.value, user, body.reason, idempotencyKey);
    return await this.#once(record, body.wait, () => {
      const link = this.#reachable(placed.device);
      return this.#start({
        record,
        device: placed.device,
        link,
        body,
        compare: (signal) =>
          body.expect === undefined ? Promise.resolve() : compare({ intake: this.#deps.intake, link }, placed, body.expect, signal),
        send: (session, signal) =>
          session.write?.(point, written.raw, signal) ?? Promise.resolve({ state: 'not-sent', detail: 'the protocol has no writing' }),
        check: checkOf(placed, written),
      });
    });
  }

  async act(device: string, action: string, body: ActBody, user: User, idempotencyKey?: string): Promise<CommandRecord> {
    const placed = this.#deps.plant.device(device);
    const known = placed?.device.actions.find((candidate) => candidate.id === action);
    if (!placed || !known) throw notFound(`there is no command ${action} of a device ${device}`);
    const parameters =
      Object.keys(body.parameters).length === 0
        ? null
        : JSON.stringify(body.parameters, (_name, part: unknown) => (typeof part === 'bigint' ? String(part) : part));
    const record = this.#record(device, action, 'act', parameters, user, body.reason, idempotencyKey);
    return await this.#once(record, body.wait, () =>
      this.#start({
        record,
        device: placed,
        link: this.#reachable(placed),
        body,
        compare: () => Promise.resolve(),
        send: (session, signal) =>
          session.act?.(placed.device, known, body.parameters, signal) ??
          Promise.resolve({ state: 'not-sent', detail: 'the protocol has no actions' }),
        check: undefined,
      }),
    );
  }

  /** What waits is not sent any more; what was sent is not verified any more. Resolves when all have ended. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('the gateway was stopped'));
    await Promise.allSettled(this.#open);
  }

  /** The same idempotency key is the same command, in this run or an earlier one. */
  async #once(record: CommandRecord, waitMs: number, begin: () => Promise<Running>): Promise<CommandRecord> {
    const key = record.idempotencyKey;
    if (key === undefined) return this.#answer(await begin(), waitMs);
    let running = this.#byKey.get(key);
    if (!running) {
      running = this.#earlier(key).then((earlier) => earlier ?? begin());
      this.#byKey.set(key, running);
      running
        .then((it) => it.ended)
        .finally(() => this.#byKey.delete(key))
        .catch(() => undefined);
    }
    const same = await running;
    const { device, point, kind, value, user } = same.record;
    if (
      device !== record.device ||
      point !== record.point ||
      kind !== record.kind ||
      value !== record.value ||
      user.login !== record.user.login
    ) {
      throw badRequest('this Idempotency-Key was used for another command', 'Idempotency-Key', 'key-reused', 422);
    }
    return this.#answer(same, waitMs);
  }

  async #earlier(key: string): Promise<Running | undefined> {
    const record = await this.#deps.store.commandByKey(this.#deps.key, key);
    return record && { record, ended: Promise.resolve(undefined) };
  }

  async #answer(running: Running, waitMs: number): Promise<CommandRecord> {
    const over = Promise.withResolvers<undefined>();
    const cancel = this.#deps.clock.after(waitMs, () => over.resolve(undefined));
    const fault = await Promise.race([running.ended, over.promise]);
    cancel();
    if (fault) throw fault;
    return structuredClone(running.record);
  }

  /** Records the command and sets it going. Throws a `Fault` if it cannot be recorded, or too many are under way. */
  async #start(task: Task): Promise<Running> {
    if (this.#open.size >= limits.commandsOpenMax) {
      throw new Fault(`${limits.commandsOpenMax} commands are under way; try again when some have ended`, {
        type: 'too-many-commands',
        blame: 'caller',
        status: 429,
      });
    }
    const { record } = task;
    // The place in the row is taken before the record is written, so that the order is that of the callers.
    const turn = this.#turns.take(record.device);
    const recorded = this.#deps.journal.begin(record);
    const ended = recorded.then(() => this.#run(task, turn.come, turn.done)).finally(turn.done);
    this.#open.add(ended);
    ended.finally(() => this.#open.delete(ended)).catch(() => undefined);
    await recorded;
    return { record, ended };
  }

  /** Never rejects. */
  async #run(task: Task, turn: Promise<void>, sentOrNot: () => void): Promise<Fault | undefined> {
    const { clock, journal, intake, plant } = this.#deps;
    const { record, device, link, check } = task;
    const name = `${record.device}.${record.point}`;
    const superseded = new AbortController();
    let watch: Watch | undefined;
    const delivered = await deliver(clock, {
      link,
      unit: link.unitOf(device.device),
      expiresMs: task.body.expires,
      turn,
      compare: task.compare,
      send: task.send,
      sent: () => {
        journal.step(record, 'sent');
        this.#verifying.get(name)?.abort(new Error(`a later command to ${name} was sent before the effect was seen`));
        this.#verifying.set(name, superseded);
        if (check) watch = watchPoint(intake, check.target);
      },
      closing: this.#closing.signal,
    });
    sentOrNot();
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

  /** The open link of a device that answers, or a `Fault` 503. */
  #reachable(device: PlacedDevice): Link {
    const { id, connection } = device.device;
    const link = this.#deps.link(connection);
    const why = link ? link.downBecause : `its connection ${connection} is not running`;
    const offline = (because: string) =>
      new Fault(`${id} is offline: ${because}; nothing was sent`, { type: 'device-offline', blame: 'device', status: 503 });
    if (!link || why !== undefined) throw offline(why ?? '');
    const aside = link.asideForMs(link.unitOf(device.device));
    if (aside !== undefined) throw offline(`it does not answer; the next try is in ${(aside / 1_000).toFixed(1)} s`);
    return link;
  }

  #record(
    device: string,
    point: string,
    kind: 'set' | 'act',
    value: CommandRecord['value'],
    user: User,
    reason: string | undefined,
    key: string | undefined,
  ): CommandRecord {
    return {
      id: randomUUID(),
      device,
      point,
      kind,
      value,
      state: 'queued',
      ...(reason === undefined ? {} : { reason }),
      user: { login: user.login, name: user.name, role: user.role },
      ...(key === undefined ? {} : { idempotencyKey: key }),
      times: { queued: this.#deps.clock.nowMs() },
    };
  }
}
