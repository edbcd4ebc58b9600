/** The front end as Grafana loads it: one AMD module; what Grafana brings along stays outside. */
import { resolve } from 'node:path';
import type { Configuration } from '@rspack/core';

const config: Configuration = {
  mode: 'production',
  target: ['web', 'es2021'],
  context: import.meta.dirname,
  entry: { module: './src/editor/module.ts' },
  output: {
    path: resolve(import.meta.dirname, 'dist/fieldgate-iot-datasource'),
    filename: '[name].js',
    library: { type: 'amd' },
    publicPath: 'public/plugins/fieldgate-iot-datasource/',
    uniqueName: 'fieldgate-iot-datasource',
    // Grafana's validator looks for the map's files below src and compares them.
    devtoolModuleFilenameTemplate: ({ namespace, resourcePath }) => `webpack://${namespace}/${resourcePath.replace(/^\.\/src\//, './')}`,
  },
  // Without it rspack takes `define` for a variable of ours and the plugin exports nothing (grafana PR #130441).
  amd: {},
  externals: ['react', 'react-dom', 'react/jsx-runtime', 'rxjs', /^@grafana\/(data|runtime|ui|schema)$/],
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
};

export default config;
