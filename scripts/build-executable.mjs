/** The backend as one file: bundles (esbuild), a blob with them (Node's single executable application), a copy of Node with the blob in it. */
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { build } from 'esbuild';
import { digest, mark } from './fresh.mjs';

const require = createRequire(import.meta.url);
/** Where Node looks for the blob; from Node's documentation of single executable applications. */
const fuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';
/** Signal USR1 would open Node's debugger on a port of the loopback, for every user of the machine. */
const flags = ['--disable-sigusr1'];
/** Grafana says these in Go's words. */
const goPlatforms = { linux: 'linux', darwin: 'darwin', win32: 'windows' };
const goArchitectures = { x64: 'amd64', arm64: 'arm64' };

/** `gpx_fieldgate_linux_amd64` on this machine. */
export function executableName(base) {
  const name = `${base}_${goPlatforms[process.platform]}_${goArchitectures[process.arch]}`;
  return process.platform === 'win32' ? `${name}.exe` : name;
}

export async function buildExecutable({ root, entry, target, version }) {
  const node = nodeBinary();
  // Beside the target, so that the finished file can be moved to its name in one step: a test may be starting the old one.
  const work = mkdtempSync(`${target}.build-`);
  try {
    const main = join(work, 'main.cjs');
    const worker = join(work, 'store-worker.js');
    await bundle(root, entry, main, version);
    const assets = {};
    if (existsSync(join(root, 'src/store/worker.ts'))) {
      await bundle(root, join(root, 'src/store/worker.ts'), worker, version);
      assets['store-worker.js'] = worker;
    }
    const made = digest([main, ...Object.values(assets), new URL(import.meta.url).pathname], `${node} ${statSync(node).size}`);
    if (mark(target).holds(made)) return;

    const blob = join(work, 'blob');
    const config = join(work, 'sea.json');
    const sea = { main, output: blob, assets, disableExperimentalSEAWarning: true, useCodeCache: true, execArgv: flags };
    writeFileSync(config, JSON.stringify(sea));
    execFileSync(node, ['--experimental-sea-config', config], { stdio: 'pipe' });

    const executable = join(work, 'executable');
    copyFileSync(node, executable);
    chmodSync(executable, 0o755);
    strip(executable);
    const inject = [executable, 'NODE_SEA_BLOB', blob, '--sentinel-fuse', fuse, '--macho-segment-name', 'NODE_SEA'];
    // Its output is kept for a failure: it warns of every nameless section of a stripped file.
    execFileSync(process.execPath, [require.resolve('postject/dist/cli.js'), ...inject], { stdio: 'pipe' });
    renameSync(executable, target);
    mark(target).set(made);
    console.log(`${target}: ${Math.round(statSync(target).size / 1e6)} MB`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function bundle(root, entry, outfile, version) {
  await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    minify: true,
    // Names of classes and functions appear in errors and logs.
    keepNames: true,
    legalComments: 'none',
    define: { FIELDGATE_VERSION: JSON.stringify(version) },
    // serialport is native code beside the executable, loaded when the first serial port opens; the other two are optional parts of ws.
    external: ['serialport', 'bufferutil', 'utf-8-validate'],
    // Only a run from source asks where its own file is.
    logOverride: { 'empty-import-meta': 'silent' },
    logLevel: 'warning',
  });
}

/** The Node that goes into the product; where there is no package of it (macOS), the one that runs this. */
function nodeBinary() {
  const name = { linux: 'linux', win32: 'win' }[process.platform];
  if (name === undefined) return process.execPath;
  return require.resolve(`node-${name}-${process.arch}/bin/node${process.platform === 'win32' ? '.exe' : ''}`);
}

/** Symbols are a tenth of the file and nothing at run time. Without binutils the file is just larger. */
function strip(executable) {
  if (process.platform !== 'linux') return;
  try {
    execFileSync('strip', [executable], { stdio: 'ignore' });
  } catch {
    console.log('strip is not installed: the executable keeps its symbols');
  }
}
