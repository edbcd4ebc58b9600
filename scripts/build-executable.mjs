/** The backend as one file: bundles (esbuild), a blob with them (Node's single executable application), a copy of Node with the blob in it. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import { contents, packagesOf } from './contents.mjs';
import { digest, mark } from './fresh.mjs';
import { executableName, hostPlatform, isHost, nodeBinary } from './platforms.mjs';
import { flags, laterFlags } from './runtime-flags.mjs';

const require = createRequire(import.meta.url);
/** Where Node looks for the blob; from Node's documentation of single executable applications. */
const fuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';
/** V8 hashes strings with a seed of its own and keeps the hashes in the code cache: with a fixed one the same source gives the same bytes. */
const reproducible = '--random-seed=1';

/**
 * Writes `<target>/<base>_<os>_<arch>` for each platform. The bundles are made once; what is in them is noted for the bill of materials.
 */
export async function buildExecutables({ root, entry, target, base, version, platforms }) {
  // Beside the target, so that a finished file can be moved to its name in one step: a test may be starting the old one.
  const work = mkdtempSync(`${target}.build-`);
  try {
    const main = join(work, 'main.cjs');
    const inputs = [await bundle(root, entry, main, version)];
    const assets = {};
    if (existsSync(join(root, 'src/store/worker.ts'))) {
      const worker = join(work, 'store-worker.js');
      inputs.push(await bundle(root, join(root, 'src/store/worker.ts'), worker, version));
      assets['store-worker.js'] = worker;
    }
    for (const name of existsSync(join(root, 'profiles')) ? readdirSync(join(root, 'profiles')).sort() : [])
      assets[`profiles/${name}`] = join(root, 'profiles', name);
    contents(target).note('backend', packagesOf(root, inputs.flat()));
    for (const platform of platforms)
      buildExecutable({ root, work, main, assets, platform, file: join(target, executableName(base, platform)) });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function buildExecutable({ root, work, main, assets, platform, file }) {
  const node = nodeBinary(root, platform);
  const made = digest(
    [main, ...Object.values(assets), new URL(import.meta.url).pathname],
    `${node} ${statSync(node).size} ${flags.join(' ')}`,
  );
  if (mark(file).holds(made)) return;

  // Of the main file a name and no path: it is kept in the blob, where the place of a build has no business.
  const [blob, config] = [`${platform.name}.blob`, `${platform.name}.json`];
  // V8 takes a code cache only from the same build of itself; elsewhere it would be refused at every start.
  const sea = {
    main: basename(main),
    output: blob,
    assets,
    disableExperimentalSEAWarning: true,
    useCodeCache: isHost(platform),
    execArgv: flags,
  };
  writeFileSync(join(work, config), JSON.stringify(sea));
  // The blob must come from the Node version it goes into, the one that runs us may be another; and its code cache from a V8 of the same flags.
  execFileSync(nodeBinary(root, hostPlatform()), [reproducible, ...flags, '--experimental-sea-config', config], {
    cwd: work,
    stdio: 'pipe',
  });

  const executable = join(work, platform.name);
  copyFileSync(node, executable);
  chmodSync(executable, 0o755);
  strip(executable, platform);
  const inject = [executable, 'NODE_SEA_BLOB', join(work, blob), '--sentinel-fuse', fuse, '--macho-segment-name', 'NODE_SEA'];
  // Its output is kept for a failure: it warns of every nameless section of a stripped file.
  execFileSync(process.execPath, [require.resolve('postject/dist/cli.js'), ...inject], { stdio: 'pipe' });
  renameSync(executable, file);
  mark(file).set(made);
  console.log(`${file}: ${Math.round(statSync(file).size / 1e6)} MB`);
}

/** Resolves to the files that went in, as paths from the root. */
async function bundle(root, entry, outfile, version) {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile,
    bundle: true,
    metafile: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    minify: true,
    // Names of classes and functions appear in errors and logs.
    keepNames: true,
    legalComments: 'none',
    define: { FIELDGATE_VERSION: JSON.stringify(version), FIELDGATE_LATER_FLAGS: JSON.stringify(laterFlags) },
    // serialport's native code is beside the executable, loaded when the first serial port opens.
    alias: { 'node-gyp-build': join(root, 'scripts/native-binding.cjs') },
    // Optional parts of ws.
    external: ['bufferutil', 'utf-8-validate'],
    // Only a run from source asks where its own file is.
    logOverride: { 'empty-import-meta': 'silent' },
    logLevel: 'warning',
  });
  // V8 keeps a source of ASCII with one byte a character, any other with two, as long as the process lives. esbuild escapes what is not within a pattern.
  const strange = /[^\0-\x7f].{0,40}/u.exec(readFileSync(outfile, 'utf8'));
  if (strange) throw new Error(`${outfile} is not ASCII at ${JSON.stringify(strange[0])}; write it as an escape`);
  // What was read and then shaken off entirely is not in the product.
  return Object.entries(Object.values(metafile.outputs)[0].inputs).flatMap(([file, { bytesInOutput }]) =>
    bytesInOutput > 0 ? [file] : [],
  );
}

/** Symbols are a tenth of the file and nothing at run time. binutils know their own machine's files only, LLVM's knows all; without either the file is just larger. */
function strip(executable, platform) {
  if (platform.os !== 'linux') return;
  for (const tool of ['strip', 'llvm-strip']) if (spawnSync(tool, [executable], { stdio: 'ignore' }).status === 0) return;
  console.log(`${platform.name}: nothing here can strip it, the executable keeps its symbols`);
}
