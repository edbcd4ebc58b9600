/** What is asked again is answered beside the reader: never with anything else than the reader would say. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { limits } from '../../src/contract/limits.ts';
import { type ColumnKind, qualities, type Value } from '../../src/contract/sample.ts';
import type { QualityFilter, Store } from '../../src/store/store.ts';
import { entry, gateway, never, openForTest, temperature, temporaryFolder } from './fixtures.ts';

type Row = readonly [time: number, value: Value, level: number, reason: string];

async function read(store: Store, from: number, to: number, quality: QualityFilter, isOutline = false): Promise<Row[]> {
  const range = { fromNs: BigInt(from), toNs: BigInt(to) };
  const [result] = isOutline
    ? await store.outline(gateway, [temperature], range, { quality, widthNs: 1n, keepMax: 1_000 }, never)
    : await store.range(gateway, [temperature], range, { quality, rowsMax: 1_000 }, never);
  if (!result) return [];
  const { times, values, valid, quality: levels, reasons } = result.columns;
  return Array.from(times, (time, row): Row => {
    const value = values[row] ?? null;
    return [Number(time), valid[row] === 1 ? value : null, levels[row] ?? -1, reasons?.[row] ?? ''];
  });
}

// Few and near each other, so that questions meet what the ones before left.
const time = fc.integer({ min: 0, max: 12 });
const filter = fc.constantFrom<QualityFilter>('usable', 'usable', 'usable', 'good', 'all');
const steps = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('read' as const),
        from: fc.integer({ min: 0, max: 4 }),
        length: fc.integer({ min: 1, max: 40 }),
        quality: filter,
        isOutline: fc.boolean(),
      }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('next' as const), isNull: fc.boolean(), level: fc.integer({ min: 0, max: 2 }) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('late' as const), at: time, level: fc.integer({ min: 0, max: 2 }) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('again' as const), at: time, isNewer: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('expire' as const, 'remove' as const), at: time }) },
  ),
  { minLength: 10, maxLength: 60 },
);

it.each(['double', 'int64', 'uint64', 'boolean'] as const)(
  'says of %s what was appended, corrected and deleted, whatever was asked before',
  async (kind: ColumnKind) => {
    const store = openForTest(undefined);
    const numbered = (count: number): Value => (kind === 'boolean' ? count % 2 === 1 : count);
    const shown = (value: Value): Value =>
      typeof value === 'boolean' ? Number(value) : kind.endsWith('int64') && value !== null ? BigInt(value) : value;
    await fc.assert(
      fc.asyncProperty(steps, async (list) => {
        await store.erase(gateway);
        const samples = new Map<number, { row: Row; arrival: number }>();
        let newest = 0;
        let count = 0;
        const append = (at: number, arrival: number, isNull: boolean, level: number) => {
          count += 1;
          const value = isNull ? null : numbered(count);
          const quality = qualities[level] ?? 'bad';
          const reason = level === 0 ? '' : 'stale';
          const appended = store.append(gateway, [entry(BigInt(at), value, { kind, quality, reason, arrivalNs: BigInt(arrival) })]);
          appended.catch(() => undefined);
          const before = samples.get(at);
          if (!before || arrival >= before.arrival) samples.set(at, { row: [at, shown(value), level, reason], arrival });
        };
        for (const step of list) {
          if (step.do === 'next') append(++newest, 1_000 + newest, step.isNull, step.level);
          else if (step.do === 'late') append(Math.min(step.at, newest), 5_000 + count, false, step.level);
          else if (step.do === 'again') append(Math.min(step.at, newest), step.isNewer ? 9_000 : 0, false, 0);
          else if (step.do === 'read') {
            const worst = { good: 0, usable: 1, all: 2 }[step.quality];
            const wanted = [...samples.values()]
              .map(({ row }) => row)
              .filter(([at, , level]) => at >= step.from && at < step.from + step.length && level <= worst)
              .sort(([a], [b]) => a - b);
            for (let turn = 0; turn < 2; turn++)
              expect(await read(store, step.from, step.from + step.length, step.quality, step.isOutline)).toEqual(wanted);
          } else {
            // Of a series that has not been committed yet there is nothing to expire.
            await store.flush();
            if (step.do === 'expire') await store.expire(gateway, BigInt(step.at));
            else await store.remove(gateway, [temperature], { fromNs: BigInt(step.at), toNs: BigInt(step.at + 5) });
            for (const at of samples.keys())
              if (step.do === 'expire' ? at < step.at : at >= step.at && at < step.at + 5) samples.delete(at);
          }
        }
      }),
      { numRuns: 40 },
    );
  },
);

it('what was asked before is known with what came since, without a commit', async () => {
  const store = openForTest(temporaryFolder(), { flushIntervalMs: 3_600_000 });
  await store.append(gateway, [entry(1n, 1), entry(2n, 2)], { now: true });
  // From here on the series of the gateway are known.
  expect(await store.series(gateway)).toHaveLength(1);
  expect(await read(store, 0, 100, 'usable')).toHaveLength(2);
  const { commits } = store.status();
  store.append(gateway, [entry(3n, 3)]).catch(() => undefined);
  expect(await read(store, 2, 100, 'usable')).toEqual([
    [2, 2, 0, ''],
    [3, 3, 0, ''],
  ]);
  expect(store.status().commits).toBe(commits);
  // A late one may be a correction: the history is asked.
  store.append(gateway, [entry(2n, 7, { arrivalNs: 50n })]).catch(() => undefined);
  expect(await read(store, 2, 100, 'usable')).toEqual([
    [2, 7, 0, ''],
    [3, 3, 0, ''],
  ]);
  expect(store.status().commits).toBe(commits + 1);
});

it('a second kind of the same point, more rows than are kept, and fewer than are there', async () => {
  const store = openForTest(undefined);
  const count = limits.storeWarmRowsMax;
  await store.append(
    gateway,
    Array.from({ length: count }, (_, index) => entry(BigInt(index), index)),
    { now: true },
  );
  const ask = (rowsMax: number) => store.range(gateway, [temperature], { fromNs: 0n, toNs: 10_000n }, { quality: 'all', rowsMax }, never);
  for (let turn = 0; turn < 2; turn++) expect((await ask(10_000))[0]?.columns.times).toHaveLength(count);
  const [cut] = await ask(10);
  expect(cut).toMatchObject({ cut: true });
  expect(cut?.columns.times[0]).toBe(BigInt(count - 10));
  await store.append(gateway, [entry(5_000n, 'off', { kind: 'string' }), entry(5_001n, 1)], { now: true });
  for (let turn = 0; turn < 2; turn++) {
    const lengths = (await ask(10_000)).map(({ series, columns }) => [series.kind, columns.times.length] as const);
    expect(new Map(lengths)).toEqual(
      new Map([
        ['double', count + 1],
        ['string', 1],
      ]),
    );
  }
});

it('a sample that comes while the reader is asked is there afterwards, at whatever moment it came', async () => {
  const store = openForTest(undefined, { flushIntervalMs: 3_600_000 });
  await store.append(gateway, [entry(0n, 0)], { now: true });
  expect(await store.series(gateway)).toHaveLength(1);
  for (let moment = 1; moment <= 60; moment++) {
    // Another beginning each time: nobody knows the answer yet.
    const running = read(store, -moment, 1_000, 'usable');
    for (let turn = 0; turn < moment; turn++) await Promise.resolve();
    store.append(gateway, [entry(BigInt(moment), moment)]).catch(() => undefined);
    await running;
    expect((await read(store, -moment, 1_000, 'usable')).map(([at]) => at)).toEqual(Array.from({ length: moment + 1 }, (_, at) => at));
  }
});
