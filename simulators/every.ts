/** Calls back every so often; the returned function ends it. */
export type Every = (intervalMs: number, run: () => void) => () => void;

export const everyByTimer: Every = (intervalMs, run) => {
  const timer = setInterval(run, intervalMs);
  return () => clearInterval(timer);
};
