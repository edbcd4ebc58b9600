/** Keeps the history within its settings: deletes what is older than the retention, and commits as often as this gateway asks. */
import type { Clock } from '../contract/clock.ts';
import { messageOf } from '../contract/fault.ts';
import { limits } from '../contract/limits.ts';
import type { Log } from '../contract/log.ts';
import { compileLabels, compileSelectors } from '../contract/query.ts';
import type { SeriesKey } from '../contract/sample.ts';
import { longestRetentionMs, type RetentionRule, type Settings } from '../contract/settings.ts';
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
export function keep(deps: {
  key: string;
  store: Store;
  clock: Clock;
  log: Log;
  /** Of a point, with those its device gives it; undefined of one that nobody knows (now). */
  labelsOf(key: SeriesKey): Readonly<Record<string, string>> | undefined;
}): Keeping {
  const { key, store, clock, log, labelsOf } = deps;
  let stops: (() => void)[] = [];

  async function expire(history: Settings['history']): Promise<void> {
    try {
      const nowNs = await store.believedNowNs();
      const before = (retentionMs: number) => nowNs - BigInt(Math.round(retentionMs)) * 1_000_000n;
      let deleted = 0;
      if (history.exceptions.length > 0) {
        for (const [retentionMs, keys] of byRetention(history, await store.series(key), labelsOf))
          deleted += await store.remove(key, keys, { fromNs: -(2n ** 63n), toNs: before(retentionMs) });
      }
      // Connectivity and commands go by the longest, and so does what has no rule shorter than that.
      deleted += await store.expire(key, before(longestRetentionMs(history)));
      if (deleted > 0) log.info('samples older than the retention are deleted', { deleted });
      const commands = await store.expireCommands(key, Number(nowNs / 1_000_000n) - history.commandsRetention);
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
    use(history) {
      stop();
      // The first time soon, not at once: a start has better things to do.
      stops.push(every(clock, limits.expireFirstMs, limits.expireEveryMs, () => void expire(history)));
      const { flushInterval } = history;
      if (flushInterval < limits.flushIntervalMs) stops.push(every(clock, flushInterval, flushInterval, () => void flush()));
    },
  };
}

/** Series with samples that may be too old, by how long they are kept; those that are kept longest are left out. */
function byRetention(
  history: Settings['history'],
  series: readonly SeriesKey[],
  labelsOf: (key: SeriesKey) => Readonly<Record<string, string>> | undefined,
): Map<number, SeriesKey[]> {
  const rules = history.exceptions.map(ruleOf);
  const longest = longestRetentionMs(history);
  const found = new Map<number, SeriesKey[]>();
  for (const one of series) {
    const labels = labelsOf(one);
    const named = rules.filter((rule) => rule.names(one));
    // Whose labels are not known, because it was not heard yet or is gone from the settings, is kept for the longest that may be meant.
    const retention = labels
      ? (named.find((rule) => rule.labels(labels))?.retention ?? history.retention)
      : Math.max(history.retention, ...named.map((rule) => rule.retention));
    if (retention >= longest) continue;
    const keys = found.get(retention) ?? [];
    keys.push({ device: one.device, point: one.point });
    found.set(retention, keys);
  }
  return found;
}

function ruleOf({ devices, points, labels, retention }: RetentionRule) {
  const device = compileSelectors(devices);
  const point = compileSelectors(points);
  return {
    retention,
    names: (key: SeriesKey) => device(key.device) && point(key.point),
    labels: compileLabels(labels),
  };
}
