/**
 * The config editor with 500 devices, in headless Chromium with the built module and the executable: until one can type into it, until a search
 * has its answer, until a device is open. Beside it the same page with 5 devices, which is what the page itself costs.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { openStudio } from '../test/browser/chromium.ts';

const rounds = 3;

const plant = (count: number) => ({
  version: 1,
  // Nothing listens there: what is measured is the page.
  connections: [{ id: 'plc', kind: 'modbus', transport: { type: 'tcp', host: '127.0.0.1', port: 1 } }],
  devices: Array.from({ length: count }, (_, index) => ({
    id: `meter-${index}`,
    connection: 'plc',
    address: { unitId: (index % 247) + 1 },
    points: Array.from({ length: 4 }, (_point, at) => ({ id: `p${at}`, address: { table: 'input', register: at }, unit: 'watt' })),
  })),
});

/** The page that plays Grafana is three times as large as all of ours: what is ours begins when it asks for the module. */
const sinceAsked = `performance.now() - performance.getEntriesByType('resource').find(({ name }) => name.endsWith('/module.js')).startTime`;

const median = (times: number[]) => Math.round(times.sort((one, other) => one - other)[Math.floor(times.length / 2)] ?? Number.NaN);

for (const count of [5, 500]) {
  const studio = await openStudio(plant(count));
  try {
    const times: Record<'interactive' | 'own' | 'search' | 'open', number[]> = { interactive: [], own: [], search: [], open: [] };
    for (let round = 0; round < rounds; round++) {
      const startMs = performance.now();
      const page = await studio.open('show=config');
      const search = page.getByRole('textbox', { name: 'Search devices' });
      await search.fill('meter-');
      times.interactive.push(performance.now() - startMs);
      times.own.push(await page.evaluate<number>(sinceAsked));
      const typedMs = performance.now();
      await search.fill(`meter-${count - 1}`);
      await page.getByRole('heading', { name: `Devices (1 of ${count})` }).waitFor();
      times.search.push(performance.now() - typedMs);
      const clickedMs = performance.now();
      await page
        .getByRole('article', { name: `meter-${count - 1}`, exact: true })
        .getByRole('button', { expanded: false })
        .first()
        .click();
      await page.getByRole('region', { name: `Points of meter-${count - 1}` }).waitFor();
      times.open.push(performance.now() - clickedMs);
      await page.close();
    }
    console.log(
      `${String(count).padStart(3)} devices: ${median(times.interactive)} ms until one can type (${median(times.own)} ms since the plugin was asked for), ${median(times.search)} ms a search, ${median(times.open)} ms to open a device (median of ${rounds})`,
    );
  } finally {
    await studio.close();
  }
}
const plugin = join(import.meta.dirname, '../dist/fieldgate-iot-datasource');
const when = {
  module: 'with every dashboard',
  query: 'with a query editor',
  config: 'with the config editor',
  transfer: 'with an import or export',
};
for (const [name, wanted] of Object.entries(when)) {
  const script = readFileSync(join(plugin, `${name}.js`));
  console.log(
    `${name}.js, ${wanted}: ${(script.length / 1024).toFixed(1)} KiB, ${(gzipSync(script).length / 1024).toFixed(1)} KiB as gzip`,
  );
}
