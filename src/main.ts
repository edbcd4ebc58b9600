/** Builds the rooms, serves, and shuts down in reverse order. */
// biome-ignore assist/source/organizeImports: the first import captures stdout before any library can write to it.
import { log } from './wire/stdout.ts';
import { systemClock as clock } from './contract/clock.ts';
import { limits } from './contract/limits.ts';
import type { Datasource } from './datasource/questions.ts';
import { executablePath, keepMemorySmall, readFolder, spawnStoreWorker, version } from './executable.ts';
import type { Store } from './store/store.ts';
import { serve } from './wire/serve.ts';
import { lastWords } from './wire/stderr.ts';

let store: Store | undefined;
let datasource: Datasource | undefined;

/** Loaded after the handshake: the libraries of the rooms take longer to load than all that comes before. */
async function open(): Promise<Datasource> {
  const [{ dataFolder }, { openStore }, { drivers }, { createDatasource }, { readSection }, { readBuiltIn }] = await Promise.all([
    import('./store/folder.ts'),
    import('./store/open.ts'),
    import('../drivers/index.ts'),
    import('./datasource/datasource.ts'),
    import('./datasource/section.ts'),
    import('./datasource/built-in.ts'),
  ]);
  const place = dataFolder(process.env, executablePath);
  const { folder, reason } = place;
  log.info('history', { folder: folder ?? 'memory only', reason });
  const section = readSection(process.env);
  // The bound is one of the disk: what is in memory only has its own.
  const { bytesMax, ...kept } = section.history;
  const bound = folder !== undefined && bytesMax !== undefined ? { bytesMax } : {};
  store = openStore({ folder, clock, log, ...kept, ...bound, ...(spawnStoreWorker && { spawn: spawnStoreWorker }) });
  const builtIn = readBuiltIn(readFolder('profiles'));
  datasource = createDatasource({ store, drivers, builtIn, clock, random: Math.random, log, version, section, place });
  keepMemorySmall();
  return datasource;
}

async function main(): Promise<void> {
  standSomewhere();
  const served = await serve({ open, env: process.env, platform: process.platform, clock, log });
  log.info('ending', { reason: await served.ended });
  // Not `process.exit`: that waits for the workers, and a worker that does not come back from a disk may be why it takes so long.
  clock.after(limits.shutdownMs, () => process.kill(process.pid, 'SIGKILL'));
  await served.close();
  // A device that does not let go must not cost the history its last flush.
  await Promise.race([datasource?.close(), clock.sleep(limits.closeDevicesMs)]);
  await store?.close();
  await log.flush();
  process.exit(0);
}

/** The folder that Grafana was started in may be gone, as after an upgrade, and no worker starts in none. */
function standSomewhere(): void {
  try {
    process.cwd();
  } catch {
    process.chdir('/');
  }
}

main().catch((error: unknown) => {
  lastWords(error, clock);
  process.exit(1);
});
