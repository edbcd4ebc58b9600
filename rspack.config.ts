/** A front end as Grafana loads it: one AMD module a plugin; what Grafana brings along stays outside. */
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
    library: { type: 'amd' },
    publicPath: `public/plugins/${id}/`,
    uniqueName: id,
    // Grafana's validator looks for the map's files below src and compares them.
    devtoolModuleFilenameTemplate: ({ namespace, resourcePath }) => `webpack://${namespace}/${resourcePath.replace(/^\.\/src\//, './')}`,
  },
  // Without it rspack takes `define` for a variable of ours and the plugin exports nothing (grafana PR #130441).
  amd: {},
  externals: ['react', 'react-dom', 'react/jsx-runtime', 'rxjs', '@emotion/css', /^@grafana\/(data|runtime|ui|schema)$/],
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
  // Grafana's validator wants the map in the package; whoever reads an error of the browser does too.
  devtool: 'source-map',
  performance: { hints: false },
});
