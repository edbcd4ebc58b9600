/** A host in the test: starts a plugin with nothing but what Grafana gives it, and speaks to it with code that is not the plugin's. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { type Client, credentials, loadPackageDefinition, type ServiceError } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

export const root = resolve(import.meta.dirname, '../..');
export const node = join(root, 'node_modules/.bin/node');
export const minimalMain = [node, join(root, 'test/wire/minimal-main.ts')];

/** What Grafana 12.4 sets, and no more: no PATH, HOME or TMPDIR. */
export const hostEnv = {
  grafana_plugin_type: 'datasource',
  PLUGIN_MIN_PORT: '10000',
  PLUGIN_MAX_PORT: '25000',
  PLUGIN_PROTOCOL_VERSIONS: '2',
};

const files = ['backend', 'grpc_stdio', 'grpc_broker', 'grpc_controller', 'health', 'rpc_status'].map((name) =>
  join(root, `proto/${name}.proto`),
);
export const protocol = loadPackageDefinition(
  loadSync(files, { keepCase: true, longs: Number, enums: String, defaults: true }),
) as unknown as Protocol;

/** Typed loosely on purpose: what comes back is checked by the tests, not by the types of the code under test. */
type Constructor = new (address: string, creds: ReturnType<typeof credentials.createInsecure>, options?: object) => Caller;
interface Protocol {
  pluginv2: Record<'Data' | 'Resource' | 'Diagnostics' | 'Stream', Constructor>;
  plugin: Record<'GRPCStdio' | 'GRPCBroker' | 'GRPCController', Constructor>;
  grpc: { health: { v1: { Health: Constructor } } };
  google: { rpc: { ErrorInfo: unknown } };
}
export type Message = Record<string, unknown>;
export interface ServerStream extends NodeJS.EventEmitter, AsyncIterable<Message> {
  cancel(): void;
  pause(): void;
  resume(): void;
  write(message: Message): void;
}
export type Caller = Client &
  Record<string, (request?: Message, done?: (error: ServiceError | null, response: Message) => void) => ServerStream>;

export interface Plugin {
  process: ChildProcess;
  /** The handshake's fields. */
  fields: string[];
  stdout(): string;
  stderr(): string;
  /** Log lines so far, parsed; fails on a line that is not JSON. */
  log(): Record<string, unknown>[];
  client(service: Constructor): Caller;
  exited: Promise<{ code: number | null; signal: string | null; afterMs: number }>;
  stop(): Promise<void>;
}

const running = new Set<Plugin>();

/** Resolves when the handshake came or the process ended. */
export async function launch(command: readonly string[] = minimalMain, env: Record<string, string> = hostEnv): Promise<Plugin> {
  const [file = '', ...args] = command;
  const cwd = mkdtempSync(join(tmpdir(), 'anywhere-'));
  const child = spawn(file, args, { env, cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (bytes) => (stdout += String(bytes)));
  child.stderr.on('data', (bytes) => (stderr += String(bytes)));
  const startMs = performance.now();
  const exited = new Promise<Awaited<Plugin['exited']>>((done) =>
    child.on('close', (code, signal) => done({ code, signal, afterMs: performance.now() - startMs })),
  );
  const line = new Promise<void>((done) => child.stdout.on('data', () => stdout.includes('\n') && done()));
  await Promise.race([line, exited]);
  const fields = stdout.trimEnd().split('|');
  const clients: Client[] = [];
  const plugin: Plugin = {
    process: child,
    fields,
    stdout: () => stdout,
    stderr: () => stderr,
    log: () =>
      stderr
        .split('\n')
        .slice(0, -1)
        .map((text) => JSON.parse(text) as Record<string, unknown>),
    client(service) {
      const address = fields[2] === 'unix' ? `unix:${fields[3]}` : (fields[3] ?? '');
      const made = new service(address, credentials.createInsecure(), {
        'grpc.max_receive_message_length': -1,
        'grpc.max_send_message_length': -1,
      });
      clients.push(made);
      return made;
    },
    exited,
    async stop() {
      for (const made of clients) made.close();
      child.kill('SIGKILL');
      await exited;
      rmSync(cwd, { recursive: true, force: true });
      // Killed, it cannot tidy up after itself.
      if (fields[2] === 'unix') rmSync(dirname(fields[3] ?? ''), { recursive: true, force: true });
      running.delete(plugin);
    },
  };
  running.add(plugin);
  return plugin;
}

/** For `afterEach`: no test leaves a process behind. */
export async function stopAll(): Promise<void> {
  await Promise.all([...running].map((plugin) => plugin.stop()));
}

export function ask(client: Caller, method: string, request: Message = {}): Promise<Message> {
  return new Promise((done, failed) => client[method]?.(request, (error, response) => (error ? failed(error) : done(response))));
}

/** All messages of a server stream; rejects as the call does. */
export async function collect(stream: AsyncIterable<Message>): Promise<Message[]> {
  const messages: Message[] = [];
  for await (const message of stream) messages.push(message);
  return messages;
}

/** The error of a call that has to fail. */
export async function failure(call: Promise<unknown>): Promise<ServiceError> {
  return await call.then(
    (value) => Promise.reject(new Error(`it did not fail: ${JSON.stringify(value)}`)),
    (error: ServiceError) => error,
  );
}

export async function until(what: () => boolean, withinMs = 15_000): Promise<number> {
  const startMs = performance.now();
  while (!what()) {
    if (performance.now() - startMs > withinMs) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((next) => setTimeout(next, 5));
  }
  return performance.now() - startMs;
}
