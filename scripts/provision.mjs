/**
 * Writes provisioning/datasources/: the simulated devices of simulators/gateway.json as data sources of Grafana.
 * Usage: node scripts/provision.mjs [--check]   (--check: fails if a file is not what would be written)
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';

const root = fileURLToPath(new URL('..', import.meta.url));
const words = `# Made from simulators/gateway.json by scripts/provision.mjs; change that and run it again.
# Where the devices are is said by the environment of Grafana: FIELDGATE_MQTT_URL, FIELDGATE_SERIAL_PATH and so on.
# Grafana expands $ in this file, so every other $ is written twice: $$.temperature arrives as $.temperature.
`;
/** Without the board: it runs only where its compiler and simavr are, and a data source with a port that is not there is not well. */
const leftOut = ['board'];
const settings = doubled(JSON.parse(readFileSync(join(root, 'simulators/gateway.json'), 'utf8')));
/** Two gateways, because serial ports are not to be had everywhere: a container has none of its neighbour's. */
const gateways = {
  fieldgate: { name: 'Fieldgate', isDefault: true, has: (connection) => serialPlace(connection) === undefined },
  'fieldgate-serial': { name: 'Fieldgate serial', isDefault: false, has: (connection) => serialPlace(connection) !== undefined },
};

for (const [uid, { name, isDefault, has }] of Object.entries(gateways)) {
  const file = join(root, `provisioning/datasources/${uid}.yaml`);
  const source = { name, uid, type: 'fieldgate-iot-datasource', access: 'proxy', isDefault, editable: true, jsonData: partOf(has) };
  const text = `${words}${stringify({ apiVersion: 1, datasources: [source] }, { lineWidth: 0 })}`;
  if (!process.argv.includes('--check')) writeFileSync(file, text);
  else if (!existsSync(file) || readFileSync(file, 'utf8') !== text) {
    console.error(`${file} is not made from simulators/gateway.json as it is; run "node scripts/provision.mjs"`);
    process.exitCode = 1;
  }
}

/** The settings with these connections and their devices only. */
function partOf(has) {
  const connections = settings.connections.filter((connection) => has(connection) && !leftOut.includes(connection.id));
  const devices = settings.devices.filter((device) => connections.some(({ id }) => id === device.connection));
  return { ...settings, connections: connections.map(placed), devices };
}

/** The same connection where the environment says it is. */
function placed(connection) {
  const serial = serialPlace(connection);
  if (connection.kind === 'mqtt') return { ...connection, url: '$FIELDGATE_MQTT_URL' };
  if (connection.kind === 'serial') return { ...connection, path: serial };
  const { transport } = connection;
  const place = serial === undefined ? { host: '$FIELDGATE_MODBUS_HOST', port: '$FIELDGATE_MODBUS_PORT' } : { path: serial };
  return { ...connection, transport: { ...transport, ...place } };
}

/** The variable that names the connection's serial port, if it has one. */
function serialPlace({ id, kind, transport }) {
  if (kind === 'serial') return id === 'gps' ? '$FIELDGATE_GPS_PATH' : '$FIELDGATE_SERIAL_PATH';
  return transport?.type === 'rtu' ? '$FIELDGATE_RTU_PATH' : undefined;
}

/** Every string with its dollars twice. */
function doubled(value) {
  if (typeof value === 'string') return value.replaceAll('$', '$$$$');
  if (Array.isArray(value)) return value.map(doubled);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, doubled(inner)]));
}
