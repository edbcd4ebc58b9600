import { useEffect, useState } from 'react';

/** Milliseconds since 1970, once a second: ages and countdowns. Stands still while nobody can see it. */
export function useNow(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) setNow(Date.now());
    }, 1_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
