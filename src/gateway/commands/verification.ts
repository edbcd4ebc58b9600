/** Whether a command did what it should: the far end's yes is not yet the effect (DESIGN §8). */
import type { Clock } from '../../contract/clock.ts';
import type { CommandState } from '../../contract/command.ts';
import type { VerifyConfig } from '../../contract/device.ts';
import { formatDurationMs } from '../../contract/duration.ts';
import { messageOf } from '../../contract/fault.ts';
import { limits } from '../../contract/limits.ts';
import type { Sample, Value } from '../../contract/sample.ts';
import { readFresh } from '../fresh.ts';
import type { Intake } from '../intake.ts';
import { toValue, type Written } from '../inversion.ts';
import type { Link } from '../link.ts';
import type { PlacedPoint } from '../plant.ts';

export interface Outcome {
  state: CommandState;
  detail?: string;
  readBack?: Value;
}

export interface Check {
  target: PlacedPoint;
  expected: Value;
  tolerance: number;
  settleMs: number;
  timeoutMs: number;
}

/** What is to be seen after a point was set; undefined if nothing is to be checked. */
export function checkOf(placed: PlacedPoint, written: Written): Check | undefined {
  const { point } = placed;
  const verify = point.write?.verify ?? (point.access === 'write' || point.momentary ? 'none' : 'readback');
  if (verify === 'none') return undefined;
  const details: Partial<VerifyConfig> = verify === 'readback' ? {} : verify;
  const target = details.point === undefined ? placed : placed.device.points.get(details.point);
  if (!target || target.point.access === 'write') return undefined;
  return {
    target,
    expected: details.equals === undefined ? written.value : (toValue(target.point, target.shape, details.equals) ?? details.equals),
    tolerance: details.tolerance ?? 0,
    settleMs: details.settle ?? 0,
    timeoutMs: details.timeout ?? limits.verifyTimeoutMs,
  };
}

/** Equal within the tolerance; the last digits' noise of a double is no difference. */
export function agrees(expected: Value, seen: Value, tolerance: number): boolean {
  if (expected === seen) return true;
  if (expected === null || seen === null || typeof expected === 'string' || typeof seen === 'string') return false;
  if (typeof expected === 'bigint' && typeof seen === 'bigint' && tolerance === 0) return false;
  const [wished, is] = [Number(expected), Number(seen)];
  return Math.abs(wished - is) <= tolerance + 1e-12 * Math.max(Math.abs(wished), Math.abs(is));
}

/**
 * Looks until the effect is seen or the time is over. A point that can be asked is asked, with the priority of a command and a pause in
 * which the bus is free; a point that speaks by itself is watched. `watch` must have begun before the write: an echo can be faster than
 * the acknowledgement.
 */
export async function verify(
  deps: { clock: Clock; intake: Intake; link: Link },
  check: Check,
  watch: Watch,
  signal: AbortSignal,
): Promise<Outcome> {
  const { clock, intake, link } = deps;
  const endMs = clock.monotonicMs() + check.settleMs + check.timeoutMs;
  const over = new AbortController();
  const cancel = clock.after(check.settleMs + check.timeoutMs, () => over.abort(new Error('time is over')));
  const stop = AbortSignal.any([signal, over.signal]);
  let seen: Sample | undefined;
  let trouble: string | undefined;
  try {
    if (check.settleMs > 0) await clock.sleep(check.settleMs, stop);
    while (clock.monotonicMs() < endMs) {
      const asked = link.requestsFor([check.target.point]).length > 0;
      const sample = asked ? await readFresh({ intake, link }, check.target, 'command', stop).catch(keep) : await watch.next(stop);
      if (sample && sample.quality !== 'bad') {
        seen = sample;
        if (agrees(check.expected, sample.value, check.tolerance)) return { state: 'verified', readBack: sample.value };
      } else if (sample) trouble = check.target.detail ?? sample.reason;
      if (asked) await clock.sleep(limits.verifyPauseMs, stop);
    }
  } catch (error) {
    if (signal.aborted) return { state: 'acknowledged', detail: messageOf(signal.reason), ...(seen ? { readBack: seen.value } : {}) };
    if (!over.signal.aborted) throw error;
  } finally {
    cancel();
  }
  const name = `${check.target.point.device}.${check.target.point.id}`;
  const time = formatDurationMs(check.timeoutMs);
  if (seen)
    return {
      state: 'mismatch',
      readBack: seen.value,
      detail: `acknowledged, but after ${time} ${name} reads ${seen.value}, not ${check.expected}`,
    };
  return {
    state: 'unknown',
    detail: `acknowledged, but no reading of ${name} came within ${time}${trouble === undefined ? '' : `: ${trouble}`}`,
  };

  function keep(error: unknown): undefined {
    if (stop.aborted) throw error;
    trouble = messageOf(error);
    return undefined;
  }
}

/** The samples of a point from now on, one after the other. */
export interface Watch {
  next(signal: AbortSignal): Promise<Sample>;
  stop(): void;
}

export function watchPoint(intake: Intake, placed: PlacedPoint): Watch {
  // Only the newest counts: what the point said before that is over.
  let newest: Sample | undefined;
  let wake: () => void = () => undefined;
  const stop = intake.watch(placed, (sample) => {
    newest = sample;
    wake();
  });
  return {
    stop,
    async next(signal) {
      if (!newest) {
        await new Promise<void>((resolve, reject) => {
          wake = resolve;
          if (signal.aborted) reject(signal.reason as Error);
          signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
        });
      }
      const sample = newest as Sample;
      newest = undefined;
      return sample;
    },
  };
}
