/**
 * How the history's cost grows with the number of series: each number in a process of its own, so that its memory is its own. Writes docs/store-growth.svg.
 * The child: `node bench/store-growth.ts SERIES`.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../src/contract/clock.ts';
import { silentLog } from '../src/contract/log.ts';
import { openStore } from '../src/store/open.ts';
import { createPlant, secondNs, startNs } from './store-data.ts';

const counts = [100, 300, 1_000, 3_000, 10_000];
const runs = 3;
const samples = 1_000_000;

interface Cost {
  /** Million samples a second. */
  rate: number;
  /** MiB of the process with its workers, above what it had with an open history of nothing; after a million samples came in, and after queries too. */
  memory: number;
  memoryRead: number;
  /** Milliseconds of a query of all there is of one series. */
  query: number;
}

async function measure(seriesCount: number): Promise<Cost> {
  const folder = mkdtempSync(join(tmpdir(), 'fieldgate-bench-'));
  const store = openStore({ folder, clock: systemClock, log: silentLog });
  await store.series('1/bench');
  const plant = createPlant(seriesCount);
  // Code is compiled and the heap has its room before the first look.
  const warm = createPlant(10);
  for (let batch = 0; batch < 50; batch++) await store.append('1/warm', warm.next(1_000), { now: true });
  await store.erase('1/warm');
  globalThis.gc?.();
  const idle = resident();
  let busyMs = 0;
  for (let done = 0; done < samples; done += 1_000) {
    const entries = plant.next(1_000);
    const begin = performance.now();
    await store.append('1/bench', entries, { now: true });
    busyMs += performance.now() - begin;
  }
  globalThis.gc?.();
  const memory = (resident() - idle) / 2 ** 20;
  const range = { fromNs: startNs, toNs: startNs + BigInt(samples) * secondNs };
  const queries: number[] = [];
  for (let query = 0; query < 101; query++) {
    const keys = plant.keys.slice((query * 37) % seriesCount, ((query * 37) % seriesCount) + 1);
    const begin = performance.now();
    await store.range('1/bench', keys, range, { quality: 'usable', rowsMax: 1_000 }, new AbortController().signal);
    queries.push(performance.now() - begin);
  }
  globalThis.gc?.();
  const memoryRead = (resident() - idle) / 2 ** 20;
  await store.close();
  rmSync(folder, { recursive: true });
  return { rate: samples / busyMs / 1_000, memory, memoryRead, query: queries.sort((a, b) => a - b)[50] ?? 0 };
}

/** Of the whole process; on Linux without what it shares with others. */
function resident(): number {
  const found = /^RssAnon:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'));
  return found ? Number(found[1]) * 1_024 : process.memoryUsage.rss();
}

/** What so many series cost, in processes of their own. */
export function costOf(count: number): Cost {
  const all: Cost[] = [];
  for (let run = 0; run < runs; run++) {
    const path = fileURLToPath(import.meta.url);
    const { stdout, status } = spawnSync(process.execPath, [...process.execArgv, '--expose-gc', path, String(count)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (status !== 0) throw new Error(`the run with ${count} series failed`);
    all.push(JSON.parse(stdout) as Cost);
  }
  // The machine is shared: what it did best is what the history can.
  return {
    rate: Math.max(...all.map(({ rate }) => rate)),
    memory: Math.min(...all.map(({ memory }) => memory)),
    memoryRead: Math.min(...all.map(({ memoryRead }) => memoryRead)),
    query: Math.min(...all.map(({ query }) => query)),
  };
}

export function writeGrowth(): void {
  const costs = counts.map((count) => {
    const best = costOf(count);
    console.log(
      `${count} series: ${best.rate.toFixed(2)} M samples/s in, ${best.memory.toFixed(0)} MiB above idle (${best.memoryRead.toFixed(0)} after queries), ${best.query.toFixed(2)} ms a query`,
    );
    return best;
  });
  const file = new URL('../docs/store-growth.svg', import.meta.url);
  writeFileSync(file, plot(costs));
  console.log(`wrote ${fileURLToPath(file)}`);
}

function plot(costs: readonly Cost[]): string {
  const panels: [string, string, (cost: Cost) => number][] = [
    ['in, million samples/s', '#3274d9', ({ rate }) => rate],
    ['memory above idle, MiB', '#e0752d', ({ memory }) => Math.max(0, memory)],
    ['last 1000 of one series, ms', '#299c46', ({ query }) => query],
  ];
  const [width, height, gap] = [200, 120, 40];
  const x = (index: number) => (index * width) / (counts.length - 1);
  const drawn = panels.map(([title, colour, of], panel) => {
    const values = costs.map(of);
    const top = niceTop(Math.max(...values));
    const y = (value: number) => height - (value / top) * height;
    const line = values.map((value, index) => `${x(index)},${y(value).toFixed(1)}`).join(' ');
    const dots = values.map(
      (value, index) =>
        `<circle cx="${x(index)}" cy="${y(value).toFixed(1)}" r="3"><title>${counts[index]} series: ${value.toFixed(2)}</title></circle>`,
    );
    const below = counts.map(
      (count, index) =>
        `<text x="${x(index)}" y="${height + 14}" text-anchor="middle">${count >= 1_000 ? `${count / 1_000}k` : count}</text>`,
    );
    return `<g transform="translate(${30 + panel * (width + gap)} 30)"><text y="-12" class="title">${title}</text>
<path d="M0 0V${height}H${width}" class="axis"/><text x="-4" y="4" text-anchor="end">${top}</text><text x="-4" y="${height}" text-anchor="end">0</text>
<g stroke="${colour}" fill="${colour}"><polyline points="${line}" fill="none" stroke-width="2"/>${dots.join('')}</g>${below.join('')}</g>`;
  });
  const whole = panels.length * (width + gap) + 20;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${whole} ${height + 60}" role="img" aria-label="Cost of the history from 100 to 10,000 series">
<style>text{font:11px sans-serif;fill:#24292e}.title{font-weight:600}.axis{fill:none;stroke:#8888}@media (prefers-color-scheme:dark){text{fill:#d8d9da}}</style>
${drawn.join('\n')}
</svg>
`;
}

/** The next of 1, 2 and 5 times a power of ten. */
function niceTop(value: number): number {
  const unit = 10 ** Math.floor(Math.log10(value || 1));
  return Number(([1, 2, 5, 10].map((one) => one * unit).find((one) => one >= value) ?? value).toPrecision(2));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.stdout.write(JSON.stringify(await measure(Number(process.argv[2]))));
