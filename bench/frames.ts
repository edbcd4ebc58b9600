/**
 * Frames to bytes, beside what is plain to write with apache-arrow: its own builders and writer, a row as an object where rows have to be
 * put in order. In turns, medians; in the process's own CPU time, so that what else the machine does is left out. Run: node bench/frames.ts
 */
import { Float64, Table, tableFromArrays, tableFromJSON, tableToIPC, Utf8, vectorFromArray } from 'apache-arrow';
import { frameToArrow } from '../src/frame/arrow.ts';
import type { Frame } from '../src/frame/frame.ts';
import { frameToJson } from '../src/frame/json.ts';
import { longFields, longTimes } from '../src/frame/long.ts';
import { mergeByTime } from '../src/frame/merge.ts';
import type { Series } from '../src/frame/series.ts';
import { wideFrame } from '../src/frame/wide.ts';

const startNs = 1_700_000_000_000_000_000n;
const turns = 9;

/** Series whose samples do not fall together, as polled devices' do. */
function outOfStep(count: number, rows: number): Series[] {
  return Array.from({ length: count }, (_, i) => ({
    name: `d${i}.p`,
    point: 'p',
    labels: { device: `d${i}`, point: 'p' },
    config: { unit: 'celsius' },
    times: BigInt64Array.from({ length: rows }, (_, row) => startNs + BigInt(row) * 1_000_000_000n + BigInt(i) * 1_000_000n),
    value: { type: 'float64', values: Float64Array.from({ length: rows }, (_, row) => 20 + Math.sin(row / 100)) },
  }));
}

function one(rows: number): { frame: Frame; times: BigInt64Array; values: Float64Array } {
  const [series] = outOfStep(1, rows);
  if (series?.value.type !== 'float64') throw new Error('a series of numbers was made');
  const time = { name: 'time', type: 'time' as const, values: series.times };
  const frame: Frame = {
    name: series.name,
    meta: { type: 'timeseries-multi' },
    fields: [time, { ...series.value, name: 'value', labels: series.labels }],
  };
  return { frame, times: series.times, values: series.value.values };
}

const whole = (frame: Frame): Uint8Array => Buffer.concat(frameToArrow(frame));

/** Columns as apache-arrow likes them best: typed arrays as they are. */
function plainColumns(times: BigInt64Array, values: Float64Array): Uint8Array {
  return tableToIPC(tableFromArrays({ time: times, value: values }), 'file');
}

function plainRows(all: readonly Series[]): { time: bigint; device: string; point: string; value: number }[] {
  const rows = all.flatMap(({ times, labels: { device = '', point = '' }, value }) =>
    Array.from(times, (time, row) => ({ time, device, point, value: Number(value.values[row]) })),
  );
  return rows.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
}

function plainWide(all: readonly Series[]): Uint8Array {
  const times = [...new Set(all.flatMap((series) => [...series.times]))].sort((a, b) => (a < b ? -1 : 1));
  const columns = all.map(({ times: own, value }) => {
    const found = new Map(Array.from(own, (time, row) => [time, Number(value.values[row])]));
    return vectorFromArray(
      times.map((time) => found.get(time) ?? null),
      new Float64(),
    );
  });
  const time = vectorFromArray(BigInt64Array.from(times));
  return tableToIPC(new Table({ time, ...Object.fromEntries(columns.map((column, i) => [`d${i}`, column])) }), 'file');
}

function long(all: readonly Series[]): Uint8Array {
  const order = mergeByTime(all.map(({ times }) => times));
  return whole({
    fields: [{ name: 'time', type: 'time', values: longTimes(all, order) }, ...longFields(all, order, { units: false, quality: false })],
  });
}

function cpuMs(run: () => unknown): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

function compare(what: string, ours: () => unknown, peer: () => unknown): void {
  const [own, other]: [number[], number[]] = [[], []];
  for (let turn = 0; turn < turns + 2; turn += 1) {
    own.push(cpuMs(ours));
    other.push(cpuMs(peer));
  }
  // The first two turns only warm up.
  const [a, b] = [median(own.slice(2)), median(other.slice(2))];
  console.log(`${what.padEnd(52)} ${a.toFixed(1).padStart(9)} ms ${b.toFixed(1).padStart(9)} ms ${(a / b).toFixed(2).padStart(7)}x`);
}

function thousandTimes(run: () => unknown): () => void {
  return () => {
    for (let i = 0; i < 1_000; i += 1) run();
  };
}

console.log(`${'CPU time, median'.padEnd(52)}    fieldgate  apache-arrow   ratio`);
const million = one(1_000_000);
compare(
  '1 M rows of time and float64 to Arrow',
  () => whole(million.frame),
  () => plainColumns(million.times, million.values),
);
const small = one(100);
compare(
  '1000 frames of 100 rows to Arrow',
  thousandTimes(() => whole(small.frame)),
  thousandTimes(() => plainColumns(small.times, small.values)),
);
const texts = Array.from({ length: 100_000 }, (_, i) => `state ${i % 100}`);
compare(
  '100 k texts to Arrow',
  () => whole({ fields: [{ name: 'text', type: 'string', values: texts }] }),
  () => tableToIPC(new Table({ text: vectorFromArray(texts, new Utf8()) }), 'file'),
);
const ten = outOfStep(10, 1_000);
compare(
  '10 series of 1 k rows, out of step, wide to Arrow',
  () => whole(wideFrame(ten, { cellsMax: 4_000_000 }).frame),
  () => plainWide(ten),
);
const many = outOfStep(100, 1_000);
compare(
  '100 series of 1 k rows, out of step, long to Arrow',
  () => long(many),
  () => tableToIPC(tableFromJSON(plainRows(many)), 'file'),
);
compare(
  '1000 Live packets of 100 rows to JSON (JSON.stringify)',
  thousandTimes(() => frameToJson(small.frame, 'data')),
  thousandTimes(() =>
    Buffer.from(JSON.stringify({ data: { values: [Array.from(small.times, (time) => Number(time / 1_000_000n)), [...small.values]] } })),
  ),
);
