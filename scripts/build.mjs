/**
 * Makes dist/fieldgate-iot-datasource/ and dist/fieldgate-control-panel/, ready for Grafana's plugin folder. What is up to date is left alone.
 * Usage: npm run build [-- options]
 *   --all              an executable for every platform, not only for this machine's
 *   --platform NAME    for this one (linux_amd64, linux_arm64, windows_amd64); may be repeated
 *   --out FOLDER       the data source's folder; the panel's is beside it
 *   --entry FILE       another main around the same wire, for the tests of traps; nothing but its executable is made
 */
import { copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { bindingPackage, buildBindings } from './build-bindings.mjs';
import { buildEditor } from './build-editor.mjs';
import { buildExecutables } from './build-executable.mjs';
import { contents } from './contents.mjs';
import { generate } from './generate.mjs';
import { notices } from './notices.mjs';
import { chosenPlatforms } from './platforms.mjs';
import { releaseDate } from './release-date.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const { values } = parseArgs({
  options: {
    entry: { type: 'string' },
    out: { type: 'string' },
    all: { type: 'boolean' },
    platform: { type: 'string', multiple: true },
  },
});
const platforms = chosenPlatforms(values);
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const manifest = JSON.parse(readFileSync(join(root, 'plugin.json'), 'utf8'));
const panel = JSON.parse(readFileSync(join(root, 'src/panel/plugin.json'), 'utf8'));
const target = resolve(root, values.out ?? join('dist', manifest.id));

generate();
mkdirSync(target, { recursive: true });
const entry = resolve(root, values.entry ?? 'src/main.ts');
await buildExecutables({ root, entry, target, base: manifest.executable, version, platforms });
if (values.entry === undefined) {
  buildBindings({ root, target, platforms });
  await buildEditor({ root, target, id: manifest.id, room: 'editor' });
  const packages = [...contents(target).read('backend'), ...contents(target).read('frontend'), bindingPackage(root)];
  writeDashboards(target, manifest);
  writeShared(target, { manifest, readme: 'README.md', pictures: 'img', licenses: notices(root, packages) });
  const beside = join(dirname(target), panel.id);
  mkdirSync(beside, { recursive: true });
  await buildEditor({ root, target: beside, id: panel.id, room: 'panel' });
  const licenses = notices(root, contents(beside).read('frontend'), { node: false });
  writeShared(beside, { manifest: panel, readme: 'src/panel/README.md', pictures: 'src/panel/img', licenses });
}

/**
 * The dashboards of `provisioning/`, as Grafana offers them on a data source's page: on that data source, whatever it is called. They have no uid, so
 * that an import is one of its own beside those of another data source, or provisioned ones, which Grafana would not overwrite.
 */
function writeDashboards(folder, { id, name, includes }) {
  rmSync(join(folder, 'dashboards'), { recursive: true, force: true });
  mkdirSync(join(folder, 'dashboards'));
  const input = { name: 'DS_FIELDGATE', label: name, description: '', type: 'datasource', pluginId: id, pluginName: name };
  for (const { path } of includes.filter(({ type }) => type === 'dashboard')) {
    const { uid: _provisioned, ...dashboard } = JSON.parse(readFileSync(join(root, 'provisioning', path), 'utf8'), (key, value) =>
      // biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana puts the uid in when it is imported.
      key === 'datasource' && value?.type === id ? { type: id, uid: '${DS_FIELDGATE}' } : value,
    );
    writeFileSync(join(folder, path), `${JSON.stringify({ __inputs: [input], ...dashboard }, null, 2)}\n`);
  }
}

/** What every plugin's folder holds beside its code. */
function writeShared(folder, { manifest, readme, pictures, licenses }) {
  writeManifest(folder, manifest);
  writeFileSync(join(folder, 'THIRD-PARTY-LICENSES.txt'), licenses);
  for (const name of ['CHANGELOG.md', 'LICENSE']) copyFileSync(join(root, name), join(folder, name));
  writeFileSync(join(folder, 'README.md'), withoutRelativeLinks(readFileSync(join(root, readme), 'utf8')));
  rmSync(join(folder, 'img'), { recursive: true, force: true });
  cpSync(join(root, pictures), join(folder, 'img'), { recursive: true });
}

/** The source's plugin.json with the version of package.json and the day it counts as made on. */
function writeManifest(folder, manifest) {
  const { info, dependencies } = manifest;
  // The plugins that it needs are those of the same release.
  const plugins = dependencies.plugins.map((plugin) => ({ ...plugin, version }));
  const dated = { ...info, version, updated: releaseDate(root).toISOString().slice(0, 10) };
  const text = JSON.stringify({ ...manifest, info: dated, dependencies: { ...dependencies, plugins } }, null, 2);
  writeFileSync(join(folder, 'plugin.json'), `${text}\n`);
}

/** Grafana shows the README where the repository's other files are not: a link to one of them keeps its words and loses its target. */
function withoutRelativeLinks(markdown) {
  return markdown.replace(/!?\[([^\]]*)\]\((?!https?:|mailto:|#)[^)]*\)/g, '$1');
}
