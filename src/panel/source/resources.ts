/** Asks the resources of a data source through Grafana, with the rights of whoever looks at the dashboard. */
import { getBackendSrv } from '@grafana/runtime';
import { texts } from '../view/texts.ts';
import type { Problem } from './answers.ts';

/** The answer was no, with the sentence that says why. */
export class Refused extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

/** There was no answer that we understand: whether a command arrived is not known. */
export class Unanswered extends Error {}

const problemHead = 'urn:fieldgate:problem:';

interface Options {
  body?: unknown;
  idempotencyKey?: string;
  signal?: AbortSignal;
}

/** `source` is the uid. Rejects with `Refused`, `Unanswered`, or the signal's reason. */
export function ask<T>(source: string, method: 'GET' | 'POST' | 'DELETE', path: string, options: Options = {}): Promise<T> {
  const { body, idempotencyKey, signal } = options;
  return new Promise<T>((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const subscription = getBackendSrv()
      .fetch<T>({
        url: `/api/datasources/uid/${encodeURIComponent(source)}/resources/${path}`,
        method,
        ...(body === undefined ? {} : { data: body }),
        ...(idempotencyKey === undefined ? {} : { headers: { 'Idempotency-Key': idempotencyKey } }),
        // What went wrong is said at the control, not in a corner of the window.
        showErrorAlert: false,
        showSuccessAlert: false,
      })
      .subscribe({
        next: ({ data }) => resolve(data),
        error: (error: unknown) => reject(faultOf(error)),
        complete: () => reject(new Unanswered(texts.ended)),
      });
    // Hanging up ends the request.
    signal?.addEventListener(
      'abort',
      () => {
        subscription.unsubscribe();
        reject(signal.reason as Error);
      },
      { once: true },
    );
  });
}

/** `devices/boiler/points/flow_temp`. */
export function pathOf(...segments: string[]): string {
  return segments.map(encodeURIComponent).join('/');
}

/** Grafana rejects with `{ status, data }`; a browser that reached nobody with an Error, or with status 0. */
function faultOf(error: unknown): Error {
  const { status, data, statusText, message } = (error ?? {}) as { status?: number; data?: unknown; statusText?: string; message?: string };
  const document = (typeof data === 'object' && data !== null ? data : {}) as Record<string, unknown>;
  const { type, detail, title: _title, status: _status, ...extra } = document;
  if (typeof type === 'string' && type.startsWith(problemHead)) {
    const said = typeof detail === 'string' ? detail : texts.refused;
    return new Refused({ type: type.slice(problemHead.length), detail: said, status: status ?? 0, extra });
  }
  const said = typeof document.message === 'string' ? document.message : (statusText ?? message ?? '');
  // A failure of what lies between tells nothing about the far end; a refusal by Grafana does.
  if (typeof status !== 'number' || status < 400 || status >= 500) return new Unanswered(said || texts.silent);
  return new Refused({ type: '', detail: texts.grafanaSays(said, status), status, extra: {} });
}

/** A number for a command that nobody else takes. `crypto.randomUUID` is missing where Grafana is reached over plain HTTP. */
export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Resolves after so long; rejects with the signal's reason. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', end);
      resolve();
    }, ms);
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}
