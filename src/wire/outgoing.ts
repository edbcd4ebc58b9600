/** From the words of `datasource/questions.ts` to protobuf. What would make the host fail or panic is caught here (facts/grafana.md §2). */
import type { DataAnswer, HealthAnswer, ResourcePart } from '../datasource/questions.ts';
import type * as pb from './generated/backend.ts';
import { CheckHealthResponse_HealthStatus as Health, SubscribeStreamResponse_Status as Subscription } from './generated/backend.ts';
import type { LargeResponse } from './large.ts';

const nothing = Buffer.alloc(0);

/** Status 0 would be read as 500, and a frame of no bytes would spoil the answers of every query. */
export function dataResponse(answer: DataAnswer): LargeResponse {
  const failed = answer.error !== undefined;
  const fields = {
    frames: [],
    error: failed ? (answer.error || 'The query failed.').toWellFormed() : '',
    status: httpStatus(answer.status, failed ? 500 : 200),
    errorSource: failed ? (answer.errorSource ?? 'plugin') : '',
    jsonMeta: nothing,
  };
  return { fields, frames: answer.frames.filter((frame) => frame.some((piece) => piece.byteLength > 0)), done: answer.done };
}

/** The first part of an HTTP answer: code 0 would make the host panic. */
export function firstPart(part: ResourcePart): pb.CallResourceResponse {
  const headers = new Map(Object.entries(part.headers).map(([name, value]) => [name, { values: [value.toWellFormed()] }]));
  return { code: httpStatus(part.status, 500), headers, body: buffer(part.body) };
}

/** Status and headers are gone out with the first part. The code is repeated only because 0 must never be sent. */
export function laterPart(part: ResourcePart): pb.CallResourceResponse {
  return { code: httpStatus(part.status, 200), headers: new Map(), body: buffer(part.body) };
}

const health: Record<HealthAnswer['status'], pb.CheckHealthResponse_HealthStatus> = {
  ok: Health.OK,
  error: Health.ERROR,
  unknown: Health.UNKNOWN,
};

/** The details must be a JSON object, nothing else. */
export function healthResponse(answer: HealthAnswer): pb.CheckHealthResponse {
  return {
    status: health[answer.status],
    message: answer.message.toWellFormed(),
    jsonDetails: Buffer.from(JSON.stringify({ ...answer.details })),
  };
}

const subscription: Record<'ok' | 'not-found' | 'denied', pb.SubscribeStreamResponse_Status> = {
  ok: Subscription.OK,
  'not-found': Subscription.NOT_FOUND,
  denied: Subscription.PERMISSION_DENIED,
};

/** Both answers of the Stream service, subscribe and publish, have these numbers. */
export function channelStatus(status: keyof typeof subscription): pb.SubscribeStreamResponse_Status {
  return subscription[status];
}

/** The same bytes as a Buffer, not copied. */
export function buffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function httpStatus(status: number, otherwise: number): number {
  return Number.isInteger(status) && status >= 200 && status <= 599 ? status : otherwise;
}
