const second = 1_000_000_000n;

/** Lengths of time, in nanoseconds, in which chunks are summed up (codec/summary.ts); each divides the next. */
export const summaryWidths = [
  second,
  10n * second,
  60n * second,
  600n * second,
  3_600n * second,
  21_600n * second,
  86_400n * second,
] as const;

/**
 * The shortest width of buckets, not below `widthNs`, whose edges fall on edges of summaries: at most a quarter longer. A bucket with other edges costs
 * the reading of the chunks at both its ends, and a month of buckets that of the whole month.
 */
export function evenWidth(widthNs: bigint): bigint {
  const step = summaryWidths.findLast((width) => width * 4n <= widthNs);
  return step === undefined ? widthNs : ((widthNs + step - 1n) / step) * step;
}
