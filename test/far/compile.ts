/** Far ends and peers in C: compiled once a run, into a folder that goes away with it. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** `source` is a file beside this one. The path of the program; throws what the compiler said. */
export function compile(source: string, libraries: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'fieldgate-c-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const program = join(folder, source.replace(/\.c$/, ''));
  const from = fileURLToPath(new URL(source, import.meta.url));
  execFileSync('gcc', ['-O2', '-Wall', '-Werror', '-o', program, from, ...libraries.map((name) => `-l${name}`)], { encoding: 'utf8' });
  return program;
}
