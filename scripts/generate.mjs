/**
 * Makes src/wire/generated/*.ts from proto/*.proto with buf and ts-proto, if they are not up to date.
 * Usage: node scripts/generate.mjs [--force]
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { digest } from './fresh.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const require = createRequire(import.meta.url);
const target = join(root, 'src/wire/generated');

const options = [
  'outputServices=grpc-js',
  'env=node',
  'esModuleInterop=true',
  'importSuffix=.ts',
  // Enums become objects: Node strips types, it does not compile (erasableSyntaxOnly).
  'enumsAsLiterals=true',
  'unrecognizedEnum=false',
  // Any 64-bit number must arrive: a host's odd one must not fail the whole message.
  'forceLong=bigint',
  // Keys of maps come from browsers (header names); a Map has no __proto__.
  'useMapType=true',
  'outputJsonMethods=false',
  'outputPartialMethods=false',
  'outputClientImpl=false',
  'annotateFilesWithVersion=false',
];

if (process.argv[1] === fileURLToPath(import.meta.url)) generate(process.argv.includes('--force'));

/** Does nothing if proto/, the packages and this file are those of the last time. */
export function generate(force = false) {
  const sources = readdirSync(join(root, 'proto')).filter((name) => name.endsWith('.proto'));
  const made = digest([
    ...sources.map((name) => join(root, 'proto', name)),
    fileURLToPath(import.meta.url),
    join(root, 'package-lock.json'),
  ]);
  const mark = join(target, '.made-from');
  if (!force && existsSync(mark) && readFileSync(mark, 'utf8') === made) return;

  const fresh = `${target}.${process.pid}`;
  mkdirSync(fresh, { recursive: true });
  const template = {
    version: 'v2',
    plugins: [
      { local: [process.execPath, require.resolve('ts-proto/protoc-gen-ts_proto')], out: fresh, opt: options, include_imports: true },
    ],
  };
  execFileSync(bufPath(), ['generate', join(root, 'proto'), '--template', JSON.stringify(template)], {
    cwd: root,
    stdio: 'inherit',
    // buf keeps a cache in the home folder and refuses to start without one.
    env: { ...process.env, BUF_CACHE_DIR: join(fresh, '.cache') },
  });
  rmSync(join(fresh, '.cache'), { recursive: true, force: true });
  for (const name of readdirSync(fresh, { recursive: true })) {
    const path = join(fresh, String(name));
    if (path.endsWith('.ts')) writeFileSync(path, `// @ts-nocheck\n${readFileSync(path, 'utf8')}`);
  }
  writeFileSync(join(fresh, '.made-from'), made);
  rmSync(target, { recursive: true, force: true });
  renameSync(fresh, target);
  console.log(`src/wire/generated: made from ${sources.length} files of proto/`);
}

/** The binary of buf's platform package: its launcher needs an install script, which is not run everywhere. */
function bufPath() {
  const platform = {
    linux: { x64: 'linux-x64', arm64: 'linux-aarch64' },
    darwin: { x64: 'darwin-x64', arm64: 'darwin-arm64' },
    win32: { x64: 'win32-x64', arm64: 'win32-arm64' },
  };
  const name = platform[process.platform]?.[process.arch];
  if (name === undefined) throw new Error(`buf has no binary for ${process.platform} ${process.arch}`);
  return require.resolve(`@bufbuild/buf-${name}/bin/buf${process.platform === 'win32' ? '.exe' : ''}`);
}
