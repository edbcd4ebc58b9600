/** One instance that runs: its settings in use, who looked at it last, and how its plan comes to its gateway. */
import type { InstanceSettings } from '../contract/caller.ts';
import type { Clock } from '../contract/clock.ts';
import { limits } from '../contract/limits.ts';
import type { Log } from '../contract/log.ts';
import { longestRetentionMs } from '../contract/settings.ts';
import type { Instance } from './instance.ts';
import type { Reader } from './reading.ts';
import type { Lost } from './remembered/ledger.ts';
import { withoutLost } from './settings/lost.ts';

export interface EntryDeps {
  reader: Reader;
  clock: Clock;
  log: Log;
}

export class Entry {
  readonly instance: Instance;
  readonly orgId: number;
  settings: InstanceSettings;
  /** When a caller last named the settings in use, on the clock that never jumps; before this process began it may be negative. */
  namedMs: number;
  /** When it was last of use to anybody: named with whatever settings, or watched. */
  seenMs: number;
  /** The `seenMs` that was written down last. */
  notedMs = Number.NEGATIVE_INFINITY;
  retentionMs: number;
  /** Secrets that were remembered and cannot be read; gone when Grafana names the instance. */
  lost: Lost | undefined;
  /** Streams that are open: each is somebody who looks, for days without another question. */
  users = 0;
  readonly ended = new AbortController();
  readonly #deps: EntryDeps;
  #applied: Promise<void> = Promise.resolve();
  #stamp = '';
  #lookedMs: number;

  constructor(
    {
      instance,
      orgId,
      settings,
      namedMs,
      retentionMs,
      lost,
    }: Pick<Entry, 'instance' | 'orgId' | 'settings' | 'namedMs' | 'retentionMs' | 'lost'>,
    deps: EntryDeps,
  ) {
    this.instance = instance;
    this.orgId = orgId;
    this.settings = settings;
    this.namedMs = namedMs;
    this.seenMs = namedMs;
    this.retentionMs = retentionMs;
    this.lost = lost;
    this.#deps = deps;
    this.#lookedMs = deps.clock.monotonicMs();
  }

  /** Resolves when the settings named so far are in effect. Plans are applied one after the other, in the order they were named. */
  get applied(): Promise<void> {
    return this.#applied;
  }

  /** Sets the settings in use going. */
  apply(): void {
    const { settings, lost } = this;
    const next = this.#applied.then(() => (this.ended.signal.aborted ? undefined : this.#apply(settings, lost)));
    this.#applied = next;
    // Whoever asks next hears of it, and the settings after these are tried all the same.
    next.catch((error: unknown) => {
      this.#deps.log.error('settings could not be applied', { gateway: this.instance.key, error: String(error) });
      if (this.#applied === next) this.#applied = Promise.resolve();
    });
  }

  /** Applies the settings anew if a file they include has changed; looks only now and then, however often it is called. */
  async lookAtFiles(): Promise<void> {
    const now = this.#deps.clock.monotonicMs();
    if (this.#stamp === '' || now - this.#lookedMs < limits.includedLookMs) return;
    this.#lookedMs = now;
    const before = this.#stamp;
    const stamp = await this.#deps.reader.stamp(this.settings);
    if (stamp !== before && this.#stamp === before) this.apply();
  }

  /** Lets the devices go. Nothing is applied any more. */
  async close(reason: unknown): Promise<void> {
    this.ended.abort(reason);
    await this.#applied.catch(() => undefined);
    await this.instance.gateway.close();
  }

  async #apply(settings: InstanceSettings, lost: Lost | undefined): Promise<void> {
    const { plan: whole, stamp } = await this.#deps.reader.read(settings);
    const plan = withoutLost(whole, lost);
    const { key, gateway } = this.instance;
    const points = plan.connections.reduce(
      (sum, { devices }) => sum + devices.reduce((count, device) => count + device.points.length, 0),
      0,
    );
    this.#stamp = stamp;
    this.retentionMs = longestRetentionMs(plan.settings.history);
    this.#deps.log.info('settings read', { gateway: key, connections: plan.connections.length, points, faults: plan.faults.length });
    if (!this.ended.signal.aborted) await gateway.apply(plan);
  }
}

/** Whether the same would run. */
export function sameContent(one: InstanceSettings, other: InstanceSettings): boolean {
  if (Buffer.compare(one.jsonData, other.jsonData) !== 0) return false;
  const names = Object.keys(one.secureJsonData);
  return (
    names.length === Object.keys(other.secureJsonData).length &&
    names.every((name) => one.secureJsonData[name] === other.secureJsonData[name])
  );
}
