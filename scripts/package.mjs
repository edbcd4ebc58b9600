/**
 * Makes what is given to people: dist/packages/ with one zip a platform, one with all of them, one of the panel, their checksums and the bills of
 * materials of both plugins.
 * Each zip is what `grafana cli --pluginUrl <zip> plugins install <id>` takes: one folder, called by the plugin's id.
 * The same source gives the same bytes: names are sorted, times are that of the last commit, modes are given.
 * Usage: npm run package [-- --platform NAME --plugin FOLDER --out FOLDER]
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ZipFile } from 'yazl';
import { bindingName, bindingPackage } from './build-bindings.mjs';
import { contents } from './contents.mjs';
import { chosenPlatforms, executableName } from './platforms.mjs';
import { releaseDate } from './release-date.mjs';
import { sbom } from './sbom.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: { platform: { type: 'string', multiple: true }, plugin: { type: 'string' }, out: { type: 'string' } },
});
const platforms = chosenPlatforms({ all: values.platform === undefined, platform: values.platform });
const { id, executable } = JSON.parse(readFileSync(join(root, 'plugin.json'), 'utf8'));
const plugin = resolve(root, values.plugin ?? join('dist', id));
const panelId = JSON.parse(readFileSync(join(root, 'src/panel/plugin.json'), 'utf8')).id;
const panel = join(dirname(plugin), panelId);
const out = resolve(root, values.out ?? 'dist/packages');
/** What every package holds. Whatever else lies in the folder stays out, and whatever of these is missing is an error. */
const shared = ['CHANGELOG.md', 'LICENSE', 'README.md', 'THIRD-PARTY-LICENSES.txt', 'img', 'module.js', 'module.js.map', 'plugin.json'];
/** What the data source has beside that: its dashboards, and what of its front end is fetched later. */
const own = ['config', 'query', 'transfer'].flatMap((part) => [`${part}.js`, `${part}.js.map`]).concat('dashboards');

execFileSync(
  process.execPath,
  [join(root, 'scripts/build.mjs'), '--out', plugin, ...platforms.flatMap(({ name }) => ['--platform', name])],
  {
    cwd: root,
    stdio: 'inherit',
  },
);
const { version } = JSON.parse(readFileSync(join(plugin, 'plugin.json'), 'utf8')).info;
const date = releaseDate(root);
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });

const archives = platforms.map((platform) => ({ name: `${id}-${version}.${platform.name}.zip`, platforms: [platform] }));
if (platforms.length > 1) archives.push({ name: `${id}-${version}.zip`, platforms });
const panelArchive = `${panelId}-${version}.zip`;
await Promise.all([
  ...archives.map((archive) => writeZip(join(out, archive.name), plugin, id, [...shared, ...own], archive.platforms)),
  // The panel has no native part, so one package is for every platform.
  writeZip(join(out, panelArchive), panel, panelId, shared, []),
]);

const parts = { backend: contents(plugin).read('backend'), frontend: contents(plugin).read('frontend'), native: [bindingPackage(root)] };
const files = [
  ...(await billed(
    id,
    parts,
    archives.map(({ name }) => name),
  )),
  ...(await billed(panelId, { frontend: contents(panel).read('frontend') }, [panelArchive], { node: false })),
];
// The form that `sha256sum --check` reads.
writeFileSync(join(out, 'SHA256SUMS'), files.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join(''));
console.log(`${out}: ${[...files.map(({ name }) => name), 'SHA256SUMS'].join(', ')}`);

/** Writes the bill of materials of one plugin's archives; resolves to them and it with their checksums. */
async function billed(name, parts, archives, options) {
  const files = await Promise.all(archives.map(async (archive) => ({ name: archive, sha256: await sha256(join(out, archive)) })));
  const bill = `${name}-${version}.cdx.json`;
  writeFileSync(join(out, bill), sbom(root, { name, version, date, parts, files }, options));
  return [...files, { name: bill, sha256: await sha256(join(out, bill)) }];
}

async function writeZip(file, folder, called, names, wanted) {
  const native = wanted.flatMap((platform) => [executableName(executable, platform), bindingName(platform)]);
  const executables = new Set(wanted.map((platform) => executableName(executable, platform)));
  const zip = new ZipFile();
  // Zip keeps local time; the same hands of the clock in every time zone make the same bytes.
  const mtime = new Date(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate());
  for (const name of [...names, ...native].flatMap((entry) => walk(folder, entry)).sort()) {
    const mode = executables.has(name) ? 0o100755 : 0o100644;
    zip.addFile(join(folder, name), `${called}/${name}`, { mtime, mode, forceDosTimestamp: true });
  }
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(file));
}

/** Names of files below the plugin's folder, with slashes. */
function walk(folder, name) {
  if (name !== 'img' && name !== 'dashboards') return [name];
  return readdirSync(join(folder, name)).map((entry) => `${name}/${entry}`);
}

async function sha256(file) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
