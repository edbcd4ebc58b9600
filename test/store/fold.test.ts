import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { limits } from '../../src/contract/limits.ts';
import type { ColumnKind, Sample, Value } from '../../src/contract/sample.ts';
import type { Store } from '../../src/store/store.ts';
import { always, entry, gateway, never, openForTest, temporaryFolder } from './fixtures.ts';

const runs = Number(process.env.FIELDGATE_SOAK ?? 0) > 0 ? 500 : 25;
const key = { device: 'folded', point: 'value' };
const second = 1_000_000_000n;

/** An expiry of what nobody has begins with a fold of everything. */
const fold = (store: Store, name = gateway) => store.expire(name, always.fromNs);

function append(store: Store, kind: ColumnKind, list: readonly Sample[], name = gateway): Promise<void> {
  return store.append(
    name,
    list.map((sample) => ({ key, kind, sample })),
    { now: true },
  );
}

async function read(store: Store, name = gateway): Promise<(readonly [bigint, unknown, number | undefined])[]> {
  const results = await store.range(name, [key], always, { quality: 'all', rowsMax: 1_000_000 }, never);
  return results.flatMap(({ columns }) =>
    Array.from(
      columns.times,
      (time, index) => [time, columns.valid[index] ? columns.values[index] : null, columns.quality[index]] as const,
    ),
  );
}

const kinds: Partial<Record<ColumnKind, fc.Arbitrary<Value>>> = {
  double: fc.double({ noNaN: true, noDefaultInfinity: true }),
  int64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  uint64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  boolean: fc.boolean(),
  string: fc.string({ maxLength: 5 }),
};

describe.each(Object.keys(kinds) as ColumnKind[])('a series of %s, folded at any moment', (kind) => {
  it('has late samples, corrections and repetitions as if it had been written at once', async () => {
    const store = openForTest(temporaryFolder());
    let name = 0;
    const sample = fc.record({
      time: fc.integer({ min: 0, max: 300 }),
      value: fc.option(kinds[kind] ?? fc.constant(1), { freq: 5 }),
      late: fc.integer({ min: 0, max: 3 }),
    });
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.array(sample, { minLength: 1, maxLength: 60 }) },
      { weight: 2, arbitrary: fc.constant('fold') },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), fc.integer({ min: 1, max: 90 }), async (steps, width) => {
        const own = `${kind}/${name++}`;
        const model = new Map<number, Sample>();
        for (const one of steps) {
          if (typeof one === 'string') {
            await fold(store, own);
            continue;
          }
          const samples = one.map(({ time, value, late }): Sample => {
            const timeNs = BigInt(time) * second;
            return {
              timeNs,
              arrivalNs: timeNs + BigInt(late),
              value,
              quality: value === null ? 'bad' : 'good',
              reason: value === null ? 'crc' : '',
            };
          });
          for (const [index, next] of samples.entries()) {
            const time = one[index]?.time ?? 0;
            const before = model.get(time);
            if (!before || next.arrivalNs >= before.arrivalNs) model.set(time, next);
          }
          await append(store, kind, samples, own);
        }
        const expected = [...model.entries()].sort(([a], [b]) => a - b).map(([, one]) => one);
        const plain = (value: Value) =>
          value === null
            ? null
            : kind === 'boolean'
              ? Number(value)
              : kind === 'int64' || kind === 'uint64'
                ? BigInt(value as bigint)
                : value;
        expect(await read(store, own)).toEqual(
          expected.map(({ timeNs, value, quality }) => [timeNs, plain(value), quality === 'bad' ? 2 : 0]),
        );
        const widthNs = BigInt(width) * second;
        const counts = new Map<bigint, number>();
        for (const { timeNs, value } of expected) {
          const start = timeNs - (timeNs % widthNs);
          if (value !== null) counts.set(start, (counts.get(start) ?? 0) + 1);
        }
        const [buckets] = await store.buckets(own, [key], always, { quality: 'all', aggregate: 'count', widthNs }, never);
        expect([...(buckets?.times ?? [])]).toEqual([...counts.keys()]);
        expect([...(buckets?.values ?? [])]).toEqual([...counts.values()]);
      }),
      { numRuns: runs },
    );
  });
});

describe('chunks', () => {
  const many = limits.storeChunkRowsMax * 3 + 100;
  const valueAt = (index: number) => Math.round(Math.sin(index / 700) * 10_000) / 100;
  const samples = (from: number, to: number, step = 1) =>
    Array.from(
      { length: Math.ceil((to - from) / step) },
      (_, index) => entry(BigInt(from + index * step) * second, valueAt(from + index * step)).sample,
    );

  it.each(['avg', 'min', 'max', 'sum', 'count', 'first', 'last'] as const)(
    'give the same %s as their samples do, whatever the buckets',
    async (aggregate) => {
      const folded = openForTest(temporaryFolder());
      const plain = openForTest(undefined);
      await append(folded, 'double', samples(0, many));
      await fold(folded);
      // Late ones, some of them in the head only: between, beside and in the place of others.
      await append(folded, 'double', samples(many + 500, many + 900));
      await fold(folded);
      const late = [
        ...samples(many, many + 500, 7),
        entry(5n * second, 99.99, { arrivalNs: 10n ** 18n }).sample,
        entry(7_000n * second + 1n, -99.99).sample,
      ];
      await append(folded, 'double', late);
      await append(plain, 'double', [...samples(0, many), ...samples(many + 500, many + 900), ...late]);
      expect(await read(folded)).toEqual(await read(plain));
      for (const [fromNs, toNs] of [
        [0n, BigInt(many + 2_000) * second],
        [1_234n * second, 9_876n * second + 5n],
      ] as const)
        for (const widthNs of [60n * second, 600n * second, 3_600n * second, 777n * second + 13n, 10n * 86_400n * second]) {
          const ask = { quality: 'usable', aggregate, widthNs } as const;
          const range = { fromNs, toNs };
          expect((await folded.buckets(gateway, [key], range, ask, never))[0]?.values).toEqual(
            (await plain.buckets(gateway, [key], range, ask, never))[0]?.values,
          );
        }
    },
  );

  it('of a slow series are merged: few remain of a thousand folds', async () => {
    const folder = temporaryFolder();
    const store = openForTest(folder);
    for (let index = 0; index < 200; index++) {
      await append(store, 'double', samples(index, index + 1));
      await fold(store);
    }
    await store.close();
    const database = new (await import('node:sqlite')).DatabaseSync(`${folder}/fieldgate.db`, { readOnly: true });
    const { chunks, rows } = database.prepare('SELECT count(*) AS chunks, sum(rows) AS rows FROM chunk').get() ?? {};
    expect(database.prepare('SELECT count(*) AS count FROM block').get()?.count).toBe(chunks);
    expect(database.prepare('SELECT count(*) AS count FROM log').get()?.count).toBe(0);
    database.close();
    expect(rows).toBe(200);
    expect(Number(chunks)).toBeLessThanOrEqual(8);
  });

  it('end where a page does when they are full, so that no page stands half empty', async () => {
    const folder = temporaryFolder();
    const store = openForTest(folder);
    const jitter = (index: number) => BigInt((index * 7_919) % 41) * 1_000_000n;
    const noisy = Array.from(
      { length: many },
      (_, index) => entry(BigInt(index) * second + jitter(index), (2_000 + ((index * index * 31) % 257)) / 100).sample,
    );
    await append(store, 'double', noisy);
    await fold(store);
    expect(await read(store)).toEqual(noisy.map(({ timeNs, value }) => [timeNs, value, 0]));
    await store.close();
    const database = new (await import('node:sqlite')).DatabaseSync(`${folder}/fieldgate.db`, { readOnly: true });
    const listed = database.prepare('SELECT length(data) AS bytes FROM chunk JOIN block ON id = block ORDER BY first').all();
    database.close();
    // SQLite file format: 489 bytes of a long cell stay beside others, the rest is in pages of 4092.
    const full = listed.slice(0, -1).map(({ bytes }) => (Number(bytes) - 489) % 4_092);
    expect(full.length).toBeGreaterThanOrEqual(3);
    for (const over of full) expect(over < 600 || over > 4_092 - 600, `${over} bytes over`).toBe(true);
  });

  it('are made by themselves while samples come in, and commits go on', async () => {
    const store = openForTest(temporaryFolder());
    const total = limits.storeHeadRowsMax + 60_000;
    for (let from = 0; from < total; from += 20_000) await append(store, 'double', samples(from, Math.min(total, from + 20_000)));
    const [result] = await store.range(gateway, [key], always, { quality: 'all', rowsMax: 1_000_000 }, never);
    expect(result?.columns.times.length).toBe(total);
    for (const index of [0, 4_095, 4_096, 262_143, 262_144, total - 1]) {
      expect(result?.columns.times[index]).toBe(BigInt(index) * second);
      expect(result?.columns.values[index]).toBe(valueAt(index));
    }
  });

  it('take long texts in small portions', async () => {
    const store = openForTest(temporaryFolder());
    const texts = Array.from({ length: 40 }, (_, index) => String(index).repeat(20_000));
    await append(
      store,
      'string',
      texts.map((text, index) => entry(BigInt(index), text).sample),
    );
    await fold(store);
    expect((await read(store)).map(([, text]) => text)).toEqual(texts);
  });
});
