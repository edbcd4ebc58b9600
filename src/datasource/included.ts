/** Reads the files that settings name with `include` (DESIGN §5): a plant that is larger than what Grafana should send to every browser. */
import { constants } from 'node:fs';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { limits } from '../contract/limits.ts';
import { includeSchema } from '../contract/settings.ts';
import type { Included, IncludedFile } from './settings/include.ts';
import { parseJson } from './settings/json.ts';

/**
 * The files of one settings document, in their order. Never throws: a file that cannot be used has a sentence instead of a value. Names are data:
 * whatever they are, nothing outside `configPath` is read, not even through a link in it.
 */
export async function readIncluded(jsonData: Uint8Array, configPath: string | undefined): Promise<Included> {
  const names = namesIn(jsonData);
  const files: IncludedFile[] = [];
  let bytesLeft: number = limits.includedBytesMax;
  for (const name of names) {
    const { file, stamp, bytes } = await readOne(name, configPath, bytesLeft);
    bytesLeft -= bytes;
    files.push({ ...file, stamp });
  }
  return { files };
}

/** Changes when a file changes: what it says of the same names now. Cheap, nothing is read. */
export async function stampOf(jsonData: Uint8Array, configPath: string | undefined): Promise<string> {
  const stamps = await Promise.all(
    namesIn(jsonData).map((name) => opened(name, configPath, async (handle) => stampOfFile(await handle.stat())).catch(() => missing)),
  );
  return stamps.join('\n');
}

export function stampIn({ files }: Included): string {
  return files.map(({ stamp }) => stamp).join('\n');
}

/** Names that are no names are reported where the settings are checked. */
function namesIn(jsonData: Uint8Array): string[] {
  if (jsonData.length > limits.settingsBytesMax || !Buffer.from(jsonData).includes('"include"')) return [];
  const parsed = parseJson(jsonData);
  const document = parsed.ok && typeof parsed.value === 'object' && parsed.value !== null ? parsed.value : {};
  const names = includeSchema.safeParse('include' in document ? document.include : []);
  return names.success ? names.data : [];
}

/** The stamp of a file that is not there or cannot be used: it may come. */
const missing = 'missing';

interface One {
  file: Omit<IncludedFile, 'stamp'>;
  stamp: string;
  bytes: number;
}

async function readOne(name: string, configPath: string | undefined, bytesLeft: number): Promise<One> {
  try {
    return await opened(name, configPath, async (handle) => {
      const stat = await handle.stat();
      const stamp = stampOfFile(stat);
      const most = Math.min(limits.includedFileBytesMax, bytesLeft);
      if (stat.size > most) {
        return {
          file: { name, fault: `has ${stat.size} bytes; allowed are ${most} (all files of a data source: ${limits.includedBytesMax})` },
          stamp,
          bytes: 0,
        };
      }
      // A file that grows while it is read is cut, and its JSON with it.
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(stat.size), 0, stat.size, 0);
      const parsed = parseJson(buffer.subarray(0, bytesRead));
      return { file: parsed.ok ? { name, value: parsed.value } : { name, fault: parsed.message }, stamp, bytes: bytesRead };
    });
  } catch (error) {
    return {
      file: { name, fault: error instanceof Unusable ? error.message : `cannot be read${codeOf(error)}` },
      stamp: missing,
      bytes: 0,
    };
  }
}

/** In words for whoever writes the settings: no path of this machine is in it. */
class Unusable extends Error {}

async function opened<T>(name: string, configPath: string | undefined, use: (handle: FileHandle) => Promise<T>): Promise<T> {
  if (configPath === undefined) throw new Unusable('cannot be read: config_path is not set in the section of the plugin in grafana.ini');
  const folder = await realpath(configPath).catch((error: unknown) => {
    throw new Unusable(`cannot be read: the folder of config_path is not there${codeOf(error)}`);
  });
  const path = await realpath(join(folder, name));
  if (!path.startsWith(folder.endsWith(sep) ? folder : folder + sep))
    throw new Unusable('leads out of config_path; allowed are files in it');
  // A pipe or a device must not hold the process up: without waiting, and looked at before it is read.
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!(await handle.stat()).isFile()) throw new Unusable('is no file');
    return await use(handle);
  } finally {
    await handle.close();
  }
}

function stampOfFile({ ino, size, mtimeMs }: { ino: number; size: number; mtimeMs: number }): string {
  return `${ino} ${size} ${mtimeMs}`;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? ` (${error.code})` : '';
}
