/**
 * Makes dist/fieldgate-iot-datasource/, ready for Grafana's plugin folder. What is up to date is left alone.
 * Usage: npm run build [-- --entry <file> --out <folder>]   (another main around the same wire, for the tests of traps)
 */
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildEditor } from './build-editor.mjs';
import { buildExecutable, executableName } from './build-executable.mjs';
import { generate } from './generate.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const { values } = parseArgs({ options: { entry: { type: 'string' }, out: { type: 'string' } } });
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const manifest = JSON.parse(readFileSync(join(root, 'plugin.json'), 'utf8'));
const target = resolve(root, values.out ?? join('dist', manifest.id));

generate();
mkdirSync(target, { recursive: true });
const executable = join(target, executableName(manifest.executable));
await buildExecutable({ root, entry: resolve(root, values.entry ?? 'src/main.ts'), target: executable, version });
if (values.entry === undefined) {
  await buildEditor({ root, target });
  writeManifest();
  for (const name of ['README.md', 'CHANGELOG.md', 'LICENSE'])
    if (existsSync(join(root, name))) copyFileSync(join(root, name), join(target, name));
  rmSync(join(target, 'img'), { recursive: true, force: true });
  cpSync(join(root, 'img'), join(target, 'img'), { recursive: true });
}
chmodSync(executable, 0o755);

/** The source's plugin.json with the version of package.json and the day of the build. */
function writeManifest() {
  const text = JSON.stringify(
    { ...manifest, info: { ...manifest.info, version, updated: new Date().toISOString().slice(0, 10) } },
    null,
    2,
  );
  writeFileSync(join(target, 'plugin.json'), `${text}\n`);
}
