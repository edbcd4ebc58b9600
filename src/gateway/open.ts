import type { Clock } from '../contract/clock.ts';
import type { Driver, Host, Line, Session } from '../contract/driver.ts';
import { limits } from '../contract/limits.ts';
import { bounded, Overdue } from './guard.ts';

/** Lets the driver open the far end, within `limits.openTimeoutMs`. Rejects with what went wrong, in words. */
export async function openSession(clock: Clock, driver: Driver, line: Line, host: Host, signal: AbortSignal): Promise<Session> {
  let opening: Promise<Session> | undefined;
  try {
    return await bounded(clock, limits.openTimeoutMs, signal, (own) => {
      opening = driver.open(line, host, own);
      return opening;
    });
  } catch (error) {
    // What opens too late is not used any more, but must not stay open either.
    opening?.then((late) => late.close()).catch(() => undefined);
    throw error instanceof Overdue ? new Error(`not open within ${limits.openTimeoutMs / 1_000} s`) : error;
  }
}
