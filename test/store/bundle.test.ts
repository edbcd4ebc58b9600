import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { build } from 'esbuild';
import { expect, it } from 'vitest';
import { entry, gateway, openForTest, temporaryFolder } from './fixtures.ts';

it('runs its workers from one bundled source, as the executable does', async () => {
  const entryPoint = fileURLToPath(new URL('../../src/store/worker.ts', import.meta.url));
  const bundle = await build({
    entryPoints: [entryPoint],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    write: false,
    logLevel: 'error',
  });
  expect(bundle.warnings).toEqual([]);
  const source = bundle.outputFiles[0]?.text ?? '';
  expect(source).not.toContain('import.meta');
  const spawn = (workerData: unknown) => new Worker(source, { eval: true, workerData });
  for (const folder of [temporaryFolder(), undefined]) {
    const store = openForTest(folder, { spawn });
    await store.append(gateway, [entry(1n, 1)], { now: true });
    expect(await store.last(gateway)).toHaveLength(1);
  }
});
