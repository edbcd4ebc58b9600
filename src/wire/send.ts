/**
 * Answers of queries, sent as the pieces they are made of. grpc-js would join a message in memory of its own first, which for a million samples is
 * 16 MB to get, fill and give back a query, and waits with the status until the message is written, which is a round of the loop of events.
 */
import type { ServerHttp2Stream } from 'node:http2';
import { Metadata, type ServerInterceptor } from '@grpc/grpc-js';
import { limits } from '../contract/limits.ts';
import { DataService } from './generated/backend.ts';
import { type LargeResponse, partsOf, size } from './large.ts';

/** Stands in for `sendMessage` of grpc-js (1.14.7, server-interceptors.js) where queries are answered; all other calls are left alone. */
export const sendInPieces: ServerInterceptor = (method, call) => {
  if (method.path === DataService.queryData.path) {
    const stream = Reflect.get(call, 'stream') as ServerHttp2Stream;
    call.sendMessage = (responses: ReadonlyMap<string, LargeResponse>, sent) => {
      if (stream.destroyed || stream.closed) return done(responses);
      const parts = framed(partsOf(responses));
      call.sendMetadata(new Metadata());
      stream.cork();
      for (const part of parts.slice(0, -1)) stream.write(part);
      stream.write(parts.at(-1), (error) => {
        // Of a call that is given up something may still be on its way to the socket.
        if (!error) done(responses);
      });
      sent();
      stream.uncork();
    };
  }
  return call as ReturnType<ServerInterceptor>;
};

function done(responses: ReadonlyMap<string, LargeResponse>): void {
  for (const response of responses.values()) response.done?.();
}

/** gRPC over HTTP/2, "Length-Prefixed-Message": not compressed, the length, the message. What is small goes as one. */
function framed(parts: readonly Uint8Array[]): readonly Uint8Array[] {
  const length = size(parts);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(length, 1);
  const all = [head, ...parts];
  return length <= limits.answerJoinedBytesMax ? [Buffer.concat(all)] : all;
}
