// What `npm start` and `npm test` need before they can run, on a machine with nothing but Node >= 20 and npm (for tests also Python 3 and
// Go). Needs no dependency itself, changes nothing that is already there, and says what to do where it cannot help.
//   node scripts/setup.mjs packages   npm packages and generated code
//   node scripts/setup.mjs start      the same, and the plugin built
//   node scripts/setup.mjs test       the same, and the far ends of the tests: mosquitto, Python packages, an ARM emulator, Go
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const nodeMajorMin = 20;
/** Newest features of these that the tests use; older ones fail in ways that are hard to read. */
const goMin = [1, 26];
const pythonMin = [3, 10];
/** An edge node's library with what it stands on; `_` as pip writes it into the names of folders. */
const sparkplugPackages = ['pysparkplug==0.6.1', 'protobuf==5.29.5', 'paho_mqtt==1.6.1'];
const pythonPackages = [
  'pymodbus==3.16.1',
  'cbor2==5.7.1',
  'msgpack==1.1.2',
  'pyserial==3.5',
  'pysunspec2==1.3.7',
  'influx_line_protocol==0.1.5',
  'jinja2==3.1.6',
  'markupsafe==3.0.4',
  ...sparkplugPackages,
];
const pythonFolder = join(root, '.far/python');
/** The commands the tests start, and the Debian package each comes from. */
const debianCommands = {
  mosquitto: 'mosquitto',
  mosquitto_pub: 'mosquitto-clients',
  strace: 'strace',
  socat: 'socat',
  ser2net: 'ser2net',
  mbpoll: 'mbpoll',
  'avr-gcc': 'gcc-avr',
  gcc: 'gcc',
  chromium: 'chromium',
};
/** To run our sketch on a microcontroller's core: the C library it is built with, and simavr (whose program brings its library along). */
const boardFiles = { '/usr/lib/avr/include/avr/io.h': 'avr-libc', '/usr/bin/simavr': 'simavr' };
/** To start the executable for ARM on a machine that is not: an emulator, and the libraries it needs. The last brings those before it along. */
const emulatorFiles = { '/usr/bin/qemu-aarch64': 'qemu-user', '/usr/aarch64-linux-gnu/lib/libstdc++.so.6': 'libstdc++6-arm64-cross' };
/** What far ends in C are compiled with, and the Debian packages with them. */
const headerFiles = { '/usr/include/modbus/modbus.h': 'libmodbus-dev', '/usr/include/stdio.h': 'libc6-dev' };
/** Debian keeps daemons where an ordinary user's PATH does not look. */
const path = [join(root, 'node_modules/.bin'), process.env.PATH ?? '', '/usr/sbin', '/usr/local/sbin'].join(delimiter);

class Missing extends Error {}

function say(text) {
  process.stdout.write(`set-up: ${text}\n`);
}

/** Runs a command with its output shown; a failure ends the set-up with `advice`. */
function run(command, args, advice) {
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, PATH: path, PIP_ROOT_USER_ACTION: 'ignore' },
  });
  if (result.error) throw new Missing(`${command} could not be started (${result.error.message}). ${advice}`);
  if (result.status !== 0) throw new Missing(`\`${command} ${args.join(' ')}\` ended with ${result.signal ?? result.status}. ${advice}`);
}

/** What a command prints, or undefined if it is not there or fails. */
function output(command, args) {
  const result = spawnSync(command, args, { encoding: 'utf8', cwd: root, env: { ...process.env, PATH: path } });
  return result.status === 0 ? result.stdout.trim() : undefined;
}

function find(command) {
  return path.split(delimiter).some((folder) => folder !== '' && existsSync(join(folder, command)));
}

function atLeast(found, wanted) {
  for (const [index, part] of wanted.entries()) {
    const have = found[index] ?? 0;
    if (have !== part) return have > part;
  }
  return true;
}

function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** True if node_modules holds what package-lock.json says: npm keeps a list of what it installed beside the packages. */
function packagesInstalled() {
  const record = join(root, 'node_modules/.package-lock.json');
  if (!existsSync(record)) return false;
  const wanted = readJson(join(root, 'package-lock.json')).packages;
  const installed = readJson(record).packages;
  for (const [place, { version, integrity, optional, devOptional }] of Object.entries(wanted)) {
    if (place === '') continue;
    const found = installed[place];
    // Optional packages are absent where they are for another platform.
    if (found === undefined && (optional || devOptional)) continue;
    if (found?.version !== version || (integrity !== undefined && found.integrity !== integrity)) return false;
  }
  return Object.keys(installed).every((place) => place in wanted);
}

function packages() {
  if (packagesInstalled()) return;
  say('installing npm packages (npm ci)');
  // A plain `npm ci` leaves out what builds and tests need where NODE_ENV is production.
  // What npm warns of (peers of Grafana's own packages) hides what matters to whoever sees this for the first time.
  run('npm', ['ci', '--loglevel=error', '--include=dev', '--include=optional'], 'Is the npm registry within reach?');
}

/** The packages bring Node 24 along for Linux and Windows; elsewhere an installed one has to do. */
function runtime() {
  const version = output('node', ['--version']);
  if (!atLeast([Number(version?.match(/^v(\d+)/)?.[1] ?? 0)], [24])) {
    throw new Missing(`This platform (${process.platform} ${process.arch}) has no packaged Node; install Node >= 24 and start again.`);
  }
}

function generate() {
  run('node', ['scripts/generate.mjs'], 'The protobuf code could not be generated; the lines above say why.');
}

function build() {
  run('node', ['scripts/build.mjs'], 'The plugin could not be built; the lines above say why.');
}

/** Installs Debian packages when allowed to, else says the one line to type. */
function debian(wanted) {
  if (wanted.length === 0) return;
  const line = `apt-get install -y --no-install-recommends ${wanted.join(' ')}`;
  if (!find('apt-get'))
    throw new Missing(
      `The tests need ${wanted.join(', ')}; install ${wanted.length === 1 ? 'it' : 'them'} with your system's package manager.`,
    );
  if (process.getuid?.() !== 0) throw new Missing(`The tests need ${wanted.join(', ')}. Type: sudo ${line}`);
  say(line);
  const apt = (...args) =>
    spawnSync('apt-get', ['-q', ...args], {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    }).status === 0;
  const install = () => apt('install', '-y', '--no-install-recommends', ...wanted);
  // A fresh machine has no package lists, an old one stale ones: both are cured by an update.
  if (!install() && !(apt('update') && install()))
    throw new Missing(`apt-get could not install ${wanted.join(' ')}; the lines above say why.`);
}

function farEnds() {
  const files = { ...boardFiles, ...headerFiles, ...(process.arch === 'arm64' ? {} : emulatorFiles) };
  debian([
    ...new Set([
      ...Object.entries(debianCommands).flatMap(([command, name]) => (find(command) ? [] : [name])),
      ...Object.entries(files).flatMap(([file, name]) => (existsSync(file) ? [] : [name])),
    ]),
  ]);
  for (const [command, name] of Object.entries(debianCommands)) {
    if (!find(command)) throw new Missing(`${command} is not in ${path} although the package ${name} was installed.`);
  }
}

function python() {
  const isThere = (wanted) => existsSync(join(pythonFolder, `${wanted.replace('==', '-')}.dist-info/RECORD`));
  if (pythonPackages.every(isThere)) return;
  const found = output('python3', ['-c', 'import sys; print(*sys.version_info[:2])'])?.split(' ').map(Number);
  if (!found || !atLeast(found, pythonMin))
    throw new Missing(`The tests need Python >= ${pythonMin.join('.')} as python3${found ? `, not ${found.join('.')}` : ''}.`);
  if (output('python3', ['-m', 'pip', '--version']) === undefined) debian(['python3-pip']);
  say(`installing ${pythonPackages.join(', ')} into .far/python`);
  // Another version's files in the same folder would be imported instead of these.
  rmSync(pythonFolder, { recursive: true, force: true });
  mkdirSync(pythonFolder, { recursive: true });
  const quiet = ['--quiet', '--disable-pip-version-check', '--no-input'];
  run(
    'python3',
    ['-m', 'pip', 'install', ...quiet, '--target', pythonFolder, ...pythonPackages],
    'Is the Python package index within reach?',
  );
}

function go() {
  const version = output('go', ['env', 'GOVERSION'])?.match(/^go(\d+)\.(\d+)/);
  if (!version) throw new Missing(`The tests need Go >= ${goMin.join('.')}: install it and put its bin folder in PATH.`);
  if (!atLeast(version.slice(1).map(Number), goMin)) throw new Missing(`The tests need Go >= ${goMin.join('.')}, not ${version[0]}.`);
  // So that no test waits for a download; what is built already costs half a second.
  run('go', ['-C', 'test/far/go', 'build', './...', 'tool'], 'Is the Go module proxy within reach?');
}

const base = [packages, runtime];
// What a person has to install comes before what takes long.
const steps = { packages: [...base, generate], start: [...base, generate, build], test: [...base, farEnds, python, go, generate, build] };

function main() {
  const wanted = steps[process.argv[2]];
  if (!wanted) throw new Missing(`Usage: node scripts/setup.mjs ${Object.keys(steps).join('|')}`);
  if (Number(process.versions.node.split('.')[0]) < nodeMajorMin)
    throw new Missing(`Node ${process.versions.node} is too old; Node >= ${nodeMajorMin} is needed.`);
  for (const step of wanted) step();
}

try {
  main();
} catch (error) {
  if (!(error instanceof Missing)) throw error;
  process.stderr.write(`set-up: ${error.message}\n`);
  process.exitCode = 1;
}
