/** serialport's native code, prebuilt in its npm package: one file beside each executable, `serialport_<os>_<arch>.node`. */
import { copyFileSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { packagesOf } from './contents.mjs';

/** The product loads it by this name from its own folder, when the first serial port opens. */
export const bindingName = (platform) => `serialport_${platform.name}.node`;

/** The npm package it is from, as packagesOf() says one. */
export const bindingPackage = (root) => packagesOf(root, ['node_modules/@serialport/bindings-cpp/package.json'])[0];

export function buildBindings({ root, target, platforms }) {
  const prebuilds = join(root, bindingPackage(root).folder, 'prebuilds');
  for (const platform of platforms) {
    // `linux-x64`, but `darwin-x64+arm64`.
    const holds = (name) =>
      name.startsWith(`${platform.os}-`) &&
      name
        .slice(platform.os.length + 1)
        .split('+')
        .includes(platform.arch);
    const folder = join(prebuilds, readdirSync(prebuilds).find(holds) ?? '');
    // Node itself needs glibc, so the musl build beside it could never be loaded.
    const names = readdirSync(folder).filter((name) => name.endsWith('.node') && !name.includes('.musl.'));
    if (names.length !== 1) throw new Error(`${folder}: one binding expected, not ${names.join(', ') || 'none'}`);
    // In one step under its name: a library that is overwritten while a running plugin has it mapped ends that plugin with SIGSEGV.
    const [file, whole] = [join(target, bindingName(platform)), join(target, `.${bindingName(platform)}.new`)];
    copyFileSync(join(folder, names[0]), whole);
    renameSync(whole, file);
  }
}
