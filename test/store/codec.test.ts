import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ColumnKind, columnKinds } from '../../src/contract/sample.ts';
import { createTally, NumberTally } from '../../src/store/aggregate.ts';
import { ChunkReader, readChunk, writeChunk } from '../../src/store/codec/chunk.ts';
import { Summary, writeSummary } from '../../src/store/codec/summary.ts';
import { blanks, doublesOf, type Rows, reasonPlace, sliceRows } from '../../src/store/rows.ts';
import { ExactSum } from '../../src/store/sum.ts';

const runs = Number(process.env.FIELDGATE_SOAK ?? 0) > 0 ? 20_000 : 300;
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const noNaN = fc.double({ noNaN: true });

/** Where each kind of data comes from: what devices send, and what they do not. */
const doubleLists: Record<string, fc.Arbitrary<number[]>> = {
  'any doubles': fc.array(
    fc.oneof(noNaN, fc.constantFrom(0, -0, 5e-324, -5e-324, Number.MAX_VALUE, Infinity, -Infinity, Number.NaN, 2 ** 53)),
  ),
  decimals: fc
    .tuple(fc.integer({ min: 0, max: 9 }), fc.array(fc.maxSafeInteger()))
    .map(([digits, list]) => list.map((one) => one / 10 ** digits)),
  'a random walk of two decimals': fc.array(fc.integer({ min: -50, max: 50 })).map((steps) => {
    let hundredths = 2_000;
    return steps.map((step) => {
      hundredths += step;
      return hundredths / 100;
    });
  }),
  'floats made wide': fc.array(fc.float({ noNaN: true })),
  'a constant': fc.tuple(noNaN, fc.integer({ min: 1, max: 300 })).map(([value, count]) => new Array<number>(count).fill(value)),
  'a ramp': fc
    .tuple(fc.integer(), fc.integer(), fc.integer({ min: 1, max: 300 }))
    .map(([from, step, count]) => Array.from({ length: count }, (_, index) => from + index * step)),
};

function timesOf(count: number, seed: bigint, step: bigint): BigInt64Array<ArrayBuffer> {
  return BigInt64Array.from({ length: count }, (_, index) => BigInt.asIntN(64, seed + BigInt(index) * step));
}

function rowsOf(kind: ColumnKind, bits: BigInt64Array<ArrayBuffer>, times = timesOf(bits.length, 0n, 1n)): Rows {
  return { length: bits.length, times, bits, ...(kind === 'string' ? { texts: blanks(bits.length) } : {}) };
}

/** The same with every column that may be absent written out, so that two can be compared. */
function whole(rows: Rows): unknown {
  const { length, lags, valid, quality, reasons } = rows;
  return {
    times: [...rows.times],
    bits: [...rows.bits],
    lags: [...(lags ?? new BigInt64Array(length))],
    texts: rows.texts ?? [],
    valid: [...(valid ?? new Uint8Array(length).fill(1))],
    quality: [...(quality ?? new Uint8Array(length))],
    reasons: [...(reasons ?? new Uint16Array(length))],
  };
}

describe('a chunk', () => {
  it.each(Object.entries(doubleLists))('gives %s back bit by bit', (_name, lists) => {
    fc.assert(
      fc.property(lists, (list) => {
        const bits = new BigInt64Array(Float64Array.from(list).buffer);
        const bytes = writeChunk('double', rowsOf('double', bits));
        expect([...readChunk('double', bytes).bits]).toEqual([...bits]);
        const half = new ChunkReader('double', bytes).rows(bits.length >> 1, bits.length);
        expect([...half.bits]).toEqual([...bits.subarray(bits.length >> 1)]);
      }),
      { numRuns: runs },
    );
  });

  it.each(['int64', 'uint64'] as const)('gives any %s back, and any times', (kind) => {
    const extremes = fc.constantFrom(0n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n);
    // Near each other and far apart: both forms.
    const list = fc.oneof(
      fc.array(fc.oneof(int64, extremes)),
      fc
        .tuple(int64, fc.array(fc.bigInt({ min: -1_000n, max: 1_000n })))
        .map(([base, steps]) => steps.map((step) => BigInt.asIntN(64, base + step * 1_000_000n))),
    );
    fc.assert(
      fc.property(list, list, (values, others) => {
        const size = Math.min(values.length, others.length);
        const rows = rowsOf(kind, BigInt64Array.from(values.slice(0, size)), BigInt64Array.from(others.slice(0, size)));
        const bytes = writeChunk(kind, rows);
        expect(whole(readChunk(kind, bytes))).toEqual(whole(rows));
        const half = new ChunkReader(kind, bytes).rows(size >> 1, size);
        expect(whole(half)).toEqual(whole(sliceRows(rows, size >> 1, size)));
      }),
      { numRuns: runs },
    );
  });

  it.each(columnKinds)('keeps nulls, quality, reasons and arrival of a series of %s', (kind) => {
    const row = fc.record({
      value: fc.option(kind === 'boolean' ? fc.bigInt({ min: 0n, max: 1n }) : fc.bigInt({ min: 0n, max: 2_000n }), { freq: 3 }),
      text: fc.string({ unit: 'grapheme', maxLength: 8 }),
      lag: fc.oneof(fc.constant(0n), fc.bigInt({ min: -5n, max: 2n ** 40n })),
      quality: fc.integer({ min: 0, max: 2 }),
      reason: fc.constantFrom('', 'timeout', 'exception-3'),
    });
    fc.assert(
      fc.property(fc.array(row, { maxLength: 400 }), int64, fc.bigInt({ min: 0n, max: 2n ** 40n }), (list, from, step) => {
        const doubles = Float64Array.from(list, ({ value }) => Number(value ?? 0) / 4);
        const rows: Rows = {
          length: list.length,
          times: timesOf(list.length, from, step),
          bits:
            kind === 'double'
              ? new BigInt64Array(doubles.buffer)
              : kind === 'string'
                ? new BigInt64Array(list.length)
                : BigInt64Array.from(list, ({ value }) => value ?? 0n),
          lags: BigInt64Array.from(list, ({ lag }) => lag),
          valid: Uint8Array.from(list, ({ value }) => (value === null ? 0 : 1)),
          quality: Uint8Array.from(list, ({ quality }) => quality),
          reasons: Uint16Array.from(list, ({ reason }) => reasonPlace(reason)),
          ...(kind === 'string' ? { texts: list.map(({ value, text }) => (value === null ? '' : text)) } : {}),
        };
        const bytes = writeChunk(kind, rows);
        expect(whole(readChunk(kind, bytes))).toEqual(whole(rows));
        // And any part of it, in any order.
        const chunk = new ChunkReader(kind, bytes);
        for (const [from, to] of [
          [0.2, 0.5],
          [0.6, 1],
          [0.1, 0.7],
          [0, 0.3],
        ].map((ends) => ends.map((share) => Math.floor(share * list.length)) as [number, number])) {
          expect(whole(chunk.rows(from, to))).toEqual(whole(sliceRows(rows, from, to)));
        }
      }),
      { numRuns: runs },
    );
  });

  it('takes less than 1.55 bytes a sample of a reading with two decimals, once a second with 20 ms of jitter', () => {
    let seed = 1;
    const chance = () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    let hundredths = 2_000;
    const bits = new BigInt64Array(4_096);
    const values = new Float64Array(bits.buffer);
    for (let index = 0; index < values.length; index++) {
      hundredths += Math.round((chance() + chance() + chance() - 1.5) * 20);
      values[index] = hundredths / 100;
    }
    const times = BigInt64Array.from(values, (_, index) => BigInt(index * 1_000 + Math.round(chance() * 40 - 20)) * 1_000_000n);
    const rows = rowsOf('double', bits, times);
    expect((writeChunk('double', rows).length + (writeSummary('double', rows)?.length ?? 0)) / values.length).toBeLessThan(1.55);
    const steady = rowsOf('double', bits.slice().fill(0n), timesOf(4_096, 7n, 1_000_000_000n));
    expect(writeChunk('double', steady).length).toBeLessThan(64);
  });

  it('shows by its checksum that any one byte is another', () => {
    const rows = rowsOf('int64', timesOf(500, 3n, 77n));
    const bytes = writeChunk('int64', rows);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (place, change) => {
        const damaged = bytes.slice();
        damaged[place] = (damaged[place] ?? 0) ^ change;
        expect(crc32(damaged)).not.toBe(crc32(bytes));
      }),
    );
  });
});

describe('a summary', () => {
  it('says of any parts what the samples say', () => {
    const minute = 60_000_000_000n;
    fc.assert(
      fc.property(
        fc.array(fc.record({ value: noNaN.filter(Number.isFinite), valid: fc.boolean(), quality: fc.integer({ min: 0, max: 2 }) }), {
          minLength: 1,
          maxLength: 40,
        }),
        fc.bigInt({ min: -100n, max: 100n }),
        fc.bigInt({ min: 1n, max: 1_000n }),
        (list, from, stepSeconds) => {
          // Repeated, so that there is more than one part.
          const many = Array.from({ length: 40 }, () => list).flat();
          const rows: Rows = {
            ...rowsOf(
              'double',
              new BigInt64Array(Float64Array.from(many, ({ value, valid }) => (valid ? value : 0)).buffer),
              timesOf(many.length, from * minute, stepSeconds * 1_000_000_000n),
            ),
            valid: Uint8Array.from(many, ({ valid }) => Number(valid)),
            quality: Uint8Array.from(many, ({ quality }) => quality),
          };
          const last = rows.times[rows.length - 1] ?? 0n;
          const summary = Summary.read(writeSummary('double', rows) ?? new Uint8Array(), rows.times[0] ?? 0n, last);
          expect(summary?.parts.reduce((sum, { count }) => sum + count, 0)).toBe(many.filter(({ valid }) => valid).length);
          for (const part of summary?.parts ?? []) {
            const places = [...rows.times].flatMap((time, place) => (time >= part.fromNs && time < part.toNs ? [place] : []));
            const straight = createTally('double');
            straight.take(rows, places[0] ?? 0, (places.at(-1) ?? -1) + 1);
            const joined = new NumberTally('double');
            if (!part.hasSum) continue;
            summary?.join(part, joined);
            const aggregates =
              straight.count === 0 ? (['count'] as const) : (['count', 'min', 'max', 'first', 'last', 'sum', 'avg'] as const);
            for (const aggregate of aggregates) expect(joined.result(aggregate)).toBe(straight.result(aggregate));
            expect(joined.worst).toBe(straight.worst);
          }
        },
      ),
      { numRuns: Math.min(runs, 100) },
    );
  });

  it('is refused when it is damaged', () => {
    const rows = rowsOf('double', timesOf(10, 0n, 1n));
    const bytes = writeSummary('double', rows) ?? new Uint8Array();
    bytes[30] = (bytes[30] ?? 0) ^ 1;
    expect(Summary.read(bytes, 0n, 9n)).toBeUndefined();
    expect(Summary.read(bytes.subarray(0, 10), 0n, 9n)).toBeUndefined();
  });
});

describe('the exact sum', () => {
  it('is the same in any order, and the nearest double', () => {
    fc.assert(
      fc.property(
        fc.array(noNaN.filter(Number.isFinite), { maxLength: 30 }),
        fc.array(fc.nat(), { minLength: 30, maxLength: 30 }),
        (list, chance) => {
          const sumOf = (values: readonly number[]) => {
            const sum = new ExactSum();
            for (const value of values) sum.add(value);
            return sum.value() + 0;
          };
          const shuffled = list.map((value, index) => ({ value, place: chance[index] ?? 0 })).sort((a, b) => a.place - b.place);
          expect(sumOf(shuffled.map(({ value }) => value))).toBe(sumOf(list));
          // What is added and taken away again leaves nothing behind.
          expect(sumOf([...list, 0.1, ...list.map((value) => -value)])).toBe(0.1);
        },
      ),
      { numRuns: runs },
    );
  });

  it('goes beyond the largest double and back', () => {
    const sum = new ExactSum();
    for (const value of [Number.MAX_VALUE, Number.MAX_VALUE, 3, -Number.MAX_VALUE]) sum.add(value);
    expect(sum.value()).toBe(Number.MAX_VALUE);
    sum.add(-Number.MAX_VALUE);
    expect(sum.value()).toBe(3);
    expect(doublesOf(rowsOf('double', BigInt64Array.of(0n)))[0]).toBe(0);
  });
});
