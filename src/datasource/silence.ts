/** How long a point may say nothing before its value is not known any more. */
import { limits } from '../contract/limits.ts';
import { seriesName } from '../contract/sample.ts';
import type { FieldConfig, Notice } from '../frame/frame.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { Named } from './query-series.ts';
import { listOf } from './settings/phrases.ts';

/**
 * Milliseconds: `report.maxSilence`, or the interval in which it is polled, times `limits.silenceFactor`; at least `availability.staleAfter`.
 * Undefined where silence says nothing: a value that is told on change only, or when the device likes.
 */
export function silenceMs(gateway: Gateway, { key, point }: Pick<Named, 'key' | 'point'>): number | undefined {
  if (!point) return undefined;
  const { report } = point;
  const device = gateway.device(key.device);
  const staleMs = device?.availability?.staleAfter;
  const polledMs = device && gateway.polling(device.connection)?.everyMs(key);
  const saysLess = report !== undefined && (report.onChange || report.deadband > 0);
  const usualMs = report?.maxSilence ?? (saysLess ? undefined : polledMs);
  if (usualMs === undefined) return saysLess ? undefined : staleMs;
  return Math.max(Math.max(usualMs, polledMs ?? 0) * limits.silenceFactor, staleMs ?? 0);
}

/**
 * Colours of an age in seconds: green as long as the point may be silent, orange beyond, red from `limits.overdueFactor` times that; green
 * whatever the age where silence says nothing, and red where the device is known to be offline. Undefined for a point that is gone.
 */
export function ageThresholds(
  gateway: Gateway,
  { key, point }: Pick<Named, 'key' | 'point'>,
  offline: ReadonlySet<string>,
): FieldConfig['thresholds'] {
  if (!point) return undefined;
  const seconds = (silenceMs(gateway, { key, point }) ?? Number.POSITIVE_INFINITY) / 1_000;
  const overdue = [
    { value: seconds, color: 'orange' },
    { value: seconds * limits.overdueFactor, color: 'red' },
  ];
  const isOffline = offline.has(key.device);
  return {
    mode: 'absolute',
    steps: [{ value: null, color: isOffline ? 'red' : 'green' }, ...(isOffline || seconds === Infinity ? [] : overdue)],
  };
}

/** Who has said nothing for too long, in an answer whose range ends now. */
export function staleNotice(
  gateway: Gateway,
  named: readonly Named[],
  lastNs: (series: Named) => bigint | undefined,
  nowNs: bigint,
): Notice[] {
  const stale = named.filter((series) => {
    const silence = silenceMs(gateway, series);
    const last = lastNs(series);
    return silence !== undefined && last !== undefined && Number(nowNs - last) / 1e6 > silence;
  });
  if (stale.length === 0) return [];
  const shown = listOf(
    stale.map(({ key }) => seriesName(key)),
    'and',
  );
  return [
    {
      severity: 'warning',
      text: `Stale, nothing usable for longer than ${stale.length === 1 ? 'it' : 'they'} should be silent: ${shown}.`,
    },
  ];
}
