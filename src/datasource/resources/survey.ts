/** `POST connections/{c}/probe` and `…/scan`: what is found, while it is found, a line of JSON each. `GET connections/{c}/survey`: the last result. */
import type { Clock } from '../../contract/clock.ts';
import { exactJson } from '../../contract/exact-json.ts';
import { notFound } from '../../contract/fault.ts';
import { limits } from '../../contract/limits.ts';
import type { Log } from '../../contract/log.ts';
import type { SurveyKind } from '../../gateway/survey.ts';
import type { RunningSurvey, SurveyReport } from '../../gateway/surveys.ts';
import type { Instance } from '../instance.ts';
import type { Instances } from '../instances.ts';
import type { Reader } from '../reading.ts';
import type { Handler } from './ask.ts';
import { Backlog } from './backlog.ts';
import type { LongAnswers } from './long-answers.ts';
import { type ReadOrder, readOrder } from './survey-order.ts';

export interface SurveyHandlerDeps {
  clock: Clock;
  log: Log;
  instances: Instances;
  longAnswers: LongAnswers;
  reader: Reader;
}

/**
 * Lines of JSON: `begin`, then `progress` and `finding` as they come, a `heartbeat` when nothing does, and `end`. It is cancelled when the caller
 * hangs up or does not keep up.
 */
export function surveyHandler(kind: SurveyKind, deps: SurveyHandlerDeps): Handler {
  const { instances, longAnswers } = deps;
  return async (ask) => {
    const read = await readOrder(kind, ask, deps.reader);
    return {
      type: 'application/x-ndjson',
      // Proxies that gather an answer before they pass it on would keep the lines back.
      headers: { 'x-accel-buffering': 'no' },
      async *stream() {
        const leave = longAnswers.enter('survey');
        const held = instances.hold(ask.instance);
        try {
          yield* run({ ...deps, instance: ask.instance, read, signal: ask.signal, stopped: held.ended });
        } finally {
          held.release();
          leave();
        }
      },
    };
  };
}

interface Running extends SurveyHandlerDeps {
  instance: Instance;
  read: ReadOrder;
  /** The caller has left. */
  signal: AbortSignal;
  /** The data source has. */
  stopped: AbortSignal;
}

async function* run({ clock, log, longAnswers, instance, read, signal, stopped }: Running): AsyncGenerator<Uint8Array> {
  const lineOf = (line: object) => `${exactJson({ ...line, time: clock.nowMs() })}\n`;
  const backlog = new Backlog(limits.surveyWaitingBytesMax);
  const over = new AbortController();
  const leaving = new Error('the one who asked for it has left');
  const leave = () => over.abort(leaving);
  const stop = () => over.abort(new Error('the data source was stopped or removed'));
  signal.addEventListener('abort', leave, { once: true });
  stopped.addEventListener('abort', stop, { once: true });
  try {
    if (signal.aborted) leave();
    if (stopped.aborted) stop();
    const survey = instance.gateway.surveys.begin(
      read.order,
      {
        progress: (progress) => backlog.push(lineOf({ event: 'progress', ...progress })),
        found: (finding) => backlog.push(lineOf({ event: 'finding', ...finding })),
      },
      over.signal,
    );
    yield Buffer.from(lineOf(beginOf(survey, read)));
    void survey.ended.then(() => backlog.wake());
    for (;;) {
      signal.throwIfAborted();
      const bytes = backlog.take();
      if (bytes) yield bytes;
      else if (backlog.lost > 0) {
        longAnswers.dropped += 1;
        over.abort(new Error('the one who asked for it reads too slowly'));
        log.warn('a reader of a probe or scan was too slow and is dropped', { gateway: instance.key, lines: backlog.lost });
        const detail = `${backlog.lost} lines had no room: read faster; GET connections/{connection}/survey has what was found`;
        return yield Buffer.from(lineOf({ ...endOf(await survey.ended), detail }));
      } else if (survey.report.state !== 'running') return yield Buffer.from(lineOf(endOf(survey.report)));
      else if (!(await backlog.next(clock, limits.eventsHeartbeatMs))) yield Buffer.from(lineOf({ event: 'heartbeat' }));
    }
  } finally {
    leave();
    signal.removeEventListener('abort', leave);
    stopped.removeEventListener('abort', stop);
  }
}

function beginOf({ report }: RunningSurvey, { secrets, detail }: ReadOrder) {
  const { connection, kind, session } = report;
  return { event: 'begin', connection, kind, session, secrets, ...(detail === undefined ? {} : { detail }) };
}

function endOf({ state, error, kind, findings, dropped }: SurveyReport) {
  const found = findings.length === 1 ? 'one thing' : `${findings.length} things`;
  const more = dropped > 0 ? ` and ${dropped} more than are kept` : '';
  const detail = error ?? `the ${kind} found ${found}${more}`;
  return { event: 'end', state, detail, findings: findings.length, dropped };
}

/** `GET connections/{c}/survey`. */
export const lastSurvey: Handler = ({ instance, params: { connection = '' } }) => {
  const report = instance.gateway.surveys.last(connection);
  if (!report) throw notFound(`no probe or scan of a connection ${connection} was made since the start`, 'connection');
  const { startedMs, endedMs, ...rest } = report;
  return { body: { ...rest, started: startedMs, ...(endedMs === undefined ? {} : { ended: endedMs }) } };
};
