/** Where the host finds us: a Unix socket in a folder that only this user can enter; on Windows a TCP port of the loopback. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Server, ServerCredentials } from '@grpc/grpc-js';
import { messageOf } from '../contract/fault.ts';
import { limits } from '../contract/limits.ts';
import type { Log } from '../contract/log.ts';
import { type Address, Refusal } from './handshake.ts';

export interface Door extends Address {
  /** Removes the socket and its folder; any number of times. The server is closed before. */
  remove(): void;
}

/** Makes the server listen. Throws a `Refusal` if it can listen nowhere. */
export async function openDoor(server: Server, env: NodeJS.ProcessEnv, platform: NodeJS.Platform, log: Log): Promise<Door> {
  return platform === 'win32' ? await tcpDoor(server, env) : await unixDoor(server, env, log);
}

/** Grafana's folder if it names one, else the system's for temporary files: with an empty environment that is /tmp. */
async function unixDoor(server: Server, env: NodeJS.ProcessEnv, log: Log): Promise<Door> {
  const given = env.PLUGIN_UNIX_SOCKET_DIR;
  if (given) {
    try {
      return await listenIn(given, server);
    } catch (error) {
      // Host and plugin see the same files, so another place does as well.
      log.warn('PLUGIN_UNIX_SOCKET_DIR cannot be used; the socket is among the temporary files', {
        folder: given,
        error: messageOf(error),
      });
    }
  }
  try {
    return await listenIn(tmpdir(), server);
  } catch (error) {
    throw new Refusal(
      `No Unix socket could be opened in ${tmpdir()}: ${messageOf(error)}. Allowed in PLUGIN_UNIX_SOCKET_DIR is another, writable folder.`,
    );
  }
}

async function listenIn(parent: string, server: Server): Promise<Door> {
  const folder = makeFolder(parent);
  const address = join(folder, 'fieldgate.sock');
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    if (Buffer.byteLength(address) > limits.socketPathBytesMax) {
      throw new Error(`${address} is longer than the ${limits.socketPathBytesMax} bytes a socket's path may have`);
    }
    await bind(server, `unix:${address}`);
    return { network: 'unix', address, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

function makeFolder(parent: string): string {
  const folder = mkdtempSync(join(parent, 'fieldgate-'));
  chmodSync(folder, 0o700);
  return folder;
}

/** The host gives a range because firewalls are told about it. */
async function tcpDoor(server: Server, env: NodeJS.ProcessEnv): Promise<Door> {
  const first = portOf(env.PLUGIN_MIN_PORT, 10_000);
  const last = portOf(env.PLUGIN_MAX_PORT, 25_000);
  for (let port = first; port <= last; port++) {
    try {
      await bind(server, `127.0.0.1:${port}`);
      return { network: 'tcp', address: `127.0.0.1:${port}`, remove: () => undefined };
    } catch {
      // Taken: the next one.
    }
  }
  throw new Refusal(`No free port on 127.0.0.1 between ${first} (PLUGIN_MIN_PORT) and ${last} (PLUGIN_MAX_PORT).`);
}

function portOf(text: string | undefined, otherwise: number): number {
  const port = Number(text ?? otherwise);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new Refusal(`${JSON.stringify(text)} is not a port; allowed are 1 to 65535.`);
  return port;
}

function bind(server: Server, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    // Clear text: who can open the socket is settled by the folder's mode, and Grafana speaks no TLS to plugins (facts/grafana.md §8.2).
    server.bindAsync(address, ServerCredentials.createInsecure(), (error) => (error ? reject(error) : resolve()));
  });
}
