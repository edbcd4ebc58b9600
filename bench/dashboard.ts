/**
 * A dashboard of 20 panels over 24 h of values once a second, through an installed Grafana: how long the server takes for all its queries, each panel a
 * request as the front end sends them, six at a time as a browser does. Beside it the same dashboard on Grafana's own TestData source, which makes its
 * values up. Usage: GRAFANA_HOME=/usr/share/grafana node bench/dashboard.ts
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDemo } from '../console/demo.ts';
import { freePort, writeConfig } from '../console/grafana-config.ts';
import { answers, ask, type GrafanaAt } from '../console/grafana-http.ts';
import { placesOf, startGrafana, stopGrafana } from '../console/in-grafana.ts';
import { systemClock as clock } from '../src/contract/clock.ts';
import { silentLog as log } from '../src/contract/log.ts';
import { openStore } from '../src/store/open.ts';
import type { Entry } from '../src/store/store.ts';

const panels = 20;
const seconds = 86_400;
const rounds = 5;
const atOnce = 6;
const startTimeoutMs = 120_000;
const root = join(import.meta.dirname, '..');

const home = process.env.GRAFANA_HOME;
if (home === undefined) throw new Error('GRAFANA_HOME is not set; it is the folder of an installed Grafana');
const folder = mkdtempSync(join(tmpdir(), 'fieldgate-dashboard-'));
const toMs = Date.now();
await fill(join(folder, 'fieldgate'));
const demo = await startDemo(root);
const at = writeConfig({ folder, root, serial: false, port: await freePort() });
const grafana = startGrafana(home, at, { ...placesOf(demo), FIELDGATE_DASHBOARDS: join(root, 'provisioning/dashboards') });
try {
  if ((await answers(at, startTimeoutMs)) !== 'ready') throw new Error('Grafana did not answer');
  const made = (await ask(at, 'POST', '/api/datasources', { name: 'TestData', type: 'grafana-testdata-datasource', access: 'proxy' })) as {
    datasource: { uid: string };
  };
  const peer = { datasource: { uid: made.datasource.uid, type: 'grafana-testdata-datasource' }, scenarioId: 'random_walk' };
  const own = { datasource: { uid: 'fieldgate', type: 'fieldgate-iot-datasource' }, queryType: 'telemetry', points: ['value'] };
  const kinds: Record<string, (panel: number) => object> = {
    'TestData random walk': () => peer,
    'Fieldgate, one average a pixel': (panel) => ({ ...own, devices: [`meter-${panel}`], aggregate: 'avg' }),
    'Fieldgate, raw, reduced to pixels': (panel) => ({ ...own, devices: [`meter-${panel}`], reduce: 'min-max' }),
  };
  const times = Object.fromEntries(Object.keys(kinds).map((kind) => [kind, [] as number[]]));
  const rows: Record<string, number> = {};
  // The first round fills caches and is not counted.
  for (let round = 0; round <= rounds; round++)
    for (const [kind, query] of Object.entries(kinds)) {
      const startMs = performance.now();
      rows[kind] = await dashboard(at, query);
      if (round > 0) times[kind]?.push(performance.now() - startMs);
    }
  for (const [kind, list] of Object.entries(times)) {
    const middle = list.sort((one, other) => one - other)[Math.floor(rounds / 2)] ?? Number.NaN;
    console.log(`${kind}: ${Math.round(middle)} ms for ${panels} panels, ${rows[kind]} rows (median of ${rounds})`);
  }
} finally {
  await stopGrafana(grafana);
  await demo.stop();
  rmSync(folder, { recursive: true, force: true });
}

/** All panels, some at once; resolves to the rows that came. */
async function dashboard(grafana: GrafanaAt, query: (panel: number) => object): Promise<number> {
  const waiting = Array.from({ length: panels }, (_, panel) => panel);
  let rows = 0;
  async function line(): Promise<void> {
    for (let panel = waiting.shift(); panel !== undefined; panel = waiting.shift()) {
      const queries = [{ refId: 'A', intervalMs: 60_000, maxDataPoints: 1_000, ...query(panel) }];
      const { results } = (await ask(grafana, 'POST', '/api/ds/query', {
        queries,
        from: String(toMs - seconds * 1_000),
        to: String(toMs),
      })) as {
        results: { A: { error?: string; frames?: { data: { values: unknown[][] } }[] } };
      };
      if (results.A.error !== undefined) throw new Error(results.A.error);
      for (const { data } of results.A.frames ?? []) rows += data.values[0]?.length ?? 0;
    }
  }
  await Promise.all(Array.from({ length: atOnce }, line));
  return rows;
}

/** As a gateway would have recorded it: a walk by hundredths, all devices in turn. */
async function fill(data: string): Promise<void> {
  const store = openStore({ folder: data, clock, log });
  const walk = new Float64Array(panels).fill(2_000);
  const batch = 500;
  for (let done = 0; done < seconds; done += batch) {
    const entries: Entry[] = [];
    for (let index = done; index < Math.min(done + batch, seconds); index++) {
      const timeNs = BigInt(toMs - (seconds - index) * 1_000) * 1_000_000n;
      for (let panel = 0; panel < panels; panel++) {
        walk[panel] = (walk[panel] ?? 0) + Math.round((Math.random() - 0.5) * 20);
        const sample = { timeNs, arrivalNs: timeNs, value: (walk[panel] ?? 0) / 100, quality: 'good' as const, reason: '' as const };
        entries.push({ key: { device: `meter-${panel}`, point: 'value' }, kind: 'double', sample });
      }
    }
    await store.append('1/fieldgate', entries, { now: true });
  }
  await store.close();
}
