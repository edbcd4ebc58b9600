import type { ColumnKind, Sample, Value } from '../contract/sample.ts';

/** The first and the last time there can be, too. */
export const int64Min = -(2n ** 63n);
export const int64Max = 2n ** 63n - 1n;
const uint64Max = 2n ** 64n - 1n;

/**
 * The kind of series a value belongs to: that of its point where the value fits without losing anything, else a sibling that holds it
 * exactly. `null` fits everywhere.
 */
export function kindFor(kind: ColumnKind, value: Value): ColumnKind {
  switch (typeof value) {
    case 'number':
      if (kind === 'int64' && Number.isSafeInteger(value)) return kind;
      if (kind === 'uint64' && Number.isSafeInteger(value) && value >= 0) return kind;
      return 'double';
    case 'bigint':
      if (kind === 'double' && isSafe(value)) return kind;
      if (kind === 'uint64' && value >= 0n && value <= uint64Max) return kind;
      if (value >= int64Min && value <= int64Max) return 'int64';
      return value >= 0n && value <= uint64Max ? 'uint64' : 'double';
    case 'boolean':
      return 'boolean';
    case 'string':
      return 'string';
    default:
      return kind;
  }
}

/** The sample as it is kept: no NaN, no infinity (DESIGN §5), and times that 64 bits can hold. */
export function tidy(sample: Sample): Sample {
  const { value, timeNs, arrivalNs } = sample;
  const isNumber = typeof value !== 'number' || Number.isFinite(value);
  if (isNumber && isTime(timeNs) && isTime(arrivalNs)) return sample;
  return {
    timeNs: clampTime(timeNs),
    arrivalNs: clampTime(arrivalNs),
    value: isNumber ? value : null,
    quality: sample.quality,
    reason: isNumber ? sample.reason : sample.reason || 'nan',
  };
}

export function clampTime(timeNs: bigint): bigint {
  return timeNs < int64Min ? int64Min : timeNs > int64Max ? int64Max : timeNs;
}

function isTime(timeNs: bigint): boolean {
  return timeNs >= int64Min && timeNs <= int64Max;
}

function isSafe(value: bigint): boolean {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER);
}
