/** What building Arrow costs: 1 M rows of time and float64 into bytes, and many small frames. Run: node bench/frames.ts */
import { frameToArrow } from '../src/frame/arrow.ts';
import type { Frame } from '../src/frame/frame.ts';
import { frameToJson } from '../src/frame/json.ts';
import { longFields } from '../src/frame/long.ts';
import { mergeByTime } from '../src/frame/merge.ts';
import type { Series } from '../src/frame/series.ts';
import { wideFrame } from '../src/frame/wide.ts';

function series(rows: number): Frame {
  return {
    name: 'boiler.flow_temp',
    meta: { type: 'timeseries-multi' },
    fields: [
      {
        name: 'time',
        type: 'time',
        values: BigInt64Array.from({ length: rows }, (_, i) => 1_700_000_000_000_000_000n + BigInt(i) * 1_000_000_000n),
      },
      {
        name: 'flow_temp',
        type: 'float64',
        values: Float64Array.from({ length: rows }, (_, i) => 20 + Math.sin(i / 100)),
        labels: { device: 'boiler', point: 'flow_temp' },
        config: { unit: 'celsius', decimals: 1 },
      },
    ],
  };
}

/** Milliseconds of each of `runs` runs, sorted. */
function times(runs: number, run: () => void): number[] {
  return Array.from({ length: runs }, () => {
    const start = performance.now();
    run();
    return performance.now() - start;
  }).sort((a, b) => a - b);
}

function report(what: string, sorted: number[]): void {
  const at = (share: number) => (sorted[Math.floor((sorted.length - 1) * share)] ?? 0).toFixed(2);
  console.log(`${what.padEnd(52)} median ${at(0.5).padStart(8)} ms   best ${at(0).padStart(8)} ms   worst ${at(1).padStart(8)} ms`);
}

/** Series whose samples do not fall together, as polled devices' do. */
function outOfStep(count: number, rows: number): Series[] {
  return Array.from({ length: count }, (_, i) => ({
    name: `d${i}.p`,
    point: 'p',
    labels: { device: `d${i}`, point: 'p' },
    config: { unit: 'celsius' },
    times: BigInt64Array.from(
      { length: rows },
      (_, row) => 1_700_000_000_000_000_000n + BigInt(row) * 1_000_000_000n + BigInt(i) * 1_000_000n,
    ),
    value: { type: 'float64', values: Float64Array.from({ length: rows }, (_, row) => row) },
  }));
}

const million = series(1_000_000);
const withNulls: Frame = {
  ...million,
  fields: million.fields.map((field) =>
    field.type === 'float64' ? { ...field, valid: Uint8Array.from({ length: 1_000_000 }, (_, i) => (i % 10 === 0 ? 0 : 1)) } : field,
  ),
};
const small = series(100);
const text: Frame = { fields: [{ name: 'text', type: 'string', values: Array.from({ length: 1_000_000 }, (_, i) => `state ${i % 100}`) }] };

report(
  '1 M rows of time and float64 to Arrow',
  times(15, () => frameToArrow(million)),
);
report(
  'the same with a null in ten',
  times(15, () => frameToArrow(withNulls)),
);
report(
  '1 M texts to Arrow',
  times(5, () => frameToArrow(text)),
);
report(
  '1000 frames of 100 rows to Arrow',
  times(15, () => {
    for (let i = 0; i < 1_000; i += 1) frameToArrow(small);
  }),
);
report(
  '1000 Live packets of 100 rows to JSON',
  times(15, () => {
    for (let i = 0; i < 1_000; i += 1) frameToJson(small, 'data');
  }),
);
const some = outOfStep(10, 10_000);
const many = outOfStep(100, 10_000);
report(
  '10 series of 10 k rows, out of step, wide to Arrow',
  times(5, () => frameToArrow(wideFrame(some, { cellsMax: 4_000_000 }).frame)),
);
report(
  '100 series of 10 k rows, in order of time',
  times(5, () => mergeByTime(many.map((one) => one.times))),
);
report(
  '100 series of 10 k rows, long to Arrow',
  times(5, () => frameToArrow({ fields: longFields(many, mergeByTime(many.map((one) => one.times)), { units: false, quality: false }) })),
);
