/** The configuration of a Grafana that lives for one demonstration. */
import { randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { GrafanaAt } from './grafana-http.ts';

const pluginId = 'fieldgate-iot-datasource';
const panelId = 'fieldgate-control-panel';

export interface Place {
  /** Grafana keeps all it writes below it. */
  folder: string;
  root: string;
  port: number;
  /** Whether serial ports are simulated. */
  serial: boolean;
}

/** Writes grafana.ini into the folder. Grafana listens on the loopback only and calls nobody. */
export function writeConfig({ folder, root, port, serial }: Place): GrafanaAt {
  const password = randomBytes(9).toString('base64url');
  const sections: Record<string, Record<string, string | number>> = {
    paths: { data: folder, logs: join(folder, 'log'), plugins: join(root, 'dist'), provisioning: copyOfProvisioning(root, folder, serial) },
    server: { http_addr: '127.0.0.1', http_port: port },
    security: { admin_user: 'admin', admin_password: password },
    log: { mode: 'file' },
    analytics: { reporting_enabled: 'false', check_for_updates: 'false', check_for_plugin_updates: 'false' },
    news: { news_feed_enabled: 'false' },
    plugins: { allow_loading_unsigned_plugins: `${pluginId},${panelId}`, preinstall_disabled: 'true' },
    [`plugin.${pluginId}`]: { data_path: join(folder, 'fieldgate') },
  };
  const config = join(folder, 'grafana.ini');
  const lines = Object.entries(sections).flatMap(([name, keys]) => [
    `[${name}]`,
    ...Object.entries(keys).map(([key, value]) => `${key} = ${value}`),
  ]);
  writeFileSync(config, `${lines.join('\n')}\n`, { mode: 0o600 });
  return { url: `http://127.0.0.1:${port}`, user: 'admin', password, config, log: join(folder, 'log/grafana.log') };
}

/** A copy with an empty `plugins` beside what we have: Grafana logs an error for each kind of provisioning whose folder is missing. */
function copyOfProvisioning(root: string, folder: string, serial: boolean): string {
  const copy = join(folder, 'provisioning');
  cpSync(join(root, 'provisioning'), copy, { recursive: true });
  if (!serial) rmSync(join(copy, 'datasources/fieldgate-serial.yaml'));
  mkdirSync(join(copy, 'plugins'), { recursive: true });
  return copy;
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject).listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
