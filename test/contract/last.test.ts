/** The newest sample of a series, remembered in halves of its times and a double. */
import { expect, it } from 'vitest';
import { LastSample } from '../../src/contract/last.ts';
import type { Sample, Value } from '../../src/contract/sample.ts';

const timesNs = [0n, 1n, -1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, -(2n ** 32n), 1_700_000_000_123_456_789n, 2n ** 63n - 1n, -(2n ** 63n)];
const values: Value[] = [0, -0, 1.5, -1e300, 2 ** 53, 2n ** 64n - 1n, true, false, 'Wärme', '', null];

it('gives back what was put, whatever was there before', () => {
  let last: LastSample | undefined;
  for (const [at, timeNs] of timesNs.entries())
    for (const value of values) {
      const sample: Sample = {
        timeNs,
        arrivalNs: timesNs[(at + 3) % timesNs.length] ?? 0n,
        value,
        quality: value === null ? 'bad' : 'uncertain',
        reason: value === null ? 'timeout' : 'clock',
      };
      if (last) last.put(sample);
      else last = new LastSample(sample);
      expect(last.copy()).toStrictEqual(sample);
      expect(Object.is(last.value, value)).toBe(true);
    }
});

it('tells which of two times is later, and by how much where that is exact', () => {
  for (const one of timesNs)
    for (const other of timesNs) {
      const last = new LastSample({ timeNs: one, arrivalNs: other, value: 1, quality: 'good', reason: '' });
      const aheadNs = one - other;
      expect(Math.sign(last.aheadOfNs(other))).toBe(aheadNs === 0n ? 0 : aheadNs > 0n ? 1 : -1);
      expect(Math.sign(last.arrivedAfterNs(one))).toBe(aheadNs === 0n ? 0 : aheadNs > 0n ? -1 : 1);
      if (aheadNs < 2n ** 53n && aheadNs > -(2n ** 53n)) expect(last.aheadOfNs(other)).toBe(Number(aheadNs));
    }
});
