/** Files of an npm package that npm does not install here because it is for another platform. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The folder with these files of the package, in the version and with the checksum that package-lock.json names.
 * Fetched once: the folder is kept in node_modules/.cache, and appears there whole or not at all.
 */
export function fetchPackage(root, name, files) {
  const locked = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages[`node_modules/${name}`];
  if (locked === undefined) throw new Error(`package-lock.json does not name ${name}`);
  const cache = join(root, 'node_modules/.cache/fieldgate');
  const folder = join(cache, `${name}-${locked.version}`);
  const whole = () => files.every((file) => existsSync(join(folder, file)));
  if (whole()) return folder;

  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(`${folder}.`);
  try {
    console.log(`fetching ${name} ${locked.version}`);
    const said = npm(['pack', '--json', '--silent', '--pack-destination', work, `${name}@${locked.version}`], root);
    const archive = join(work, JSON.parse(said)[0].filename);
    const [algorithm] = locked.integrity.split('-');
    const found = `${algorithm}-${createHash(algorithm).update(readFileSync(archive)).digest('base64')}`;
    if (found !== locked.integrity)
      throw new Error(`${name} ${locked.version}: its checksum is ${found}, package-lock.json says ${locked.integrity}`);
    // tar is part of Linux, macOS and Windows. npm puts everything into a folder `package`.
    execFileSync('tar', ['-xzf', archive, '-C', work, ...files.map((file) => `package/${file}`)], { stdio: 'pipe' });
    // Another process may have put it there meanwhile; then its folder is as good as ours.
    if (!whole()) {
      rmSync(folder, { recursive: true, force: true });
      renameSync(join(work, 'package'), folder);
    }
    return folder;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** npm tells its scripts where it is; without one, it is in the path (on Windows as a .cmd, which only a shell starts). */
function npm(args, cwd) {
  const own = process.env.npm_execpath;
  const options = { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] };
  if (own?.endsWith('.js')) return execFileSync(process.execPath, [own, ...args], options);
  return execFileSync('npm', args, { ...options, shell: process.platform === 'win32' });
}
