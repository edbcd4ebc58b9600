/**
 * One device as the data source sees it now: its points and commands, their readings, and what stands against commanding them. Asked once for all
 * controls of a panel that are bound to it, and as long as somebody listens and can see the page.
 */
import type { DataFrame } from '@grafana/data';
import { limitsPanel } from '../../contract/limits-panel.ts';
import { texts } from '../view/texts.ts';
import type { AccessAnswer, DeviceAnswer } from './answers.ts';
import { openLive } from './live.ts';
import { newer, type Reading, readingOf, readingsIn } from './readings.ts';
import { ask, pathOf, Refused, sleep } from './resources.ts';

export interface DeviceView {
  device?: DeviceAnswer;
  access?: AccessAnswer;
  /** Why it cannot be asked, in a sentence. */
  fault?: string;
  /** By point. */
  readings: ReadonlyMap<string, Reading>;
  live: boolean;
}

export class DeviceWatch {
  readonly source: string;
  readonly id: string;
  #view: DeviceView = { readings: new Map(), live: false };
  readonly #listeners = new Set<() => void>();
  #running: AbortController | undefined;
  /** Ends the pause before the next look. */
  #wake: () => void = () => undefined;
  #closeLive: (() => void) | undefined;
  /** The points of the live query that is open. */
  #livePoints = '';

  constructor(source: string, id: string) {
    this.source = source;
    this.id = id;
  }

  /** Begins with the first listener and ends with the last. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) this.#start();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#stop();
    };
  };

  readonly snapshot = (): DeviceView => this.#view;

  /** Looks now: something was commanded, or an obstacle has ended. */
  refresh(): void {
    this.#wake();
  }

  /** Frames of the panel's own queries. */
  offer(frames: readonly DataFrame[]): void {
    this.#take(readingsIn(frames, this.id));
  }

  #start(): void {
    const running = new AbortController();
    this.#running = running;
    document.addEventListener('visibilitychange', this.#seen);
    this.#run(running.signal).catch(() => undefined);
  }

  #stop(): void {
    document.removeEventListener('visibilitychange', this.#seen);
    this.#running?.abort(new Error('nobody listens any more'));
    this.#endLive();
    // What somebody may is asked anew when somebody listens again; what was read until now has its age.
    const { access: _before, ...view } = this.#view;
    this.#view = view;
  }

  readonly #seen = (): void => {
    if (!document.hidden) this.#wake();
  };

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (!document.hidden) await this.#look(signal);
      const { fault, live } = this.#view;
      await this.#pause(fault !== undefined ? limitsPanel.pollFailedMs : live ? limitsPanel.pollLiveMs : limitsPanel.pollMs, signal);
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    try {
      const [device, access] = await Promise.all([
        ask<DeviceAnswer>(this.source, 'GET', pathOf('devices', this.id), { signal }),
        ask<AccessAnswer>(this.source, 'GET', `access/me?device=${encodeURIComponent(this.id)}`, { signal }),
      ]);
      const { fault: _over, ...view } = this.#view;
      this.#set({ ...view, device, access });
      this.#take(new Map(device.points.flatMap((point) => [[point.id, readingOf(point)] as const]).filter(hasReading)));
      this.#keepLive(device);
    } catch (error) {
      if (signal.aborted) return;
      const said = (error as Error).message;
      const { device: _device, access: _access, ...view } = this.#view;
      // A device that is gone is not shown as it was; one that cannot be asked just now is, with its age.
      this.#set(error instanceof Refused ? { ...view, fault: said } : { ...this.#view, fault: texts.cannotBeAsked(said) });
    }
  }

  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    this.#wake = () => over.abort(new Error('look now'));
    await sleep(ms, AbortSignal.any([signal, over.signal])).catch(() => undefined);
  }

  #keepLive({ points }: DeviceAnswer): void {
    const readable = points.filter(({ access }) => access !== 'write').map(({ id }) => id);
    const wanted = readable.join(' ');
    if (this.#closeLive && wanted === this.#livePoints) return;
    this.#endLive();
    this.#livePoints = wanted;
    if (readable.length === 0) return;
    this.#closeLive = openLive(this.source, this.id, readable, {
      frames: (frames) => {
        this.#set({ ...this.#view, live: true });
        this.#take(readingsIn(frames, this.id));
      },
      ended: () => {
        this.#set({ ...this.#view, live: false });
        this.#closeLive = undefined;
      },
    });
  }

  #endLive(): void {
    this.#closeLive?.();
    this.#closeLive = undefined;
    this.#view = { ...this.#view, live: false };
  }

  #take(found: ReadonlyMap<string, Reading>): void {
    const exact = new Set(this.#view.device?.points.filter(({ type }) => type === 'int64' || type === 'uint64').map(({ id }) => id));
    const readings = new Map(this.#view.readings);
    let changed = false;
    for (const [point, reading] of found) {
      const before = readings.get(point);
      const best = newer(before, reading);
      if (!best || best === before || (exact.has(point) && typeof reading.value === 'number')) continue;
      readings.set(point, best);
      changed = true;
    }
    if (changed) this.#set({ ...this.#view, readings });
  }

  #set(view: DeviceView): void {
    this.#view = view;
    for (const listener of this.#listeners) listener();
  }
}

function hasReading(entry: readonly [string, Reading | undefined]): entry is readonly [string, Reading] {
  return entry[1] !== undefined;
}
