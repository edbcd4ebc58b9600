import { useEffect, useMemo, useRef, useSyncExternalStore } from 'react';
import { type Progress, Sender, type SenderDeps } from '../source/sender.ts';
import type { Binding } from './binding.ts';

/** The sender of one control; another binding gets another one, so that nothing is told of a device that another one did. */
export function useSender(binding: Binding, deps: Omit<SenderDeps, 'source'>): { sender: Sender; progress: Progress } {
  const { source, device, name, target } = binding;
  const latest = useRef(deps);
  latest.current = deps;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a binding is these four.
  const sender = useMemo(
    () => new Sender({ source, mayRead: () => latest.current.mayRead(), changed: () => latest.current.changed() }),
    [source, device, name, target],
  );
  useEffect(() => () => sender.close(), [sender]);
  return { sender, progress: useSyncExternalStore(sender.subscribe, sender.snapshot) };
}
