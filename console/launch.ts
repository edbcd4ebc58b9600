/** Starts the executable and connects to it the way Grafana's go-plugin client does. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** The executable says its one line within this; Grafana itself waits a minute. */
const handshakeTimeoutMs = 15_000;
/** What go-plugin waits after a Shutdown call before it kills. */
const killAfterMs = 2_000;

export interface Plugin {
  /** As @grpc/grpc-js wants it: `unix:/path` or `127.0.0.1:port`. */
  address: string;
  /** Milliseconds from exec to the handshake line. */
  startedInMs: number;
  /** Resolves with a sentence when the process ends. */
  ended: Promise<string>;
  /** Waits for the end after a Shutdown call, kills after 2 s. */
  reap(): Promise<void>;
}

/** `gpx_fieldgate_linux_amd64` and so on, in a built plugin folder. */
export function executablePath(pluginFolder: string): string {
  const os = process.platform === 'win32' ? 'windows' : process.platform;
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  return join(pluginFolder, `gpx_fieldgate_${os}_${arch}${os === 'windows' ? '.exe' : ''}`);
}

/**
 * Launches with only the variables Grafana would set. `onLog` gets each line of stderr.
 * Throws with a sentence if the file is missing, the process ends, or the line does not come.
 */
export async function launch(executable: string, options: { dataFolder?: string; onLog: (line: string) => void }): Promise<Plugin> {
  if (!existsSync(executable)) throw new Error(`${executable} is not there; run "npm run build" first`);
  const begin = performance.now();
  const child = spawn(executable, [], {
    // A pipe that stays open: the executable takes the end of its host's streams for the end of the host.
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      grafana_plugin_type: 'datasource',
      PLUGIN_PROTOCOL_VERSIONS: '2',
      PLUGIN_MIN_PORT: '10000',
      PLUGIN_MAX_PORT: '25000',
      GF_VERSION: 'console',
      ...(options.dataFolder === undefined ? {} : { GF_PLUGIN_DATA_PATH: options.dataFolder }),
    },
  });
  const ended = endOf(child);
  createInterface({ input: child.stderr }).on('line', options.onLog);
  try {
    const line = await Promise.race([
      firstLine(child),
      ended.then((end) => Promise.reject(new Error(`the executable ended before its handshake: ${end}`))),
    ]);
    return { address: parseHandshake(line), startedInMs: performance.now() - begin, ended, reap: () => reap(child, ended) };
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
  });
}

function firstLine(child: ChildProcess): Promise<string> {
  const { stdout } = child;
  if (!stdout) return Promise.reject(new Error('the executable has no standard output'));
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no handshake line within ${handshakeTimeoutMs / 1000} s`)), handshakeTimeoutMs);
    createInterface({ input: stdout }).once('line', (line) => {
      clearTimeout(timer);
      resolve(line);
    });
  });
}

/** `core|app|network|address|protocol|…` (go-plugin docs/internals). */
export function parseHandshake(line: string): string {
  const [core, app, network, address, protocol] = line.split('|');
  if (core !== '1' || app !== '2' || protocol !== 'grpc' || !address)
    throw new Error(`not a go-plugin handshake for protocol version 2: ${JSON.stringify(line.slice(0, 200))}`);
  if (network === 'unix') return `unix:${address}`;
  if (network === 'tcp') return address;
  throw new Error(`the handshake names the network ${JSON.stringify(network)}; known are unix and tcp`);
}

async function reap(child: ChildProcess, ended: Promise<string>): Promise<void> {
  const timer = setTimeout(() => child.kill('SIGKILL'), killAfterMs);
  await ended;
  clearTimeout(timer);
}
