import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { runInNewContext } from 'node:vm';
import * as react from 'react';
import * as jsx from 'react/jsx-runtime';
import * as rxjs from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, collect, hostEnv, launch, type Message, protocol, root, stopAll } from './plugin.ts';

/** The built plugin, copied away from everything that could help it: what a person unpacks into Grafana's plugin folder. */
let folder: string;
let executable: string;
let manifest: Record<string, unknown>;
beforeAll(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'installed-')), 'fieldgate-iot-datasource');
  cpSync(join(root, 'dist/fieldgate-iot-datasource'), folder, { recursive: true });
  manifest = JSON.parse(readFileSync(join(folder, 'plugin.json'), 'utf8')) as Record<string, unknown>;
  executable = join(
    folder,
    `${manifest.executable}_${{ linux: 'linux', darwin: 'darwin', win32: 'windows' }[process.platform as 'linux']}_${{ x64: 'amd64', arm64: 'arm64' }[process.arch as 'x64']}`,
  );
});
afterAll(async () => {
  await stopAll();
  rmSync(dirname(folder), { recursive: true, force: true });
});

describe('the built plugin', () => {
  it('has what Grafana looks for and nothing else', () => {
    expect(manifest).toMatchObject({ id: 'fieldgate-iot-datasource', type: 'datasource', backend: true, alerting: true, category: 'iot' });
    expect((manifest.info as Message).version).toMatch(/^\d+\.\d+\.\d+/);
    expect((manifest.info as Message).updated).toMatch(/^\d{4}-\d\d-\d\d$/);
    expect(statSync(executable).mode & 0o777).toBe(0o755);
    const expected = [
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'THIRD-PARTY-LICENSES.txt',
      'dashboards',
      'img',
      ...['module', 'config', 'query', 'transfer'].flatMap((part) => [`${part}.js`, `${part}.js.map`]),
      'plugin.json',
      executable.split('/').pop(),
    ];
    // After `npm run build -- --all` those of other platforms are there too.
    const native = /^(gpx_fieldgate|serialport)_(linux|windows|darwin)_(amd64|arm64)(\.exe|\.node)?$/;
    expect(readdirSync(folder).filter((name) => !expected.includes(name) && !native.test(name))).toEqual([]);
    for (const { path } of Object.values((manifest.info as { logos: Record<string, string> }).logos).map((path) => ({ path })))
      expect(statSync(join(folder, path)).size).toBeGreaterThan(0);
  });

  it('starts with an empty environment, anywhere, and answers without a data source', async () => {
    const before = readdirSync(folder);
    const plugin = await launch([executable]);
    expect(plugin.stdout()).toMatch(/^1\|2\|unix\|[^|]+\|grpc\|\n$/);
    const metrics = (await ask(plugin.client(protocol.pluginv2.Diagnostics), 'CollectMetrics')).metrics as Message;
    expect(String(metrics.prometheus)).toMatch(/^fieldgate_info\{version="\d+\.\d+\.\d+"\} 1$/m);
    const answer = await collect(
      plugin
        .client(protocol.pluginv2.Resource)
        .CallResource?.({ path: 'drivers', method: 'GET', url: 'drivers' }) as AsyncIterable<Message>,
    );
    expect(answer[0]?.code, 'no data source settings, so nobody may ask this').toBeGreaterThanOrEqual(400);
    const askedMs = performance.now();
    await ask(plugin.client(protocol.plugin.GRPCController), 'Shutdown');
    expect((await plugin.exited).code).toBe(0);
    expect(performance.now() - askedMs).toBeLessThan(1_000);
    expect(readdirSync(folder), 'nothing is written beside the executable').toEqual(before);
  });

  it('opens its history from the code inside it', async () => {
    const data = mkdtempSync(join(tmpdir(), 'data-'));
    const plugin = await launch([executable], { ...hostEnv, GF_PLUGIN_DATA_PATH: data });
    const pluginContext = {
      orgId: 1,
      dataSourceInstanceSettings: { id: 1, uid: 'u', name: 'n', jsonData: Buffer.from('{"version":1}'), lastUpdatedMS: 1 },
    };
    const diagnostics = plugin.client(protocol.pluginv2.Diagnostics);
    await expect
      .poll(async () => JSON.parse(String((await ask(diagnostics, 'CheckHealth', { pluginContext })).jsonDetails)), { timeout: 5_000 })
      .toMatchObject({
        storage: { mode: 'disk' },
      });
    await expect.poll(() => readdirSync(data), { timeout: 5_000 }).not.toEqual([]);
  });

  it('opens no debugger for a signal', async () => {
    const plugin = await launch([executable]);
    plugin.process.kill('SIGUSR1');
    await new Promise((next) => setTimeout(next, 500));
    expect(plugin.stderr()).not.toContain('Debugger');
    expect(await ask(plugin.client(protocol.grpc.health.v1.Health), 'Check', { service: 'plugin' })).toEqual({ status: 'SERVING' });
  });

  it('needs little for its handshake: Grafana starts plugins one after the other', async () => {
    // Time of processors and not of the clock, of which a busy machine gives others their part; the fastest counts, of as many as it takes.
    let leastMs = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 10 && leastMs > 150; round++) {
      const plugin = await launch([executable]);
      leastMs = Math.min(leastMs, processorMs(plugin.process.pid ?? 0));
      await stopAll();
    }
    expect(leastMs).toBeLessThanOrEqual(150);
  });
});

it('the front end is an AMD module that exports the plugin, with nothing of Grafana inside', () => {
  const source = readFileSync(join(root, 'dist/fieldgate-iot-datasource/module.js'), 'utf8');
  let exported: Record<string, unknown> = {};
  let wanted: string[] = [];
  class DataSourcePlugin {
    readonly parts: string[] = [];
    setConfigEditor = () => this.has('config');
    setQueryEditor = () => this.has('query');
    setQueryEditorHelp = () => this.has('help');
    has(part: string): this {
      this.parts.push(part);
      return this;
    }
  }
  // Grafana's modules are whatever is asked of them: classes, components, functions.
  const anything = (own: object) => new Proxy(own, { get: (has, name) => Reflect.get(has, name) ?? class {} });
  const brought: Record<string, unknown> = {
    '@grafana/data': anything({ DataSourcePlugin }),
    '@grafana/runtime': anything({}),
    '@grafana/schema': anything({}),
    '@grafana/ui': anything({}),
    ...{ react, 'react/jsx-runtime': jsx, rxjs, module: {} },
  };
  const define = (names: string[], factory: (...modules: unknown[]) => Record<string, unknown>) => {
    wanted = names;
    exported = factory(...names.map((name) => brought[name]));
  };
  runInNewContext(source, { define: Object.assign(define, { amd: {} }) });
  expect(exported.plugin).toMatchObject({ parts: ['config', 'query', 'help'] });
  for (const name of wanted) expect(name).toMatch(/^(module|react|react\/jsx-runtime|rxjs|@grafana\/(data|runtime|ui|schema))$/);
});

/** What a process has used so far, its threads included; the kernel counts in hundredths of a second. */
function processorMs(pid: number): number {
  const [, rest = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
  const fields = rest.split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
