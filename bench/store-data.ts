/** What most points of most plants look like: readings that wander by hundredths, once a second, with 20 ms of jitter at a resolution of 1 ms. */
import type { Entry } from '../src/store/store.ts';

export const startNs = 1_700_000_000_000_000_000n;
export const secondNs = 1_000_000_000n;

export interface Plant {
  readonly keys: readonly { device: string; point: string }[];
  /** The next `count` samples, all series in turn. */
  next(count: number): Entry[];
}

/** A round of all series every `everyS` seconds. */
export function createPlant(seriesCount: number, everyS = 1n): Plant {
  const keys = Array.from({ length: seriesCount }, (_, index) => ({ device: `device-${index % 100}`, point: `point-${index}` }));
  const walk = new Float64Array(seriesCount).fill(2_000);
  let seed = 1;
  const chance = () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  let at = 0;
  return {
    keys,
    next: (count) =>
      Array.from({ length: count }, (): Entry => {
        const series = at % seriesCount;
        const round = Math.floor(at / seriesCount);
        at += 1;
        walk[series] = (walk[series] ?? 0) + Math.round((chance() + chance() + chance() - 1.5) * 20);
        const timeNs = startNs + BigInt(round) * everyS * secondNs + BigInt(Math.round(chance() * 40)) * 1_000_000n;
        const key = keys[series] ?? { device: '', point: '' };
        return {
          key,
          kind: 'double',
          sample: { timeNs, arrivalNs: timeNs, value: (walk[series] ?? 0) / 100, quality: 'good', reason: '' },
        };
      }),
  };
}
