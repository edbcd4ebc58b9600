/** Which process has a file open, as far as this user may see it. */
import { readdir, readFile, readlink, realpath } from 'node:fs/promises';
import { limits } from '../../src/contract/limits.ts';

/** `minicom (process 1234)`; undefined if nobody was found or nothing may be seen. */
export async function holderOf(path: string): Promise<string | undefined> {
  const target = await realpath(path).catch(() => path);
  if (await hasOpen('self', target)) return 'this gateway itself under another name; write the same path in all its connections';
  const processes = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  for (const id of processes.slice(0, limits.ttyHolderLookMax)) {
    if (!(await hasOpen(id, target))) continue;
    const command = await readFile(`/proc/${id}/comm`, 'utf8').catch(() => 'a program');
    return `${command.trim()} (process ${id})`;
  }
  return undefined;
}

async function hasOpen(id: string, target: string): Promise<boolean> {
  const folder = `/proc/${id}/fd`;
  for (const fd of await readdir(folder).catch(() => [])) {
    if ((await readlink(`${folder}/${fd}`).catch(() => '')) === target) return true;
  }
  return false;
}
