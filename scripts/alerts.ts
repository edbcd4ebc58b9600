/**
 * Makes each provisioned alert rule fire in an installed Grafana, on the simulators behind a wire that is made bad, and go back to normal.
 * Usage: GRAFANA_HOME=/usr/share/grafana node scripts/alerts.ts. It takes about six minutes: rules look back a minute.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startDemo } from '../console/demo.ts';
import { freePort, writeConfig } from '../console/grafana-config.ts';
import { answers, ask, type GrafanaAt } from '../console/grafana-http.ts';
import { placesOf, startGrafana, stopGrafana } from '../console/in-grafana.ts';
import { startFaultyWire } from './faulty-wire.ts';

interface Rule {
  name: string;
  state: 'inactive' | 'pending' | 'firing';
  health: string;
  alerts?: { state: string; labels: Record<string, string>; annotations: Record<string, string> }[];
}

const root = join(import.meta.dirname, '..');
const startTimeoutMs = 120_000;
/** Rules are evaluated every 10 s over a minute, must hold for 20 s, and the boiler has to get hot first. */
const patienceMs = 300_000;
const betweenMs = 2_000;
/** With seven requests a second, one at a time, a bus that is busy all the time. */
const slowMs = 200;

const home = process.env.GRAFANA_HOME;
if (home === undefined) throw new Error('GRAFANA_HOME is not set; it is the folder of an installed Grafana');
const folder = mkdtempSync(join(tmpdir(), 'fieldgate-alerts-'));
const demo = await startDemo(root);
const wire = await startFaultyWire(demo.ports.modbusPort);
const at = writeConfig({ folder, root, serial: false, port: await freePort() });
const places = { ...placesOf(demo), FIELDGATE_MODBUS_PORT: String(wire.port), FIELDGATE_DASHBOARDS: join(root, 'provisioning/dashboards') };
const grafana = startGrafana(home, at, places);
const startedMs = performance.now();
try {
  if ((await answers(at, startTimeoutMs)) !== 'ready') throw new Error('Grafana did not answer');
  await all('is quiet while all is well', ['inactive'], undefined);

  await command(at, 'setpoint', 85, 'verified');
  wire.swallowsWrites = true;
  await command(at, 'pump', 'off', 'unknown');
  wire.swallowsWrites = false;
  wire.delayMs = slowMs;
  await all('fires', ['firing'], ['Command failed', 'Bus overloaded', 'Boiler flow too hot']);
  wire.delayMs = 0;
  await command(at, 'setpoint', 55, 'verified');

  wire.spoilsInputs = true;
  await all('fires', ['firing'], ['Readings bad']);
  wire.spoilsInputs = false;

  wire.cut();
  await all('fires', ['firing'], ['Device offline', 'Sensor silent']);
  wire.mend();
  await all('is quiet again', ['inactive'], undefined);
} finally {
  await stopGrafana(grafana);
  await wire.close();
  await demo.stop();
  rmSync(folder, { recursive: true, force: true });
}

/** Waits until each of these rules (all, if none are named) is so; prints each with its instances as it comes. */
async function all(what: string, states: readonly Rule['state'][], names: readonly string[] | undefined): Promise<void> {
  const deadline = performance.now() + patienceMs;
  const waiting = new Set(names ?? (await rulesOf(at)).map(({ name }) => name));
  for (;;) {
    for (const { name, state, health, alerts = [] } of await rulesOf(at)) {
      if (!waiting.has(name) || health !== 'ok' || !states.includes(state)) continue;
      waiting.delete(name);
      const seconds = Math.round((performance.now() - startedMs) / 1_000);
      const said = alerts.filter((one) => one.state === 'Alerting').map(({ annotations }) => annotations.summary);
      console.log(`${String(seconds).padStart(4)} s  ${name} ${what}${said.length > 0 ? `: ${said.join(' ')}` : ''}`);
    }
    if (waiting.size === 0) return;
    if (performance.now() > deadline) throw new Error(`${[...waiting].join(', ')} after ${patienceMs / 1_000} s: not one ${what}`);
    await sleep(betweenMs);
  }
}

async function rulesOf(grafana: GrafanaAt): Promise<Rule[]> {
  const { data } = (await ask(grafana, 'GET', '/api/prometheus/grafana/api/v1/rules')) as { data: { groups: { rules: Rule[] }[] } };
  return data.groups.flatMap(({ rules }) => rules);
}

/** Sends until it ends so: in the first moments the device is not connected yet. */
async function command(grafana: GrafanaAt, point: string, value: unknown, expected: 'verified' | 'unknown'): Promise<void> {
  const path = `/api/datasources/uid/fieldgate/resources/devices/boiler/points/${point}`;
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const answer = (await ask(grafana, 'POST', path, { value })) as { state?: string };
    if (answer.state === expected) return console.log(`        boiler.${point} = ${JSON.stringify(value)}: ${expected}`);
    if (performance.now() > deadline) throw new Error(`boiler.${point} = ${JSON.stringify(value)}: ${JSON.stringify(answer)}`);
    await sleep(betweenMs);
  }
}
