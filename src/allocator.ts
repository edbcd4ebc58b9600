/**
 * Imported before anything else. The allocator of glibc has a heap for each thread that asks at the same time as another, and hardly gives them back: of
 * a hundred connections some 20 MiB. One heap for all is set in the environment alone, which Grafana hands over empty, and read before our first line.
 * So the executable replaces itself, once, with that one word more: the same process, its pipes as they were, some 30 ms before the handshake.
 */
import { accessSync, constants } from 'node:fs';
import { isSea } from 'node:sea';

/** glibc's own (mallopt(3)); other allocators do not know it. Who has set it knows why. */
const name = 'MALLOC_ARENA_MAX';
/** Ourselves, even if the file has another name by now, as in the middle of an upgrade. */
const self = '/proc/self/exe';

// An `execve` that fails ends the process, so what may be known before is asked before.
if (isSea() && process.platform === 'linux' && process.env[name] === undefined && process.execve && isThere())
  process.execve(self, [process.execPath, ...process.argv.slice(2)], { ...process.env, [name]: '1' });

function isThere(): boolean {
  try {
    accessSync(self, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
