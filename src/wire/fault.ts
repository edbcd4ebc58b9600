/** What becomes of an error at the edge: a gRPC status with whose fault it is, or a problem document. Never a stack, never a secret. */
import { Metadata, type StatusObject, status } from '@grpc/grpc-js';
import { Fault, messageOf } from '../contract/fault.ts';
import type { Log } from '../contract/log.ts';
import { ErrorInfo, Status } from './generated/rpc_status.ts';

/** Grafana counts `plugin` errors against us and `downstream` ones against what is behind us or in front of us. */
export type ErrorSource = 'plugin' | 'downstream';

export function sourceOf(fault: Fault): ErrorSource {
  return fault.blame === 'gateway' ? 'plugin' : 'downstream';
}

/** A `Fault` as it is; anything else is a bug of ours: logged here with its stack, told to nobody else. */
export function faultOf(error: unknown, where: string, log: Log): Fault {
  if (error instanceof Fault) return error;
  log.error('unexpected error in an answer', { where, error: messageOf(error), stack: error instanceof Error ? (error.stack ?? '') : '' });
  return new Fault('Something went wrong inside Fieldgate; the log of Grafana says what.', {
    type: 'internal',
    blame: 'gateway',
    status: 500,
    cause: error,
  });
}

const codes: Record<number, status> = {
  400: status.INVALID_ARGUMENT,
  401: status.UNAUTHENTICATED,
  403: status.PERMISSION_DENIED,
  404: status.NOT_FOUND,
  409: status.ABORTED,
  422: status.FAILED_PRECONDITION,
  429: status.RESOURCE_EXHAUSTED,
  501: status.UNIMPLEMENTED,
  503: status.UNAVAILABLE,
  504: status.DEADLINE_EXCEEDED,
};

/** The gRPC form, with google.rpc.ErrorInfo as the host reads it (facts/grafana.md §2.2). */
export function rpcError(fault: Fault): Error & Partial<StatusObject> {
  const code = codes[fault.status] ?? status.INTERNAL;
  // grpc-js percent-encodes the message and throws on half a surrogate pair.
  const details = fault.message.toWellFormed();
  const info = ErrorInfo.encode({
    reason: fault.type.toUpperCase().replaceAll(/[^A-Z0-9]+/g, '_'),
    domain: 'fieldgate',
    metadata: new Map([['errorSource', sourceOf(fault)]]),
  }).finish();
  const metadata = new Metadata();
  const rich = Status.encode({
    code,
    message: details,
    details: [{ typeUrl: 'type.googleapis.com/google.rpc.ErrorInfo', value: Buffer.from(info) }],
  });
  metadata.set('grpc-status-details-bin', Buffer.from(rich.finish()));
  return Object.assign(new Error(details), { code, details, metadata });
}
