/** Signals, and errors that nobody caught. */
import type { Clock } from '../contract/clock.ts';
import { messageOf } from '../contract/fault.ts';
import { limits } from '../contract/limits.ts';
import type { Log } from '../contract/log.ts';

/**
 * SIGTERM ends in order. SIGINT and SIGHUP go to the whole group of a terminal (Ctrl-C, a closed window) and are Grafana's to act on: if it
 * ends, it tells us. An error that nobody caught is logged and survived: each device has its own session, and a bug in one answer must not
 * cost the others their data. If they come in numbers something shared is broken; then the process ends in order and the host starts it afresh.
 * Returns how to take the listeners off again.
 */
export function survive(clock: Clock, log: Log, end: (reason: string) => void): () => void {
  const recent: number[] = [];
  const caught = (error: unknown) => {
    log.error('an error that nobody caught', { error: messageOf(error), stack: error instanceof Error ? (error.stack ?? '') : '' });
    const now = clock.monotonicMs();
    recent.push(now);
    while ((recent[0] ?? now) < now - 60_000) recent.shift();
    if (recent.length > limits.uncaughtPerMinuteMax) end(`${recent.length} errors within a minute that nobody caught`);
  };
  const terminate = () => end('SIGTERM');
  const ignore = () => undefined;
  const listeners = { uncaughtException: caught, unhandledRejection: caught, SIGTERM: terminate, SIGINT: ignore, SIGHUP: ignore };
  for (const [name, listener] of Object.entries(listeners)) process.on(name, listener);
  return () => {
    for (const [name, listener] of Object.entries(listeners)) process.off(name, listener);
  };
}
