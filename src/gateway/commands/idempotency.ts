import type { CommandRecord } from '../../contract/command.ts';
import { badRequest, type Fault } from '../../contract/fault.ts';

/** A command that was taken. */
export interface Running {
  record: CommandRecord;
  /** Resolves when it was sent and answered for, or will not be: what comes after it on its bus may go. */
  delivered: Promise<void>;
  /** Resolves when it has ended; with a fault if it turned out that it never became a command. */
  ended: Promise<Fault | undefined>;
}

/** The same idempotency key is the same command, in this run or an earlier one. */
export class Idempotency {
  readonly #earlier: (key: string) => Promise<CommandRecord | undefined>;
  /** Those of this run that have not ended; what has is found in the history. */
  readonly #byKey = new Map<string, Promise<Running>>();

  /** `earlier` looks for the record that bears a key. */
  constructor(earlier: (key: string) => Promise<CommandRecord | undefined>) {
    this.#earlier = earlier;
  }

  /** The command of this key, begun if there is none yet. Throws a `Fault` if the key was used for another command, and what `begin` throws. */
  async once(record: CommandRecord, begin: () => Promise<Running>): Promise<Running> {
    const key = record.idempotencyKey;
    if (key === undefined) return await begin();
    let running = this.#byKey.get(key);
    if (!running) {
      running = this.#earlier(key).then((earlier) => (earlier ? ended(earlier) : begin()));
      this.#byKey.set(key, running);
      running
        .then((it) => it.ended)
        .finally(() => this.#byKey.delete(key))
        .catch(() => undefined);
    }
    const same = await running;
    if (!isSame(same.record, record))
      throw badRequest('this Idempotency-Key was used for another command', 'Idempotency-Key', 'key-reused', 422);
    return same;
  }
}

function ended(record: CommandRecord): Running {
  return { record, delivered: Promise.resolve(), ended: Promise.resolve(undefined) };
}

function isSame(one: CommandRecord, other: CommandRecord): boolean {
  const { device, point, kind, value, user } = other;
  return one.device === device && one.point === point && one.kind === kind && one.value === value && one.user.login === user.login;
}
