/** Columns of times as their different times and places among them. */
import { expect, it } from 'vitest';
import { momentsOf } from '../../src/store/moments.ts';

const startNs = 1_700_000_000_000_000_000n;
const times = (count: number, time: (row: number) => bigint) => BigInt64Array.from({ length: count }, (_, row) => time(row));

it.each<[string, BigInt64Array, number | undefined]>([
  ['of one poll', times(1_000, () => startNs), 1],
  ['of two polls of each series', times(2_000, (row) => startNs + BigInt(row % 2) * 1_000_000_000n), 2],
  ['of four hundred polls in any order', times(20_000, (row) => startNs + BigInt((row * 7_919) % 400) * 1_000_000n), 400],
  ['that differ in their high halves only', times(64, (row) => BigInt(row % 8) << 32n), 8],
  ['at both ends of what there is', times(8, (row) => (row % 2 ? 2n ** 63n - 1n : -(2n ** 63n))), 2],
  ['as many as a place of two bytes can tell apart', times(200_000, (row) => startNs + BigInt(row % 65_536)), 65_536],
  ['one more than that', times(200_000, (row) => startNs + BigInt(row % 65_537)), undefined],
  ['all different', times(1_000, (row) => startNs + BigInt(row) * 1_000_000n), undefined],
  ['of one row', times(1, () => startNs), undefined],
  ['of none', times(0, () => startNs), undefined],
])('times %s', (_, given, count) => {
  const moments = momentsOf(given);
  expect(moments?.times.length).toBe(count);
  if (!moments) return;
  expect(Array.from(moments.places, (place) => moments.times[place])).toEqual(Array.from(given));
  expect(moments.times.byteLength + moments.places.byteLength).toBeLessThanOrEqual(given.byteLength * 0.8);
});
