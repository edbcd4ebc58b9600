/** A session opened for a probe or a scan only, perhaps beside the one that runs: it has a share of the bus and leaves nothing behind. */
import type { Clock } from '../contract/clock.ts';
import type { Session } from '../contract/driver.ts';
import { Fault, messageOf } from '../contract/fault.ts';
import { limits } from '../contract/limits.ts';
import type { Log } from '../contract/log.ts';
import { type Bus, type Buses, leaseFor } from './bus.ts';
import { within } from './guard.ts';
import { createTrialHost, logOf } from './host.ts';
import { openSession } from './open.ts';
import type { PlannedConnection } from './plan.ts';
import type { Traffics } from './traffic.ts';

export interface TrialDeps {
  key: string;
  buses: Buses;
  clock: Clock;
  log: Log;
  traffics: Traffics;
}

/** `life` is aborted when the session ends by itself; `broken` ends it. */
export type TrialUse = (session: Session, life: AbortSignal, bus: Bus, broken: (error: Error) => void) => Promise<void>;

/**
 * Takes the share at once and throws a `Fault` 409 if the endpoint is used on other terms. The returned function opens, lets it be used and closes,
 * whatever happens; it has to be called.
 */
export function openTrial(deps: TrialDeps, planned: PlannedConnection): (use: TrialUse, signal: AbortSignal) => Promise<void> {
  const { key, buses, clock, traffics } = deps;
  const { driver, connection, devices, templates = [] } = planned;
  const { id } = connection;
  const bus = leaseFor(buses, key, planned);
  const refusal = bus.claim();
  if (refusal !== undefined) {
    bus.release();
    throw new Fault(refusal, { type: 'endpoint-in-use', blame: 'caller', status: 409 });
  }
  const log = logOf(deps.log, id);
  return async (use, signal) => {
    const life = new AbortController();
    const end = (error: Error) => life.abort(error);
    const host = { ...createTrialHost({ clock }, log, planned, bus.shared), traffic: traffics.taker(id), lost: end };
    try {
      const session = await openSession(clock, driver, { connection, devices: [...devices, ...templates] }, host, signal);
      try {
        await use(session, life.signal, bus, end);
      } finally {
        await within(clock, limits.abortGraceMs, session.close()).catch((error: unknown) =>
          log.warn('the driver did not close properly', { error: messageOf(error) }),
        );
      }
    } finally {
      bus.release();
    }
  };
}
