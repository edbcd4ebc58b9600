/** Keeps the history within its settings: deletes what is older than the retention, and commits as often as this gateway asks. */
import type { Clock } from '../contract/clock.ts';
import { messageOf } from '../contract/fault.ts';
import { limits } from '../contract/limits.ts';
import type { Log } from '../contract/log.ts';
import type { Settings } from '../contract/settings.ts';
import type { Store } from '../store/store.ts';
import { every } from './schedule.ts';

export interface Keeping {
  use(history: Settings['history']): void;
  stop(): void;
}

/**
 * The store commits for all gateways of the process at `limits.flushIntervalMs`; a gateway that asks for less flushes it more often. One
 * that asks for more gets the shorter wait of the others, which loses less, not more.
 */
export function keep(deps: { key: string; store: Store; clock: Clock; log: Log }): Keeping {
  const { key, store, clock, log } = deps;
  let stops: (() => void)[] = [];

  async function expire(retentionMs: number, commandsRetentionMs: number): Promise<void> {
    try {
      const deleted = await store.expire(key, clock.nowNs() - BigInt(Math.round(retentionMs)) * 1_000_000n);
      if (deleted > 0) log.info('samples older than the retention are deleted', { deleted });
      const commands = await store.expireCommands(key, clock.nowMs() - commandsRetentionMs);
      if (commands > 0) log.info('commands older than their retention are deleted', { commands });
    } catch (error) {
      log.warn('old samples were not deleted', { error: messageOf(error) });
    }
  }

  async function flush(): Promise<void> {
    try {
      await store.flush();
    } catch (error) {
      log.warn('samples were not committed', { error: messageOf(error) });
    }
  }

  function stop(): void {
    for (const end of stops) end();
    stops = [];
  }

  return {
    stop,
    use({ retention, flushInterval, commandsRetention }) {
      stop();
      // The first time soon, not at once: a start has better things to do.
      stops.push(every(clock, limits.expireFirstMs, limits.expireEveryMs, () => void expire(retention, commandsRetention)));
      if (flushInterval < limits.flushIntervalMs) stops.push(every(clock, flushInterval, flushInterval, () => void flush()));
    },
  };
}
