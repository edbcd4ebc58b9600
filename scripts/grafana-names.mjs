/**
 * Writes test/browser/grafana-12.3.json: the names that the oldest Grafana we run in exports to plugins, read from its packages on npm. They
 * do not install there (@grafana/ui 12 asks for a git address), so they are only unpacked. Usage: node scripts/grafana-names.mjs
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const version = '12.3.0';
const packages = ['data', 'runtime', 'schema', 'ui'];
const out = join(import.meta.dirname, '../test/browser/grafana-12.3.json');

const work = mkdtempSync(join(tmpdir(), 'fieldgate-names-'));
try {
  const names = {};
  for (const name of packages) {
    const said = execFileSync('npm', ['pack', '--json', '--silent', '--pack-destination', work, `@grafana/${name}@${version}`], {
      encoding: 'utf8',
    });
    const archive = join(work, JSON.parse(said)[0].filename);
    execFileSync('tar', ['-xzf', archive, '-C', work, 'package/dist/cjs/index.cjs']);
    const text = readFileSync(join(work, 'package/dist/cjs/index.cjs'), 'utf8');
    names[`@grafana/${name}`] = [...new Set([...text.matchAll(/^exports\.(\w+) = /gm)].map(([, exported]) => exported))].sort(
      (one, other) => (one < other ? -1 : 1),
    );
    console.log(`@grafana/${name} ${version}: ${names[`@grafana/${name}`].length} names`);
  }
  writeFileSync(out, `${JSON.stringify(names, null, 2)}\n`);
} finally {
  rmSync(work, { recursive: true, force: true });
}
