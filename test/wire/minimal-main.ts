/** The real wire around the minimal data source: what the tests of this folder start. */
// biome-ignore assist/source/organizeImports: the first import captures stdout before any library can write to it.
import { log } from '../../src/wire/stdout.ts';
import { systemClock as clock } from '../../src/contract/clock.ts';
import { serve } from '../../src/wire/serve.ts';
import { lastWords } from '../../src/wire/stderr.ts';
import { minimal } from './minimal.ts';

async function main(): Promise<void> {
  const datasource = minimal((event) => log.info(event));
  const served = await serve({ open: () => Promise.resolve(datasource), env: process.env, platform: process.platform, clock, log });
  log.info('ending', { reason: await served.ended });
  await served.close();
  await datasource.close();
  await log.flush();
  process.exit(0);
}

main().catch((error: unknown) => {
  lastWords(error, clock);
  process.exit(1);
});
