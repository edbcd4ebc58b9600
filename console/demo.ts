/** The simulators as a child process, and the settings that describe them. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** All simulators are there within this. */
const readyTimeoutMs = 15_000;
/** The simulators' serial ports, as their options name them. */
const paths = ['serial', 'rtu', 'gps', 'board'] as const;

export interface Demo {
  settings: Record<string, unknown>;
  ports: Ready;
  stop(): Promise<void>;
}

/** The line the simulators print when all are there. Serial ports are missing where this machine cannot simulate them. */
interface Ready {
  mqttPort: number;
  modbusPort: number;
  serialPath?: string;
  rtuPath?: string;
  gpsPath?: string;
  /** Missing too where there is no compiler for it. */
  boardPath?: string;
}

/** Starts `simulators/main.ts` on ports of its own, with `faults` those that misbehave too. Throws with a sentence if it does not come up. */
export async function startDemo(root: string, faults = false): Promise<Demo> {
  const folder = mkdtempSync(join(tmpdir(), 'fieldgate-demo-'));
  const ports = ['--mqtt-port', '0', '--modbus-port', '0', ...paths.flatMap((name) => [`--${name}-path`, join(folder, name)])];
  const args = [join(root, 'simulators/main.ts'), ...ports, ...(faults ? ['--faults'] : [])];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
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
    settings: withPorts(
      JSON.parse(readFileSync(join(root, faults ? 'simulators/gateway-faults.json' : 'simulators/gateway.json'), 'utf8')),
      ready,
    ),
    async stop() {
      child.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

interface Connection {
  id: string;
  kind: string;
  url?: string;
  path?: string;
  transport?: { type: string; port?: number; path?: string };
}

/** The settings file names the usual ports; this run's are put in their place. What is not simulated here is left out. */
function withPorts(settings: { connections: Connection[]; devices: { connection: string }[] }, ready: Ready): Record<string, unknown> {
  const { mqttPort, modbusPort, serialPath, rtuPath, gpsPath, boardPath } = ready;
  const serialPaths: Record<string, string | undefined> = { uno: serialPath, gps: gpsPath, board: boardPath };
  const connections = settings.connections.flatMap((connection): Connection[] => {
    const { kind, transport } = connection;
    if (kind === 'mqtt') return [{ ...connection, url: `mqtt://127.0.0.1:${mqttPort}` }];
    const path = serialPaths[connection.id];
    if (kind === 'serial') return path === undefined ? [] : [{ ...connection, path }];
    if (transport?.type === 'rtu') return rtuPath === undefined ? [] : [{ ...connection, transport: { ...transport, path: rtuPath } }];
    return [transport ? { ...connection, transport: { ...transport, port: modbusPort } } : connection];
  });
  const there = new Set(connections.map(({ id }) => id));
  return { ...settings, connections, devices: settings.devices.filter(({ connection }) => there.has(connection)) };
}
