/** Maintenance locks: devices that take no command while somebody works on them. They outlive a restart. */
import type { Clock } from '../../contract/clock.ts';
import type { DeviceLock } from '../../contract/command.ts';
import { Fault, messageOf } from '../../contract/fault.ts';
import { limits } from '../../contract/limits.ts';
import type { Store } from '../../store/store.ts';
import { within } from '../guard.ts';

const scope = 'locks';

export class Locks {
  readonly #deps: { key: string; store: Store; clock: Clock };
  /** Undefined until those of the last run are known. */
  #locks: Map<string, DeviceLock> | undefined;
  #recalling: Promise<void> | undefined;

  constructor(deps: { key: string; store: Store; clock: Clock }) {
    this.#deps = deps;
  }

  /** Resolves when it is known which devices are locked; rejects with a `Fault` 503 if that cannot be found out: then none may be commanded. */
  async known(): Promise<void> {
    if (this.#locks) return;
    this.#recalling ??= this.#recall().finally(() => {
      this.#recalling = undefined;
    });
    try {
      await within(this.#deps.clock, limits.storeWaitMs, this.#recalling);
    } catch (error) {
      throw new Fault(`it is not known whether the device is locked, so nothing was sent: ${messageOf(error)}`, {
        type: 'storage-failed',
        blame: 'gateway',
        status: 503,
      });
    }
  }

  of(device: string): DeviceLock | undefined {
    const lock = this.#locks?.get(device);
    return lock && lock.until > this.#deps.clock.nowMs() ? lock : undefined;
  }

  /** Resolves when it is recorded. */
  async set(device: string, lock: DeviceLock): Promise<void> {
    await this.known();
    await this.#remember(device, lock);
    this.#locks?.set(device, lock);
  }

  async lift(device: string): Promise<void> {
    await this.known();
    await this.#remember(device, undefined);
    this.#locks?.delete(device);
  }

  async #recall(): Promise<void> {
    const { key, store, clock } = this.#deps;
    const found = new Map((await store.recall(key, scope)) as Map<string, DeviceLock>);
    this.#locks = found;
    for (const [device, { until }] of [...found]) {
      if (until > clock.nowMs()) continue;
      found.delete(device);
      await store.remember(key, scope, device, undefined).catch(() => undefined);
    }
  }

  async #remember(device: string, lock: DeviceLock | undefined): Promise<void> {
    const { key, store, clock } = this.#deps;
    try {
      await within(clock, limits.storeWaitMs, store.remember(key, scope, device, lock));
    } catch (error) {
      throw new Fault(`the lock of ${device} was not recorded, so it is as it was: ${messageOf(error)}`, {
        type: 'storage-failed',
        blame: 'gateway',
        status: 503,
      });
    }
  }
}

export function locked(device: string, { reason, until }: DeviceLock): Fault {
  const end = new Date(until).toISOString();
  return new Fault(`${device} is locked for maintenance until ${end}: ${reason}; nothing was sent`, {
    type: 'locked',
    blame: 'caller',
    status: 423,
    extra: { until },
  });
}
