/** Grafana's QueryData: each query is answered for itself, so that a bad one does not spoil its neighbours. Nothing here touches a device. */
import type { Caller } from '../contract/caller.ts';
import { Fault, messageOf } from '../contract/fault.ts';
import type { Log } from '../contract/log.ts';
import type { Query } from '../contract/query.ts';
import { frameToArrow } from '../frame/arrow.ts';
import { answerCommands } from './commands-query.ts';
import type { Instance } from './instance.ts';
import { answerLatest } from './latest.ts';
import { createAsks } from './query-parse.ts';
import type { Answerer, QueryDeps } from './question.ts';
import type { DataAnswer, DataQuery } from './questions.ts';
import { answerStatus } from './status.ts';
import { answerTelemetry } from './telemetry.ts';

export interface Queries {
  /** Answers by refId. Rejects only when the signal is aborted. */
  answer(instance: Instance, caller: Caller, queries: readonly DataQuery[], signal: AbortSignal): Promise<Map<string, DataAnswer>>;
}

const answerers: Record<Query['queryType'], Answerer> = {
  telemetry: answerTelemetry,
  latest: answerLatest,
  status: answerStatus,
  commands: answerCommands,
};

export function createQueries(deps: QueryDeps): Queries {
  const askOf = createAsks();

  async function answerOne(instance: Instance, caller: Caller, data: DataQuery, signal: AbortSignal): Promise<DataAnswer> {
    try {
      const ask = askOf(data);
      const frames = await answerers[ask.query.queryType]({ ask, instance, caller, deps, signal });
      signal.throwIfAborted();
      return { frames: frames.map((frame) => frameToArrow({ refId: data.refId, ...frame })), status: 200 };
    } catch (error) {
      signal.throwIfAborted();
      return refusal(error, data.refId, deps.log);
    }
  }

  return {
    async answer(instance, caller, queries, signal) {
      const answers = new Map<string, DataAnswer>();
      // One after the other: a dashboard's large queries together would hold all their rows in memory at once.
      for (const data of queries) answers.set(data.refId, await answerOne(instance, caller, data, signal));
      return answers;
    },
  };
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
