/**
 * Whether a device is there, beside what its readings prove: what it says of itself (`availability.topic`), and how long it has been silent
 * (`staleAfter`). The later word counts: a reading after "offline" shows that it is back.
 */
import type { Clock } from '../contract/clock.ts';
import type { Point } from '../contract/device.ts';
import type { Availability } from '../contract/driver.ts';
import { limits } from '../contract/limits.ts';
import type { Reason, TimeNs } from '../contract/sample.ts';
import type { Discovery } from './discovery.ts';
import type { Intake } from './intake.ts';
import type { Plan } from './plan.ts';
import type { PlacedDevice, Plant } from './plant.ts';
import { every } from './schedule.ts';

const hasTime = ({ staleAfter }: Point): boolean => staleAfter !== undefined;
const silentFor = (afterMs: number): string => `stale: nothing heard for ${afterMs / 1_000} s`;

export class Presence {
  readonly #clock: Clock;
  readonly #plant: Plant;
  readonly #intake: Intake;
  readonly #discovery: Discovery;
  #stop: (() => void) | undefined;

  constructor(deps: { clock: Clock; plant: Plant; intake: Intake; discovery: Discovery }) {
    this.#clock = deps.clock;
    this.#plant = deps.plant;
    this.#intake = deps.intake;
    this.#discovery = deps.discovery;
  }

  /** Looks for silence as long as a device of the plan, or a point of one, has `staleAfter`. */
  use(plan: Plan): void {
    const devices = plan.connections.flatMap((planned) => [...planned.devices, ...(planned.templates ?? [])]);
    const wanted = devices.some((device) => device.availability?.staleAfter !== undefined || device.points.some(hasTime));
    if (wanted) this.#stop ??= every(this.#clock, limits.staleLookMs, limits.staleLookMs, () => this.#look());
    else this.stop();
  }

  stop(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  /** What a device, or the far end for it, said of itself. */
  said(id: string, { state, detail, timeNs }: Availability): void {
    const trouble = state === 'unclear' && detail !== '' ? detail : undefined;
    const device = this.#plant.device(id);
    if (!device) {
      this.#discovery.trouble(id, 'availability', trouble);
      return;
    }
    if (trouble === undefined) delete device.trouble;
    else device.trouble = trouble;
    if (state === 'online') this.#plant.answered(device);
    if (state === 'offline') this.#gone(device, 'offline', detail, timeNs);
  }

  #look(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const device of this.#plant.all()) {
      if (device.state === 'offline') continue;
      const afterMs = device.device.availability?.staleAfter;
      if (afterMs !== undefined && nowMs - device.heardMs >= afterMs) this.#gone(device, 'stale', silentFor(afterMs));
      else if (device.device.points.some(hasTime)) this.#lookAt(device, nowMs);
    }
  }

  /** Points that are silent while others of the device speak. */
  #lookAt({ points }: PlacedDevice, nowMs: number): void {
    for (const placed of points.values()) {
      const afterMs = placed.point.staleAfter;
      if (afterMs === undefined) continue;
      placed.heardMs ??= nowMs;
      if (nowMs - placed.heardMs < afterMs || placed.last === undefined || placed.last.reason === 'stale') continue;
      this.#intake.fail([placed], 'stale', silentFor(afterMs));
    }
  }

  /** Its last values are not valid any more: one bad sample says so, where there was a value. */
  #gone(device: PlacedDevice, reason: Reason, why: string, timeNs?: TimeNs): void {
    const spoken = [...device.points.values()].filter(({ last }) => last !== undefined && last.reason !== reason);
    this.#intake.fail(spoken, reason, why, timeNs);
    this.#plant.offline([device], why);
  }
}
