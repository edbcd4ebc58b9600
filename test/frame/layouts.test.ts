import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { frameToArrow } from '../../src/frame/arrow.ts';
import { longFields, longTimes } from '../../src/frame/long.ts';
import { mergeByTime } from '../../src/frame/merge.ts';
import { type Series, textField } from '../../src/frame/series.ts';
import { wideFrame } from '../../src/frame/wide.ts';
import { fieldOf, readFrame } from './read.ts';

function series(name: string, rows: readonly (readonly [bigint, number])[]): Series {
  return {
    name,
    point: name,
    labels: { point: name },
    config: {},
    times: BigInt64Array.from(rows, ([time]) => time),
    value: { type: 'float64', values: Float64Array.from(rows, ([, value]) => value) },
  };
}

/** A few series in order of time, with equal times within and between them, and times that a double cannot tell apart. */
const someSeries = fc
  .array(
    fc.array(fc.tuple(fc.oneof(fc.bigInt({ min: 0n, max: 6n }), fc.bigInt({ min: 2n ** 61n, max: 2n ** 61n + 6n })), fc.integer()), {
      maxLength: 12,
    }),
    { minLength: 1, maxLength: 5 },
  )
  .map((lists) =>
    lists.map((list, i) =>
      series(
        `s${i}`,
        [...list].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)),
      ),
    ),
  );

describe('series in one frame', () => {
  it('merge in the order of time, each row once', () => {
    fc.assert(
      fc.property(someSeries, (all) => {
        const order = mergeByTime(all.map(({ times }) => times));
        const got = Array.from(order.row, (row, i) => [all[order.series[i] ?? 0]?.times[row], order.series[i], row]);
        const wanted = all
          .flatMap(({ times }, at) => Array.from(times, (time, row) => [time, at, row] as const))
          .sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : a[1] - b[1] || a[2] - b[2]));
        expect(got).toEqual(wanted);
      }),
    );
  });

  it('lie side by side with every time once, and of two values at one time the later', () => {
    fc.assert(
      fc.property(someSeries, (all) => {
        const { frame, cutRows } = wideFrame(all, { cellsMax: 1_000 });
        expect(cutRows).toBe(0);
        const read = readFrame(frameToArrow(frame));
        const times = [...new Set(all.flatMap(({ times }) => [...times]))].sort((a, b) => (a < b ? -1 : 1));
        expect(fieldOf(read, 'time').values).toEqual(times.map(String));
        for (const one of all) {
          const wanted = new Map(Array.from(one.times, (time, row) => [time, one.value.values[row]]));
          expect(fieldOf(read, one.name).values.map((value) => (value === '-0' ? 0 : value))).toEqual(
            times.map((time) => wanted.get(time) ?? null),
          );
        }
      }),
    );
  });

  it('a wide frame keeps within its cells by leaving out the oldest rows', () => {
    const all = [
      series('a', [
        [1n, 1],
        [3n, 3],
      ]),
      series('b', [
        [2n, 2],
        [4n, 4],
      ]),
    ];
    const { frame, cutRows } = wideFrame(all, { cellsMax: 6 });
    expect(cutRows).toBe(2);
    const read = readFrame(frameToArrow(frame));
    expect(fieldOf(read, 'time').values).toEqual(['3', '4']);
    expect(fieldOf(read, 'a').values).toEqual([3, null]);
    expect(fieldOf(read, 'b').values).toEqual([null, 4]);
  });

  it('a line is not drawn across a real null', () => {
    const holed = series('a', [
      [1n, 1],
      [3n, 3],
    ]);
    const missing: Series = { ...holed, name: 'm', value: { type: 'float64', values: Float64Array.of(1, 0), valid: Uint8Array.of(1, 0) } };
    const { frame } = wideFrame([holed, missing, series('b', [[2n, 2]])], { cellsMax: 100 });
    expect(frame.fields.map(({ config }) => config?.custom)).toEqual([undefined, { spanNulls: true }, undefined, { spanNulls: true }]);
  });

  it('a long frame has the labels of all, empty where a series lacks one', () => {
    const all = [
      { ...series('a', [[1n, 1]]), labels: { device: 'x', site: 'north' } },
      { ...series('b', [[2n, 2]]), labels: { device: 'y' } },
    ];
    const fields = longFields(all, mergeByTime(all.map(({ times }) => times)), { units: false, quality: false });
    const read = readFrame(frameToArrow({ fields }));
    expect(read.fields.map(({ name, values }) => [name, values])).toEqual([
      ['device', ['x', 'y']],
      ['site', ['north', '']],
      ['value', [1, 2]],
    ]);
  });

  it('a long frame has each row of each kind once, with its quality and reason', () => {
    const one = series('a', [
      [1n, 1.5],
      [4n, 2.5],
    ]);
    const all: Series[] = [
      {
        ...one,
        quality: Uint8Array.of(0, 2),
        reasons: ['', 'timeout'],
        value: { ...one.value, valid: Uint8Array.of(1, 0) } as Series['value'],
      },
      { ...series('b', [[2n, 0]]), value: { type: 'int64', values: BigInt64Array.of(2n ** 60n) } },
      { ...series('c', [[3n, 0]]), value: { type: 'boolean', values: Uint8Array.of(1), valid: Uint8Array.of(1) } },
      { ...series('d', [[5n, 0]]), value: { type: 'string', values: ['idle'] } },
    ];
    const order = mergeByTime(all.map(({ times }) => times));
    const time = { name: 'time', type: 'time' as const, values: longTimes(all, order) };
    const read = readFrame(frameToArrow({ fields: [time, ...longFields(all, order, { units: false, quality: true })] }));
    expect(read.fields.map(({ name, values }) => [name, values])).toEqual([
      ['time', ['1', '2', '3', '4', '5']],
      ['point', ['a', 'b', 'c', 'a', 'd']],
      ['value', [1.5, 2 ** 60, 1, null, null]],
      ['text', [null, 0, null, null, 1]],
      ['quality', [0, 0, 0, 2, 0]],
      ['reason', [0, 0, 0, 1, 0]],
    ]);
    expect(fieldOf(read, 'text').config).toEqual({ type: { enum: { text: [String(2n ** 60n), 'idle'] } } });
  });

  it('texts become an enum, or a string column when there are too many of them', () => {
    const few = textField('text', ['on', null, 'off', 'on']);
    expect(few).toMatchObject({ type: 'enum', config: { type: { enum: { text: ['on', 'off'] } } } });
    expect([...few.values]).toEqual([0, 0, 1, 0]);
    const many = textField(
      'text',
      Array.from({ length: 70_000 }, (_, i) => `t${i}`),
    );
    expect(many.type).toBe('string');
    expect(many.values.at(-1)).toBe('t69999');
  });
});
