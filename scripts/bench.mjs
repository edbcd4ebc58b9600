/**
 * Every benchmark, one after the other: each prints our figure and its peer's from the same run, and writes nothing else. On a busy machine the
 * ratios hold better than the times, so the load is said before each.
 * Usage: npm run bench [-- NAME ...]   host (the executable under a Go host), store, store-wear, frames, gateway, traffic, mqtt, mqtt-history, modbus, modbus-line, modbus-load, serial, serial-plug, commands, config-editor; all of them unless said.
 * With GRAFANA_HOME=<folder of an installed Grafana> also dashboard (20 panels over a day) and live-pixel (from the wire to the screen).
 */
import { spawnSync } from 'node:child_process';
import { availableParallelism, loadavg } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { memoryFlags } from './runtime-flags.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
/** With the memory that the executable gives itself. */
const inNode = (name) => ({ command: process.execPath, args: [...memoryFlags, join('bench', `${name}.ts`)], cwd: root });
const benchmarks = {
  host: { command: 'go', args: ['run', './cmd/bench'], cwd: join(root, 'test/host') },
  ...Object.fromEntries(
    [
      'store',
      'store-wear',
      'frames',
      'gateway',
      'traffic',
      'mqtt',
      'mqtt-history',
      'modbus',
      'modbus-line',
      'modbus-load',
      'serial',
      'serial-plug',
      'commands',
      'config-editor',
    ].map((name) => [name, inNode(name)]),
  ),
};

const wanted = process.argv.slice(2).filter((one) => !one.startsWith('--'));
const flags = process.argv.slice(2).filter((one) => one.startsWith('--'));
const unknown = wanted.find((name) => !Object.hasOwn(benchmarks, name));
if (unknown !== undefined) {
  console.error(`There is no benchmark ${unknown}; there are ${Object.keys(benchmarks).join(', ')}.`);
  process.exit(2);
}
for (const name of wanted.length > 0 ? wanted : Object.keys(benchmarks)) {
  const { command, args, cwd } = benchmarks[name];
  console.log(`\n== ${name}: ${availableParallelism()} cores, load ${loadavg()[0].toFixed(1)}`);
  const { status, error } = spawnSync(command, [...args, ...flags], { cwd, stdio: 'inherit' });
  if (error !== undefined) console.error(`${command}: ${error.message}`);
  if (status !== 0) process.exitCode = 1;
}
