/** All that stands between a wish and a device beside the limits of its value, in the order it is looked at. */

import type { Obstacle } from '../../contract/command.ts';
import { Fault } from '../../contract/fault.ts';
import type { Link } from '../link.ts';
import type { PlacedDevice } from '../plant.ts';
import { askInterlock, type InterlockDeps, interlocked, knownInterlock } from './interlock.ts';
import { type Locks, locked } from './locks.ts';
import { type Pauses, tooSoon } from './pauses.ts';
import type { Target } from './target.ts';

export class Guarding {
  readonly #deps: InterlockDeps & { locks: Locks; pauses: Pauses };

  constructor(deps: InterlockDeps & { locks: Locks; pauses: Pauses }) {
    this.#deps = deps;
  }

  /** What can be told at once: throws a `Fault` 423 or 429. */
  admit(target: Target): void {
    const { locks, pauses, clock } = this.#deps;
    const device = target.device.device.id;
    const lock = locks.of(device);
    if (lock) throw locked(device, lock);
    const pending = pauses.pending(target);
    if (pending) throw tooSoon(target, pending, clock.nowMs());
  }

  /** When its turn has come: everything, the interlock asked anew. Throws a `Fault`. */
  async pass(target: Target, signal: AbortSignal): Promise<void> {
    this.admit(target);
    const { interlock } = target.guards;
    if (interlock === undefined) return;
    await askInterlock(this.#deps, target.device.device.id, interlock, signal);
    // Somebody may have locked it meanwhile.
    this.admit(target);
  }

  sent(target: Target): void {
    this.#deps.pauses.sent(target);
  }

  /** The open link of a device that answers; throws a `Fault` 503. */
  reachable(device: PlacedDevice): Link {
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

  /** Why a command would not go now, by what is known; nobody is asked. */
  obstacles(target: Target): Obstacle[] {
    const device = target.device.device.id;
    const { interlock } = target.guards;
    const found = [() => this.reachable(target.device), () => this.admit(target)].flatMap((look) => {
      try {
        look();
        return [];
      } catch (error) {
        return error instanceof Fault ? [error] : [];
      }
    });
    const against = interlock === undefined ? undefined : knownInterlock(this.#deps, device, interlock);
    if (against !== undefined) found.push(interlocked(device, against));
    return found.map(({ type, message, extra }) => ({
      type,
      detail: message.replace('; nothing was sent', ''),
      ...(typeof extra.until === 'number' ? { until: extra.until } : {}),
    }));
  }
}
