/** pluginv2.Diagnostics: "Save & test" and the metrics endpoint. */
import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import type { Datasource, HealthAnswer } from '../datasource/questions.ts';
import type { Calls } from './calls.ts';
import { faultOf } from './fault.ts';
import type { CheckHealthRequest, CheckHealthResponse, CollectMetricsRequest, CollectMetricsResponse } from './generated/backend.ts';
import { callerOf } from './incoming.ts';
import { healthResponse } from './outgoing.ts';

export function diagnosticsService(datasource: Promise<Datasource>, calls: Calls): UntypedServiceImplementation {
  return {
    checkHealth: calls.unary<CheckHealthRequest, CheckHealthResponse>('CheckHealth', async ({ pluginContext }, signal) => {
      try {
        return healthResponse(await (await datasource).checkHealth(callerOf(pluginContext)));
      } catch (error) {
        if (signal.aborted) throw error;
        // Told as a health answer, so that the person at "Save & test" reads the sentence.
        return healthResponse(failed(faultOf(error, 'CheckHealth', calls.log).message));
      }
    }),
    collectMetrics: calls.unary<CollectMetricsRequest, CollectMetricsResponse>('CollectMetrics', async () => {
      return { metrics: { prometheus: Buffer.from(await (await datasource).collectMetrics()) } };
    }),
  };
}

function failed(message: string): HealthAnswer {
  return { status: 'error', message, details: {} };
}
