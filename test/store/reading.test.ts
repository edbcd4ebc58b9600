/** What the reader keeps decoded, and where it puts a large result together, never shows: it reads what is in the history now. */
import { expect, it } from 'vitest';
import { limits } from '../../src/contract/limits.ts';
import type { ColumnKind, Columns, Quality, SeriesKey } from '../../src/contract/sample.ts';
import { ChunkCache } from '../../src/store/cache.ts';
import type { Chunk } from '../../src/store/chunks.ts';
import { Loans } from '../../src/store/loans.ts';
import type { Rows } from '../../src/store/rows.ts';
import { Slabs } from '../../src/store/slabs.ts';
import type { Store } from '../../src/store/store.ts';
import { always, entry, gateway, never, openForTest, temporaryFolder } from './fixtures.ts';

const key = { device: 'boiler', point: 'flow_temp' };

async function read(store: Store, fromNs: bigint, toNs: bigint, rowsMax = 1_000_000, quality: 'usable' | 'all' = 'all') {
  const [result] = await store.range(gateway, [key], { fromNs, toNs }, { quality, rowsMax }, never);
  const { times, values, valid } = result?.columns ?? { times: [], values: [], valid: [] };
  return [...times].map((time, place) => [Number(time), valid[place] === 1 ? Number(values[place]) : null]);
}

const folded = (store: Store) => store.expire(gateway, always.fromNs);

it('a chunk read before is read anew after late samples, corrections, an expiry and an erasure', async () => {
  const store = openForTest(temporaryFolder());
  const expected = new Map<number, number>();
  const put = async (list: [number, number][], arrivalNs: bigint) => {
    await store.append(
      gateway,
      list.map(([time, value]) => entry(BigInt(time), value, { arrivalNs })),
      { now: true },
    );
    for (const [time, value] of list) expected.set(time, value);
  };
  const check = async (from: number, to: number) => {
    const wanted = [...expected].filter(([time]) => time >= from && time < to).sort(([a], [b]) => a - b);
    // Twice: of the file, and of what is kept of it.
    for (let turn = 0; turn < 2; turn++) expect(await read(store, BigInt(from), BigInt(to))).toEqual(wanted);
  };
  await put(
    Array.from({ length: 500 }, (_, index) => [index * 10, index]),
    1_000_000n,
  );
  await folded(store);
  await check(100, 300);
  // In the head beside what is kept, then folded into it.
  await put(
    [
      [105, -1],
      [110, -2],
    ],
    2_000_000n,
  );
  await check(100, 300);
  await folded(store);
  await check(100, 300);
  await store.expire(gateway, 150n);
  for (const time of expected.keys()) if (time < 150) expected.delete(time);
  await check(100, 300);
  await store.erase(gateway);
  expected.clear();
  await check(100, 300);
  // The numbers of erased blocks are given anew; so are the times, the count and even most of the values.
  await put(
    Array.from({ length: 500 }, (_, index) => [index * 10, index === 20 ? 7 : index]),
    3_000_000n,
  );
  await folded(store);
  await check(100, 300);
});

it.each(['double', 'int64', 'boolean'] as const)(
  'a large result of %s is whole, whatever lies beside its chunks',
  async (kind: ColumnKind) => {
    const store = openForTest(temporaryFolder());
    const count = limits.storeRoomRowsMin * 2;
    const valueAt = (index: number) => (kind === 'boolean' ? index % 3 === 0 : index % 1_000);
    const put = async (from: number, to: number, step = 10, shift = 0, quality: Quality = 'good') => {
      for (let at = from; at < to; at += 20_000) {
        const size = Math.min(20_000, to - at);
        const entries = Array.from({ length: size }, (_, index) =>
          entry(BigInt((at + index) * step + shift), valueAt(at + index), { kind, quality }),
        );
        await store.append(gateway, entries, { now: true });
      }
    };
    const expected: [number, number][] = Array.from({ length: count }, (_, index) => [index * 10, Number(valueAt(index))]);
    await put(0, count - 3_000);
    await folded(store);
    const all = () => read(store, 0n, 10_000_000n);
    expect(await all()).toEqual(expected.slice(0, -3_000));
    // The newest are in the head only.
    await put(count - 3_000, count);
    expect(await all()).toEqual(expected);
    // A part of the range, in the midst of chunks at both ends.
    const [from, to] = [12_345, count - 1_234];
    expect(await read(store, BigInt(from * 10), BigInt(to * 10))).toEqual(expected.slice(from, to));
    // No more rows than asked for: the newest.
    expect(await read(store, 0n, 10_000_000n, 40_000)).toEqual(expected.slice(-40_000));
    // Late ones between the others, of a quality that is asked for or not.
    await put(1_000, 1_100, 10, 5, 'bad');
    expect(await read(store, 0n, 10_000_000n, 1_000_000, 'usable')).toEqual(expected);
    const late = Array.from({ length: 100 }, (_, index): [number, number] => [(1_000 + index) * 10 + 5, Number(valueAt(1_000 + index))]);
    expect(await all()).toEqual([...expected, ...late].sort(([a], [b]) => a - b));
    // What was given away was nobody else's.
    expect(await read(store, 0n, 1_000n)).toEqual(expected.slice(0, 100));
    expect(await read(store, 0n, 1_000n)).toEqual(expected.slice(0, 100));
  },
);

it("what is lent is used again once it is given back, and what is not asked for on loan is nobody else's", async () => {
  const store = openForTest(temporaryFolder());
  const count = limits.storeRoomRowsMin * 2;
  const other = { ...key, point: 'return_temp' };
  for (const [series, shift] of [
    [key, 0],
    [other, 7],
  ] as const) {
    for (let at = 0; at < count; at += 16_384) {
      const entries = Array.from({ length: 16_384 }, (_, index) => entry(BigInt(at + index), at + index + shift, { key: series }));
      await store.append(gateway, entries, { now: true });
    }
  }
  await folded(store);
  const borrowed = async (series: SeriesKey, signal = never) => {
    let giveBack = () => {};
    const borrow = (back: () => void) => {
      giveBack = back;
    };
    const [result] = await store.range(gateway, [series], always, { quality: 'usable', rowsMax: 1_000_000, borrow }, signal);
    if (!result) throw new Error('nothing was read');
    return { columns: result.columns, giveBack };
  };
  const isAll = ({ times, values }: Columns, shift: number) =>
    times.length === count && times.every((time, place) => time === BigInt(place) && values[place] === place + shift);

  const first = await borrowed(key);
  expect(first.columns.times.buffer).toBeInstanceOf(SharedArrayBuffer);
  // It is not given back yet: the next one is elsewhere.
  const second = await borrowed(other);
  expect([isAll(first.columns, 0), isAll(second.columns, 7)]).toEqual([true, true]);
  first.giveBack();
  // Twice is once.
  first.giveBack();
  // Reads that are given up on their way take nothing along.
  for (let turn = 0; turn < 20; turn++) {
    const controller = new AbortController();
    // Or come in time.
    const given = borrowed(key, controller.signal).then(
      ({ giveBack }) => giveBack(),
      () => undefined,
    );
    await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    await given;
  }
  // Each takes what is free, so the first one's memory is among theirs, wherever the others' has been.
  for (let turn = 0; turn < 22 && !isAll(first.columns, 7); turn++) expect(isAll((await borrowed(other)).columns, 7)).toBe(true);
  expect([isAll(first.columns, 7), isAll(second.columns, 7)]).toEqual([true, true]);
  const [own] = await store.range(gateway, [key], always, { quality: 'usable', rowsMax: 1_000_000 }, never);
  expect(own?.columns.times.buffer).toBeInstanceOf(ArrayBuffer);
});

it('what is on loan has a bound; beyond it an answer has memory of its own', () => {
  const back: SharedArrayBuffer[] = [];
  const loans = new Loans((slabs) => back.push(...slabs));
  const slab = new SharedArrayBuffer(limits.storeLentBytesMax + 16);
  const columns = {
    kind: 'double' as const,
    times: new BigInt64Array(slab, 0, 1),
    values: new Float64Array(slab, 8, 1),
    valid: Uint8Array.of(1),
    quality: new Uint8Array(1),
  };
  expect(loans.isPossible).toBe(true);
  // Two series in one slab are one loan.
  const giveBack = loans.take([{ columns }, { columns }]);
  expect(loans.isPossible).toBe(false);
  giveBack();
  giveBack();
  expect([loans.isPossible, back]).toEqual([true, [slab]]);
  // The reader keeps of what comes back what it may, and gives only what is not much too large.
  const slabs = new Slabs();
  slabs.giveBack([slab]);
  expect(slabs.take(slab.byteLength)).not.toBe(slab);
  const small = slabs.take(1);
  const large = slabs.take(8 * small.byteLength);
  slabs.giveBack([large, small]);
  expect(slabs.take(10)).toBe(small);
  expect(slabs.take(10)).not.toBe(large);
  expect(slabs.take(large.byteLength - 10)).toBe(large);
});

it('keeps decoded chunks within its bytes, and gives up first what was not read for longest', () => {
  const chunk = (block: number): Chunk => ({ series: 1, first: 0n, last: 9n, rows: 10, summary: new Uint8Array(5), crc: 7, block });
  const rows = (): Rows => ({ length: 10, times: new BigInt64Array(10), bits: new BigInt64Array(10) });
  const cache = new ChunkCache(3 * 160);
  for (const block of [1, 2, 3]) cache.add(chunk(block), rows());
  expect(cache.bytes).toBe(3 * 160);
  expect(cache.get(chunk(1))?.length).toBe(10);
  cache.add(chunk(4), rows());
  expect([1, 2, 3, 4].map((block) => cache.get(chunk(block)) !== undefined)).toEqual([true, false, true, true]);
  // Another chunk under the same number is another chunk, and the first is gone.
  for (const other of [{ crc: 8 }, { rows: 11 }, { first: 1n }, { last: 8n }, { series: 2 }]) {
    cache.add(chunk(4), rows());
    expect(cache.get({ ...chunk(4), ...other })).toBeUndefined();
    expect(cache.get(chunk(4))).toBeUndefined();
  }
  expect(cache.bytes).toBe(2 * 160);
  cache.add(chunk(5), { ...rows(), texts: ['x'.repeat(1_000)] });
  expect(cache.get(chunk(5))).toBeUndefined();
  expect(cache.bytes).toBe(2 * 160);
});
