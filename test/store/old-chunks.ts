/** What the chunks in old-chunks.json hold: they were written by code of earlier forms of the format, which no code writes any more. */
import type { ColumnKind } from '../../src/contract/sample.ts';
import { type Rows, reasonPlace } from '../../src/store/rows.ts';

export function samplesOf(): { name: string; version?: number; kind: ColumnKind; rows: Rows }[] {
  const times = (count: number, step: bigint, jitter = 0n) =>
    BigInt64Array.from(
      { length: count },
      (_, i) => 1_700_000_000_000_000_000n + BigInt(i) * step + (BigInt((i * 7_919) % 41) - 20n) * jitter,
    );
  const bits = (list: number[]) => new BigInt64Array(Float64Array.from(list).buffer);
  const walk = Array.from({ length: 1_200 }, (_, i) => Math.round(2_000 + 300 * Math.sin(i / 40) + ((i * 31) % 17)) / 100);
  const counter = BigInt64Array.from({ length: 50 }, (_, i) => 2n ** 60n + BigInt(i) * 3n + BigInt((i * i) % 5));
  const wide = BigInt64Array.of(0n, 2n ** 63n - 1n, -(2n ** 63n), -1n);
  return [
    {
      name: 'a walk of two decimals',
      kind: 'double',
      rows: { length: 1_200, times: times(1_200, 1_000_000_000n, 1_000_000n), bits: bits(walk) },
    },
    {
      name: 'full doubles',
      kind: 'double',
      rows: { length: 20, times: times(20, 17n), bits: bits(Array.from({ length: 20 }, (_, i) => Math.sin(i) * 1e-7)) },
    },
    {
      name: 'doubles with lengths and bytes mixed',
      version: 2,
      kind: 'double',
      rows: { length: 300, times: times(300, 1_000_000n), bits: bits(Array.from({ length: 300 }, (_, i) => Math.sin(i / 30))) },
    },
    { name: 'a counter', kind: 'int64', rows: { length: 50, times: times(50, 1_000n), bits: counter } },
    { name: 'integers far apart', kind: 'uint64', rows: { length: 4, times: times(4, 60_000_000_000n), bits: wide } },
    {
      name: 'states with nulls',
      kind: 'boolean',
      rows: {
        length: 6,
        times: times(6, 1_000_000n),
        bits: BigInt64Array.of(0n, 1n, 1n, 0n, 0n, 1n),
        valid: Uint8Array.of(1, 1, 1, 0, 0, 1),
        quality: Uint8Array.of(0, 0, 1, 2, 2, 0),
        reasons: Uint16Array.of(0, 0, reasonPlace('clock'), reasonPlace('timeout'), reasonPlace('timeout'), 0),
        lags: BigInt64Array.of(0n, 5n, 0n, 2n ** 40n, -3n, 0n),
      },
    },
    {
      name: 'texts',
      kind: 'string',
      rows: { length: 3, times: times(3, 5n), bits: new BigInt64Array(3), texts: ['Wärme', '', 'Wärme'] },
    },
  ];
}
