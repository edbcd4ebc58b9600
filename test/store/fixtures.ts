import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { systemClock } from '../../src/contract/clock.ts';
import { silentLog } from '../../src/contract/log.ts';
import type { ColumnKind, Quality, Reason, SeriesKey, Value } from '../../src/contract/sample.ts';
import { type OpenOptions, openStore } from '../../src/store/open.ts';
import type { Entry, Store } from '../../src/store/store.ts';

export const gateway = '1/home';
export const always = { fromNs: -(2n ** 63n), toNs: 2n ** 63n - 1n };
export const never = new AbortController().signal;
export const temperature: SeriesKey = { device: 'boiler', point: 'flow_temp' };

/** A folder of its own, gone when the test is. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'fieldgate-store-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A store that is closed when the test is finished. */
export function openForTest(folder: string | undefined, options: Partial<OpenOptions> = {}): Store {
  const store = openStore({ folder, clock: systemClock, log: silentLog, flushIntervalMs: 10, ...options });
  onTestFinished(() => store.close());
  return store;
}

export function entry(
  timeNs: bigint,
  value: Value,
  more: { key?: SeriesKey; kind?: ColumnKind; quality?: Quality; reason?: Reason; arrivalNs?: bigint } = {},
): Entry {
  const { key = temperature, kind = 'double', quality = 'good', reason = '', arrivalNs = timeNs } = more;
  return { key, kind, sample: { timeNs, arrivalNs, value, quality, reason } };
}

/** Waits until `check` is true; fails after `withinMs`, which only says that it never will be: a busy machine takes long to start a process. */
export async function until(check: () => boolean, withinMs = 60_000): Promise<void> {
  const endMs = performance.now() + withinMs;
  while (!check()) {
    if (performance.now() > endMs) throw new Error(`not within ${withinMs} ms: ${check}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A process of its own that runs `child.ts`; `lines` fills with what it prints. Killed when the test is finished. */
export function startChild(
  job: string,
  folder: string,
  launcher: string[] = [],
): { process: ChildProcess; lines: string[]; exited: Promise<number | null> } {
  const path = fileURLToPath(new URL('./child.ts', import.meta.url));
  const [command = process.execPath, ...rest] = [...launcher, process.execPath, path, job, folder];
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  const exited = new Promise<number | null>((resolve) => child.on('close', (code) => resolve(code)));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  return { process: child, lines, exited };
}
