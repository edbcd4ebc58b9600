/** The settings as a file: as they are (JSON), or as Grafana provisions a data source (YAML). */
import { stringify } from 'yaml';
import { withTexts } from '../document.ts';

export interface Provisioned {
  name: string;
  uid: string;
  type: string;
  jsonData: unknown;
  /** Names of the secrets there are; their values are nowhere to be had. */
  secrets: readonly string[];
}

export function asJson(document: unknown): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** Grafana expands `$NAME` in the texts of provisioning files, and takes `$$` for a dollar sign. */
export function asProvisioning({ name, uid, type, jsonData, secrets }: Provisioned): string {
  const secureJsonData = Object.fromEntries(secrets.map((secret) => [secret, `$${environmentName(secret)}`]));
  const source = {
    name: escaped(name),
    uid,
    type,
    access: 'proxy',
    jsonData: escaped(jsonData),
    ...(secrets.length === 0 ? {} : { secureJsonData }),
  };
  return stringify({ apiVersion: 1, datasources: [source] }, { lineWidth: 0 });
}

/** `broker.password` → `FIELDGATE_BROKER_PASSWORD`: to be set in Grafana's environment. */
export function environmentName(secret: string): string {
  return `FIELDGATE_${secret.toUpperCase().replaceAll(/[^A-Z0-9]+/g, '_')}`;
}

/** Names of members are not expanded by Grafana, so only values are doubled. */
function escaped(value: unknown): unknown {
  return withTexts(value, (text) => text.replaceAll('$', '$$$$'));
}
