/** Instances that are known and do not run: not named any more, or removed. Their history is kept within its retention, like that of the others. */
import type { Clock } from '../contract/clock.ts';
import { messageOf } from '../contract/fault.ts';
import { limits } from '../contract/limits.ts';
import type { Log } from '../contract/log.ts';
import { every } from '../gateway/schedule.ts';
import type { Store } from '../store/store.ts';

export interface RestingInstance {
  orgId: number;
  uid: string;
  id: number;
  name: string;
  state: 'stopped' | 'removed';
  /** Milliseconds since 1970. */
  lastNamed: number;
  retentionMs: number;
}

export interface RestingDeps {
  store: Store;
  clock: Clock;
  log: Log;
  /** Told of one that is not known any more. */
  forget(key: string): void;
}

export class Resting {
  readonly #deps: RestingDeps;
  readonly #known = new Map<string, RestingInstance>();
  readonly #stop: () => void;

  constructor(deps: RestingDeps) {
    this.#deps = deps;
    this.#stop = every(deps.clock, limits.expireFirstMs, limits.expireEveryMs, () => void this.#expire());
  }

  add(key: string, instance: RestingInstance): void {
    this.#known.set(key, instance);
    if (this.#known.size <= limits.instancesRestingMax) return;
    const [oldest] = [...this.#known].sort(([, one], [, other]) => one.lastNamed - other.lastNamed)[0] ?? [key];
    this.#known.delete(oldest);
    this.#deps.forget(oldest);
  }

  get(key: string): RestingInstance | undefined {
    return this.#known.get(key);
  }

  retentionOf(key: string): number | undefined {
    return this.#known.get(key)?.retentionMs;
  }

  mark(key: string, state: RestingInstance['state']): void {
    const known = this.#known.get(key);
    if (known) known.state = state;
  }

  delete(key: string): void {
    this.#known.delete(key);
  }

  of(orgId: number): RestingInstance[] {
    return [...this.#known.values()].filter((one) => one.orgId === orgId);
  }

  counts(): Record<RestingInstance['state'], number> {
    const counts = { stopped: 0, removed: 0 };
    for (const { state } of this.#known.values()) counts[state] += 1;
    return counts;
  }

  close(): void {
    this.#stop();
  }

  /** One after the other: nobody waits for it. */
  async #expire(): Promise<void> {
    const { store, log } = this.#deps;
    for (const [key, { retentionMs, state }] of [...this.#known]) {
      try {
        const deleted = await store.expire(key, (await store.believedNowNs()) - BigInt(Math.round(retentionMs)) * 1_000_000n);
        if (deleted > 0) log.info('samples older than the retention are deleted', { gateway: key, deleted });
        // One that was removed is only known for its history's sake.
        if (state !== 'removed' || this.#known.get(key)?.state !== 'removed' || (await store.series(key)).length > 0) continue;
        await store.erase(key);
        if (this.#known.get(key)?.state !== 'removed') continue;
        this.#known.delete(key);
        this.#deps.forget(key);
      } catch (error) {
        log.warn('old samples were not deleted', { gateway: key, error: messageOf(error) });
      }
    }
  }
}
