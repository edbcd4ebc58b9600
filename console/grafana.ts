/** Asks the plugin what Grafana asks: queries, resources, health. Speaks the wire contract in `proto/`, shares no code with the other end. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ChannelCredentials, type Client, credentials, loadPackageDefinition, type ServiceClientConstructor } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { decodeFrame, type Frame } from './frames.ts';

/** One call's answer must come within this, or the screen says so. */
const callTimeoutMs = 35_000;

export interface Identity {
  login: string;
  role: 'Viewer' | 'Editor' | 'Admin';
}

export interface Resource {
  status: number;
  headers: Record<string, string>;
  /** Parsed JSON, or the text if it is not JSON. */
  body: unknown;
}

export interface Health {
  status: string;
  message: string;
  details: Record<string, unknown>;
}

export interface Answer {
  frames: Frame[];
  status: number;
  error: string;
}

export interface Query {
  refId: string;
  [field: string]: unknown;
}

type Unary = (request: unknown, options: { deadline: Date }, done: (error: Error | null, reply: never) => void) => void;
interface Stub extends Client {
  [method: string]: unknown;
}

/** A connection to one plugin process on behalf of one data source. */
export class Grafana {
  readonly #data: Stub;
  readonly #resource: Stub;
  readonly #diagnostics: Stub;
  readonly #controller: Stub;
  readonly #stdio: Stub;
  readonly #context: unknown;
  #output: { cancel(): void } | undefined;

  constructor(address: string, protoFolder: string, settings: Uint8Array, secrets: Record<string, string>, identity: Identity) {
    const make = makeStub(address, protoFolder);
    this.#data = make('backend.proto', 'pluginv2', 'Data');
    this.#resource = make('backend.proto', 'pluginv2', 'Resource');
    this.#diagnostics = make('backend.proto', 'pluginv2', 'Diagnostics');
    this.#controller = make('grpc_controller.proto', 'plugin', 'GRPCController');
    this.#stdio = make('grpc_stdio.proto', 'plugin', 'GRPCStdio');
    this.#context = {
      orgId: 1,
      pluginId: 'fieldgate-iot-datasource',
      user: { login: identity.login, name: identity.login, email: '', role: identity.role },
      dataSourceInstanceSettings: {
        id: 1,
        uid: 'console',
        name: 'console',
        jsonData: Buffer.from(settings),
        decryptedSecureJsonData: secrets,
        lastUpdatedMS: Date.now(),
      },
    };
    this.#listen();
  }

  /** go-plugin holds this stream for as long as the host lives; the plugin takes its end for ours. */
  #listen(): void {
    const open = this.#stdio.StreamStdio as (request: unknown) => { cancel(): void; on(event: string, run: () => void): void };
    const stream = open.call(this.#stdio, {});
    stream.on('data', () => {});
    stream.on('error', () => {});
    this.#output = stream;
  }

  async query(queries: readonly Query[], range: { fromMs: number; toMs: number }): Promise<Map<string, Answer>> {
    const reply = await this.#unary<{ responses: Record<string, { frames: Uint8Array[]; error: string; status: number }> }>(
      this.#data,
      'QueryData',
      {
        pluginContext: this.#context,
        queries: queries.map((query) => ({
          refId: query.refId,
          maxDataPoints: 1000,
          intervalMS: 1000,
          timeRange: { fromEpochMS: range.fromMs, toEpochMS: range.toMs },
          json: Buffer.from(JSON.stringify(query)),
          queryType: String(query.queryType ?? ''),
        })),
      },
    );
    return new Map(
      Object.entries(reply.responses).map(([refId, { frames, error, status }]) => [
        refId,
        { frames: frames.map(decodeFrame), error, status },
      ]),
    );
  }

  async resource(method: 'GET' | 'POST', path: string, body?: unknown): Promise<Resource> {
    const parts = await this.#parts({
      pluginContext: this.#context,
      path: path.split('?')[0],
      url: path,
      method,
      headers: body === undefined ? {} : { 'Content-Type': { values: ['application/json'] } },
      body: body === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(body)),
    });
    const text = Buffer.concat(parts.map((part) => part.body)).toString('utf8');
    const headers = Object.fromEntries(
      Object.entries(parts[0]?.headers ?? {}).map(([name, { values }]) => [name.toLowerCase(), values.join(', ')]),
    );
    return { status: parts[0]?.code ?? 0, headers, body: parseJson(text) };
  }

  async health(): Promise<Health> {
    const reply = await this.#unary<{ status: string; message: string; jsonDetails: Uint8Array }>(this.#diagnostics, 'CheckHealth', {
      pluginContext: this.#context,
    });
    return {
      status: reply.status,
      message: reply.message,
      details: JSON.parse(Buffer.from(reply.jsonDetails).toString('utf8') || '{}') as Record<string, unknown>,
    };
  }

  /** Asks the plugin to end, as go-plugin does, and closes the channel. */
  async shutdown(): Promise<void> {
    await this.#unary(this.#controller, 'Shutdown', {}).catch(() => {});
    this.#output?.cancel();
    for (const stub of [this.#data, this.#resource, this.#diagnostics, this.#controller, this.#stdio]) stub.close();
  }

  #unary<Reply>(stub: Stub, method: string, request: unknown): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const call = stub[method] as Unary;
      call.call(stub, request, { deadline: new Date(Date.now() + callTimeoutMs) }, (error, reply) =>
        error ? reject(error) : resolve(reply),
      );
    });
  }

  #parts(request: unknown): Promise<{ code: number; headers: Record<string, { values: string[] }>; body: Uint8Array }[]> {
    const call = this.#resource.CallResource as (request: unknown, options: unknown) => AsyncIterable<never>;
    return Array.fromAsync(call.call(this.#resource, request, { deadline: new Date(Date.now() + callTimeoutMs) }));
  }
}

function makeStub(address: string, protoFolder: string) {
  const plain: ChannelCredentials = credentials.createInsecure();
  return (file: string, pack: string, service: string): Stub => {
    const definition = loadSync(join(protoFolder, file), {
      keepCase: true,
      longs: Number,
      enums: String,
      defaults: true,
      includeDirs: [protoFolder],
    });
    const grpc = loadPackageDefinition(definition)[pack] as Record<string, ServiceClientConstructor>;
    const Service = grpc[service];
    if (!Service) throw new Error(`proto/${file} has no service ${pack}.${service}`);
    const unlimited = { 'grpc.max_receive_message_length': -1, 'grpc.default_authority': 'localhost' };
    return new Service(address, plain, unlimited) as unknown as Stub;
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The settings or secrets of a data source from a file; throws with a sentence. */
export function readJson(path: string): Record<string, unknown> {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  } catch (error) {
    throw new Error(`${path} is not readable as JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}
