/** A subscription of our own, beside those of the points: what the broker says to it. */
import type { Clock } from '../../src/contract/clock.ts';
import type { Link } from './link.ts';
import { failureFrom } from './reasons.ts';

/** The broker's code, a failure from `failureFrom` on; undefined if it did not answer in time. */
export function granted(link: Link, clock: Clock, filter: string, qos: 0 | 1 | 2, timeoutMs: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const takeBack = clock.after(timeoutMs, () => resolve(undefined));
    link.client.subscribe(filter, { qos }, (error, _granted, packet) => {
      takeBack();
      resolve(Number(packet?.granted[0] ?? (error ? failureFrom : 0)));
    });
  });
}
