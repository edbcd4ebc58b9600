/** What differs between the single executable and a run from source. */
import { getAsset, isSea } from 'node:sea';
import { Worker } from 'node:worker_threads';

/** Put in by the build. */
declare const FIELDGATE_VERSION: string | undefined;

export const version = typeof FIELDGATE_VERSION === 'undefined' ? '0.0.0-source' : FIELDGATE_VERSION;

/** The file whose place decides where data may be kept: ourselves, not the Node that runs us. */
export const executablePath = isSea() ? process.execPath : (process.argv[1] ?? process.execPath);

/** In the executable there is no file beside us to start a worker from: its code is an asset inside. Undefined: the room's own file. */
export const spawnStoreWorker = isSea()
  ? (workerData: unknown) => new Worker(getAsset('store-worker.js', 'utf8'), { eval: true, workerData })
  : undefined;
