/** Hears what speaks by itself, from the opening of a link to its end, with other points after a change of settings. */
import type { Clock } from '../contract/clock.ts';
import type { Device, Point } from '../contract/device.ts';
import type { Availability, Session, Sink } from '../contract/driver.ts';
import { limits } from '../contract/limits.ts';
import type { Values } from '../contract/placeholders.ts';
import { Overdue } from './guard.ts';
import type { Intake } from './intake.ts';

export interface Listening {
  /** Resolves when the driver listens no more, at the latest after the grace time. */
  stop(): Promise<void>;
}

/** Takes what devices of one connection announce. */
export type Announcer = Pick<Sink, 'announce' | 'withdraw' | 'misunderstood'>;

export interface ListenerDeps {
  clock: Clock;
  intake: Intake;
  /** Something that concerns a point of a device or a template, or its end. */
  trouble(point: Point, message: string | undefined): void;
  discovered(template: string, values: Values): Device | undefined;
  said(device: string, availability: Availability): void;
  announcer: Announcer;
  /** Something was heard: the link lives. */
  heard(): void;
  /** Listening ended though nobody asked for it. */
  broken(error: unknown): void;
}

export function listen(deps: ListenerDeps, session: Session, points: readonly Point[]): Listening {
  if (!session.listen) return { stop: () => Promise.resolve() };
  const stopping = new AbortController();
  const sink: Sink = {
    commit(readings) {
      if (stopping.signal.aborted) return Promise.resolve();
      deps.heard();
      return deps.intake.commit(readings);
    },
    samples(readings) {
      if (stopping.signal.aborted) return;
      deps.heard();
      deps.intake.take(readings);
    },
    trouble(point, message) {
      deps.trouble(point, message);
    },
    device: (template, values) => (stopping.signal.aborted ? undefined : deps.discovered(template, values)),
    announce: (source, device) => (stopping.signal.aborted ? undefined : deps.announcer.announce(source, device)),
    withdraw: (source, id) => void (stopping.signal.aborted || deps.announcer.withdraw(source, id)),
    misunderstood: (source, what, message) => void (stopping.signal.aborted || deps.announcer.misunderstood(source, what, message)),
    availability(device, said) {
      if (stopping.signal.aborted) return;
      if (!said.retained) deps.heard();
      deps.said(device, said);
    },
  };
  const ended = (async () => await session.listen?.(points, sink, stopping.signal))().then(
    () => stopping.signal.aborted || deps.broken(new Error('it stopped listening by itself')),
    (error: unknown) => stopping.signal.aborted || deps.broken(error),
  );
  return {
    async stop() {
      stopping.abort(new Error('other points are to be heard'));
      const grace = Promise.withResolvers<void>();
      const cancel = deps.clock.after(limits.abortGraceMs, () => {
        // Two listeners of one session would take every sample twice.
        deps.broken(new Overdue(limits.abortGraceMs));
        grace.resolve();
      });
      await Promise.race([ended, grace.promise]);
      cancel();
    },
  };
}
