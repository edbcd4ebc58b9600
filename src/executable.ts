/** What differs between the single executable and a run from source. */
import { readdirSync, readFileSync } from 'node:fs';
import { getAsset, getAssetKeys, isSea } from 'node:sea';
import { setFlagsFromString } from 'node:v8';
import { type ResourceLimits, Worker } from 'node:worker_threads';

/** Put in by the build. */
declare const FIELDGATE_VERSION: string | undefined;
declare const FIELDGATE_LATER_FLAGS: readonly string[] | undefined;

export const version = typeof FIELDGATE_VERSION === 'undefined' ? '0.0.0-source' : FIELDGATE_VERSION;

/** To be called when everything is loaded, before there is much to do (`scripts/runtime-flags.mjs` says why not earlier). */
export function keepMemorySmall(): void {
  for (const flag of typeof FIELDGATE_LATER_FLAGS === 'undefined' ? [] : FIELDGATE_LATER_FLAGS) setFlagsFromString(flag);
}

/** The file whose place decides where data may be kept: ourselves, not the Node that runs us. */
export const executablePath = isSea() ? process.execPath : (process.argv[1] ?? process.execPath);

/** In the executable there is no file beside us to start a worker from: its code is an asset inside. Undefined: the room's own file. */
export const spawnStoreWorker = isSea()
  ? (workerData: unknown, resourceLimits: ResourceLimits) =>
      new Worker(getAsset('store-worker.js', 'utf8'), { eval: true, workerData, resourceLimits })
  : undefined;

/** The texts of a folder of the repository that the executable carries inside, by file name. */
export function readFolder(name: string): Map<string, string> {
  if (isSea()) {
    const keys = getAssetKeys().filter((key) => key.startsWith(`${name}/`));
    return new Map(keys.map((key) => [key.slice(name.length + 1), getAsset(key, 'utf8')]));
  }
  const folder = new URL(`../${name}/`, import.meta.url);
  return new Map(readdirSync(folder).map((file) => [file, readFileSync(new URL(file, folder), 'utf8')]));
}
