/** The front end: module.js, made by rspack from src/editor. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { rspack } from '@rspack/core';
import { digest, mark } from './fresh.mjs';

export async function buildEditor({ root, target }) {
  const file = join(target, 'module.js');
  const made = digest(['src/editor', 'src/contract', 'rspack.config.ts', 'package-lock.json'].map((name) => join(root, name)));
  if (mark(file).holds(made)) return;
  const { default: config } = await import('../rspack.config.ts');
  const compiler = rspack({ ...config, output: { ...config.output, path: target } });
  const stats = await new Promise((resolve, reject) => compiler.run((error, result) => (error ? reject(error) : resolve(result))));
  await new Promise((resolve) => compiler.close(resolve));
  if (stats.hasErrors()) throw new Error(stats.toString({ all: false, errors: true }));
  mark(file).set(made);
  console.log(`${file}: ${statSync(file).size} bytes`);
}
