/** Shopify's toxiproxy between a client and a server: a wire with faults that somebody else made. */
import { goProgram } from './go.ts';
import { answers, freePort, spawnBound } from './mosquitto.ts';

/** What is wrong with the wire, in toxiproxy's own words. */
export type Toxic =
  | { type: 'latency'; attributes: { latency: number; jitter: number } }
  | { type: 'slicer'; attributes: { average_size: number; size_variation: number; delay: number } }
  /** Nothing comes through and nothing is closed (0 ms: for ever). */
  | { type: 'timeout'; attributes: { timeout: number } }
  | { type: 'reset_peer'; attributes: { timeout: number } }
  /** Closed after so many bytes, wherever in a packet that is. */
  | { type: 'limit_data'; attributes: { bytes: number } };

export interface Toxiproxy {
  readonly port: number;
  /** From now on, in both directions unless `stream` says one: upstream is from the client to the server. */
  poison(toxic: Toxic, stream?: 'upstream' | 'downstream'): Promise<void>;
  cure(): Promise<void>;
  /** Ends what is open and takes nothing new, or takes it again. */
  enable(isEnabled: boolean): Promise<void>;
  close(): Promise<void>;
}

const startWithinMs = 10_000;

export async function startToxiproxy(toPort: number): Promise<Toxiproxy> {
  const [program, api, port] = [await goProgram('toxiproxy'), await freePort(), await freePort()];
  const child = spawnBound(program, ['-host', '127.0.0.1', '-port', String(api)], { stdio: 'ignore', env: { LOG_LEVEL: 'error' } });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  for (const untilMs = Date.now() + startWithinMs; !(await answers(api)); ) {
    if (child.exitCode !== null || Date.now() > untilMs) throw new Error('toxiproxy did not start');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const ask = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`http://127.0.0.1:${api}${path}`, { method, ...(body ? { body: JSON.stringify(body) } : {}) });
    if (!response.ok) throw new Error(`toxiproxy: ${method} ${path}: ${await response.text()}`);
  };
  const names = new Set<string>();
  await ask('POST', '/proxies', { name: 'wire', listen: `127.0.0.1:${port}`, upstream: `127.0.0.1:${toPort}`, enabled: true });
  return {
    port,
    async poison(toxic, stream) {
      for (const each of stream ? [stream] : ['upstream', 'downstream']) {
        const name = `${toxic.type}-${each}`;
        await ask('POST', '/proxies/wire/toxics', { name, stream: each, toxicity: 1, ...toxic });
        names.add(name);
      }
    },
    async cure() {
      for (const name of names) await ask('DELETE', `/proxies/wire/toxics/${name}`);
      names.clear();
    },
    enable: (enabled) => ask('POST', '/proxies/wire', { enabled }),
    async close() {
      child.kill('SIGKILL');
      await gone;
    },
  };
}
