/** The value pipeline and its inversion (DESIGN §5): pure, so tested with values. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CommandValue } from '../../src/contract/command.ts';
import type { Shape } from '../../src/contract/driver.ts';
import type { Reason, Sample, Value } from '../../src/contract/sample.ts';
import { toRaw, type Written } from '../../src/gateway/inversion.ts';
import { Pipeline } from '../../src/gateway/pipeline.ts';
import { isWorthKeeping, Kept } from '../../src/gateway/report.ts';
import { float, int16, point, uint64 } from './rig.ts';

const float32: Shape = { type: 'float32' };
const int64: Shape = { type: 'integer', min: -(2n ** 63n), max: 2n ** 63n - 1n };
const any: Shape = { type: 'any' };
const exact: Shape = { type: 'float64', exact: true };
const arrivalNs = 1_700_000_000_123_000_000n;
const day = 86_400_000;

type Words = Parameters<typeof point>[2];
function sampleOf(words: Words & { shape: Shape }, value: Value, more: { reason?: Reason; timeNs?: bigint } = {}): Sample {
  return new Pipeline(point('d', 'p', words), words.shape).sample({ value, reason: '', ...more }, arrivalNs, day);
}

describe('raw to engineering', () => {
  it.each<[string, Words & { shape: Shape }, Value, Value, Reason]>([
    ['scales as on paper', { shape: int16, scale: 0.1 }, 214, 21.4, ''],
    ['scales and offsets as on paper', { shape: int16, scale: 0.01, offset: -273.15 }, 29_815, 25, ''],
    ['scales a decimal from JSON', { shape: any, scale: 0.001 }, 1234.5, 1.2345, ''],
    ['reads a float32 as the shortest decimal that it is', { shape: float32 }, Math.fround(21.4), 21.4, ''],
    ['and scales that', { shape: float32, scale: 0.1 }, Math.fround(21.4), 2.14, ''],
    ['and compares it with its limits', { shape: float32, max: 0.1 }, Math.fround(0.1), 0.1, ''],
    ['to nine digits where they are needed', { shape: float32 }, 0.10000000894069672, 0.10000001, ''],
    ['and the smallest', { shape: float32 }, 1.401298464324817e-45, 1.4013e-45, ''],
    ['keeps a minus before zero', { shape: float }, -0, -0, ''],
    ['and the smallest float64', { shape: float }, 5e-324, 5e-324, ''],
    ['scales every digit of 64 bits', { shape: uint64, scale: 0.1 }, 9007199254740993n, Number('900719925474099.3'), ''],
    ['also the greatest', { shape: uint64, scale: 0.001, offset: -1 }, 18446744073709551615n, Number('18446744073709550.615'), ''],
    ['scales by a third as it is spelt', { shape: int16, scale: 1 / 3 }, 3, 0.9999999999999999, ''],
    ['keeps whole numbers exact that come as text', { shape: exact }, 9007199254740993n, 9007199254740993n, ''],
    ['and others as they are', { shape: exact }, 21.5, 21.5, ''],
    ['compares invalid in hexadecimal', { shape: uint64, invalid: ['0xFFFFFFFFFFFFFFFF'] }, 18446744073709551615n, null, 'sentinel'],
    ['rounds when told', { shape: float32, precision: 2 }, Math.fround(21.4), 21.4, ''],
    ['rounds a negative half away from zero', { shape: float, precision: 0 }, -2.5, -3, ''],
    ['compares invalid raw, before scaling', { shape: int16, scale: 0.1, invalid: [-32768] }, -32768, null, 'sentinel'],
    ['does not take the scaled value for invalid', { shape: int16, scale: 0.1, invalid: [100] }, 1000, 100, ''],
    ['compares invalid 64-bit exactly', { shape: uint64, invalid: ['18446744073709551615'] }, 18446744073709551615n, null, 'sentinel'],
    ['and not its neighbour', { shape: uint64, invalid: ['18446744073709551615'] }, 18446744073709551614n, 18446744073709551614n, ''],
    ['compares invalid as a float32 holds it', { shape: float32, invalid: [-999.9] }, Math.fround(-999.9), null, 'sentinel'],
    ['compares invalid text', { shape: any, invalid: ['n/a'] }, 'n/a', null, 'sentinel'],
    ['keeps an unscaled int64 exact', { shape: int64 }, -9007199254740993n, -9007199254740993n, ''],
    ['makes small 64-bit numbers exact too', { shape: uint64 }, 5, 5n, ''],
    ['scales a 64-bit number to a double', { shape: uint64, scale: 0.1 }, 123n, 12.3, ''],
    ['has no NaN', { shape: float32 }, Number.NaN, null, 'nan'],
    ['has no infinity', { shape: float }, Number.POSITIVE_INFINITY, null, 'nan'],
    ['has none that scaling makes', { shape: float, scale: 10 }, 1.5e308, null, 'nan'],
    ['refuses what is below min', { shape: float, min: 0, max: 500 }, -0.1, null, 'out-of-range'],
    ['refuses what is above max, in engineering units', { shape: int16, scale: 0.1, max: 100 }, 1001, null, 'out-of-range'],
    ['takes the limit itself', { shape: int16, scale: 0.1, max: 100 }, 1000, 100, ''],
    ['refuses another type', { shape: float }, 'warm', null, 'decode'],
    ['refuses a missing value', { shape: float }, null, null, 'decode'],
    ['takes anything where anything may come', { shape: any }, 'warm', 'warm', ''],
    ['takes 1 for true', { shape: { type: 'boolean' } }, 1, true, ''],
  ])('%s', (_, words, raw, value, reason) => {
    expect(sampleOf(words, raw)).toMatchObject({ value, reason, quality: reason === '' ? 'good' : 'bad' });
  });

  it('passes on the reason of the driver', () => {
    expect(sampleOf({ shape: float }, null, { reason: 'exception-2' })).toMatchObject({
      value: null,
      quality: 'bad',
      reason: 'exception-2',
    });
  });

  it.each([
    ['its own time, to the millisecond', arrivalNs - 4_999_543_211n, 'good', ''],
    ['arrival instead of a time too far ahead', arrivalNs + 61_000_000_000n, 'uncertain', 'clock'],
    ['arrival instead of a time before the history', arrivalNs - BigInt(day + 1_000) * 1_000_000n, 'uncertain', 'clock'],
    ['arrival instead of 1970', 0n, 'uncertain', 'clock'],
  ])('gives %s', (_, timeNs, quality, reason) => {
    const sample = sampleOf({ shape: float }, 1, { timeNs });
    const chosen = quality === 'good' ? timeNs : arrivalNs;
    expect(sample).toEqual({ timeNs: chosen - (chosen % 1_000_000n), arrivalNs, value: 1, quality, reason });
  });
});

describe('what is kept', () => {
  const good = (value: Value): Sample => ({ timeNs: 0n, arrivalNs: 0n, value, quality: 'good', reason: '' });
  const bad = (reason: Reason): Sample => ({ timeNs: 0n, arrivalNs: 0n, value: null, quality: 'bad', reason });
  const report = { onChange: true, deadband: 0.1, maxSilence: 60_000 };
  it.each([
    ['everything unless said otherwise', undefined, good(1), good(1), 0, true],
    ['no repetition on change', { onChange: true, deadband: 0 }, good(1), good(1), 1_000, false],
    ['no change smaller than the deadband', report, good(20), good(20.09), 1_000, false],
    ['one as large as it, though 0.3 - 0.2 is less than 0.1', report, good(0.2), good(0.3), 1_000, true],
    ['a repetition after the longest silence', report, good(20), good(20), 60_000, true],
    ['a change of quality', report, good(20), bad('timeout'), 1, true],
    ['a change of reason', report, bad('timeout'), bad('exception-2'), 1, true],
    ['no repetition of a bad one', undefined, bad('timeout'), bad('timeout'), 59_000, false],
    ['one bad a minute', undefined, bad('timeout'), bad('timeout'), 60_000, true],
    ['a switch', { onChange: true, deadband: 5 }, good(true), good(false), 1, true],
  ])('%s', (_, words, before, now, afterMs, kept) => {
    expect(isWorthKeeping(words, new Kept(before, 0), now, afterMs)).toBe(kept);
  });
});

describe('write, then read', () => {
  const scales = fc.constantFrom(1, 0.1, 0.01, 0.001, 0.5, 2, 10, -0.1, 1 / 3, 100);
  const offsets = fc.constantFrom(0, -273.15, 40, 0.5, -1000);

  it('gives back every value an integer place can hold, and hits its raw value', () => {
    fc.assert(
      fc.property(fc.integer({ min: -32_768, max: 32_767 }), scales, offsets, (raw, scale, offset) => {
        const place = point('d', 'p', { shape: int16, scale, offset, access: 'read-write' });
        const pipeline = new Pipeline(place, int16);
        const asked = pipeline.value(raw).value as number;
        const written = toRaw(place, int16, asked);
        expect(written.raw).toBe(raw);
        expect(pipeline.value(written.raw).value).toBe(asked);
        expect(written.value).toBe(pipeline.value(written.raw).value);
      }),
      { numRuns: 2_000 },
    );
  });

  it('gives back what 64 bits and any scale can show, whatever a double has lost', () => {
    const [min, max] = [-(2n ** 63n), 2n ** 63n - 1n];
    const raws = fc.oneof(fc.bigInt({ min, max }), fc.constantFrom(min, min + 1n, max - 1n, max));
    fc.assert(
      fc.property(raws, scales, offsets, (raw, scale, offset) => {
        fc.pre(scale !== 1 || offset !== 0);
        const place = point('d', 'p', { shape: int64, scale, offset, access: 'read-write' });
        const asked = new Pipeline(place, int64).value(raw).value as number;
        const written = toRaw(place, int64, asked);
        expect(written.value).toBe(asked);
        // Beyond this two neighbouring raw values are the same double: an ulp is wider than a step.
        if (Math.abs(asked) < 2 ** 52 * Math.abs(scale) && offset === 0) expect(BigInt(written.raw as number)).toBe(raw);
      }),
      { numRuns: 2_000 },
    );
  });

  it('is at most half a step away from any value asked of an integer place', () => {
    fc.assert(
      fc.property(fc.double({ min: -3_000, max: 3_000, noNaN: true }), (asked) => {
        const place = point('d', 'p', { shape: int16, scale: 0.1, access: 'read-write' });
        const { raw, value } = toRaw(place, int16, asked);
        expect(Number.isInteger(raw)).toBe(true);
        expect(Math.abs((value as number) - asked)).toBeLessThanOrEqual(0.05 + 1e-9);
      }),
    );
  });

  it('gives the value a float holds, within its digits', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1e6, max: 1e6, noNaN: true }),
        scales,
        offsets,
        fc.constantFrom(float32, float),
        (asked, scale, offset, shape) => {
          const place = point('d', 'p', { shape, scale, offset, access: 'read-write' });
          const { raw, value } = toRaw(place, shape, asked);
          if (shape === float32) expect(Math.fround(raw as number)).toBe(raw);
          // Half a step of the float, and half of the last of its decimal digits.
          const digits = shape === float32 ? 2 ** -22 : 1e-14;
          expect(Math.abs((value as number) - asked)).toBeLessThanOrEqual(digits * (Math.abs(asked) + Math.abs(offset) + 1e-9));
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('is exact to the last digit of 64 bits', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (asked) => {
        const { raw, value } = toRaw(point('d', 'p', { shape: uint64, access: 'read-write' }), uint64, String(asked));
        expect(BigInt(raw as number | bigint)).toBe(asked);
        expect(value).toBe(asked);
        expect(toRaw(point('d', 'p', { shape: uint64, access: 'read-write' }), uint64, asked)).toEqual({ raw, value });
      }),
    );
  });

  it.each([
    [{ shape: int16, scale: 0.1 }, 3_276.8, 422, 'does not fit'],
    [{ shape: uint64 }, '18446744073709551616', 422, 'does not fit'],
    [{ shape: uint64 }, '12.5', 400, 'allowed is a number'],
    [{ shape: int16, min: 0, max: 100 }, 101, 422, 'allowed is 0 to 100'],
    [{ shape: int16, invalid: [-32768] }, -32768, 422, 'means "no value"'],
    [{ shape: float32 }, 1e39, 422, 'beyond what a 32-bit float holds'],
    [{ shape: int16, enum: { '0': 'off', '1': 'on' } }, 2, 422, 'allowed are "off", "on"'],
    [{ shape: uint64 }, 18446744073709551616n, 422, 'does not fit'],
    [{ shape: float32 }, 10n ** 39n, 422, 'beyond what a 32-bit float holds'],
    [{ shape: { type: 'string' } as Shape }, 9007199254740993n, 400, '9007199254740993 is no value'],
    [{ shape: uint64, enum: { '18446744073709551615': 'full' } }, '18446744073709551614', 422, 'allowed are "full"'],
    [{ shape: { type: 'string' } as Shape, enum: { OFF: 'off', ON: 'on' } }, 'dim', 422, 'allowed are "off", "on"'],
  ])('%o: %s is refused', (words, asked, status, message) => {
    const place = point('d', 'p', { ...(words as Words), access: 'read-write' });
    let thrown: unknown;
    try {
      toRaw(place, words.shape, asked);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ status, message: expect.stringContaining(message), place: 'value' });
  });

  it.each<[Words & { shape: Shape }, CommandValue, Written]>([
    [{ shape: uint64, enum: { '18446744073709551615': 'full' } }, '18446744073709551615', { raw: 2n ** 64n - 1n, value: 2n ** 64n - 1n }],
    [{ shape: uint64, enum: { '18446744073709551615': 'full' } }, 'full', { raw: 2n ** 64n - 1n, value: 2n ** 64n - 1n }],
    [{ shape: int16, enum: { '-1': 'fault', '0': 'ok' } }, 'fault', { raw: -1, value: -1 }],
    [{ shape: int16, scale: 0.1, enum: { '-5': 'low' } }, -0.5, { raw: -5, value: -0.5 }],
    [{ shape: any }, 9007199254740993n, { raw: 9007199254740993n, value: 9007199254740993n }],
    [{ shape: exact }, '9007199254740993', { raw: 9007199254740993n, value: 9007199254740993n }],
    [{ shape: float32 }, 21.4, { raw: Math.fround(21.4), value: 21.4 }],
    [{ shape: float }, -0, { raw: -0, value: -0 }],
    [{ shape: int16 }, -0, { raw: 0, value: 0 }],
    [{ shape: uint64, scale: 0.001 }, '18446744073709551', { raw: 18446744073709551000n, value: Number('18446744073709551') }],
  ])('%o: %s is written', (words, asked, written) => {
    expect(toRaw(point('d', 'p', { ...words, access: 'read-write' }), words.shape, asked)).toEqual(written);
  });

  it('takes the raw value and the name of an enum of text', () => {
    const shape: Shape = { type: 'string' };
    const place = point('d', 'p', { shape, enum: { OFF: 'off', ON: 'on' }, access: 'read-write' });
    expect(toRaw(place, shape, 'on')).toEqual({ raw: 'ON', value: 'ON' });
    expect(toRaw(place, shape, 'ON')).toEqual({ raw: 'ON', value: 'ON' });
  });
});
