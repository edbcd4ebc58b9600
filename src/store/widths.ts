const second = 1_000_000_000n;

/** Lengths of time, in nanoseconds, in which chunks are summed up (codec/summary.ts); each divides the next. */
export const summaryWidths = [
  second,
  10n * second,
  60n * second,
  600n * second,
  1_800n * second,
  3_600n * second,
  7_200n * second,
  21_600n * second,
  86_400n * second,
] as const;

/** What full chunks of a sample a second are summed up in (codec/summary.ts). */
const usualWidth: bigint = summaryWidths[3];

/** Up to here raw samples are read as fast as a panel is drawn: half a million at a sample a second. */
const shortRange = 6n * 86_400n * second;

/**
 * A width of buckets near `widthNs` whose edges fall on edges of summaries. A bucket with other edges costs the reading of the chunks at both its ends,
 * and a month of buckets that of the whole month. Mostly it is a quarter longer at most. Over long ranges, where a pixel is ten minutes and more, it is
 * also up to a third longer or shorter, as Grafana rounds intervals too; never below `leastNs`.
 */
export function evenWidth(widthNs: bigint, rangeNs = 0n, leastNs = 0n): bigint {
  const step = summaryWidths.findLast((width) => width * 4n <= widthNs);
  const long = rangeNs > shortRange && 3n * widthNs > 2n * usualWidth && (step === undefined || step < usualWidth);
  if (long) {
    const below = (widthNs / usualWidth) * usualWidth;
    const above = roundUp(widthNs, usualWidth);
    return 4n * widthNs >= 3n * above || below < leastNs || below === 0n ? above : below;
  }
  return step === undefined ? widthNs : roundUp(widthNs, step);
}

function roundUp(value: bigint, step: bigint): bigint {
  return ((value + step - 1n) / step) * step;
}
