/** What a gateway would see of a session, whether it is asked or speaks by itself: readings as they come, and the end of the link. */

import type { Point } from '../../src/contract/device.ts';
import type { Line, Reading, Session } from '../../src/contract/driver.ts';

export interface Watch {
  /** The newest reading of a point that satisfies `wanted`; rejects after `withinMs`. Readings seen before the call do not count. */
  next(point: string, wanted: (reading: Reading) => boolean, withinMs: number, nudge?: () => Promise<void>): Promise<Reading>;
  /** Resolves with what ended the watching: the error of `read` or `listen`. Never resolves while the link is well. */
  readonly ended: Promise<unknown>;
  stop(): Promise<void>;
}

const pauseMs = 10;
/** A far end that hears us late (a subscription under way) is nudged again after this. */
const nudgeMs = 250;

export function watch(session: Session, line: Line): Watch {
  const points: Point[] = line.devices.flatMap((device) => device.points).filter((point) => point.access !== 'write');
  const waiting = new Set<(reading: Reading) => void>();
  const stopping = new AbortController();
  const say = (reading: Reading) => {
    for (const take of waiting) take(reading);
  };
  let end: (error: unknown) => void = () => {};
  const ended = new Promise<unknown>((resolve) => {
    end = resolve;
  });

  async function poll(): Promise<void> {
    if (!session.plan || !session.read) return;
    while (!stopping.signal.aborted) {
      for (const request of session.plan(points)) {
        const readings = await session.read(request, stopping.signal);
        for (const reading of readings) say(reading);
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
  async function hear(): Promise<void> {
    await session.listen?.(
      points,
      {
        commit: (readings) => Promise.resolve(readings.forEach(say)),
        samples: (readings) => readings.forEach(say),
        trouble: () => {},
        device: () => undefined,
        announce: () => undefined,
        withdraw: () => {},
        misunderstood: () => {},
        availability: () => {},
      },
      stopping.signal,
    );
  }
  const running = Promise.all([poll(), hear()]).catch((error: unknown) => {
    if (!stopping.signal.aborted) end(error);
  });

  return {
    ended,
    next: (point, wanted, withinMs, nudge) =>
      new Promise((resolve, reject) => {
        let last: Reading | undefined;
        const finish = () => {
          clearTimeout(limit);
          clearInterval(nudging);
          waiting.delete(take);
        };
        const take = (reading: Reading) => {
          if (reading.point.id !== point) return;
          last = reading;
          if (!wanted(reading)) return;
          finish();
          resolve(reading);
        };
        const fail = (error: unknown) => {
          finish();
          reject(error instanceof Error ? error : new Error(String(error)));
        };
        const limit = setTimeout(
          () =>
            fail(
              new Error(
                `${point}: not seen in ${withinMs} ms; last ${last ? `${last.value} (${last.reason} ${last.detail ?? ''})` : 'nothing'}`,
              ),
            ),
          withinMs,
        );
        const nudging = setInterval(() => nudge?.().catch(fail), nudgeMs);
        waiting.add(take);
        nudge?.().catch(fail);
        void ended.then((error) => fail(new Error(`${point}: the link ended: ${String(error)}`)));
      }),
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
