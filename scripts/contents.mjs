/** Which npm packages are really in what was built: what the bundlers say they took, not what is installed. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

/**
 * The packages that these files (paths from `root`) belong to, by name: `{ name, version, folder }`, `folder` from `root`.
 * Our own files belong to none.
 */
export function packagesOf(root, files) {
  const found = new Map();
  for (const file of files) {
    const folder = packageFolder(root, file);
    if (folder === undefined || found.has(folder)) continue;
    const { name, version } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    found.set(folder, { name, version, folder });
  }
  return [...found.values()].sort((a, b) => (`${a.name} ${a.folder}` < `${b.name} ${b.folder}` ? -1 : 1));
}

/** `node_modules/a/node_modules/@b/c` of a file somewhere below it. A package's own folders may hold a package.json without a name. */
function packageFolder(root, file) {
  const parts = file.split(/[\\/]/);
  const last = parts.lastIndexOf('node_modules');
  if (last === -1) return undefined;
  const folder = parts.slice(0, last + (parts[last + 1]?.startsWith('@') ? 3 : 2)).join('/');
  return existsSync(join(root, folder, 'package.json')) ? folder : undefined;
}

/** Remembers the packages of one part (`backend`, `frontend`) of a built plugin folder, beside the folder and not in it. */
export function contents(target) {
  const place = (part) => join(dirname(resolve(target)), '.made-from', `${basename(target)}-${part}.packages.json`);
  return {
    note(part, packages) {
      mkdirSync(dirname(place(part)), { recursive: true });
      writeFileSync(place(part), `${JSON.stringify(packages, null, 2)}\n`);
    },
    has: (part) => existsSync(place(part)),
    read(part) {
      return JSON.parse(readFileSync(place(part), 'utf8'));
    },
  };
}
