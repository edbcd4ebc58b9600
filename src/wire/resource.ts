/** pluginv2.Resource: HTTP under `/api/datasources/uid/<uid>/resources/`. */
import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import type { Fault } from '../contract/fault.ts';
import { problemContentType, problemOf } from '../contract/problem.ts';
import type { Datasource, ResourcePart } from '../datasource/questions.ts';
import type { Calls } from './calls.ts';
import { faultOf } from './fault.ts';
import type { CallResourceRequest, CallResourceResponse } from './generated/backend.ts';
import { callerOf, resourceOf } from './incoming.ts';
import { firstPart, laterPart } from './outgoing.ts';

export function resourceService(datasource: Promise<Datasource>, calls: Calls): UntypedServiceImplementation {
  return {
    callResource: calls.serverStream<CallResourceRequest, CallResourceResponse>('CallResource', async (request, sendMessage, signal) => {
      let begun = false;
      const send = (part: ResourcePart) => {
        const message = begun ? laterPart(part) : firstPart(part);
        begun = true;
        return sendMessage(message);
      };
      try {
        await (await datasource).callResource(callerOf(request.pluginContext), resourceOf(request), send, signal);
        if (!begun) throw new Error(`no answer to ${request.method} ${request.path}`);
      } catch (error) {
        // Status and headers are gone: only a broken stream can still say that the body is not whole.
        if (begun || signal.aborted) throw error;
        await send(problem(faultOf(error, 'CallResource', calls.log)));
      }
    }),
  };
}

/** RFC 9457. */
function problem(fault: Fault): ResourcePart {
  return { status: fault.status, headers: { 'content-type': problemContentType }, body: Buffer.from(JSON.stringify(problemOf(fault))) };
}
