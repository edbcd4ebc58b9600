/** pluginv2.Stream: Grafana Live. */
import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import { Fault } from '../contract/fault.ts';
import type { Datasource } from '../datasource/questions.ts';
import type { Calls } from './calls.ts';
import type {
  PublishStreamRequest,
  PublishStreamResponse,
  RunStreamRequest,
  StreamPacket,
  SubscribeStreamRequest,
  SubscribeStreamResponse,
} from './generated/backend.ts';
import { callerOf } from './incoming.ts';
import { buffer, channelStatus } from './outgoing.ts';

export function streamService(datasource: Promise<Datasource>, calls: Calls): UntypedServiceImplementation {
  return {
    subscribeStream: calls.unary<SubscribeStreamRequest, SubscribeStreamResponse>('SubscribeStream', async ({ pluginContext, path }) => {
      const { status, initial } = await (await datasource).subscribeStream(callerOf(pluginContext), path);
      return { status: channelStatus(status), data: buffer(initial ?? new Uint8Array()) };
    }),
    publishStream: calls.unary<PublishStreamRequest, PublishStreamResponse>('PublishStream', async ({ pluginContext, path }) => {
      const { status } = await (await datasource).publishStream(callerOf(pluginContext), path);
      return { status: channelStatus(status), data: Buffer.alloc(0) };
    }),
    runStream: calls.serverStream<RunStreamRequest, StreamPacket>('RunStream', async ({ pluginContext, path }, send, signal) => {
      await (await datasource).runStream(callerOf(pluginContext), path, (packet) => send({ data: buffer(packet) }), signal);
      // The host never restarts a stream that ended well, whoever still watches (facts/grafana.md §3): an error makes it come again.
      throw signal.aborted
        ? signal.reason
        : new Fault('The stream has ended; it can be opened again.', { type: 'stream-ended', blame: 'gateway', status: 503 });
    }),
  };
}
