/** A probe or a scan on an open session: its requests take their turns on the bus, and what a driver does wrong stays here. */
import type { Clock } from '../contract/clock.ts';
import type { Finding, Session, Survey } from '../contract/driver.ts';
import { Fault, LinkLost } from '../contract/fault.ts';
import { limits } from '../contract/limits.ts';
import type { Bus } from './bus.ts';
import { bounded, Overdue } from './guard.ts';

export const surveyKinds = ['probe', 'scan'] as const;
export type SurveyKind = (typeof surveyKinds)[number];

/** Where its results go. */
export interface Findings {
  progress(done: number, total: number | undefined, text: string): void;
  found(finding: Finding): void;
}

export interface Conduct {
  clock: Clock;
  bus: Pick<Bus, 'run'>;
  session: Session;
  /** Aborted when the session ends. */
  life: AbortSignal;
  kind: SurveyKind;
  /** They have passed the driver's schema. */
  options: unknown;
  findings: Findings;
  /** Aborted when nobody waits for it any more. */
  signal: AbortSignal;
  /** The link broke during a turn. */
  broken(error: Error): void;
}

/** It took as long as a survey may. */
export class SurveyOverdue extends Error {
  constructor() {
    super(`it is cut off after ${limits.surveyTimeMaxMs / 60_000} minutes`);
    this.name = 'SurveyOverdue';
  }
}

/** Resolves when the driver has tried everything. Rejects with what went wrong, the reason of either signal, or `SurveyOverdue`. */
export async function conduct({ clock, bus, session, life, kind, options, findings, signal, broken }: Conduct): Promise<void> {
  const run = session[kind]?.bind(session);
  if (!run) throw noSurvey(kind, 'this connection');
  let isOver = false;
  const either = AbortSignal.any([signal, life]);
  const survey: Survey = {
    async turn(unit, call) {
      try {
        return await bus.run({
          unit,
          priority: 'survey',
          text: kind,
          signal: either,
          // Whether a unit that is looked for answers says nothing about those that are polled.
          run: async () => ({ value: await bounded(clock, limits.requestGuardMs, either, call), answered: undefined }),
        });
      } catch (error) {
        if (error instanceof LinkLost || error instanceof Overdue) broken(error);
        throw error;
      }
    },
    progress(done, total, text) {
      if (!isOver) findings.progress(done, total, text);
    },
    found(finding) {
      if (!isOver) findings.found(finding);
    },
  };
  try {
    await bounded(clock, limits.surveyTimeMaxMs, either, (own) => run(options, survey, own));
    // A driver may take the end of its signal for the end of its work.
    either.throwIfAborted();
  } catch (error) {
    if (either.aborted) throw either.reason;
    throw error instanceof Overdue ? new SurveyOverdue() : error;
  } finally {
    isOver = true;
  }
}

export function noSurvey(kind: SurveyKind, what: string): Fault {
  return new Fault(`${what} has no ${kind}; GET drivers shows which protocols have one`, {
    type: 'no-survey',
    blame: 'caller',
    status: 404,
  });
}
