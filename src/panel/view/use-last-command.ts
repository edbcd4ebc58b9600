/** The last command of a point or command, whoever sent it: for those who may read the list. */
import { useCallback, useEffect, useState } from 'react';
import { limitsPanel } from '../../contract/limits-panel.ts';
import type { Command } from '../source/answers.ts';
import { ask, sleep } from '../source/resources.ts';
import type { Binding } from './binding.ts';

/** `changes` is anything that tells that there may be another one: the list is asked then, and now and then. */
export function useLastCommand(
  { source, device, name, target }: Binding,
  wanted: boolean,
  changes: unknown,
): { last: Command | undefined; look(): void } {
  const [found, setFound] = useState<{ of: string; command: Command | undefined }>();
  const of = JSON.stringify([source, device, name, target]);
  const [turn, setTurn] = useState(0);
  const look = useCallback(() => setTurn((before) => before + 1), []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `turn` and `changes` are reasons to look again.
  useEffect(() => {
    if (!wanted) return;
    const over = new AbortController();
    follow(over.signal).catch(() => undefined);
    return () => over.abort(new Error('looked at anew'));

    async function follow(signal: AbortSignal): Promise<void> {
      const path = `commands?device=${encodeURIComponent(device)}&point=${encodeURIComponent(name)}&limit=1`;
      for (;;) {
        let command: Command | undefined;
        if (!document.hidden) {
          const { commands } = await ask<{ commands: Command[] }>(source, 'GET', path, { signal });
          // A point and a command may bear the same name.
          command = commands.find(({ kind }) => kind === (target === 'point' ? 'set' : 'act'));
          setFound({ of, command });
        }
        await sleep(command && command.times.ended === undefined ? limitsPanel.lookMs * 3 : limitsPanel.lastCommandMs, signal);
      }
    }
  }, [of, wanted, turn, changes]);
  return { last: wanted && found?.of === of ? found.command : undefined, look };
}
