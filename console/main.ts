/**
 * The console: what a person without Grafana at hand uses on site. Launches the built executable, speaks to it as Grafana does, shows
 * devices and values redrawn in place, and sends commands. Without `--settings` it starts the simulators and shows those.
 */
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startDemo } from './demo.ts';
import { Grafana, readJson } from './grafana.ts';
import { inGrafana } from './in-grafana.ts';
import { executablePath, launch } from './launch.ts';
import { once } from './once.ts';
import { carryOut } from './orders.ts';
import { parseOrder } from './prompt.ts';
import { watch } from './watch.ts';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

const usage = `npm start -- [options] [order]

Without --settings the simulators are started and shown. Without an order the screen opens; with one, such as
  set boiler.setpoint 55
it is carried out, its outcome printed, and the exit code says whether it was verified.
With GRAFANA_HOME=<folder of an installed Grafana> the simulators are shown there: its own Grafana, data in a temporary folder.

  --faults          shows devices that misbehave, each in its way (simulators/README.md), beside good ones
  --settings FILE   the settings of a data source (jsonData) as JSON
  --secrets FILE    its secrets: { "<connection id>.<field>": "…" }
  --data FOLDER     keeps history there; without it history ends with the console
  --plugin FOLDER   a built plugin; dist/fieldgate-iot-datasource unless said
  --role ROLE       Viewer, Editor or Admin; Admin unless said
  --once            prints one screen and ends; fails if a connection delivered nothing or the demo command was not verified
  --port N          with GRAFANA_HOME: Grafana's port; 3000 unless said, 0 takes a free one
  --log             prints the plugin's log to standard error at the end
  --help`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      settings: { type: 'string' },
      secrets: { type: 'string' },
      data: { type: 'string' },
      plugin: { type: 'string', default: join(root, 'dist/fieldgate-iot-datasource') },
      role: { type: 'string', default: 'Admin' },
      faults: { type: 'boolean', default: false },
      once: { type: 'boolean', default: false },
      port: { type: 'string', default: '3000' },
      log: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return 0;
  }
  if (!['Viewer', 'Editor', 'Admin'].includes(values.role))
    throw new Error(`--role ${values.role} is unknown; allowed are Viewer, Editor and Admin`);
  const home = process.env.GRAFANA_HOME;
  if (home !== undefined && home !== '') {
    if (!/^\d{1,5}$/.test(values.port)) throw new Error(`--port ${values.port} is no port`);
    return await inGrafana(root, home, { once: values.once, port: Number(values.port) });
  }
  const demo = values.settings === undefined ? await startDemo(root, values.faults) : undefined;
  const log: string[] = [];
  try {
    const settings = demo?.settings ?? readJson(values.settings ?? '');
    const secrets = values.secrets === undefined ? {} : (readJson(values.secrets) as Record<string, string>);
    const plugin = await launch(executablePath(values.plugin), {
      ...(values.data === undefined ? {} : { dataFolder: resolve(values.data) }),
      onLog: (line) => keep(log, line),
    });
    const identity = { login: process.env.USER ?? 'console', role: values.role as 'Viewer' | 'Editor' | 'Admin' };
    const grafana = new Grafana(plugin.address, join(root, 'proto'), Buffer.from(JSON.stringify(settings)), secrets, identity);
    try {
      if (positionals.length > 0) return await single(grafana, positionals.join(' '));
      // Without a keyboard and a screen there is nothing to redraw and nobody to type.
      if (values.once || !process.stdout.isTTY || !process.stdin.isTTY)
        return await once(grafana, plugin.startedInMs, demo !== undefined, values.faults);
      return await watch(grafana, plugin);
    } finally {
      await grafana.shutdown();
      await plugin.reap();
    }
  } finally {
    await demo?.stop();
    if (values.log) for (const line of log) process.stderr.write(`${line}\n`);
  }
}

/** One order from the command line. */
async function single(grafana: Grafana, line: string): Promise<number> {
  const order = parseOrder(line);
  if (order.kind === 'filter' || order.kind === 'quit') throw new Error(`${order.kind} is for the screen only`);
  // The first question makes the gateway; health waits a moment for its connections to open.
  await grafana.health();
  const outcome = await carryOut(grafana, order);
  for (const text of outcome.lines) console.log(text);
  return outcome.ok ? 0 : 1;
}

/** The last 1000 lines of the plugin's log. */
function keep(log: string[], line: string): void {
  log.push(line);
  if (log.length > 1_000) log.shift();
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  },
);
