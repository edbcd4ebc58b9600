/** The simulators as a child process, and the settings that describe them. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Both simulators listen within this. */
const readyTimeoutMs = 15_000;

export interface Demo {
  settings: Record<string, unknown>;
  ports: Ready;
  stop(): Promise<void>;
}

/** The line the simulators print when both listen. */
interface Ready {
  mqttPort: number;
  modbusPort: number;
}

/** Starts `simulators/main.ts` on free ports. Throws with a sentence if it does not come up. */
export async function startDemo(root: string): Promise<Demo> {
  const child = spawn(process.execPath, [join(root, 'simulators/main.ts'), '--mqtt-port', '0', '--modbus-port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const ready = await new Promise<Ready>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the simulators did not come up within 15 s')), readyTimeoutMs);
    void ended.then(() => reject(new Error('the simulators ended at once')));
    createInterface({ input: child.stdout }).once('line', (line) => {
      clearTimeout(timer);
      resolve(JSON.parse(line) as Ready);
    });
  });
  return {
    ports: ready,
    settings: withPorts(JSON.parse(readFileSync(join(root, 'simulators/gateway.json'), 'utf8')), ready),
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** The settings file names the usual ports; this run's are put in their place. */
function withPorts(
  settings: { connections: { kind: string; url?: string; transport?: { port?: number } }[] },
  ready: Ready,
): Record<string, unknown> {
  for (const connection of settings.connections) {
    if (connection.kind === 'mqtt') connection.url = `mqtt://127.0.0.1:${ready.mqttPort}`;
    if (connection.kind === 'modbus' && connection.transport) connection.transport.port = ready.modbusPort;
  }
  return settings as unknown as Record<string, unknown>;
}
