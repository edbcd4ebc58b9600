/** The settings are checked by the backend while one types: `POST config/check`, a moment after the last key. */
import { useEffect, useState } from 'react';
import type { Check, Resources } from './resources.ts';

/** Long enough that a word is one question, short enough to be taken for an answer to it. */
const pauseMs = 400;

export interface Checked {
  check?: Check;
  /** What is shown is of older settings. */
  isChecking: boolean;
  /** Why there is no check. */
  error?: string;
}

export function useCheck(resources: Resources, document: unknown): Checked {
  const [result, setResult] = useState<{ of?: unknown; check?: Check; error?: string }>({});
  useEffect(() => {
    let isOver = false;
    const timer = setTimeout(async () => {
      try {
        const check = await resources.check(document);
        if (!isOver) setResult({ of: document, check });
      } catch (error) {
        if (!isOver) setResult({ of: document, error: (error as Error).message });
      }
    }, pauseMs);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [resources, document]);
  const { of, ...rest } = result;
  return { ...rest, isChecking: of !== document };
}
