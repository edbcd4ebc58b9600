/** The built executable, asked as Grafana asks it; what comes back is handed on as it is. Speaks proto/, shares no code with the other end. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, credentials, loadPackageDefinition, type ServiceClientConstructor } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { executablePath, launch } from '../../../console/launch.ts';

const root = join(import.meta.dirname, '../../..');
const callTimeoutMs = 60_000;

export interface Person {
  login: string;
  role: 'Viewer' | 'Editor' | 'Admin';
}

/** A data source as Grafana keeps it. */
export interface Stored {
  jsonData: Record<string, unknown>;
  secrets: Record<string, string>;
  updatedMs: number;
}

export interface ResourcePart {
  code: number;
  headers: Record<string, { values: string[] }>;
  body: Uint8Array;
}

export interface Backend {
  resource(
    context: object,
    request: { method: string; path: string; url: string; headers: object; body: Uint8Array },
  ): AsyncIterable<ResourcePart> & { cancel(): void };
  query(context: object, queries: object[]): Promise<Record<string, { frames: Uint8Array[]; error: string; status: number }>>;
  health(context: object): Promise<{ status: string; message: string; jsonDetails: Uint8Array }>;
  /** Packets of a channel: frames as JSON text. */
  stream(context: object, path: string): AsyncIterable<{ data: Uint8Array }> & { cancel(): void };
  /** Its log, for a test that failed. */
  readonly log: readonly string[];
  stop(): Promise<void>;
}

export function contextOf(stored: Stored, person: Person): object {
  return {
    orgId: 1,
    pluginId: 'fieldgate-iot-datasource',
    user: { login: person.login, name: person.login, email: '', role: person.role },
    dataSourceInstanceSettings: {
      id: 1,
      uid: 'stand',
      name: 'Fieldgate IoT',
      jsonData: Buffer.from(JSON.stringify(stored.jsonData)),
      decryptedSecureJsonData: stored.secrets,
      lastUpdatedMS: stored.updatedMs,
    },
  };
}

type Call = (request: unknown, ...rest: unknown[]) => never;
type Stub = Client & Record<string, Call>;

export async function startBackend(): Promise<Backend> {
  const dataFolder = mkdtempSync(join(tmpdir(), 'fieldgate-browser-'));
  const log: string[] = [];
  const plugin = await launch(executablePath(join(root, 'dist/fieldgate-iot-datasource')), { dataFolder, onLog: (line) => log.push(line) });
  const stub = (file: string, pack: string, service: string): Stub => {
    const folder = join(root, 'proto');
    const definition = loadSync(join(folder, file), {
      keepCase: true,
      longs: Number,
      enums: String,
      defaults: true,
      includeDirs: [folder],
    });
    const Service = (loadPackageDefinition(definition)[pack] as Record<string, ServiceClientConstructor>)[
      service
    ] as ServiceClientConstructor;
    const options = { 'grpc.max_receive_message_length': -1, 'grpc.default_authority': 'localhost' };
    return new Service(plugin.address, credentials.createInsecure(), options) as unknown as Stub;
  };
  const parts = {
    resource: stub('backend.proto', 'pluginv2', 'Resource'),
    data: stub('backend.proto', 'pluginv2', 'Data'),
    diagnostics: stub('backend.proto', 'pluginv2', 'Diagnostics'),
    stream: stub('backend.proto', 'pluginv2', 'Stream'),
    controller: stub('grpc_controller.proto', 'plugin', 'GRPCController'),
    stdio: stub('grpc_stdio.proto', 'plugin', 'GRPCStdio'),
  };
  // The executable takes the end of this stream for the end of its host.
  const output = (
    parts.stdio.StreamStdio as unknown as (request: object) => { cancel(): void; on(name: string, run: () => void): void }
  ).call(parts.stdio, {});
  output.on('data', () => {});
  output.on('error', () => {});

  function ask<T>(client: Stub, method: string, request: object): Promise<T> {
    return new Promise((resolve, reject) =>
      (client[method] as Call).call(client, request, { deadline: new Date(Date.now() + callTimeoutMs) }, (error: Error | null, reply: T) =>
        error ? reject(error) : resolve(reply),
      ),
    );
  }

  return {
    log,
    resource: (context, request) => (parts.resource.CallResource as Call).call(parts.resource, { pluginContext: context, ...request }),
    async query(context, queries) {
      // As Grafana's own front end asks: for a drawing.
      const request = { pluginContext: context, headers: { 'http_X-Datasource-Uid': 'stand' }, queries };
      return (await ask<{ responses: never }>(parts.data, 'QueryData', request)).responses;
    },
    health: (context) => ask(parts.diagnostics, 'CheckHealth', { pluginContext: context, headers: {} }),
    stream: (context, path) => (parts.stream.RunStream as Call).call(parts.stream, { pluginContext: context, path }),
    async stop() {
      await ask(parts.controller, 'Shutdown', {}).catch(() => undefined);
      output.cancel();
      for (const client of Object.values(parts)) client.close();
      await plugin.reap();
      rmSync(dataFolder, { recursive: true, force: true });
    },
  };
}
