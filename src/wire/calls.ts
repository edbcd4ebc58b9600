/** gRPC handlers as async functions with an AbortSignal: aborted when the caller cancels, its deadline is over, or the process ends. */
import type { handleServerStreamingCall, handleUnaryCall, ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import { Fault } from '../contract/fault.ts';
import type { Log } from '../contract/log.ts';
import { faultOf, rpcError } from './fault.ts';

export class Calls {
  readonly log: Log;
  /** Each resolves when its call has its answer. */
  readonly #running = new Map<AbortController, Promise<void>>();

  readonly #contacted: () => void;

  /** `contacted` is told of every call. */
  constructor(log: Log, contacted: () => void) {
    this.log = log;
    this.#contacted = contacted;
  }

  unary<Request, Response>(
    name: string,
    answer: (request: Request, signal: AbortSignal) => Promise<Response>,
  ): handleUnaryCall<Request, Response> {
    return (call, respond) => {
      const { signal, done } = this.#begin(call);
      answer(call.request, signal)
        .then(
          (response) => respond(null, response),
          (error: unknown) => respond(rpcError(this.#faultOf(error, name, signal))),
        )
        .catch((error: unknown) => this.log.debug('an answer could not be sent', { call: name, error: String(error) }))
        .finally(done);
    };
  }

  /** `send` resolves when the far end has taken the message (gRPC flow control), and rejects when the call is over. */
  serverStream<Request, Response>(
    name: string,
    run: (request: Request, send: (message: Response) => Promise<void>, signal: AbortSignal) => Promise<void>,
  ): handleServerStreamingCall<Request, Response> {
    return (call) => {
      const { signal, done } = this.#begin(call);
      run(call.request, (message) => write(call, message, signal), signal)
        .then(
          () => call.end(),
          (error: unknown) => void call.emit('error', rpcError(this.#faultOf(error, name, signal))),
        )
        .catch((error: unknown) => this.log.debug('a stream could not be ended', { call: name, error: String(error) }))
        .finally(done);
    };
  }

  /** Ends what runs, because the process ends; resolves when every call has its answer. */
  async end(): Promise<void> {
    const running = [...this.#running.values()];
    for (const controller of this.#running.keys()) controller.abort(ending());
    await Promise.all(running);
  }

  #begin(call: ServerUnaryCall<unknown, unknown> | ServerWritableStream<unknown, unknown>): { signal: AbortSignal; done: () => void } {
    this.#contacted();
    const controller = new AbortController();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#running.set(controller, promise);
    // 'cancelled' comes after the orderly end of every call too, and then there is nothing to stop.
    call.on('cancelled', () => {
      if (this.#running.has(controller)) controller.abort(new DOMException('The caller has cancelled.', 'AbortError'));
    });
    if (call.cancelled) controller.abort();
    const done = () => {
      this.#running.delete(controller);
      resolve();
    };
    return { signal: controller.signal, done };
  }

  /** What fails because it was told to stop is not a bug. */
  #faultOf(error: unknown, where: string, signal: AbortSignal): Fault {
    if (!signal.aborted || error instanceof Fault) return faultOf(error, where, this.log);
    return signal.reason instanceof Fault
      ? signal.reason
      : new Fault('The call was cancelled.', { type: 'cancelled', blame: 'caller', status: 499 });
  }
}

function ending(): Fault {
  return new Fault('Fieldgate is ending.', { type: 'ending', blame: 'gateway', status: 503 });
}

/** grpc-js does not call back for a message of a cancelled call, so the signal has to end the wait. */
function write<Response>(call: ServerWritableStream<unknown, Response>, message: Response, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    call.write(message, (error: Error | null | undefined) => {
      signal.removeEventListener('abort', stop);
      if (error) reject(error);
      else resolve();
    });
  });
}

/** For streams that only have to stay open: resolves when the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
