/** `report`: which samples of a point are kept (DESIGN §5). Pure. */
import type { PointConfig } from '../contract/device.ts';
import { LastValue } from '../contract/last.ts';
import { limits } from '../contract/limits.ts';
import type { Sample, Value } from '../contract/sample.ts';

/** What the last sample said that was kept. */
export class Kept extends LastValue {
  /** Monotonic. */
  atMs: number;

  constructor(sample: Pick<Sample, 'value' | 'quality' | 'reason'>, atMs: number) {
    super(sample);
    this.atMs = atMs;
  }

  putAt(sample: Sample, atMs: number): void {
    this.put(sample);
    this.atMs = atMs;
  }
}

/**
 * Compared with the last one kept, not the last one seen, so that a slow creep is not lost. Good values are all kept unless the point
 * says otherwise; the same bad reading again and again is kept once in `limits.badRepeatMs`.
 */
export function isWorthKeeping(report: PointConfig['report'], kept: Kept | undefined, sample: Sample, nowMs: number): boolean {
  if (!kept) return true;
  if (sample.quality !== kept.quality || sample.reason !== kept.reason) return true;
  const silentMs = nowMs - kept.atMs;
  if (sample.quality === 'bad') return silentMs >= Math.min(limits.badRepeatMs, report?.maxSilence ?? limits.badRepeatMs);
  if (!report || (!report.onChange && report.deadband === 0)) return true;
  if (report.maxSilence !== undefined && silentMs >= report.maxSilence) return true;
  return isChange(kept.value, sample.value, report.deadband);
}

function isChange(before: Value, now: Value, deadband: number): boolean {
  if (before === now) return false;
  if (deadband === 0 || typeof before === 'string' || typeof now === 'string' || typeof before === 'boolean' || typeof now === 'boolean')
    return true;
  // 0.3 - 0.2 is a hair less than 0.1: the last digits' noise is no reason to drop a step.
  return Math.abs(Number(now) - Number(before)) >= deadband * (1 - 1e-9);
}
