/** Errors say whose fault it is, what kind it is and what to do; they never carry a secret. */

/** `caller`: the request was wrong; `config`: the settings are; `device`: something at the far end of a bus; `gateway`: our own. */
export type Blame = 'caller' | 'config' | 'device' | 'gateway';

export interface FaultOptions {
  /** Stable slug, the tail of the problem document's `type` (RFC 9457 §3.1.1): `device-offline`, `bad-query`. */
  type: string;
  blame: Blame;
  /** HTTP status of the answer. */
  status: number;
  /** Path of the field at fault: `devices[2].points[0].address.register`. */
  place?: string;
  cause?: unknown;
  /** Further members of the problem document. */
  extra?: Record<string, unknown>;
}

export class Fault extends Error {
  readonly type: string;
  readonly blame: Blame;
  readonly status: number;
  readonly place: string | undefined;
  readonly extra: Record<string, unknown>;

  constructor(message: string, options: FaultOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Fault';
    this.type = options.type;
    this.blame = options.blame;
    this.status = options.status;
    this.place = options.place;
    this.extra = options.extra ?? {};
  }
}

/** The request itself is wrong: 400 unless another status is given. */
export function badRequest(message: string, place?: string, type = 'bad-request', status = 400): Fault {
  return new Fault(message, { type, blame: 'caller', status, ...(place === undefined ? {} : { place }) });
}

/** A named part of the request is wrong; `what` goes on after its name: `is "2"; allowed is 0 or 1`. */
export function badPart(name: string, what: string): Fault {
  return badRequest(`${name} ${what}`, name);
}

/** Whoever asks may not. */
export function forbidden(message: string, place?: string): Fault {
  return badRequest(message, place, 'forbidden', 403);
}

/** Something named in the request does not exist. */
export function notFound(message: string, place?: string): Fault {
  return badRequest(message, place, 'not-found', 404);
}

/**
 * The link to the far end is gone: the only error of a driver that means something to the host, which closes the session and
 * opens a new one with back-off. Everything else about a single point is a sample of quality `bad`.
 */
export class LinkLost extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'LinkLost';
  }
}

/** One thing wrong with the settings, at its place. A warning does not stop anything. */
export interface ConfigFault {
  severity: 'error' | 'warning';
  /** `devices[2].points[0].address.register`; empty for the whole document. */
  place: string;
  /** What is wrong and what is allowed, in one sentence. */
  message: string;
}

/** The message of anything thrown, in one line of bounded length. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error);
  return text.replaceAll(/\s+/g, ' ').slice(0, 500);
}
