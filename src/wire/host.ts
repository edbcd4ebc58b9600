/**
 * Is the host still there? Grafana that is killed leaves its plugins running, with ports and locks held, so several signs are watched:
 * another parent process (Linux and macOS), and the end of the connection over which the host holds go-plugin's streams (everywhere, also
 * behind a launcher). Standard input says nothing: it is Grafana's own, often /dev/null.
 */
import type { Clock } from '../contract/clock.ts';
import { limits } from '../contract/limits.ts';
import type { HostEvents } from './goplugin.ts';

export interface HostWatch extends HostEvents {
  /** Resolves, once, with why the process should end. */
  readonly ended: Promise<string>;
  /** Asks for the end from elsewhere: a signal, too many errors. */
  end(reason: string): void;
  stop(): void;
}

export function watchHost(clock: Clock, parentPid: () => number = () => process.ppid): HostWatch {
  const { promise: ended, resolve } = Promise.withResolvers<string>();
  const parent = parentPid();
  let streams = 0;
  let takeBackGrace: () => void = () => undefined;
  let takeBackLook: () => void = () => undefined;

  function look(): void {
    if (parentPid() !== parent) resolve('the host process is gone');
    else takeBackLook = clock.after(limits.hostLookMs, look);
  }
  look();
  const takeBackContact = clock.after(limits.hostFirstContactMs, () => resolve('no host has connected'));

  return {
    ended,
    end: resolve,
    contacted: () => takeBackContact(),
    arrived() {
      streams++;
      takeBackContact();
      takeBackGrace();
    },
    left() {
      streams--;
      // A host that closes in order ends its streams first and calls Shutdown then; one that lost its connection may come again.
      if (streams === 0) takeBackGrace = clock.after(limits.hostGraceMs, () => resolve('the host has closed its connection'));
    },
    shutdown: () => resolve('the host asked for it'),
    stop() {
      takeBackLook();
      takeBackContact();
      takeBackGrace();
    },
  };
}
