/**
 * Fills a data folder with samples, so that a benchmark reads what a gateway has recorded and not what a test made up in memory.
 * Usage: node bench/fill.ts <folder> <gateway> <device> <point> <samples> <fromMs> <stepMs>
 */
import { systemClock as clock } from '../src/contract/clock.ts';
import { silentLog as log } from '../src/contract/log.ts';
import { openStore } from '../src/store/open.ts';
import type { Entry } from '../src/store/store.ts';

/** As a gateway gives them: group commits of some thousand samples. */
const batch = 10_000;

const [folder = '', gateway = '', device = '', point = '', ...numbers] = process.argv.slice(2);
const [samples = 0, fromMs = 0, stepMs = 0] = numbers.map(Number);
if (folder === '' || point === '' || !(samples > 0) || !(stepMs > 0))
  throw new Error('usage: fill.ts <folder> <gateway> <device> <point> <samples> <fromMs> <stepMs>');

const store = openStore({ folder, clock, log });
const key = { device, point };
for (let done = 0; done < samples; done += batch) {
  const entries: Entry[] = [];
  for (let index = done; index < Math.min(done + batch, samples); index++) {
    const timeNs = BigInt(fromMs + index * stepMs) * 1_000_000n;
    const value = 20 + 10 * Math.sin(index / 1_000);
    entries.push({ key, kind: 'double', sample: { timeNs, arrivalNs: timeNs, value, quality: 'good', reason: '' } });
  }
  await store.append(gateway, entries, { now: true });
}
const { committed } = store.status();
await store.close();
console.log(`${committed} samples in ${folder}`);
if (committed < samples) process.exitCode = 1;
