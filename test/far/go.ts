/** Far ends and peers in Go (`test/far/go`): compiled once a run, into a folder that goes away with it. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const programs = {
  mochi: './mochi',
  paho: './paho',
  /** Not ours: its own server, of the version that go.mod names. */
  toxiproxy: 'github.com/Shopify/toxiproxy/v2/cmd/server',
} as const;

/** The path of the program; rejects with what the compiler said. */
export async function goProgram(name: keyof typeof programs): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'fieldgate-go-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const program = join(folder, name);
  await promisify(execFile)('go', ['build', '-o', program, programs[name]], { cwd: fileURLToPath(new URL('./go', import.meta.url)) });
  return program;
}
