/** pluginv2.Data: the queries of panels, Explore and alert rules. */
import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import type { DataAnswer, Datasource } from '../datasource/questions.ts';
import type { Calls } from './calls.ts';
import { faultOf, sourceOf } from './fault.ts';
import type { QueryDataRequest } from './generated/backend.ts';
import { callerOf, isDrawing, queryOf } from './incoming.ts';
import type { LargeResponse } from './large.ts';
import { dataResponse } from './outgoing.ts';

/** QueryChunkedData is left out: Grafana 12.4 has no caller for it and cannot decode a failed chunk (facts/grafana.md §2.4). */
export function dataService(datasource: Promise<Datasource>, calls: Calls): UntypedServiceImplementation {
  return {
    queryData: calls.unary<QueryDataRequest, Map<string, LargeResponse>>('QueryData', async (request, signal) => {
      const answers = await answer(request, signal);
      return new Map(request.queries.map(({ refId }) => [refId, dataResponse(answers.get(refId) ?? unanswered)]));
    }),
  };

  /** A failure of all queries is told per query: the host shows it in the panel, where a failed call would only say "plugin error". */
  async function answer(request: QueryDataRequest, signal: AbortSignal): Promise<Map<string, DataAnswer>> {
    try {
      const drawing = isDrawing(request.headers);
      const queries = request.queries.map((query) => queryOf(query, drawing));
      return await (await datasource).queryData(callerOf(request.pluginContext), queries, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      const fault = faultOf(error, 'QueryData', calls.log);
      const failed: DataAnswer = { frames: [], status: fault.status, error: fault.message, errorSource: sourceOf(fault) };
      return new Map(request.queries.map(({ refId }) => [refId, failed]));
    }
  }
}

const unanswered: DataAnswer = { frames: [], status: 500, error: 'The query was not answered.', errorSource: 'plugin' };
