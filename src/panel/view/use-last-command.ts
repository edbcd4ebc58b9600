/** The last command of a point or command, whoever sent it: for those who may read the list. */
import { useCallback, useEffect, useRef, useState } from 'react';
import { limitsPanel } from '../../contract/limits-panel.ts';
import type { Command } from '../source/answers.ts';
import { ask, sleep } from '../source/resources.ts';
import type { Binding } from './binding.ts';

type News = 'none' | 'soon' | 'now';

/**
 * The list is asked now and then, at once after `look`, and soon after `changes`, which is anything that tells that there may be another one: a point that
 * never stands still asks no more often than `limitsPanel.lastCommandApartMs`.
 */
export function useLastCommand(
  { source, device, name, target }: Binding,
  wanted: boolean,
  changes: unknown,
): { last: Command | undefined; look(): void } {
  const [found, setFound] = useState<{ of: string; command: Command | undefined }>();
  const of = JSON.stringify([source, device, name, target]);
  const wake = useRef<(urgent: boolean) => void>(() => undefined);
  const look = useCallback(() => wake.current(true), []);
  useEffect(() => {
    if (!wanted) return;
    const over = new AbortController();
    /** What came since the last question; a question that is under way is not given up for it. */
    let news: News = 'none';
    let wakeUp = (): void => undefined;
    wake.current = (urgent) => {
      if (news !== 'now') news = urgent ? 'now' : 'soon';
      wakeUp();
    };
    follow(over.signal).catch(() => undefined);
    return () => {
      wake.current = () => undefined;
      over.abort(new Error('nobody wants to know any more'));
    };

    async function follow(signal: AbortSignal): Promise<void> {
      const path = `commands?device=${encodeURIComponent(device)}&point=${encodeURIComponent(name)}&limit=${limitsPanel.lastCommandsMax}`;
      while (!signal.aborted) {
        news = 'none' as News;
        const askedMs = performance.now();
        const command = document.hidden ? undefined : await newest(path, signal);
        const runs = command !== undefined && command.times.ended === undefined;
        for (;;) {
          const usualMs = runs ? limitsPanel.lookMs * 3 : limitsPanel.lastCommandMs;
          const pauseMs = news === 'now' ? 0 : news === 'soon' ? Math.min(usualMs, limitsPanel.lastCommandApartMs) : usualMs;
          const leftMs = askedMs + pauseMs - performance.now();
          if (leftMs <= 0) break;
          const woken = new AbortController();
          wakeUp = () => woken.abort(new Error('look sooner'));
          await sleep(leftMs, AbortSignal.any([signal, woken.signal])).catch(() => signal.throwIfAborted());
        }
      }
    }

    async function newest(path: string, signal: AbortSignal): Promise<Command | undefined> {
      try {
        const { commands } = await ask<{ commands: Command[] }>(source, 'GET', path, { signal });
        // A point and a command may bear the same name.
        const command = commands.find(({ kind }) => kind === (target === 'point' ? 'set' : 'act'));
        setFound({ of, command });
        return command;
      } catch {
        // The next one may be answered.
        signal.throwIfAborted();
        return undefined;
      }
    }
  }, [of, wanted, source, device, name, target]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `changes` is a reason to look again.
  useEffect(() => wake.current(false), [changes]);
  return { last: wanted && found?.of === of ? found.command : undefined, look };
}
