/** The probes and scans of a gateway: at most one a connection at a time, on the session that runs or on a trial, with the last result kept. */
import type { Clock } from '../contract/clock.ts';
import type { Finding } from '../contract/driver.ts';
import { exactJson } from '../contract/exact-json.ts';
import { badRequest, messageOf } from '../contract/fault.ts';
import { limits } from '../contract/limits.ts';
import type { Log } from '../contract/log.ts';
import type { Link } from './link.ts';
import type { PlannedConnection } from './plan.ts';
import { conduct, type Findings, noSurvey, type SurveyKind, SurveyOverdue } from './survey.ts';
import { openTrial, type TrialDeps } from './trial.ts';

export interface SurveyOrder {
  kind: SurveyKind;
  /** What is asked and how; devices behind it, if it is one of the settings. */
  planned: PlannedConnection;
  /** These are the very settings that run: the open session can be used. */
  isRunning: boolean;
  /** They have passed the driver's schema. */
  options: unknown;
}

export interface SurveyProgress {
  done: number;
  total?: number;
  text: string;
}

/** `cut`: its time was over; `cancelled`: whoever asked has left. */
export type SurveyState = 'running' | 'done' | 'failed' | 'cancelled' | 'cut';

/** What is known of a survey, during it and after. */
export interface SurveyReport {
  connection: string;
  /** The driver's. */
  protocol: string;
  kind: SurveyKind;
  session: 'running' | 'trial';
  state: SurveyState;
  /** Why it did not come to its end, in words. */
  error?: string;
  startedMs: number;
  endedMs?: number;
  progress?: SurveyProgress;
  /** In the order they were found first. */
  findings: Finding[];
  /** Findings beyond `limits.findingsMax`, or too long. */
  dropped: number;
}

export interface SurveyEar {
  progress(progress: SurveyProgress): void;
  found(finding: Finding): void;
}

export interface RunningSurvey {
  readonly report: SurveyReport;
  /** Never rejects. */
  readonly ended: Promise<SurveyReport>;
}

export interface SurveysDeps extends TrialDeps {
  clock: Clock;
  log: Log;
  link(connection: string): Link | undefined;
}

export class Surveys {
  readonly #deps: SurveysDeps;
  readonly #closing = new AbortController();
  readonly #running = new Map<string, RunningSurvey>();
  /** The last one of each connection, the oldest first. */
  readonly #last = new Map<string, SurveyReport>();

  constructor(deps: SurveysDeps) {
    this.#deps = deps;
  }

  /**
   * Begins one. Throws a `Fault`: 404 if the protocol has none, 409 if one runs on this connection, or somebody uses its endpoint on other terms. The
   * signal cancels it.
   */
  begin(order: SurveyOrder, ear: SurveyEar, signal: AbortSignal): RunningSurvey {
    const { kind, planned, options } = order;
    const { id } = planned.connection;
    const { driver } = planned;
    if (!driver.survey?.[kind]) throw noSurvey(kind, `${driver.title} (${driver.kind})`);
    const other = this.#running.get(id);
    if (other)
      throw badRequest(
        `a ${other.report.kind} of connection ${id} is under way; it ends when the one who asked for it leaves`,
        undefined,
        'survey-under-way',
        409,
      );
    const link = order.isRunning ? this.#deps.link(id) : undefined;
    const up = link?.downBecause === undefined ? link : undefined;
    const clock = this.#deps.clock;
    const report: SurveyReport = {
      connection: id,
      protocol: driver.kind,
      kind,
      session: up ? 'running' : 'trial',
      state: 'running',
      startedMs: clock.nowMs(),
      findings: [],
      dropped: 0,
    };
    const findings = findingsOf(report, ear, clock);
    const either = AbortSignal.any([signal, this.#closing.signal]);
    const running = up
      ? up.survey(kind, options, findings, either)
      : openTrial(this.#deps, planned)(
          (session, life, bus, broken) => conduct({ clock, bus, session, life, kind, options, findings, signal: either, broken }),
          either,
        );
    const survey: RunningSurvey = { report, ended: this.#end(report, running, either) };
    this.#running.set(id, survey);
    this.#last.delete(id);
    this.#last.set(id, report);
    const [oldest] = this.#last.keys();
    if (oldest !== undefined && this.#last.size > limits.surveysKeptMax) this.#last.delete(oldest);
    return survey;
  }

  /** The survey of a connection that runs, or the last one. */
  last(connection: string): SurveyReport | undefined {
    return this.#last.get(connection);
  }

  all(): SurveyReport[] {
    return [...this.#last.values()];
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('the gateway is being closed'));
    await Promise.all(Array.from(this.#running.values(), ({ ended }) => ended));
  }

  async #end(report: SurveyReport, running: Promise<void>, signal: AbortSignal): Promise<SurveyReport> {
    try {
      await running;
      report.state = 'done';
    } catch (error) {
      report.state = signal.aborted ? 'cancelled' : error instanceof SurveyOverdue ? 'cut' : 'failed';
      report.error = messageOf(error);
    }
    report.endedMs = this.#deps.clock.nowMs();
    this.#running.delete(report.connection);
    const { connection, kind, state, error, findings } = report;
    this.#deps.log.info(`a ${kind} has ended`, { connection, state, findings: findings.length, ...(error === undefined ? {} : { error }) });
    return report;
  }
}

/** Keeps what is found in the report, within bounds, and passes it on. */
function findingsOf(report: SurveyReport, ear: SurveyEar, clock: Clock): Findings {
  const places = new Map<string, number>();
  /** Of each finding as JSON, and of all. */
  const lengths: number[] = [];
  let characters = 0;
  let toldMs = Number.NEGATIVE_INFINITY;
  return {
    progress(done, total, text) {
      report.progress = { done, ...(total === undefined ? {} : { total }), text: text.slice(0, limits.trafficTextMax) };
      const nowMs = clock.monotonicMs();
      if (nowMs - toldMs < limits.surveyProgressMs && done !== total) return;
      toldMs = nowMs;
      ear.progress(report.progress);
    },
    found(finding) {
      const place = places.get(finding.id) ?? report.findings.length;
      const length = exactJson(finding).length;
      const total = characters - (lengths[place] ?? 0) + length;
      if (place >= limits.findingsMax || length > limits.findingCharactersMax || total > limits.surveyCharactersMax) {
        report.dropped += 1;
        return;
      }
      characters = total;
      lengths[place] = length;
      places.set(finding.id, place);
      report.findings[place] = finding;
      ear.found(finding);
    },
  };
}
