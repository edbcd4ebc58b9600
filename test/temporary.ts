/**
 * Vitest's global setup: what a run puts among the temporary files lies in one folder, gone when the run is. What is killed cannot tidy up
 * after itself, and a copy of the executable has 120 MB. The name is short, because a socket's path has about a hundred bytes.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

let folder: string | undefined;

export function setup(): void {
  folder = mkdtempSync(join(tmpdir(), 'fg-'));
  // Before the workers start: they and all that they start inherit it.
  process.env.TMPDIR = folder;
}

export function teardown(): void {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
