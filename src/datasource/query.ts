/** Grafana's QueryData: each query is answered for itself, so that a bad one does not spoil its neighbours. Nothing here touches a device. */
import { type Caller, roleAtLeast } from '../contract/caller.ts';
import { Fault, forbidden, messageOf } from '../contract/fault.ts';
import type { Log } from '../contract/log.ts';
import type { QueryType } from '../contract/query.ts';
import { leastRoleOfQuery } from '../contract/rights.ts';
import { frameToArrow } from '../frame/arrow.ts';
import type { Frame } from '../frame/frame.ts';
import { isPublicDashboard } from './access.ts';
import { answerBus } from './bus-query.ts';
import { answerCommands } from './commands-query.ts';
import { answerExplain } from './explain-query.ts';
import type { Instance } from './instance.ts';
import { answerLatest } from './latest.ts';
import { answerMessages } from './messages-query.ts';
import { type Ask, createAsks } from './query-parse.ts';
import type { Answerer, QueryDeps } from './question.ts';
import type { DataAnswer, DataQuery } from './questions.ts';
import { answerSeries } from './series-query.ts';
import { answerStatus } from './status.ts';
import { answerSurvey } from './survey-query.ts';
import { answerTelemetry } from './telemetry.ts';

export interface Queries {
  /** Answers by refId. Rejects only when the signal is aborted. */
  answer(instance: Instance, caller: Caller, queries: readonly DataQuery[], signal: AbortSignal): Promise<Map<string, DataAnswer>>;
}

const answerers: Record<QueryType, Answerer> = {
  telemetry: answerTelemetry,
  latest: answerLatest,
  status: answerStatus,
  commands: answerCommands,
  messages: answerMessages,
  bus: answerBus,
  explain: answerExplain,
  survey: answerSurvey,
  series: answerSeries,
};

/** What stands against Viewers, in words. */
const names: Partial<Record<QueryType, string>> = {
  commands: 'names who sent what',
  messages: 'shows what went over the wire',
  bus: 'names units and registers',
  explain: 'names units and registers',
  survey: 'shows what a probe or a scan found',
};

export function createQueries(deps: QueryDeps): Queries {
  const askOf = createAsks();

  async function answerOne(instance: Instance, caller: Caller, data: DataQuery, signal: AbortSignal): Promise<DataAnswer> {
    const loans: (() => void)[] = [];
    const done = () => {
      for (const giveBack of loans) giveBack();
    };
    try {
      const ask = askOf(data);
      demandRole(caller, ask.query.queryType);
      const startedMs = deps.clock.monotonicMs();
      const frames = await answerers[ask.query.queryType]({
        ask,
        instance,
        caller,
        deps,
        signal,
        borrow: (giveBack) => loans.push(giveBack),
      });
      signal.throwIfAborted();
      const told = withRun(ask, frames, deps.clock.monotonicMs() - startedMs);
      return { frames: told.map((frame) => frameToArrow({ refId: data.refId, ...frame })), status: 200, done };
    } catch (error) {
      done();
      signal.throwIfAborted();
      return refusal(error, data.refId, deps.log);
    }
  }

  return {
    async answer(instance, caller, queries, signal) {
      const answers = new Map<string, DataAnswer>();
      // One after the other: a dashboard's large queries together would hold all their rows in memory at once.
      try {
        for (const data of queries) answers.set(data.refId, await answerOne(instance, caller, data, signal));
      } catch (error) {
        for (const { done } of answers.values()) done?.();
        throw error;
      }
      return answers;
    },
  };
}

/** For the query inspector: what was run, with all that was not said filled in, what it gave and how long it took. */
function withRun({ query, isDrawing }: Ask, frames: readonly Frame[], tookMs: number): readonly Frame[] {
  const [first, ...others] = frames;
  if (!first || !isDrawing) return frames;
  const rows = frames.reduce((sum, { fields }) => sum + (fields[0]?.values.length ?? 0), 0);
  const read = { frames: frames.length, rows, tookMs: Math.round(tookMs * 10) / 10 };
  const meta = { ...first.meta, executedQueryString: JSON.stringify(query, null, 2), custom: { ...first.meta?.custom, read } };
  return [{ ...first, meta }, ...others];
}

/** The one place where the roles of queries are looked at. What every Viewer may read, Grafana itself may too. */
function demandRole({ user }: Caller, type: QueryType): void {
  const least = leastRoleOfQuery[type];
  const isPublic = user !== undefined && isPublicDashboard(user);
  if (least === 'Viewer' || (roleAtLeast(user?.role, least) && !isPublic)) return;
  const role = isPublic ? 'this dashboard is public' : user ? `your role is ${user.role}` : 'nobody is signed in';
  throw forbidden(`The query "${type}" ${names[type]} and needs the role ${least}; ${role}.`, 'queryType');
}

/** `downstream` is Grafana's word for everything that is not a fault of the plugin: the question, the settings, the device. */
function refusal(error: unknown, refId: string, log: Log): DataAnswer {
  if (error instanceof Fault) {
    const ours = error.blame === 'gateway';
    if (ours) log.error('query failed', { refId, error: messageOf(error) });
    return { frames: [], status: error.status, error: messageOf(error), errorSource: ours ? 'plugin' : 'downstream' };
  }
  log.error('query failed', { refId, error: messageOf(error), stack: error instanceof Error ? error.stack?.slice(0, 4_000) : undefined });
  return { frames: [], status: 500, error: `Fieldgate could not answer: ${messageOf(error)}`, errorSource: 'plugin' };
}
