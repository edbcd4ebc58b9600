/**
 * The history's figures, each beside its peers' of the same run. The loop's delay is that of this thread while only the history works.
 * `node bench/store.ts [--peers] [--growth] [--in] [rounds]`: with DuckDB and VictoriaMetrics too; with the plot in docs/; only what goes in, and comes out of
 * it. A round is a sample of each series.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHistogram } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { systemClock } from '../src/contract/clock.ts';
import { silentLog } from '../src/contract/log.ts';
import { frameToArrow } from '../src/frame/arrow.ts';
import { openStore } from '../src/store/open.ts';
import type { Borrow, Entry, Store } from '../src/store/store.ts';
import { evenWidth } from '../src/store/widths.ts';
import { createPlant, secondNs, startNs } from './store-data.ts';
import { costOf, writeGrowth } from './store-growth.ts';
import { openDuck, openRows, openVictoria, type Peer } from './store-peers.ts';

const flags = process.argv.slice(2).filter((one) => one.startsWith('--'));
const rounds = Number(process.argv.slice(2).find((one) => !one.startsWith('--')) ?? 1_000);
const seriesCount = 1_000;
const million = 1_000_000;
/** Samples made at a time. */
const stretch = 100_000;
const gateway = '1/bench';
const signal = new AbortController().signal;
const delay = createHistogram();
/** The same loop while nothing but a thread computes: what the machine alone makes of it. */
const delayOfMachine = createHistogram();
/** While answers have a million rows, in the pieces in which they are sent. */
const delayOfAnswers = createHistogram();

const open = (folder: string): Store => openStore({ folder, clock: systemClock, log: silentLog });
const milliseconds = (ms: number) => `${ms.toFixed(ms < 10 ? 2 : 0)} ms`;
const thousands = (rate: number) => `${Math.round(rate)} k/s`;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/**
 * The history's own work, with the loop watched by a timer of a millisecond; Node's own monitor takes the time it is off for a delay. What the making of
 * samples left is cleared away before: a gateway does not have a hundred thousand of them at a time.
 */
async function ours<T>(run: () => Promise<T>, watch = delay): Promise<T> {
  collectGarbage();
  let last = performance.now();
  const tick = () => {
    const now = performance.now();
    watch.record(Math.max(1, Math.round((now - last) * 1e6)));
    last = now;
  };
  const timer = setInterval(tick, 1);
  try {
    return await run();
  } finally {
    clearInterval(timer);
    tick();
  }
}

async function timed(run: () => unknown): Promise<number> {
  const begin = performance.now();
  await run();
  return performance.now() - begin;
}

/** The middle one and the fastest of so many runs: on a shared machine the others are somebody else's. */
async function times(runs: number, run: () => unknown): Promise<{ middle: number; least: number }> {
  const all: number[] = [];
  for (let index = 0; index < runs; index++) all.push(await timed(run));
  all.sort((a, b) => a - b);
  return { middle: all[runs >> 1] ?? 0, least: all[0] ?? 0 };
}

const both = ({ middle, least }: { middle: number; least: number }) => `${milliseconds(middle)} (${milliseconds(least)})`;

function print(what: string, figures: Record<string, string>): void {
  console.log(
    `${what}\n    ${Object.entries(figures)
      .map(([name, figure]) => `${name} ${figure}`)
      .join(' | ')}`,
  );
}

async function withFolder<T>(run: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'fieldgate-bench-'));
  try {
    return await run(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * The rates of stretches; making the samples is the caller's work and not counted, nor is clearing away what it left, for us and for the peers. What the
 * history still folds of a stretch while the next one is made is not counted either: a peer's own work behind its answers is not. `flight` batches
 * wait for their commit at a time.
 */
async function fill(
  append: (entries: Entry[]) => unknown,
  next: (count: number) => Entry[],
  total: number,
  batch: number,
  flight: number,
  watched: <T>(run: () => Promise<T>) => Promise<T> = (run) => run(),
) {
  const rates: number[] = [];
  let allMs = 0;
  for (let done = 0; done < total; ) {
    const batches: Entry[][] = [];
    const before = done;
    for (; done < total && batches.length < 100 && batches.length * batch < stretch; done += Math.min(batch, total - done))
      batches.push(next(Math.min(batch, total - done)));
    const waiting: unknown[] = [];
    const write = async () => {
      for (const entries of batches) {
        waiting.push(append(entries));
        if (waiting.length >= flight) await waiting.shift();
      }
      await Promise.all(waiting);
    };
    collectGarbage();
    const ms = await timed(() => watched(write));
    rates.push((done - before) / ms);
    allMs += ms;
  }
  rates.sort((a, b) => a - b);
  return { mean: total / allMs, middle: rates[rates.length >> 1] ?? 0, most: rates.at(-1) ?? 0 };
}

const rate = ({ mean, middle, most }: Awaited<ReturnType<typeof fill>>) => `${thousands(mean)}, ${thousands(middle)} (${thousands(most)})`;

async function peersIn(folder: string): Promise<Peer[]> {
  const peers = [openRows(folder)];
  if (!flags.includes('--peers')) return peers;
  for (const opened of [await openDuck(folder), await openVictoria(folder)]) {
    if (typeof opened === 'string') console.log(`(left out: ${opened})`);
    else peers.push(opened);
  }
  return peers;
}

/** A thousand series: in, and one of them out. */
async function wide(): Promise<void> {
  await withFolder(async (folder) => {
    const total = rounds * seriesCount;
    const store = open(folder);
    await store.series(gateway);
    const plant = createPlant(seriesCount);
    const append = (entries: Entry[]) => store.append(gateway, entries, { now: true });
    // Three times as much as the peers take, which are slower the more they have: every fourth of our stretches has a fold, and the first ones a process
    // that has just begun; the middle of thirty is neither's.
    const single = await fill(append, plant.next, 3 * total, 1_000, 1, ours);
    const several = await fill(append, plant.next, 3 * total, 1_000, 4, ours);
    // As many as a commit takes, nearly: a plant of many connections.
    const many = await fill(append, plant.next, 3 * total, 1_000, 16, ours);
    const peers = await peersIn(folder);
    const rates = { 'one waits': rate(single), 'four wait': rate(several), 'sixteen wait': rate(many) };
    const others: Record<string, string> = {};
    for (const peer of peers) others[peer.name] = rate(await fill(peer.append, createPlant(seriesCount).next, total, 1_000, 1));
    print(`in: batches of 1000 over 1000 series, ${3 * total} samples (peers: ${total}), mean, middle (best) of stretches`, {
      ...rates,
      ...others,
    });
    await store.expire(gateway, 0n);
    const key = plant.keys[500] ?? { device: '', point: '' };
    const end = startNs + BigInt(rounds) * secondNs;
    const hour = { fromNs: end - 3_600n * secondNs, toNs: end };
    const read = () => store.range(gateway, [key], hour, { quality: 'usable', rowsMax: million }, signal);
    const figures: Record<string, string> = { fieldgate: both(await ours(() => times(41, read))) };
    for (const peer of peers) figures[peer.name] = both(await times(11, () => peer.read(key.point, hour.fromNs, hour.toNs)));
    print(`out: the last ${Math.min(3_600, rounds)} s of one series of a thousand`, figures);
    for (const peer of peers) await peer.close();
    await store.close();
  });
}

/** One series of a million samples: bytes, buckets, raw rows as an Arrow file. */
async function deep(): Promise<void> {
  await withFolder(async (folder) => {
    const store = open(folder);
    const plant = createPlant(1);
    const [key = { device: '', point: '' }] = plant.keys;
    await fill((entries) => store.append(gateway, entries, { now: true }), plant.next, million, 10_000, 1);
    const peers = await peersIn(folder);
    for (const peer of peers) await fill(peer.append, createPlant(1).next, million, 10_000, 1);
    await store.expire(gateway, 0n);
    const range = { fromNs: startNs, toNs: startNs + BigInt(million) * secondNs };
    const toPieces = async (borrow?: Borrow) => {
      const [one] = await store.range(gateway, [key], range, { quality: 'usable', rowsMax: million, ...(borrow && { borrow }) }, signal);
      if (one?.columns.times.length !== million) throw new Error('not all samples were read');
      const value = { name: 'value', type: 'float64' as const, values: one.columns.values as Float64Array };
      return frameToArrow({ fields: [{ name: 'time', type: 'time', values: one.columns.times }, value] });
    };
    // One run of bytes, as the peer makes it; what is sent is never joined, and its memory goes back to the reader.
    const toArrow = async () => Buffer.concat(await toPieces());
    const toBorrowed = async () => {
      const loans: (() => void)[] = [];
      await toPieces((giveBack) => loans.push(giveBack));
      for (const giveBack of loans) giveBack();
    };
    print('out: 1 M raw samples from disk to the bytes of an Arrow file (peer: `npm run bench -- host`)', {
      fieldgate: both(await times(21, toArrow)),
      'in pieces, as it is sent': both(await ours(() => times(21, toBorrowed), delayOfAnswers)),
    });
    const widthNs = BigInt(million / 1_000) * secondNs;
    for (const aggregate of ['min', 'avg', 'max'] as const) {
      const figures: Record<string, string> = {};
      for (const [name, width] of [
        ['even', evenWidth(widthNs)],
        ['any', widthNs + 1n],
      ] as const) {
        const ask = { quality: 'usable' as const, aggregate, widthNs: width };
        figures[`${name} width`] = both(await ours(() => times(11, () => store.buckets(gateway, [key], range, ask, signal))));
      }
      print(`out: 1 M samples to 1000 buckets, ${aggregate}`, figures);
    }
    const figures: Record<string, string> = {};
    for (const peer of peers) figures[peer.name] = both(await times(5, () => peer.buckets(key.point, range.fromNs, range.toNs, 1_000)));
    print('the same of the peers, min, avg and max together', figures);
    await store.close();
    const sizes: Record<string, string> = { fieldgate: (statSync(join(folder, 'fieldgate.db')).size / million).toFixed(2) };
    for (const peer of peers) sizes[peer.name] = ((await peer.close()) / million).toFixed(2);
    print('bytes a sample of the closed file, 1 M samples', sizes);
  });
}

/** One point for long: panels over the last part and over all of it, by the interval the data source chooses and by another. */
async function long(
  title: string,
  samples: number,
  everyS: bigint,
  panels: readonly (readonly [days: number, pixels: number])[],
): Promise<void> {
  await withFolder(async (folder) => {
    const store = open(folder);
    const plant = createPlant(1, everyS);
    await fill((entries) => store.append(gateway, entries, { now: true }), plant.next, samples, 10_000, 1);
    await store.expire(gateway, 0n);
    const toNs = startNs + BigInt(samples) * everyS * secondNs;
    for (const [days, pixels] of panels) {
      const rangeNs = BigInt(days) * 86_400n * secondNs;
      const pixelNs = rangeNs / BigInt(pixels);
      const figures: Record<string, string> = {};
      for (const [name, widthNs] of [
        ['auto', evenWidth(pixelNs, rangeNs)],
        ['odd', pixelNs + 1n],
      ] as const) {
        const ask = { quality: 'usable' as const, aggregate: 'avg' as const, widthNs };
        const range = { fromNs: toNs - rangeNs, toNs };
        const figure = both(await ours(() => times(11, () => store.buckets(gateway, plant.keys, range, ask, signal))));
        figures[`${name}, ${Math.round(Number(widthNs) / 1e9)} s`] = figure;
      }
      print(`out: ${days} days of ${title} on ${pixels} pixels, averages`, figures);
    }
    await store.close();
  });
}

console.log(`middle (best); load ${loadavg()[0]?.toFixed(1)} at the beginning`);
await wide();
if (flags.includes('--in')) process.exit();
await deep();
await long('1 Hz', 30 * 86_400, 1n, [
  [7, 700],
  [7, 1_000],
  [7, 1_900],
  [30, 700],
  [30, 1_000],
  [30, 1_900],
]);
await long('one in 10 s', 365 * 8_640, 10n, [
  [30, 1_000],
  [365, 1_000],
]);
const computing = new Worker('for (;;) Math.sqrt(1);', { eval: true });
await ours(() => systemClock.sleep(3_000, signal), delayOfMachine);
await computing.terminate();
print('main loop delay p99 while the history did all this', {
  'commits, small reads and buckets': milliseconds(delay.percentile(99) / 1e6),
  'a million rows an answer': milliseconds(delayOfAnswers.percentile(99) / 1e6),
  'a thread that only computes': milliseconds(delayOfMachine.percentile(99) / 1e6),
});
const { memory, memoryRead } = costOf(10_000);
print('memory above idle, 10,000 series by default', {
  'after a million samples': `${memory.toFixed(0)} MiB`,
  'and a hundred queries': `${memoryRead.toFixed(0)} MiB`,
});
if (flags.includes('--growth')) writeGrowth();
console.log(`load ${loadavg()[0]?.toFixed(1)} at the end`);
