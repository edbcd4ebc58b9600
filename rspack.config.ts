/** A front end as Grafana loads it: one AMD module a plugin, and parts of it that are fetched when needed; what Grafana brings along stays outside. */
import type { Configuration } from '@rspack/core';

/** `entry` from the root; `id` is the plugin's, `path` its folder. */
export const frontEnd = ({ id, entry, path }: { id: string; entry: string; path: string }): Configuration => ({
  mode: 'production',
  target: ['web', 'es2021'],
  context: import.meta.dirname,
  entry: { module: entry },
  output: {
    path,
    filename: '[name].js',
    // Named alike in every build, so that no old one stays in the folder; the mark is for caches.
    chunkFilename: '[name].js?_cache=[contenthash:8]',
    library: { type: 'amd' },
    publicPath: `public/plugins/${id}/`,
    uniqueName: id,
    // Grafana's validator looks for the map's files below src and compares them.
    devtoolModuleFilenameTemplate: ({ namespace, resourcePath }) => `webpack://${namespace}/${resourcePath.replace(/^\.\/src\//, './')}`,
  },
  // Without it rspack takes `define` for a variable of ours and the plugin exports nothing (grafana PR #130441).
  amd: {},
  externals: [
    { 'amd-module': 'module' },
    'react',
    'react-dom',
    'react/jsx-runtime',
    'rxjs',
    '@emotion/css',
    /^@grafana\/(data|runtime|ui|schema)$/,
  ],
  resolve: { extensions: ['.tsx', '.ts', '.js'] },
  module: {
    rules: [
      {
        test: /\.tsx?$/,
        loader: 'builtin:swc-loader',
        options: { jsc: { parser: { syntax: 'typescript', tsx: true }, transform: { react: { runtime: 'automatic' } }, target: 'es2021' } },
        type: 'javascript/auto',
      },
    ],
  },
  // A part is one file: what is common to two of them is small.
  optimization: { splitChunks: false },
  // Grafana's validator wants the map in the package; whoever reads an error of the browser does too.
  devtool: 'source-map',
  performance: { hints: false },
});
