/**
 * `GRAFANA_HOME=/usr/share/grafana npm start`: a Grafana of its own from an installed one, with the plugin, the simulators and what
 * `provisioning/` describes. Everything it writes is in a temporary folder; nothing of the installed Grafana is changed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Demo, startDemo } from './demo.ts';
import { freePort, writeConfig } from './grafana-config.ts';
import { answers, checkGrafana, type GrafanaAt } from './grafana-http.ts';

/** A first start makes Grafana's database; on a slow disk that takes most of a minute. */
const startTimeoutMs = 120_000;
const stopTimeoutMs = 10_000;
/** As many lines of Grafana's log as tell why it ended. */
const logLines = 20;

/** Resolves to the exit code: after Ctrl-C, or with `once` after one check through Grafana's HTTP API. */
export async function inGrafana(root: string, home: string, options: { once: boolean; port: number }): Promise<number> {
  binaryOf(home);
  const interrupted = new Promise<'interrupted'>((done) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => done('interrupted'));
  });
  const folder = mkdtempSync(join(tmpdir(), 'fieldgate-grafana-'));
  let demo: Demo | undefined;
  let grafana: ChildProcess | undefined;
  try {
    demo = await startDemo(root);
    const serial = [demo.ports.serialPath, demo.ports.rtuPath, demo.ports.gpsPath].every((path) => path !== undefined);
    const at = writeConfig({ folder, root, serial, port: options.port === 0 ? await freePort() : options.port });
    grafana = startGrafana(home, at, { ...placesOf(demo), FIELDGATE_DASHBOARDS: join(root, 'provisioning/dashboards') });
    const ended = endOf(grafana);
    const began = await Promise.race([answers(at, startTimeoutMs), ended, interrupted]);
    if (began === 'interrupted') return 0;
    if (began !== 'ready') throw new Error(`${began}; its log ends with\n${endOfLog(at)}`);
    console.log(`Grafana is at ${at.url}/d/fieldgate\nuser ${at.user}, password ${at.password}`);
    if (options.once) {
      const checked = await Promise.race([
        checkGrafana(at, serial ? ['fieldgate', 'fieldgate-serial'] : ['fieldgate']),
        ended,
        interrupted,
      ]);
      if (typeof checked === 'number') return checked;
      throw new Error(`${checked} during the check`);
    }
    console.log('Ctrl-C ends it, with the simulators and all that it wrote.');
    const end = await Promise.race([ended, interrupted]);
    if (end !== 'interrupted') throw new Error(`${end}; its log ends with\n${endOfLog(at)}`);
    return 0;
  } finally {
    await stopGrafana(grafana);
    await demo?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Throws with a sentence if there is none. */
function binaryOf(home: string): string {
  const binary = ['bin/grafana', 'bin/grafana.exe'].map((name) => resolve(home, name)).find((path) => existsSync(path));
  if (binary === undefined) throw new Error(`GRAFANA_HOME=${home} has no bin/grafana; allowed is the folder of an installed Grafana`);
  return binary;
}

/** `env` says where the simulators are (`placesOf`) and where the dashboards. Whoever starts it ends it with `stopGrafana`. */
export function startGrafana(home: string, at: GrafanaAt, env: Record<string, string>): ChildProcess {
  return spawn(binaryOf(home), ['server', '--homepath', resolve(home), '--config', at.config], {
    stdio: ['ignore', 'ignore', 'inherit'],
    // In a group of its own, so that Ctrl-C comes to us alone and the simulators outlive it by a moment.
    detached: process.platform !== 'win32',
    env: { ...process.env, ...env },
  });
}

/** A sentence, when it has ended. */
function endOf(grafana: ChildProcess): Promise<string> {
  return new Promise((done) => {
    grafana.once('error', ({ message }) => done(`Grafana did not start: ${message}`));
    grafana.once('exit', (code, signal) => done(`Grafana ended with ${signal ?? `exit code ${code}`}`));
  });
}

/** What the files of `provisioning/datasources` ask their environment: where this run's simulators are. */
export function placesOf({ ports }: Demo): Record<string, string> {
  return {
    FIELDGATE_MQTT_URL: `mqtt://127.0.0.1:${ports.mqttPort}`,
    FIELDGATE_MODBUS_HOST: '127.0.0.1',
    FIELDGATE_MODBUS_PORT: String(ports.modbusPort),
    FIELDGATE_SERIAL_PATH: ports.serialPath ?? '',
    FIELDGATE_RTU_PATH: ports.rtuPath ?? '',
    FIELDGATE_GPS_PATH: ports.gpsPath ?? '',
  };
}

function endOfLog(at: GrafanaAt): string {
  return existsSync(at.log) ? readFileSync(at.log, 'utf8').trimEnd().split('\n').slice(-logLines).join('\n') : '(there is none)';
}

/** Grafana ends its plugins when asked to; one that does not listen is killed. */
export async function stopGrafana(grafana: ChildProcess | undefined): Promise<void> {
  if (grafana?.pid === undefined || grafana.exitCode !== null || grafana.signalCode !== null) return;
  const ended = new Promise<void>((done) => grafana.once('exit', () => done()));
  grafana.kill('SIGTERM');
  const timer = setTimeout(() => grafana.kill('SIGKILL'), stopTimeoutMs);
  await ended;
  clearTimeout(timer);
}
