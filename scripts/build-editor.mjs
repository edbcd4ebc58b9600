/** The front ends: module.js of each plugin, made by rspack. */
import { statSync } from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';
import { rspack } from '@rspack/core';
import { contents, packagesOf } from './contents.mjs';
import { digest, mark } from './fresh.mjs';

/** `room` is the folder under src, `id` the plugin's. */
export async function buildEditor({ root, target, id, room }) {
  const file = join(target, 'module.js');
  const made = digest([`src/${room}`, 'src/contract', 'rspack.config.ts', 'package-lock.json'].map((name) => join(root, name)));
  if (mark(file).holds(made) && contents(target).has('frontend')) return;
  const { frontEnd } = await import('../rspack.config.ts');
  const compiler = rspack(frontEnd({ id, entry: `./src/${room}/module.ts`, path: target }));
  const stats = await new Promise((resolve, reject) => compiler.run((error, result) => (error ? reject(error) : resolve(result))));
  // Once the compiler is closed, its modules can no longer be asked.
  const packages = packagesOf(root, filesOf(stats.compilation));
  await new Promise((resolve) => compiler.close(resolve));
  if (stats.hasErrors()) throw new Error(stats.toString({ all: false, errors: true }));
  contents(target).note('frontend', packages);
  mark(file).set(made);
  console.log(`${file}: ${statSync(file).size} bytes`);
}

/** Files behind the modules of a compilation, also of those that were joined into one; as paths from the root. */
function filesOf(compilation) {
  const modules = [...compilation.modules].flatMap((module) => [module, ...(module.modules ?? [])]);
  const files = modules.map((module) => module.nameForCondition()).filter((name) => name !== undefined && isAbsolute(name));
  return [...new Set(files)].map((name) => relative(compilation.options.context, name));
}
