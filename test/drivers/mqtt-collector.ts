/**
 * Collects from a broker into a history on disk until it is killed: `node mqtt-collector.ts <folder> <settings as JSON>`. Prints `ready` when the broker
 * is connected; to every line it is sent it says how many different values it has, and the greatest. */
import { createInterface } from 'node:readline';
import { drivers } from '../../drivers/index.ts';
import { systemClock } from '../../src/contract/clock.ts';
import { silentLog } from '../../src/contract/log.ts';
import { nothingBuiltIn } from '../../src/datasource/built-in.ts';
import { createDatasource } from '../../src/datasource/datasource.ts';
import { openStore } from '../../src/store/open.ts';

const [folder = '', settings = ''] = process.argv.slice(2);
const store = openStore({ folder, clock: systemClock, log: silentLog });
const datasource = createDatasource({
  store,
  drivers,
  builtIn: nothingBuiltIn,
  clock: systemClock,
  random: Math.random,
  log: silentLog,
  version: '0.0.0-test',
});
const instance = { id: 7, uid: 'plant', name: 'Plant', jsonData: Buffer.from(settings), secureJsonData: {}, lastUpdatedMs: 1 };
const health = await datasource.checkHealth({ orgId: 1, pluginId: 'fieldgate-iot-datasource', instance });
process.stdout.write(`ready ${health.status} ${health.message.replaceAll('\n', ' ')}\n`);
const everything = { fromNs: 0n, toNs: 2n ** 62n };
createInterface({ input: process.stdin })
  .on('line', async () => {
    const options = { quality: 'all', rowsMax: 10_000_000 } as const;
    const found = await store.range('1/plant', [{ device: 'counter', point: 'n' }], everything, options, new AbortController().signal);
    const values = new Set(found.flatMap(({ columns }) => [...(columns.values as Float64Array)]));
    process.stdout.write(`${values.size} ${values.size === 0 ? 0 : [...values].reduce((a, b) => Math.max(a, b))}\n`);
  })
  .on('close', () => process.exit());
