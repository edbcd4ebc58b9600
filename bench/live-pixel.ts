/**
 * From the wire to the pixel: how long after a publisher sends a value a stat panel of an installed Grafana shows it, in headless Chromium with a live
 * query. Through the broker, the plugin, Grafana Live's WebSocket and the panel. Usage: GRAFANA_HOME=/usr/share/grafana node bench/live-pixel.ts
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectAsync } from 'mqtt';
import { chromium } from 'playwright-core';
import { startDemo } from '../console/demo.ts';
import { freePort, writeConfig } from '../console/grafana-config.ts';
import { answers, ask } from '../console/grafana-http.ts';
import { placesOf, startGrafana, stopGrafana } from '../console/in-grafana.ts';

const values = 200;
const leastGapMs = 120;
const moreGapMs = 160;
const shownTimeoutMs = 10_000;
const startTimeoutMs = 120_000;
/** Six digits, so that no other text of the page is one of them. */
const firstValue = 700_001;
const root = join(import.meta.dirname, '..');

const home = process.env.GRAFANA_HOME;
if (home === undefined) throw new Error('GRAFANA_HOME is not set; it is the folder of an installed Grafana');
const folder = mkdtempSync(join(tmpdir(), 'fieldgate-pixel-'));
const demo = await startDemo(root);
const at = writeConfig({ folder, root, serial: false, port: await freePort() });
const grafana = startGrafana(home, at, { ...placesOf(demo), FIELDGATE_DASHBOARDS: join(root, 'provisioning/dashboards') });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
});
try {
  if ((await answers(at, startTimeoutMs)) !== 'ready') throw new Error('Grafana did not answer');
  const broker = `mqtt://127.0.0.1:${demo.ports.mqttPort}`;
  const points = [{ id: 'value', address: { topic: 'bench/probe' } }];
  const jsonData = {
    version: 1,
    connections: [{ id: 'broker', kind: 'mqtt', url: broker, protocolVersion: 4 }],
    devices: [{ id: 'probe', connection: 'broker', points }],
  };
  const type = 'fieldgate-iot-datasource';
  await ask(at, 'POST', '/api/datasources', { name: 'Probe', uid: 'probe', type, access: 'proxy', jsonData });
  const panel = {
    id: 1,
    type: 'stat',
    title: 'Probe',
    gridPos: { x: 0, y: 0, w: 24, h: 12 },
    datasource: { uid: 'probe', type },
    targets: [{ refId: 'A', queryType: 'telemetry', devices: ['probe'], live: true }],
    options: { graphMode: 'none', reduceOptions: { calcs: ['lastNotNull'] } },
  };
  await ask(at, 'POST', '/api/dashboards/db', {
    dashboard: { uid: 'pixel', title: 'Pixel', panels: [panel], time: { from: 'now-1m', to: 'now' } },
  });
  const client = await connectAsync(broker);
  const page = await (await browser.newContext()).newPage();
  await page.context().request.post(`${at.url}/login`, { data: { user: at.user, password: at.password } });
  const send = (value: number) => client.publishAsync('bench/probe', String(value));
  // The settings run from the first question on.
  await ask(at, 'GET', '/api/datasources/uid/probe/health');
  await page.goto(`${at.url}/d/pixel?kiosk`);
  const first = page.getByText(String(firstValue - 1));
  for (let round = 0; round < shownTimeoutMs / 100 && !(await first.isVisible()); round++) {
    await send(firstValue - 1);
    await sleep(500);
  }
  if (!(await first.isVisible())) throw new Error('the first value is not on the screen');
  // What is on the screen, looked at before each frame is drawn.
  await page.evaluate(`
    window.seen = {};
    (function look() {
      const text = document.querySelector('main')?.textContent ?? '';
      for (const [value] of text.matchAll(/7\\d{5}/g)) window.seen[value] ??= performance.timeOrigin + performance.now();
      requestAnimationFrame(look);
    })()`);
  const sent = new Map<string, number>();
  for (let value = firstValue; value < firstValue + values; value++) {
    sent.set(String(value), performance.timeOrigin + performance.now());
    await send(value);
    await sleep(leastGapMs + Math.random() * moreGapMs);
  }
  await page.getByText(String(firstValue + values - 1)).waitFor({ timeout: shownTimeoutMs });
  const seen = await page.evaluate<Record<string, number>>('window.seen');
  const times = [...sent]
    .flatMap(([text, sentMs]) => (seen[text] === undefined ? [] : [seen[text] - sentMs]))
    .sort((one, other) => one - other);
  const share = (part: number) => Math.round(times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? Number.NaN);
  console.log(
    `wire to pixel: p50 ${share(0.5)} ms, p99 ${share(0.99)} ms, most ${share(1)} ms; ${times.length} of ${values} values were on the screen`,
  );
  await client.endAsync();
} finally {
  await browser.close();
  await stopGrafana(grafana);
  await demo.stop();
  rmSync(folder, { recursive: true, force: true });
}
