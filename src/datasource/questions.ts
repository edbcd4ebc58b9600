/**
 * The questions Grafana asks, free of gRPC and protobuf: what the wire room calls. `createDatasource` (datasource.ts) answers them.
 * A thrown `Fault` is the caller's answer; anything else thrown is a bug of ours and becomes 500.
 */
import type { Caller } from '../contract/caller.ts';

export interface DataQuery {
  refId: string;
  /** The panel's query as JSON bytes, not yet parsed. */
  json: Uint8Array;
  /** From the panel: milliseconds. */
  intervalMs: number;
  maxDataPoints: number;
  /** True where the front end asks for a drawing: no alert rule, no expression, no script. */
  isDrawing?: boolean;
  /** Half-open, milliseconds since 1970. */
  fromMs: number;
  toMs: number;
}

/** One answer; each of `frames` is an Arrow IPC file in pieces. A failed query has `error` and does not spoil its neighbours. */
export interface DataAnswer {
  frames: (readonly Uint8Array[])[];
  /** An HTTP status; never 0, the host takes 0 for 500 (facts/grafana.md §2.3). */
  status: number;
  error?: string;
  /** Whose fault: ours or something behind us. */
  errorSource?: 'plugin' | 'downstream';
  /** To be called when nobody looks at the frames any more: the memory they are in is used again. */
  done?: () => void;
}

export interface ResourceRequest {
  /** Path without leading slash, still percent-encoded as it came. */
  path: string;
  method: string;
  /** Path and query string. */
  url: string;
  /** Lower-case names. */
  headers: ReadonlyMap<string, readonly string[]>;
  body: Uint8Array;
}

/** The first part carries status and headers; later ones only `body`. */
export interface ResourcePart {
  status: number;
  headers: Record<string, string>;
  body: Uint8Array;
}

export interface HealthAnswer {
  status: 'ok' | 'error' | 'unknown';
  message: string;
  /** Always an object (facts/grafana.md §2.6). */
  details: Record<string, unknown>;
}

export interface Datasource {
  queryData(caller: Caller, queries: readonly DataQuery[], signal: AbortSignal): Promise<Map<string, DataAnswer>>;
  /** Sends at least one part; `send` resolves when the far end can take more. */
  callResource(caller: Caller, request: ResourceRequest, send: (part: ResourcePart) => Promise<void>, signal: AbortSignal): Promise<void>;
  checkHealth(caller: Caller): Promise<HealthAnswer>;
  /** Prometheus text. The endpoint is public: no device, topic or secret in it. */
  collectMetrics(): Promise<string>;
  /** `path` is the channel after the data source's uid. `initial` is the JSON of a frame for this subscriber. */
  subscribeStream(caller: Caller, path: string): Promise<{ status: 'ok' | 'not-found' | 'denied'; initial?: Uint8Array }>;
  /** Always denied (DESIGN §8). */
  publishStream(caller: Caller, path: string): Promise<{ status: 'denied' }>;
  /** Sends JSON frames until the signal is aborted; resolves within 100 ms of that. */
  runStream(caller: Caller, path: string, send: (packet: Uint8Array) => Promise<void>, signal: AbortSignal): Promise<void>;
  /** Stops every gateway. The store is closed by whoever opened it. */
  close(): Promise<void>;
}
