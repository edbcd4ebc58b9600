/** The first place from `from` on whose value is less than the one before it; `to` if there is none. */
export function fallAfter(values: Float64Array | BigInt64Array | BigUint64Array, from: number, to: number): number {
  // Two loops: one for both kinds of values would box each of them.
  return values instanceof Float64Array ? numberFallAfter(values, from, to) : wholeFallAfter(values, from, to);
}

function numberFallAfter(values: Float64Array, from: number, to: number): number {
  let index = from;
  while (index < to && (values[index] as number) >= (values[index - 1] as number)) index++;
  return index;
}

function wholeFallAfter(values: BigInt64Array | BigUint64Array, from: number, to: number): number {
  let index = from;
  while (index < to && (values[index] as bigint) >= (values[index - 1] as bigint)) index++;
  return index;
}
