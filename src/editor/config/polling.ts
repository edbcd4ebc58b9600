/** Asks again and again, gently: one question at a time, none while nobody looks. */
import { useEffect, useRef, useState } from 'react';

/** Calls `ask` at once and then `everyMs` after each answer, which may decide by itself, while the page is visible. A failed one keeps the last answer. */
export function usePolled<T>(
  ask: (() => Promise<T>) | undefined,
  everyMs: number | ((answer: T | undefined) => number),
  key: string,
): T | undefined {
  const [answer, setAnswer] = useState<{ key: string; value: T }>();
  const latest = useRef(ask);
  latest.current = ask;
  const isAsked = ask !== undefined;
  useEffect(() => {
    if (!isAsked) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isOver = false;
    let isRunning = false;
    async function turn(): Promise<void> {
      if (isOver || isRunning || document.visibilityState !== 'visible') return;
      isRunning = true;
      let value: T | undefined;
      try {
        value = await latest.current?.();
        if (!isOver && value !== undefined) setAnswer({ key, value });
      } catch {
        // The next turn may go well; what stands there stays. Whether the backend is there at all is said where its schemas are asked.
      } finally {
        isRunning = false;
        if (!isOver) timer = setTimeout(() => void turn(), typeof everyMs === 'number' ? everyMs : everyMs(value));
      }
    }
    const look = () => {
      clearTimeout(timer);
      void turn();
    };
    document.addEventListener('visibilitychange', look);
    look();
    return () => {
      isOver = true;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', look);
    };
  }, [isAsked, everyMs, key]);
  return answer?.key === key ? answer.value : undefined;
}
