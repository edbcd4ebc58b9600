import { Worker } from 'node:worker_threads';
import type { Clock } from '../contract/clock.ts';
import { limits } from '../contract/limits.ts';
import type { Log } from '../contract/log.ts';
import { LocalStore } from './local.ts';
import type { Durability } from './messages.ts';
import type { Store } from './store.ts';

export interface OpenOptions {
  /** Undefined: in memory only. */
  folder: string | undefined;
  clock: Clock;
  log: Log;
  /** Longest wait of a sample for its commit. */
  flushIntervalMs?: number;
  /** The oldest samples go when the history is larger than this. */
  bytesMax?: number;
  /** What a commit that is acknowledged survives: the death of the process, or a power cut too (an fsync each). `commit` unless said. */
  durability?: Durability;
  /** With `power-loss`: the most commits of a second. */
  syncsPerSecondMax?: number;
  /** Series of all gateways together; a sample of one more is refused. */
  seriesMax?: number;
  /** Makes a worker that runs `worker.ts` with this `workerData`; in the executable it comes from an asset. */
  spawn?: (workerData: unknown) => Worker;
}

/** Opens the history; returns at once, the workers open it meanwhile and calls wait for them. */
export function openStore(options: OpenOptions): Store {
  return new LocalStore({
    durability: 'commit',
    flushIntervalMs: limits.flushIntervalMs,
    syncsPerSecondMax: limits.syncsPerSecondDefault,
    seriesMax: limits.seriesMax,
    bytesMax: options.folder === undefined ? limits.storeMemoryBytesMax : limits.historyBytesMax,
    spawn: (workerData) =>
      new Worker(new URL('./worker.ts', import.meta.url), {
        workerData,
        resourceLimits: { maxYoungGenerationSizeMb: limits.storeWorkerYoungMiB },
      }),
    ...options,
  });
}
