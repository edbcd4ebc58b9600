import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { frameToArrow } from '../../src/frame/arrow.ts';
import type { Field, Frame } from '../../src/frame/frame.ts';
import { frameToJson } from '../../src/frame/json.ts';
import { fieldOf, readFrame } from './read.ts';

function golden(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../golden/${name}.json`, import.meta.url), 'utf8'));
}

/** One column of every type, with every kind of cell. */
const everyType: Frame = {
  name: 'boiler',
  refId: 'A',
  meta: { type: 'timeseries-wide', notices: [{ severity: 'warning', text: 'cut' }], channel: 'ds/abc/live/0123' },
  fields: [
    { name: 'time', type: 'time', values: BigInt64Array.of(1_700_000_000_123_456_789n, 1_700_000_001_000_000_000n, -1n) },
    {
      name: 'flow_temp',
      type: 'float64',
      values: Float64Array.of(21.5, 9, -0),
      valid: Uint8Array.of(1, 2, 1),
      labels: { device: 'boiler', point: 'flow_temp' },
      config: { unit: 'celsius', decimals: 1 },
    },
    { name: 'raw', type: 'float64', values: Float64Array.of(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY) },
    { name: 'energy', type: 'uint64', values: BigUint64Array.of(2n ** 64n - 1n, 0n, 9007199254740993n) },
    { name: 'delta', type: 'int64', values: BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n, 5n), valid: Uint8Array.of(1, 1, 2) },
    { name: 'pump', type: 'boolean', values: Uint8Array.of(1, 0, 1), valid: Uint8Array.of(1, 1, 0) },
    { name: 'serial_no', type: 'string', values: ['Zähler 7 🔥', '', 'x'], valid: Uint8Array.of(1, 1, 0) },
    { name: 'quality', type: 'enum', values: Uint16Array.of(0, 1, 2), config: { type: { enum: { text: ['good', 'uncertain', 'bad'] } } } },
  ],
};

describe('a frame as an Arrow file', () => {
  it('has every type as the Go SDK reads it', () => {
    expect(readFrame(frameToArrow(everyType))).toEqual(golden('every-type'));
  });

  it('is never empty, not even without rows or columns', () => {
    const none = readFrame(frameToArrow({ meta: { type: 'timeseries-multi', channel: 'ds/a/live/b' }, fields: [] }));
    expect(none).toMatchObject({ meta: { type: 'timeseries-multi', typeVersion: [0, 1], channel: 'ds/a/live/b' }, fields: [] });
    const empty = readFrame(
      frameToArrow({
        fields: [
          { name: 'time', type: 'time', values: new BigInt64Array() },
          { name: 'text', type: 'string', values: [] },
        ],
      }),
    );
    expect(empty.fields.map(({ name, values }) => [name, values])).toEqual([
      ['time', []],
      ['text', []],
    ]);
  });

  it('refuses columns of unequal length, which the host would take for a broken answer', () => {
    const uneven: Frame = {
      name: 'x',
      fields: [
        { name: 'time', type: 'time', values: new BigInt64Array(2) },
        { name: 'value', type: 'float64', values: new Float64Array(1) },
      ],
    };
    expect(() => frameToArrow(uneven)).toThrow('column value has 1 rows and 2 marks, the first column has 2');
    expect(() => frameToJson(uneven, 'data')).toThrow('column value');
  });

  it('puts the number array of the caller into the file as it is', () => {
    const values = Float64Array.from({ length: 10_000 }, (_, i) => Math.sin(i));
    const bytes = Buffer.concat(frameToArrow({ fields: [{ name: 'value', type: 'float64', values }] }));
    expect(bytes.includes(Buffer.from(values.buffer))).toBe(true);
  });

  const texts = fc.array(fc.option(fc.string({ unit: fc.constantFrom('a', 'é', '€', '🔥', '\uD800', '\uDC00', '\0') }), { nil: null }), {
    maxLength: 40,
  });
  const bigs = (min: bigint, max: bigint) => fc.array(fc.option(fc.bigInt({ min, max }), { nil: null }), { maxLength: 40 });
  const marks = (values: readonly unknown[]) => Uint8Array.from(values, (value) => (value === null ? 0 : 1));
  const back = (field: Field) => fieldOf(readFrame(frameToArrow({ fields: [field] })), field.name);

  it('gives back any column of numbers', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.double(), { nil: null }), { maxLength: 40 }), (values) => {
        const read = back({ name: 'v', type: 'float64', values: Float64Array.from(values, (value) => value ?? 0), valid: marks(values) });
        expect(read.values).toEqual(
          values.map((value) =>
            typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))
              ? Object.is(value, -0)
                ? '-0'
                : String(value)
              : value,
          ),
        );
        expect(read.nullable).toBe(values.includes(null));
      }),
    );
  });

  it('gives back any column of 64-bit integers and times to the last digit', () => {
    fc.assert(
      fc.property(bigs(-(2n ** 63n), 2n ** 63n - 1n), bigs(0n, 2n ** 64n - 1n), (signed, unsigned) => {
        const digits = (values: readonly (bigint | null)[]) => values.map((value) => (value === null ? null : String(value)));
        const ints = BigInt64Array.from(signed, (value) => value ?? 0n);
        expect(back({ name: 'v', type: 'int64', values: ints, valid: marks(signed) }).values).toEqual(digits(signed));
        expect(back({ name: 'v', type: 'time', values: ints, valid: marks(signed) }).values).toEqual(digits(signed));
        expect(
          back({ name: 'v', type: 'uint64', values: BigUint64Array.from(unsigned, (value) => value ?? 0n), valid: marks(unsigned) }).values,
        ).toEqual(digits(unsigned));
      }),
    );
  });

  it('gives back any column of booleans and of text, half characters as U+FFFD', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.boolean(), { nil: null }), { maxLength: 40 }), texts, (switches, words) => {
        const bytes = Uint8Array.from(switches, (value) => (value ? 1 : 0));
        expect(back({ name: 'v', type: 'boolean', values: bytes, valid: marks(switches) }).values).toEqual(switches);
        const read = back({ name: 'v', type: 'string', values: words.map((word) => word ?? ''), valid: marks(words) });
        expect(read.values).toEqual(words.map((word) => word?.toWellFormed() ?? null));
      }),
    );
  });
});

describe('a frame as a Live packet', () => {
  /** JSON.parse would round 64-bit digits, so they are marked before it. */
  function parse(bytes: Uint8Array): unknown {
    return JSON.parse(new TextDecoder().decode(bytes).replaceAll(/(?<=[[,])-?\d{16,20}(?=[\],])/g, (digits) => `"${digits}n"`));
  }

  it('has every type as the browser and the Go SDK read it', () => {
    expect(parse(frameToJson(everyType, 'schema+data'))).toEqual(golden('every-type.live'));
  });

  it('carries only data after the first', () => {
    const packet = JSON.parse(new TextDecoder().decode(frameToJson({ ...everyType, fields: everyType.fields.slice(0, 2) }, 'data')));
    expect(packet).toEqual({
      data: {
        values: [
          [1700000000123, 1700000001000, -1],
          [21.5, null, 0],
        ],
        entities: [null, { Undef: [1] }],
        nanos: [[456789, 0, 999999], null],
      },
    });
  });

  it('says any time as milliseconds and nanoseconds that add up', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }), (time) => {
        const field: Field = { name: 'time', type: 'time', values: BigInt64Array.of(time) };
        const { data } = JSON.parse(new TextDecoder().decode(frameToJson({ fields: [field] }, 'data')));
        const nanos = BigInt(data.nanos?.[0]?.[0] ?? 0);
        expect(BigInt(data.values[0][0]) * 1_000_000n + nanos).toBe(time);
        expect(nanos).toBeGreaterThanOrEqual(0n);
      }),
    );
  });
});
