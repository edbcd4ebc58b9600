import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { temporaryFolder } from './fixtures.ts';

const run = promisify(execFile);

export interface SmallDisk {
  folder: string;
  /** What starts the process that is to find it full. */
  launcher: string[];
  /** Of that process: from now on there is as much room as it wants. */
  makeRoom(pid: number): Promise<void>;
}

/** A folder with so much room: a disk of its own in memory where one may be mounted, else the system's limit on the size of files stands for it. */
export function smallDisk(bytes: number): SmallDisk {
  const folder = temporaryFolder();
  const mount = (...options: string[]) => ['-t', 'tmpfs', '-o', options.join(','), 'tmpfs', folder];
  try {
    execFileSync('mount', mount(`size=${bytes}`), { stdio: 'ignore' });
  } catch {
    return {
      folder,
      launcher: ['prlimit', `--fsize=${bytes}:unlimited`],
      makeRoom: async (pid) => void (await run('prlimit', ['--pid', String(pid), '--fsize=unlimited:unlimited'])),
    };
  }
  // Lazily: what the test started may still look at it.
  onTestFinished(() => void execFileSync('umount', ['-l', folder]));
  return { folder, launcher: [], makeRoom: async () => void (await run('mount', mount('remount', 'size=1g'))) };
}
