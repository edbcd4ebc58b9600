/**
 * Samples a second through the gateway's own work: value pipeline, last value, report rule, hub with one viewer, batching; the store
 * takes them and does nothing. Beside it the same number of bare calls of the pipeline, as what arithmetic alone costs. Counted in the
 * process's own CPU time, so that what else the machine does is left out.
 */
import { systemClock } from '../src/contract/clock.ts';
import { type Point, pointSchema } from '../src/contract/device.ts';
import type { Driver, Reading } from '../src/contract/driver.ts';
import { silentLog } from '../src/contract/log.ts';
import { Hub } from '../src/gateway/hub.ts';
import { Intake } from '../src/gateway/intake.ts';
import { News } from '../src/gateway/news.ts';
import { Pipeline } from '../src/gateway/pipeline.ts';
import { Plant } from '../src/gateway/plant.ts';
import type { Store } from '../src/store/store.ts';

const devices = 100;
const pointsOfOne = 100;
const rounds = 100;
const turns = 5;
const shape = { type: 'integer', min: -32_768n, max: 32_767n } as const;

const nothing: Pick<Store, 'append' | 'appendConnectivity' | 'flush'> = {
  append: () => Promise.resolve(),
  appendConnectivity: () => Promise.resolve(),
  flush: () => Promise.resolve(),
};
const deps = { key: 'bench', store: nothing as Store, clock: systemClock, log: silentLog };
const plant = new Plant({ ...deps, news: new News(silentLog) });
const hub = new Hub(silentLog);
const intake = new Intake({ ...deps, plant, hub });
intake.retentionMs = 86_400_000;
let delivered = 0;
hub.subscribe((samples) => {
  delivered += samples.length;
});

const { interval: _, ...filled } = pointSchema.parse({ id: 'p', address: null, scale: 0.1, invalid: [-32768], min: -1000, max: 4000 });
const points: Point[][] = Array.from({ length: devices }, (__, d) =>
  Array.from({ length: pointsOfOne }, (___, p) => ({ ...filled, id: `p${p}`, device: `d${d}`, address: null, intervalMs: 1_000 })),
);
const driver = { shape: () => shape } as unknown as Driver;
for (const [d, list] of points.entries()) {
  plant.place({ id: `d${d}`, title: '', connection: 'c', address: null, labels: {}, points: list, actions: [] }, driver);
}

const samples = devices * pointsOfOne * rounds;
const requests: Reading[][] = points.map((list) => list.map((point, index) => ({ point, value: index, reason: '' })));

async function whole(): Promise<number> {
  const before = process.cpuUsage();
  for (let round = 0; round < rounds; round += 1) {
    for (const readings of requests) {
      for (const reading of readings) reading.value = round;
      intake.take(readings);
    }
    // As between two polls: the event loop turns.
    await new Promise((resolve) => setImmediate(resolve));
  }
  await intake.close();
  return perSecond(before);
}

function bare(): number {
  const pipeline = new Pipeline(points[0]?.[0] as Point, shape);
  const before = process.cpuUsage();
  let sum = 0;
  for (let count = 0; count < samples; count += 1) sum += pipeline.value(count & 1023).value as number;
  if (sum < 0) throw new Error('no sums');
  return perSecond(before);
}

function perSecond(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return samples / ((user + system) / 1e6);
}

await whole();
bare();
delivered = 0;
const [through, arithmetic]: [number[], number[]] = [[], []];
for (let turn = 0; turn < turns; turn += 1) {
  through.push(await whole());
  arithmetic.push(bare());
}
if (delivered !== samples * turns) throw new Error(`${delivered} of ${samples * turns} samples were delivered`);
const median = (rates: number[]) => rates.toSorted((a, b) => a - b)[Math.floor(rates.length / 2)] ?? 0;
const thousands = (rate: number) => `${Math.round(rate / 1_000).toLocaleString('en')} k samples/s`;
console.log(`gateway, pipeline to hub and store  ${thousands(median(through))}, median of ${turns} turns`);
console.log(`pipeline alone                      ${thousands(median(arithmetic))}`);
console.log(`ratio                               ${(median(through) / median(arithmetic)).toFixed(2)}`);
