import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ColumnKind, type Quality, qualities, type Sample, type Value } from '../../src/contract/sample.ts';
import type { QualityFilter, Store } from '../../src/store/store.ts';
import { always, entry, gateway, never, openForTest, temporaryFolder } from './fixtures.ts';

const worst: Record<QualityFilter, number> = { good: 0, usable: 1, all: 2 };
const runs = Number(process.env.FIELDGATE_SOAK ?? 0) > 0 ? 2_000 : 60;

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const values: Record<ColumnKind, fc.Arbitrary<Value>> = {
  double: fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constantFrom(0, -0, 5e-324, Number.MAX_VALUE, 2 ** 53)),
  int64: fc.oneof(int64, fc.constantFrom<Value>(0, -1, 2n ** 63n - 1n, -(2n ** 63n))),
  uint64: fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.constantFrom<Value>(2n ** 64n - 1n, 2n ** 63n, 3)),
  boolean: fc.boolean(),
  string: fc.string({ unit: 'grapheme', maxLength: 20 }),
};

/** Samples of one series; times near each other and on both sides of 1970, so that they meet and fall on bucket edges. */
function samples(kind: ColumnKind, times: fc.Arbitrary<bigint>): fc.Arbitrary<Sample[]> {
  const sample = fc.record({ timeNs: times, value: fc.option(values[kind], { freq: 6 }), quality: fc.constantFrom<Quality>(...qualities) });
  return fc
    .array(sample, { maxLength: 120 })
    .map((list) => list.map((one, index) => ({ ...one, arrivalNs: BigInt(index), reason: one.value === null ? 'timeout' : '' })));
}

/** What the store should hold: one sample a time, the later arrival. */
function kept(list: readonly Sample[]): Sample[] {
  const byTime = new Map(list.map((sample) => [sample.timeNs, sample]));
  return [...byTime.values()].sort((a, b) => (a.timeNs < b.timeNs ? -1 : 1));
}

function plain(kind: ColumnKind, value: Value): Value {
  if (value === null) return null;
  if (kind === 'boolean') return Number(value);
  return kind === 'int64' || kind === 'uint64' ? BigInt(value as bigint) : value;
}

let series = 0;
async function appended(store: Store, kind: ColumnKind, list: readonly Sample[]) {
  const key = { device: 'property', point: `p${series++}` };
  await store.append(
    gateway,
    list.map((sample) => ({ ...entry(0n, 0), key, kind, sample })),
    { now: true },
  );
  return key;
}

describe.each(Object.keys(values) as ColumnKind[])('a series of %s', (kind) => {
  it('comes back bit by bit', async () => {
    const store = openForTest(temporaryFolder());
    await fc.assert(
      fc.asyncProperty(
        samples(kind, fc.oneof(int64, fc.bigInt({ min: -20n, max: 20n }))),
        fc.constantFrom<QualityFilter>('good', 'usable', 'all'),
        async (list, quality) => {
          const key = await appended(store, kind, list);
          // The very last nanosecond of int64 is outside every half-open range.
          const expected = kept(list).filter(
            (sample) => qualities.indexOf(sample.quality) <= worst[quality] && sample.timeNs < always.toNs,
          );
          const [result] = await store.range(gateway, [key], always, { quality, rowsMax: 1_000 }, never);
          const columns = result?.columns;
          const found = Array.from(columns?.times ?? [], (timeNs, index) => [
            timeNs,
            columns?.valid[index] ? columns.values[index] : null,
            columns?.quality[index],
            columns?.reasons?.[index] ?? '',
          ]);
          expect(found).toEqual(
            expected.map((sample) => [sample.timeNs, plain(kind, sample.value), qualities.indexOf(sample.quality), sample.reason]),
          );
          if (columns && list.length > 0) expect(columns.kind).toBe(kind);
        },
      ),
      { numRuns: runs },
    );
  });

  it('is aggregated exactly, before 1970 and at the edges of buckets too', async () => {
    const store = openForTest(temporaryFolder());
    const edges = fc.bigInt({ min: -60n, max: 60n });
    await fc.assert(
      fc.asyncProperty(
        samples(kind, edges),
        fc.bigInt({ min: 1n, max: 25n }),
        fc.tuple(edges, edges),
        fc.constantFrom<QualityFilter>('good', 'usable', 'all'),
        fc.constantFrom('avg', 'min', 'max', 'sum', 'count', 'first', 'last'),
        async (list, widthNs, [fromNs, toNs], quality, aggregate) => {
          const key = await appended(store, kind, list);
          const inside = kept(list).filter(
            (sample) =>
              sample.value !== null &&
              qualities.indexOf(sample.quality) <= worst[quality] &&
              sample.timeNs >= fromNs &&
              sample.timeNs < toNs,
          );
          const expected = new Map<bigint, Value[]>();
          for (const { timeNs, value } of inside) {
            const start = (((timeNs % widthNs) + widthNs) % widthNs) * -1n + timeNs;
            expected.set(start, [...(expected.get(start) ?? []), plain(kind, value)]);
          }
          const [result] = await store.buckets(gateway, [key], { fromNs, toNs }, { quality, aggregate, widthNs }, never);
          if (kind === 'string' && !['count', 'first', 'last'].includes(aggregate)) {
            expect(result).toBeUndefined();
            return;
          }
          expect([...(result?.times ?? [])]).toEqual([...expected.keys()]);
          const straight = [...expected.values()].map((group) => straightforward(aggregate, group));
          const got = aggregate === 'count' ? result?.values : (result?.texts ?? result?.exact ?? result?.values);
          // `sum` and `avg` of integers leave the integers; everything else keeps its type.
          expect([...(got ?? [])].map((value) => (value === 0 ? 0 : value))).toEqual(straight.map((value) => (value === 0 ? 0 : value)));
        },
      ),
      { numRuns: runs },
    );
  });
});

function straightforward(aggregate: string, group: readonly Value[]): Value {
  const [first, ...rest] = group as number[];
  if (first === undefined) throw new Error('a bucket is never empty');
  const sorted = () => (group as number[]).toSorted((a, b) => (a < b ? -1 : 1));
  // The store's sum is the exact one, rounded once; that of integers is exact anyway.
  const sum = () => (typeof first === 'bigint' ? rest.reduce((total, value) => total + value, first) : exactSum(group as number[]));
  switch (aggregate) {
    case 'count':
      return group.length;
    case 'sum':
      return Number(sum());
    case 'avg':
      // Of two numbers near the greatest the sum is none, the average is one.
      return Number.isFinite(Number(sum())) ? Number(sum()) / group.length : exactSum(group as number[], group.length);
    case 'min':
      return sorted()[0] ?? first;
    case 'max':
      return sorted().at(-1) ?? first;
    case 'last':
      return rest.at(-1) ?? first;
    default:
      return first;
  }
}

/** By whole numbers of 2^-1074, of which every double is one; rounded by the decimal digits that make up the sum. */
function exactSum(list: readonly number[], divisor = 1): number {
  const total = list.reduce((sum, value) => sum + wholeUnits(value), 0n) / BigInt(divisor);
  const size = total < 0n ? -total : total;
  // As an exact decimal: size * 5^1074 / 10^1074. Reading it rounds once, to the nearest double.
  return Number(`${total < 0n ? '-' : ''}${size * 5n ** 1074n}e-1074`);
}

function wholeUnits(value: number): bigint {
  const bits = new BigUint64Array(Float64Array.of(Math.abs(value)).buffer)[0] ?? 0n;
  const exponent = bits >> 52n;
  const fraction = bits & (2n ** 52n - 1n);
  const size = exponent === 0n ? fraction : (fraction + 2n ** 52n) * 2n ** (exponent - 1n);
  return value < 0 ? -size : size;
}

it('keeps exactly the newest rows of any set of series', async () => {
  const store = openForTest(temporaryFolder());
  const times = fc.array(fc.bigInt({ min: -500n, max: 500n }), { maxLength: 400 });
  await fc.assert(
    fc.asyncProperty(fc.array(times, { minLength: 1, maxLength: 5 }), fc.integer({ min: 1, max: 600 }), async (lists, rowsMax) => {
      const keys = await Promise.all(
        lists.map((list) =>
          appended(
            store,
            'double',
            list.map((timeNs) => entry(timeNs, 1).sample),
          ),
        ),
      );
      const results = await store.range(gateway, keys, always, { quality: 'all', rowsMax }, never);
      const all = lists.flatMap((list) => [...new Set(list)]).sort((a, b) => (a < b ? 1 : -1));
      const found = results.flatMap(({ columns }) => [...columns.times]).sort((a, b) => (a < b ? 1 : -1));
      expect(found).toEqual(all.slice(0, rowsMax));
      expect(results.some(({ cut }) => cut)).toBe(all.length > rowsMax);
    }),
    { numRuns: runs },
  );
});
