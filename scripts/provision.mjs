/**
 * Writes provisioning/datasources/fieldgate.yaml: the simulated devices of simulators/gateway.json as a data source of Grafana.
 * Usage: node scripts/provision.mjs [--check]   (--check: fails if the file is not what would be written)
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';

const root = fileURLToPath(new URL('..', import.meta.url));
const file = join(root, 'provisioning/datasources/fieldgate.yaml');
const words = `# The simulated devices as a data source. Made from simulators/gateway.json by scripts/provision.mjs; change that and run it again.
# Where they are is said by the environment of Grafana: FIELDGATE_MQTT_URL, FIELDGATE_MODBUS_HOST and FIELDGATE_MODBUS_PORT.
# Grafana expands $ in this file, so every other $ is written twice: $$.temperature arrives as $.temperature.
`;
const text = `${words}${stringify(datasources(), { lineWidth: 0 })}`;

if (!process.argv.includes('--check')) writeFileSync(file, text);
else if (!existsSync(file) || readFileSync(file, 'utf8') !== text) {
  console.error(`${file} is not made from simulators/gateway.json as it is; run "node scripts/provision.mjs"`);
  process.exitCode = 1;
}

function datasources() {
  const settings = doubled(JSON.parse(readFileSync(join(root, 'simulators/gateway.json'), 'utf8')));
  for (const connection of settings.connections) {
    if (connection.kind === 'mqtt') connection.url = '$FIELDGATE_MQTT_URL';
    if (connection.kind === 'modbus' && connection.transport.type === 'tcp')
      Object.assign(connection.transport, { host: '$FIELDGATE_MODBUS_HOST', port: '$FIELDGATE_MODBUS_PORT' });
  }
  return {
    apiVersion: 1,
    datasources: [
      {
        name: 'Fieldgate',
        uid: 'fieldgate',
        type: 'fieldgate-iot-datasource',
        access: 'proxy',
        isDefault: true,
        editable: true,
        jsonData: settings,
      },
    ],
  };
}

/** Every string with its dollars twice. */
function doubled(value) {
  if (typeof value === 'string') return value.replaceAll('$', '$$$$');
  if (Array.isArray(value)) return value.map(doubled);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, doubled(inner)]));
}
