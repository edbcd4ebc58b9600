/** The page that plays Grafana's front end, with the real React and @grafana packages inside; made once and kept while nothing of it changes. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { rspack } from '@rspack/core';
import { digest } from '../../../scripts/fresh.mjs';

const root = join(import.meta.dirname, '../../..');

/** What Grafana's code editor runs beside the page, by the name it asks for. */
const workers = {
  json: 'monaco-editor/esm/vs/language/json/json.worker.js',
  editorWorkerService: 'monaco-editor/esm/vs/editor/editor.worker.js',
};

export interface Bundle {
  page: string;
  workers: Readonly<Record<string, string>>;
}

/** Resolves to the files. */
export async function bundlePage(): Promise<Bundle> {
  const page = await bundle('page', join(import.meta.dirname, '../page/host.tsx'));
  const made = Object.entries(workers).map(async ([name, entry]): Promise<[string, string]> => [name, await bundle(name, entry)]);
  return { page, workers: Object.fromEntries(await Promise.all(made)) };
}

async function bundle(name: string, entry: string): Promise<string> {
  const made = digest([import.meta.filename, join(import.meta.dirname, '../page'), join(root, 'package-lock.json')]).slice(0, 16);
  const folder = join(root, '.far/browser');
  const file = join(folder, `${name}-${made}.js`);
  if (existsSync(file)) return file;
  const compiler = rspack({
    mode: 'development',
    devtool: false,
    target: ['web', 'es2022'],
    context: root,
    entry,
    output: { path: folder, filename: `${name}-${made}.js`, publicPath: '/' },
    resolve: { extensions: ['.tsx', '.ts', '.js'] },
    module: {
      rules: [
        {
          test: /\.tsx?$/,
          loader: 'builtin:swc-loader',
          options: {
            jsc: { parser: { syntax: 'typescript', tsx: true }, transform: { react: { runtime: 'automatic' } }, target: 'es2022' },
          },
          type: 'javascript/auto',
        },
        // Grafana's own bundler is as forgiving: its packages leave out endings that modules of their kind need.
        { test: /\.m?js$/, resolve: { fullySpecified: false } },
        { test: /\.(svg|png|ttf|woff2?)$/, type: 'asset/inline' },
        { test: /\.css$/, type: 'css' },
      ],
    },
    plugins: [new rspack.optimize.LimitChunkCountPlugin({ maxChunks: 1 })],
    performance: { hints: false },
  });
  const stats = await new Promise<import('@rspack/core').Stats | undefined>((resolve, reject) =>
    compiler.run((error, result) => (error ? reject(error) : resolve(result))),
  );
  await new Promise((closed) => compiler.close(closed));
  if (!stats || stats.hasErrors()) throw new Error(stats?.toString({ all: false, errors: true }) ?? 'rspack said nothing');
  return file;
}
