/** One release for the tests of this folder, made as a person makes it, but in a folder of its own; and how to unpack what is in it. */
import { execFile } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { node, root } from '../wire/plugin.ts';

const run = promisify(execFile);

export const id = 'fieldgate-iot-datasource';
export const panelId = 'fieldgate-control-panel';

export interface Entry {
  name: string;
  /** As stat() gives it, with the file type. */
  mode: number;
  /** Year, month, day, hours, minutes, seconds on the clock of whoever packed. */
  time: number[];
  size: number;
}

/** Packs these platforms, all unless said. Resolves to the folder with the packages. */
export async function release(platforms: readonly string[] = [], env: Record<string, string> = {}): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'fieldgate-release-'));
  const args = platforms.flatMap((name) => ['--platform', name]);
  await run(node, [join(root, 'scripts/package.mjs'), '--plugin', join(folder, id), '--out', join(folder, 'packages'), ...args], {
    env: { ...process.env, ...env },
  });
  return join(folder, 'packages');
}

/** Unpacks with Python's zipfile into a new folder and lists what was there; `plugin` is the id of what it holds. */
export async function unpack(archive: string, plugin = id): Promise<{ folder: string; entries: Entry[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'fieldgate-unpacked-'));
  const { stdout } = await run('python3', [join(root, 'test/far/unzip.py'), archive, folder]);
  return { folder: join(folder, plugin), entries: JSON.parse(stdout) as Entry[] };
}
