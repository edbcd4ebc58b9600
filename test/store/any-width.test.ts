import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ColumnKind, Quality, Sample } from '../../src/contract/sample.ts';
import { createCalendar } from '../../src/datasource/calendar.ts';
import type { BucketResult, Store } from '../../src/store/store.ts';
import { entry, gateway, never, openForTest, temporaryFolder } from './fixtures.ts';

/**
 * Buckets of series of several full chunks: parts that lie in one bucket come from summaries, those that an edge cuts are read alone. Whatever the width, the
 * offset and the time zone, they are what the samples come to one by one, in whole numbers of any size.
 */
const runs = Number(process.env.FIELDGATE_SOAK ?? 0) > 0 ? 300 : 20;
const second = 1_000_000_000n;
const startNs = 1_700_000_000n * second;
const aggregates = ['min', 'max', 'sum', 'avg', 'count', 'first', 'last', 'delta', 'increase', 'rate'] as const;

let seed = 11;
const chance = () => {
  seed = (seed * 48_271) % 2_147_483_647;
  return seed / 2_147_483_647;
};
const jitter = () => BigInt(Math.round(chance() * 40)) * 1_000_000n;

interface Source {
  kind: ColumnKind;
  /** The time and the value of sample `index`. */
  at(index: number): [timeNs: bigint, value: Sample['value'], quality?: Quality];
}

let level = 0;
let energy = 0;
let whole = 2n ** 61n;
const sources: Record<string, Source> = {
  'readings of two decimals, once a second': {
    kind: 'double',
    at: (index) => [startNs + BigInt(index) * second + jitter(), Math.round(2_000 + 500 * Math.sin(index / 900) + chance() * 20) / 100],
  },
  'floats at odd times, tiny beside huge ones': {
    kind: 'double',
    at: (index) => [
      startNs + BigInt(index) * 3n * second + BigInt(Math.floor(chance() * 2e9)),
      chance() < 0.001 ? 2 ** 70 * (chance() - 0.5) : Math.fround(0.01 + chance()),
    ],
  },
  'a counter beyond 2^53 over two hundred days': {
    kind: 'int64',
    at: (index) => {
      whole += BigInt(Math.floor(chance() * 5));
      return [startNs + BigInt(index) * 600n * second, whole * (index % 3_000 < 20 ? -1n : 1n)];
    },
  },
  'whole numbers up to 2^64': {
    kind: 'uint64',
    at: (index) => [startNs + BigInt(index) * second + jitter(), 2n ** 64n - 1n - BigInt(Math.floor(chance() * 2 ** 53)) * 1_000n],
  },
  'a switch': { kind: 'boolean', at: (index) => [startNs + BigInt(index) * second, Math.floor(index / 700) % 3 === 0] },
  'a meter that begins again now and then, and is silent for hours': {
    kind: 'double',
    at: (index) => {
      energy = chance() < 0.0002 ? 0 : energy + Math.floor(chance() * 3);
      const silent = BigInt(Math.floor(index / 11_000)) * 7_777n;
      const time = startNs + (BigInt(index) + silent) * second + jitter();
      return [time, energy / 10, chance() < 0.0003 ? 'uncertain' : 'good'];
    },
  },
  'readings with gaps and doubts': {
    kind: 'double',
    at: (index) => {
      level += Math.round(chance() * 20 - 10);
      const time = startNs + BigInt(index) * second + jitter();
      // Long stretches without any, so that some chunks have nulls and some have none.
      if (index > 20_000 && index < 30_000 && chance() < 0.1) return [time, null, 'bad'];
      return [time, level / 10, index < 5_000 && chance() < 0.01 ? 'uncertain' : 'good'];
    },
  },
};

interface Asked {
  aggregate: (typeof aggregates)[number];
  quality: 'good' | 'usable' | 'all';
  /** Shares of all the time. */
  from: number;
  length: number;
  grid: { count: number } | { widthNs: bigint } | { zone: string };
}

/** Whole multiples of 2^-60: exact for every value that is used here. */
const units = (value: number | bigint | boolean) => (typeof value === 'bigint' ? value << 60n : BigInt(Number(value) * 2 ** 60));

function right(list: Sample[], aggregate: (typeof aggregates)[number], worst: Quality[], edges: bigint[]): [bigint, string][] {
  const found: [bigint, string][] = [];
  const sums: [bigint, bigint][] = [];
  let before: Sample['value'] = null;
  let beforeNs = 0n;
  let place = 0;
  for (const sample of list) if (sample.timeNs < (edges[0] as bigint)) place += 1;
  for (const sample of list.slice(0, place)) {
    if (sample.value === null || !worst.includes(sample.quality)) continue;
    before = sample.value;
    beforeNs = sample.timeNs;
  }
  for (const [index, edge] of edges.slice(0, -1).entries()) {
    const inside: (number | bigint | boolean)[] = [];
    const times: bigint[] = [];
    for (; place < list.length && (list[place]?.timeNs as bigint) < (edges[index + 1] as bigint); place++) {
      const { value, quality } = list[place] as Sample;
      if (value !== null && typeof value !== 'string' && worst.includes(quality)) {
        inside.push(value);
        times.push((list[place] as Sample).timeNs);
      }
    }
    const [first] = inside;
    const last = inside.at(-1);
    if (first === undefined || last === undefined) continue;
    const number = (value: bigint) => String(Number(value) / 2 ** 60);
    const sum = () => inside.reduce((total: bigint, value) => total + units(value), 0n);
    const plain = (value: number | bigint | boolean) => String(typeof value === 'bigint' ? value : Number(value));
    switch (aggregate) {
      case 'min':
      case 'max': {
        const sorted = inside.toSorted((one, other) => Number(one > other) - Number(one < other));
        found.push([edge, plain((aggregate === 'min' ? sorted[0] : sorted.at(-1)) ?? 0)]);
        break;
      }
      case 'sum':
        found.push([edge, number(sum())]);
        break;
      case 'avg':
        found.push([edge, String(Number(sum()) / 2 ** 60 / inside.length)]);
        break;
      case 'count':
        found.push([edge, String(inside.length)]);
        break;
      case 'first':
        found.push([edge, plain(first)]);
        break;
      case 'last':
        found.push([edge, plain(last)]);
        break;
      case 'increase':
      case 'rate': {
        // Each fall begins again at 0; a step belongs to the interval of its second sample.
        const steps = before === null ? inside : [before as number | bigint | boolean, ...inside];
        const sinceNs = before === null ? (times[0] as bigint) : beforeNs;
        const sum = steps.slice(1).reduce((total: bigint, value, index) => {
          const from = steps[index] as typeof value;
          return total + units(value) - (value >= from ? units(from) : 0n);
        }, 0n);
        before = last;
        beforeNs = times.at(-1) as bigint;
        if (steps.length < 2) break;
        if (aggregate === 'increase') sums.push([edge, sum]);
        else found.push([edge, String(Number(sum) / 2 ** 60 / (Number(beforeNs - sinceNs) / 1e9))]);
        break;
      }
      case 'delta': {
        const from = (before ?? first) as number | bigint | boolean;
        const isAlone = before === null && inside.length === 1;
        before = last;
        if (!isAlone)
          found.push([edge, String(typeof last === 'bigint' && typeof from === 'bigint' ? last - from : Number(last) - Number(from))]);
      }
    }
  }
  if (aggregate !== 'increase') return found;
  // Whole numbers are exact where 64 bits hold all of a column.
  const isWhole = list.some(({ value }) => typeof value === 'bigint');
  const fits = (narrow: typeof BigInt.asIntN) => sums.every(([, sum]) => narrow(64, sum >> 60n) === sum >> 60n);
  const isExact =
    isWhole && (fits(BigInt.asIntN) || (!list.some(({ value }) => typeof value === 'bigint' && value < 0n) && fits(BigInt.asUintN)));
  return sums.map(([edge, sum]) => [edge, isExact ? String(sum >> 60n) : String(Number(sum) / 2 ** 60)]);
}

function given(result: BucketResult | undefined): [bigint, string][] {
  return Array.from(result?.times ?? [], (time, place) => [time, String(result?.exact?.[place] ?? result?.values[place])]);
}

async function fill(store: Store, { kind, at }: Source): Promise<Sample[]> {
  const list = Array.from({ length: 70_000 }, (_, index): Sample => {
    const [timeNs, value, quality = 'good'] = at(index);
    return { timeNs, arrivalNs: timeNs + 1n, value, quality, reason: '' };
  });
  // Two late ones stay beside the chunks.
  const late = [9_000, 33_000];
  const put = (samples: Sample[]) =>
    store.append(
      gateway,
      samples.map((sample) => ({ ...entry(0n, 0), kind, sample })),
      { now: true },
    );
  await put(list.filter((_, index) => !late.includes(index)));
  await store.expire(gateway, 0n);
  await put(late.map((index) => list[index] as Sample));
  return list;
}

it.each(Object.entries(sources))('%s: buckets of any width are what the samples come to', async (_name, source) => {
  const store = openForTest(temporaryFolder());
  const list = await fill(store, source);
  const lastNs = list.at(-1)?.timeNs as bigint;
  const spanNs = lastNs - startNs;
  const key = entry(0n, 0).key;
  const cases: fc.Arbitrary<Asked> = fc.record({
    aggregate: fc.constantFrom(...aggregates),
    quality: fc.constantFrom<Asked['quality']>('good', 'usable', 'all'),
    from: fc.double({ min: -0.1, max: 0.6, noNaN: true }),
    length: fc.double({ min: 0.05, max: 1.1, noNaN: true }),
    grid: fc.oneof(
      fc.integer({ min: 1, max: 900 }).map((count) => ({ count })),
      // Those of summaries.
      fc.constantFrom(600n, 1_800n, 3_600n, 43_200n).map((seconds) => ({ widthNs: seconds * second })),
      fc.constantFrom('Europe/Berlin', 'Australia/Lord_Howe', 'Asia/Kathmandu').map((zone) => ({ zone })),
    ),
  });
  await fc.assert(
    fc.asyncProperty(cases, async ({ aggregate, quality, from, length, grid }) => {
      const part = (share: number) => (spanNs * BigInt(Math.floor(share * 1e6))) / 1_000_000n;
      const fromNs = startNs + part(from);
      const toNs = fromNs + part(length) + 1n;
      const edges: bigint[] = [];
      if ('zone' in grid) edges.push(...createCalendar({ count: 1, unit: 'd' }, grid.zone).edges(fromNs, toNs));
      else {
        const widthNs = 'widthNs' in grid ? grid.widthNs : (toNs - fromNs) / BigInt(grid.count) + 1n;
        for (let edge = fromNs - (fromNs % widthNs); ; edge += widthNs) {
          edges.push(edge);
          if (edge >= toNs) break;
        }
      }
      const asked = 'zone' in grid ? { edges: BigInt64Array.from(edges) } : { widthNs: (edges[1] as bigint) - (edges[0] as bigint) };
      const [result] = await store.buckets(gateway, [key], { fromNs, toNs }, { aggregate, quality, ...asked }, never);
      const worst = { good: ['good'], usable: ['good', 'uncertain'], all: ['good', 'uncertain', 'bad'] }[quality] as Quality[];
      const inRange = list.filter(({ timeNs }) => timeNs < toNs);
      // The first interval begins with the range, and is named by where it would begin.
      const named = right(inRange, aggregate, worst, [fromNs > (edges[0] as bigint) ? fromNs : (edges[0] as bigint), ...edges.slice(1)]);
      expect(given(result)).toEqual(named.map(([edge, text]) => [edge === fromNs ? edges[0] : edge, text]));
    }),
    // With edges of summaries every aggregate at least once.
    {
      numRuns: runs,
      examples: aggregates.map((aggregate): [Asked] => [
        { aggregate, quality: 'good', from: 0.1, length: 0.8, grid: { widthNs: 3_600n * second } },
      ]),
    },
  );
});
