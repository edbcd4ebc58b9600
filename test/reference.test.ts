import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

it('the reference of the configuration language is what the schemas say', async () => {
  const { stderr } = await promisify(execFile)(process.execPath, ['scripts/reference.ts', '--check'], { cwd: root });
  expect(stderr).toBe('');
});
