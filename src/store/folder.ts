import { accessSync, constants } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';

/**
 * Where history is kept (DESIGN §5 "Data folder"); `reason` is a sentence for health and the log. Nothing is made here: the folder
 * may not exist yet. Without `folder` the store lives in memory only.
 */
export function dataFolder(env: NodeJS.ProcessEnv, executablePath: string): { folder?: string; reason: string } {
  const own = pluginFolder(executablePath);
  const told = env.GF_PLUGIN_DATA_PATH?.trim();
  if (told) {
    const folder = resolve(told);
    // A plugin's folder is replaced by an update and its checksums are verified by Grafana: data in it would be lost, or break the signature.
    if (isWithin(folder, own))
      return { reason: `data_path ${folder} is inside the plugin's own folder ${own}; allowed is any other folder` };
    return { folder, reason: `data_path of the plugin's section says ${folder}` };
  }
  const plugins = dirname(own);
  if (basename(plugins) !== 'plugins')
    return { reason: `data_path is not set and ${plugins} is not called "plugins", so there is no place beside it for data` };
  const beside = dirname(plugins);
  if (!isWritable(beside)) return { reason: `data_path is not set and ${beside} is not writable` };
  return { folder: join(beside, 'fieldgate'), reason: `data_path is not set, so data is beside ${plugins}` };
}

/** Grafana also takes the `dist` of a plugin's folder for the plugin (facts/style.md §3); the folder to stay out of is the outer one. */
function pluginFolder(executablePath: string): string {
  const folder = dirname(resolve(executablePath));
  return basename(folder) === 'dist' ? dirname(folder) : folder;
}

function isWithin(folder: string, outer: string): boolean {
  const path = relative(outer, folder);
  return path === '' || !(path === '..' || path.startsWith('../') || path.startsWith('..\\') || resolve(outer, path) === path);
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
