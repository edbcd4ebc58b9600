/** Is it up to date? Decided by what the files hold, not by their times: a clone or a cache changes times. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** One hash of the contents of these files and folders (in the order given, folders walked by name). */
export function digest(paths, extra = '') {
  const hash = createHash('sha256').update(extra);
  for (const path of paths.flatMap(walk))
    hash
      .update(path.split(/[\\/]/).pop() ?? '')
      .update('\0')
      .update(readFileSync(path))
      .update('\0');
  return hash.digest('hex');
}

function walk(path) {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .sort()
    .filter((name) => name !== 'node_modules')
    .flatMap((name) => walk(join(path, name)));
}

/** Remembers what a file was made from, beside its folder and not in it: a plugin's folder holds nothing that Grafana does not need. */
export function mark(file) {
  const place = join(dirname(dirname(file)), '.made-from', `${basename(dirname(file))}-${basename(file)}`);
  return {
    holds: (made) => existsSync(file) && existsSync(place) && readFileSync(place, 'utf8') === made,
    set(made) {
      mkdirSync(dirname(place), { recursive: true });
      writeFileSync(place, made);
    },
  };
}
