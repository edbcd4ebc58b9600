import type { Clock } from '../contract/clock.ts';
import type { Polling } from './gateway.ts';
import type { Link } from './link.ts';

/** What is shown of a link: the times of its bus, which are of a clock that never jumps, as times since 1970. */
export function pollingOf(link: Link, clock: Clock): Polling {
  return {
    polled: link.polled,
    downBecause: link.downBecause,
    everyMs: (key) => link.everyMs(key),
    unitOf: (device) => link.unitOf(device),
    spans(fromMs, toMs) {
      const aheadMs = clock.nowMs() - clock.monotonicMs();
      return link.spans(fromMs - aheadMs, toMs - aheadMs).map((span) => ({
        ...span,
        queuedMs: span.queuedMs + aheadMs,
        startedMs: span.startedMs + aheadMs,
        endedMs: span.endedMs + aheadMs,
      }));
    },
  };
}
