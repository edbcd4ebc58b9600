/**
 * The history's figures beside a peer measured in the same run: a row a sample with node:sqlite on the main thread, as most gateways do.
 * `node bench/store.ts [samples]`. Prints one line a figure.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { DatabaseSync } from 'node:sqlite';
import { systemClock } from '../src/contract/clock.ts';
import { silentLog } from '../src/contract/log.ts';
import { openStore } from '../src/store/open.ts';
import type { Entry, Store } from '../src/store/store.ts';

const total = Number(process.argv[2] ?? 1_000_000);
const seriesCount = 100;
const startNs = 1_700_000_000_000_000_000n;
const stepNs = 10_000_000n;
const gateway = '1/bench';
const range = { fromNs: startNs, toNs: startNs + BigInt(total) * stepNs };
const signal = new AbortController().signal;
const keys = Array.from({ length: seriesCount }, (_, index) => ({ device: `device-${index % 10}`, point: `point-${index}` }));

const valueAt = (index: number) => Math.round(Math.sin(index / 1000) * 10_000) / 100;

function entriesOf(from: number, count: number): Entry[] {
  return Array.from({ length: count }, (_, offset) => {
    const index = from + offset;
    const timeNs = startNs + BigInt(index) * stepNs;
    const key = keys[index % seriesCount] ?? { device: '', point: '' };
    return { key, kind: 'double', sample: { timeNs, arrivalNs: timeNs, value: valueAt(index), quality: 'good', reason: '' } };
  });
}

/** The middle one of 21 runs, in milliseconds: for what is short. */
async function median(run: () => unknown): Promise<number> {
  const runs: number[] = [];
  for (let index = 0; index < 21; index++) runs.push((await timed(run)).ms);
  return runs.toSorted((a, b) => a - b)[10] ?? 0;
}

async function timed<T>(run: () => T | Promise<T>): Promise<{ ms: number; result: T }> {
  const begin = performance.now();
  const result = await run();
  return { ms: performance.now() - begin, result };
}

function print(what: string, ours: string, peer: string): void {
  console.log(`${what.padEnd(52)} ${ours.padStart(18)} ${peer.padStart(18)}`);
}

const rate = (ms: number) => `${Math.round(total / ms)} k/s`;
const milliseconds = (ms: number) => `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;

function openPeer(folder: string) {
  const database = new DatabaseSync(join(folder, 'peer.db'));
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
  database.exec(
    'CREATE TABLE sample (series TEXT, time INTEGER, value REAL, quality INTEGER); CREATE INDEX by_series ON sample (series, time)',
  );
  const insert = database.prepare('INSERT INTO sample VALUES (?, ?, ?, ?)');
  return {
    database,
    append(entries: readonly Entry[]) {
      database.exec('BEGIN');
      for (const { key, sample } of entries) insert.run(`${key.device}.${key.point}`, sample.timeNs, Number(sample.value), 0);
      database.exec('COMMIT');
    },
  };
}

async function fill(batch: number, append: (entries: Entry[]) => unknown): Promise<number> {
  // Making the entries is the caller's work, not the store's.
  const batches = Array.from({ length: total / batch }, (_, index) => entriesOf(index * batch, batch));
  const { ms } = await timed(async () => {
    for (const entries of batches) await append(entries);
  });
  return ms;
}

async function withFolder<T>(run: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'fieldgate-bench-'));
  try {
    return await run(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function open(folder: string): Store {
  return openStore({ folder, clock: systemClock, log: silentLog });
}

async function appendRates(batch: number): Promise<void> {
  const ours = await withFolder(async (folder) => {
    const store = open(folder);
    await store.series(gateway);
    const ms = await fill(batch, (entries) => store.append(gateway, entries, { now: true }));
    await store.close();
    return ms;
  });
  const peer = await withFolder(async (folder) => {
    const { database, append } = openPeer(folder);
    const ms = await fill(batch, append);
    database.close();
    return ms;
  });
  print(`append, committed, ${total} samples in batches of ${batch}`, rate(ours), rate(peer));
}

async function reads(): Promise<void> {
  await withFolder(async (folder) => {
    const store = open(folder);
    await fill(10_000, (entries) => store.append(gateway, entries, { now: true }));
    const { database, append } = openPeer(folder);
    await fill(10_000, append);

    const ours = await timed(() => store.range(gateway, keys, range, { quality: 'usable', rowsMax: total }, signal));
    const read = database.prepare('SELECT time, value, quality FROM sample WHERE series = ? AND time >= ? AND time < ? ORDER BY time');
    read.setReadBigInts(true);
    const peer = await timed(() => keys.map(({ device, point }) => read.all(`${device}.${point}`, range.fromNs, range.toNs)));
    const rows = ours.result.reduce((sum, { columns }) => sum + columns.times.length, 0);
    if (rows !== total) throw new Error(`read ${rows} of ${total} samples`);
    print(`read ${total} samples`, milliseconds(ours.ms), milliseconds(peer.ms));

    const widthNs = (range.toNs - range.fromNs) / 1000n;
    const bucketed = await timed(() => store.buckets(gateway, keys, range, { quality: 'usable', aggregate: 'avg', widthNs }, signal));
    const group = database.prepare(
      'SELECT (time - CAST(? AS INTEGER)) / CAST(? AS INTEGER) AS bucket, avg(value) AS average FROM sample WHERE series = ? AND time >= ? AND time < ? GROUP BY bucket',
    );
    const grouped = await timed(() =>
      keys.map(({ device, point }) => group.all(range.fromNs, widthNs, `${device}.${point}`, range.fromNs, range.toNs)),
    );
    print(`${total} samples to 1000 averages a series`, milliseconds(bucketed.ms), milliseconds(grouped.ms));

    const hour = { fromNs: range.toNs - 3_600_000_000_000n, toNs: range.toNs };
    const one = keys.slice(0, 1);
    const small = await median(() => store.range(gateway, one, hour, { quality: 'usable', rowsMax: total }, signal));
    const smallPeer = await median(() => read.all(`${one[0]?.device}.${one[0]?.point}`, hour.fromNs, hour.toNs));
    print('read the last hour of one series (3600 samples)', milliseconds(small), milliseconds(smallPeer));
    const bytes = store.status().bytesOnDisk;
    database.close();
    await store.close();
    print('bytes a sample, with the log', `${(bytes / total).toFixed(1)}`, '');
  });
}

/** 10,000 samples a second in batches of 100 each 10 ms, for five seconds. */
async function loopDelay(append: (entries: Entry[]) => unknown): Promise<number> {
  const monitor = monitorEventLoopDelay({ resolution: 1 });
  monitor.enable();
  const endMs = performance.now() + 5_000;
  for (let index = 0, dueMs = performance.now(); dueMs < endMs; index += 100, dueMs += 10) {
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueMs - performance.now())));
    void append(entriesOf(index, 100));
  }
  monitor.disable();
  return monitor.percentile(99) / 1e6;
}

async function loopDelays(): Promise<void> {
  const none = await loopDelay(() => {});
  const ours = await withFolder(async (folder) => {
    const store = open(folder);
    const delay = await loopDelay((entries) => store.append(gateway, entries));
    await store.close();
    return delay;
  });
  const peer = await withFolder(async (folder) => {
    const { database, append } = openPeer(folder);
    const delay = await loopDelay(append);
    database.close();
    return delay;
  });
  print(`main loop delay p99 at 10,000 samples/s (${none.toFixed(1)} ms with no store)`, milliseconds(ours), milliseconds(peer));
}

print('', 'fieldgate store', 'rows, main thread');
await appendRates(1_000);
await appendRates(10_000);
await reads();
await loopDelays();
