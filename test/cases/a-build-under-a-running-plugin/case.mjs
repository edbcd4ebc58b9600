/** `npm run build` overwrote the native library that a running plugin had mapped: the plugin ended with SIGSEGV. */
import { closeSync, fstatSync, mkdtempSync, openSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { buildBindings } from '../../../scripts/build-bindings.mjs';
import { chosenPlatforms } from '../../../scripts/platforms.mjs';

export function run(root) {
  const target = mkdtempSync(join(tmpdir(), 'fieldgate-build-'));
  try {
    const build = () => buildBindings({ root, target, platforms: chosenPlatforms({}) });
    build();
    const [name = ''] = readdirSync(target);
    const mapped = openSync(join(target, name), 'r');
    build();
    expect(readdirSync(target), 'nothing is left over').toEqual([name]);
    expect(fstatSync(mapped).nlink, 'the file that is in use is another one than the new').toBe(0);
    closeSync(mapped);
  } finally {
    rmSync(target, { recursive: true, force: true });
  }
}
