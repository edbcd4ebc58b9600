import { type ResourceLimits, Worker } from 'node:worker_threads';
import type { Clock } from '../contract/clock.ts';
import { limits } from '../contract/limits.ts';
import type { Log } from '../contract/log.ts';
import { LocalStore } from './local.ts';
import type { Durability } from './messages.ts';
import type { Store } from './store.ts';

/** Makes a worker with this data and within these bounds of memory. */
export type Spawn = (workerData: unknown, resourceLimits: ResourceLimits) => Worker;

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
  spawn?: Spawn;
}

/** The same with everything said. */
export type LocalOptions = Required<Omit<OpenOptions, 'spawn'>> & { spawn: (workerData: unknown) => Worker };

/** Opens the history; returns at once, the workers open it meanwhile and calls wait for them. */
export function openStore({ spawn = spawnFromSource, ...options }: OpenOptions): Store {
  return new LocalStore({
    durability: 'commit',
    flushIntervalMs: limits.flushIntervalMs,
    syncsPerSecondMax: limits.syncsPerSecondDefault,
    seriesMax: limits.seriesMax,
    bytesMax: options.folder === undefined ? limits.storeMemoryBytesMax : limits.historyBytesMax,
    ...options,
    spawn: (workerData) => spawn(workerData, { maxYoungGenerationSizeMb: limits.storeWorkerYoungMiB }),
  });
}

function spawnFromSource(workerData: unknown, resourceLimits: ResourceLimits): Worker {
  return new Worker(new URL('./worker.ts', import.meta.url), { workerData, resourceLimits });
}
