/**
 * Runs Grafana's plugin validator on the packages of `npm run package`, with the source beside them.
 * It is a Go program and asks grafana.com and GitHub for lists and schemas, so it needs the internet and is not part of the tests.
 * `plugincheck2` is taken from PLUGINCHECK or the path; else Go fetches and builds it.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const validator = 'github.com/grafana/plugin-validator/pkg/cmd/plugincheck2@v0.45.6';
const root = fileURLToPath(new URL('..', import.meta.url));
const packages = join(root, 'dist/packages');
const config = join(root, 'scripts/validator.yaml');

const archives = existsSync(packages) ? readdirSync(packages).filter((name) => name.endsWith('.zip')) : [];
if (archives.length === 0) {
  console.error(`${packages} holds no package; \`npm run package\` makes them`);
  process.exit(1);
}
const command = checker();
const source = mkdtempSync(join(tmpdir(), 'fieldgate-source-'));
try {
  // A clone: the validator reads every file below, and node_modules is not ours to judge.
  execFileSync('git', ['clone', '--quiet', '--depth', '1', `file://${root}`, source], { stdio: 'inherit' });
  for (const name of archives) {
    console.log(`== ${name}`);
    const args = ['-strict', '-config', config, '-sourceCodeUri', `file://${source}`, join(packages, name)];
    const { status, error } = spawnSync(command[0], [...command.slice(1), ...args], { stdio: 'inherit' });
    if (error) throw error;
    if (status !== 0) process.exitCode = 1;
  }
} finally {
  rmSync(source, { recursive: true, force: true });
}

function checker() {
  if (process.env.PLUGINCHECK) return [process.env.PLUGINCHECK];
  if (spawnSync('plugincheck2', ['-h'], { stdio: 'ignore' }).error === undefined) return ['plugincheck2'];
  return ['go', 'run', validator];
}
