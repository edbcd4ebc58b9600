import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { type ColumnKind, type Quality, qualities, type Sample } from '../../src/contract/sample.ts';
import type { BucketOptions, BucketResult, SeriesRule, Store } from '../../src/store/store.ts';
import { entry, gateway, never, openForTest, temporaryFolder } from './fixtures.ts';

const runs = Number(process.env.FIELDGATE_SOAK ?? 0) > 0 ? 2_000 : 20;

/** The far end: fractions of Python. */
const far = spawn('python3', [fileURLToPath(new URL('../far/aggregates.py', import.meta.url))], { stdio: ['pipe', 'pipe', 'inherit'] });
const answers = createInterface({ input: far.stdout })[Symbol.asyncIterator]();
afterAll(() => void far.kill());

async function expected(question: object): Promise<unknown> {
  // Whole numbers of 64 bits are written out: JSON's own numbers of JavaScript are doubles.
  far.stdin.write(`${JSON.stringify(question, (_, value) => (typeof value === 'bigint' ? JSON.rawJSON(String(value)) : value))}\n`);
  const { value } = await answers.next();
  return JSON.parse(String(value));
}

declare global {
  interface JSON {
    rawJSON(text: string): unknown;
  }
}

type Kind = Exclude<ColumnKind, 'string'>;

interface Case {
  list: Sample[];
  fromNs: bigint;
  toNs: bigint;
  grid: { widthNs: bigint } | { edges: bigint[] };
  quality: BucketOptions['quality'];
  rule: SeriesRule;
  nowNs: bigint;
}

const edge = fc.bigInt({ min: -60n, max: 60n });
const values: Record<Kind | 'string', fc.Arbitrary<number | bigint | boolean | string>> = {
  double: fc.oneof(
    fc.integer({ min: 0, max: 999 }).map((value) => value / 10),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom(5e-324, Number.MAX_VALUE, -Number.MAX_VALUE, 0),
  ),
  int64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  uint64: fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.bigInt({ min: 0n, max: 9n })),
  boolean: fc.boolean(),
  string: fc.constantFrom('heat', 'idle', 'off'),
};

function cases(kind: Kind | 'string', counted: boolean): fc.Arbitrary<Case> {
  const value = counted && kind === 'double' ? fc.integer({ min: 0, max: 9_999 }).map((one) => one / 10) : values[kind];
  const sample = fc.record({ timeNs: edge, value: fc.option(value, { freq: 5 }), quality: fc.constantFrom<Quality>(...qualities) });
  return fc.record({
    // A later arrival takes the place of an earlier one at the same time.
    list: fc
      .array(sample, { maxLength: 60 })
      .map((list) => list.map((one, index): Sample => ({ ...one, arrivalNs: BigInt(index), reason: one.value === null ? 'timeout' : '' }))),
    fromNs: edge,
    toNs: edge,
    grid: fc.oneof(
      fc.bigInt({ min: 1n, max: 25n }).map((widthNs) => ({ widthNs })),
      fc.uniqueArray(edge, { minLength: 2, maxLength: 9 }).map((edges) => ({ edges: edges.toSorted((a, b) => (a < b ? -1 : 1)) })),
    ),
    quality: fc.constantFrom<BucketOptions['quality']>('good', 'usable', 'all'),
    rule: fc.record({
      hold: fc.oneof(
        fc.constant({}),
        fc.bigInt({ min: 1n, max: 20n }).map((maxNs) => ({ maxNs })),
      ),
      counter: fc.oneof(
        fc.record({ resets: fc.constant(true) }),
        fc.record({ resets: fc.boolean(), modulus: fc.constantFrom(1_000, 10_000) }),
      ),
    }),
    nowNs: fc.oneof(fc.constant(1_000n), edge),
  });
}

let series = 0;
/** Appends a third, folds it, appends the rest: late samples meet those in chunks. */
async function kept(store: Store, kind: ColumnKind, list: readonly Sample[], folds: boolean) {
  const key = { device: 'property', point: `p${series++}` };
  const cut = Math.ceil(list.length / 3);
  for (const part of [list.slice(0, cut), list.slice(cut)]) {
    if (part.length === 0) continue;
    const entries = part.map((sample) => ({ ...entry(0n, 0), key, kind, sample }));
    await store.append(gateway, entries, { now: true });
    if (folds) await store.expire(gateway, -(2n ** 62n));
  }
  return key;
}

function question(kind: ColumnKind, aggregate: string, one: Case) {
  const { list, fromNs, toNs, grid, quality, rule, nowNs } = one;
  const edges = 'edges' in grid ? grid.edges : undefined;
  const whole = kind === 'int64' || kind === 'uint64';
  const samples = [...new Map(list.map((sample) => [sample.timeNs, sample])).values()]
    .sort((a, b) => (a.timeNs < b.timeNs ? -1 : 1))
    .map(({ timeNs, value, quality: own }) => [
      timeNs,
      whole && value !== null ? String(value) : kind === 'boolean' && value !== null ? Number(value) : value,
      qualities.indexOf(own),
    ]);
  const from = edges && edges[0] !== undefined && edges[0] > fromNs ? edges[0] : fromNs;
  const last = edges?.at(-1);
  return {
    aggregate,
    whole,
    samples: samples.filter(([time]) => (time as bigint) < toNs && (last === undefined || (time as bigint) < last)),
    from,
    to: last !== undefined && last < toNs ? last : toNs,
    now: nowNs,
    worst: { good: 0, usable: 1, all: 2 }[quality],
    max: rule.hold?.maxNs ?? null,
    modulus: rule.counter?.modulus ?? null,
    zero: 0,
    resets: rule.counter?.resets ?? true,
    ...(edges ? { edges } : { width: 'widthNs' in grid ? grid.widthNs : 1n }),
  };
}

const optionsOf = ({ grid, quality, nowNs }: Case, aggregate: BucketOptions['aggregate']): BucketOptions => ({
  quality,
  aggregate,
  nowNs,
  ...('edges' in grid ? { edges: BigInt64Array.from(grid.edges) } : grid),
});

/** 0 and -0 are the same to whoever reads a chart. */
const plain = (text: string) => (text === '-0.0' || text === '-0' ? '0' : String(Number(text)));

function found(result: BucketResult | undefined): [number, string][] {
  return Array.from(result?.times ?? [], (time, place) => {
    const exact = result?.exact?.[place];
    return [Number(time), exact === undefined ? plain(String(result?.values[place])) : String(exact)];
  });
}

const told = (list: unknown, exact: boolean) =>
  (list as [number, string][]).map(([time, text]) => [time, exact ? text : plain(text)] as const);

describe.each([false, true])('aggregates between samples are those of exact fractions (folded: %s)', (folds) => {
  it.each([
    ['double', 'avg'],
    ['int64', 'avg'],
    ['boolean', 'avg'],
    ['double', 'increase'],
    ['uint64', 'increase'],
    ['int64', 'increase'],
    ['double', 'rate'],
    ['uint64', 'rate'],
    ['uint64', 'delta'],
    ['int64', 'delta'],
  ] as const)('%s %s', async (kind, aggregate) => {
    const store = openForTest(temporaryFolder());
    const counted = aggregate === 'increase' || aggregate === 'rate';
    await fc.assert(
      fc.asyncProperty(cases(kind, counted), async (one) => {
        const key = await kept(store, kind, one.list, folds);
        const range = { fromNs: one.fromNs, toNs: one.toNs };
        const [result] = await store.buckets(gateway, [{ ...key, ...one.rule }], range, optionsOf(one, aggregate), never);
        const right = (await expected(question(kind, aggregate, one))) as [number, string][];
        // Whole numbers are exact as long as 64 bits hold all of a column.
        expect(found(result)).toEqual(told(right, result?.exact !== undefined));
        const low = kind === 'uint64' && aggregate === 'increase' ? 0n : -(2n ** 63n);
        const fits = right.every(
          ([, text]) => BigInt(text.replace(/\..*|e.*/, '')) >= low && BigInt(text.replace(/\..*|e.*/, '')) < low + 2n ** 64n,
        );
        if (kind !== 'double' && (aggregate === 'delta' || aggregate === 'increase') && fits && right.length > 0)
          expect(result?.exact).toBeDefined();
      }),
      { numRuns: runs },
    );
  });

  it.each(['double', 'boolean', 'string', 'uint64'] as const)('time in state of %s', async (kind) => {
    const store = openForTest(temporaryFolder());
    await fc.assert(
      fc.asyncProperty(cases(kind, true), fc.constantFrom('time-in-state', 'share-in-state'), async (one, aggregate) => {
        const key = await kept(store, kind, one.list, folds);
        const range = { fromNs: one.fromNs, toNs: one.toNs };
        const results = await store.buckets(gateway, [{ ...key, ...one.rule }], range, optionsOf(one, aggregate as 'time-in-state'), never);
        const right = (await expected(question(kind, aggregate, one))) as Record<string, unknown>;
        const name = (state: string) => (kind === 'boolean' ? String(state === '1') : kind === 'double' ? String(Number(state)) : state);
        expect(Object.fromEntries(results.map((result) => [result.state, found(result)]))).toEqual(
          Object.fromEntries(Object.entries(right).map(([state, list]) => [name(state), told(list, false)])),
        );
      }),
      { numRuns: runs },
    );
  });
});

it('a month of samples: the same by chunks and by fractions, whatever the interval', async () => {
  const store = openForTest(temporaryFolder());
  let seed = 7;
  const chance = () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  const second = 1_000_000_000n;
  let total = 0;
  const list = Array.from({ length: 20_000 }, (_, index): Sample => {
    total = chance() < 0.001 ? 0 : total + Math.round(chance() * 30) / 10;
    const timeNs = BigInt(index) * 10n * second + BigInt(Math.round(chance() * 1e9));
    const isBad = chance() < 0.01;
    return {
      timeNs,
      arrivalNs: timeNs,
      value: isBad ? null : Math.round(total * 10) / 10,
      quality: isBad ? 'bad' : 'good',
      reason: isBad ? 'timeout' : '',
    };
  });
  const key = await kept(store, 'double', list, true);
  for (const aggregate of ['avg', 'increase', 'rate'] as const) {
    for (const widthNs of [3_600n * second, 777n * second]) {
      const one: Case = {
        list,
        fromNs: 5_000n * second,
        toNs: 150_000n * second,
        grid: { widthNs },
        quality: 'usable',
        rule: { hold: {}, counter: { resets: true } },
        nowNs: 10n ** 18n,
      };
      const range = { fromNs: one.fromNs, toNs: one.toNs };
      const [result] = await store.buckets(gateway, [{ ...key, ...one.rule }], range, optionsOf(one, aggregate), never);
      expect(found(result)).toEqual(told(await expected(question('double', aggregate, one)), false));
    }
  }
});

describe('an outline of raw samples', () => {
  const at = (index: number) => BigInt(index) * 1_000n;
  it('has the first, least, greatest and last of each width, and every null begins a gap that shows', async () => {
    const store = openForTest(temporaryFolder());
    const list = Array.from({ length: 30_000 }, (_, index) => Math.sin(index / 500) * 100 + ((index * 7) % 13));
    const key = { device: 'property', point: 'outline' };
    await store.append(
      gateway,
      list.map((value, index) => entry(at(index), index === 15_500 ? null : value, { key })),
      { now: true },
    );
    await store.expire(gateway, 0n);
    const range = { fromNs: 0n, toNs: at(30_000) };
    const [result] = await store.outline(gateway, [key], range, { quality: 'all', widthNs: at(1_000), keepMax: 1_000 }, never);
    expect(result?.samples).toBe(30_000);
    const rows = Array.from(result?.columns.times ?? [], (time) => Number(time / 1_000n));
    for (let bucket = 0; bucket < 30; bucket += 1) {
      const places = Array.from({ length: 1_000 }, (_, index) => bucket * 1_000 + index).filter((index) => index !== 15_500);
      const least = places.reduce((best, index) => ((list[index] ?? 0) < (list[best] ?? 0) ? index : best));
      const greatest = places.reduce((best, index) => ((list[index] ?? 0) > (list[best] ?? 0) ? index : best));
      const nulls = bucket === 15 ? [15_500] : [];
      const right = [...new Set([places[0], least, greatest, ...nulls, places.at(-1)])].sort((a, b) => Number(a) - Number(b));
      expect(rows.filter((index) => Math.floor(index / 1_000) === bucket)).toEqual(right);
    }
    for (const [place, index] of rows.entries()) expect(result?.columns.values[place]).toBe(index === 15_500 ? 0 : list[index]);
  });

  it('is everything where there is no more than is wanted, and of texts', async () => {
    const store = openForTest(temporaryFolder());
    const key = { device: 'property', point: 'few' };
    const texts = { device: 'property', point: 'texts' };
    await store.append(
      gateway,
      Array.from({ length: 50 }, (_, index) => entry(at(index), index, { key })),
      { now: true },
    );
    await store.append(
      gateway,
      Array.from({ length: 50 }, (_, index) => entry(at(index), `${index}`, { key: texts, kind: 'string' })),
      { now: true },
    );
    const ask = { quality: 'usable', widthNs: at(25) } as const;
    const lengths = async (keepMax: number) =>
      (await store.outline(gateway, [key, texts], { fromNs: 0n, toNs: at(50) }, { ...ask, keepMax }, never)).map(
        ({ columns }) => columns.times.length,
      );
    expect(await lengths(50)).toEqual([50, 50]);
    expect(await lengths(49)).toEqual([4, 50]);
  });
});

it('tells of a series with too many values for states, and of the value before the range', async () => {
  const store = openForTest(temporaryFolder());
  const key = { device: 'property', point: 'many' };
  await store.append(
    gateway,
    Array.from({ length: 100 }, (_, index) => entry(BigInt(index), index + 0.5, { key })),
    { now: true },
  );
  const ask = { quality: 'usable', widthNs: 10n } as const;
  const [many] = await store.buckets(gateway, [key], { fromNs: 0n, toNs: 100n }, { ...ask, aggregate: 'time-in-state' }, never);
  expect(many).toMatchObject({ tooManyStates: true, times: new BigInt64Array() });
  const [late] = await store.buckets(gateway, [key], { fromNs: 200n, toNs: 300n }, { ...ask, aggregate: 'last', before: true }, never);
  expect(late).toMatchObject({ before: 99.5, times: new BigInt64Array() });
});

it('refuses a value that holds for more intervals than can be answered', async () => {
  const store = openForTest(temporaryFolder());
  const key = { device: 'property', point: 'endless' };
  await store.append(gateway, [entry(0n, 1, { key })], { now: true });
  const ask = { quality: 'usable', aggregate: 'avg', widthNs: 1n } as const;
  await expect(store.buckets(gateway, [{ ...key, hold: {} }], { fromNs: 0n, toNs: 10n ** 15n }, ask, never)).rejects.toThrow(
    /interval is so short/,
  );
});
