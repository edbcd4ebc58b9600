import type { Connection, Driver } from '../../contract/driver.ts';
import { alertSecretName } from '../../contract/permissions.ts';
import { connectionSchema } from '../../contract/settings.ts';
import type { Faults } from './faults.ts';
import { didYouMean } from './near.ts';
import { claimId, fieldOf, knownAre } from './outer.ts';
import { show } from './phrases.ts';

/** A connection as far as it could be read: devices are checked against its driver even if it is broken itself. */
export interface ReadConnection {
  element: string;
  driver: Driver | undefined;
  /** Absent if there is a fault in it. */
  connection?: Connection;
}

/** By id. An element without a usable id is only reported. */
export function readConnections(list: readonly unknown[], drivers: readonly Driver[], faults: Faults): Map<string, ReadConnection> {
  const claimed = new Map<string, string>();
  const found = new Map<string, ReadConnection>();
  list.forEach((raw, index) => {
    const element = `connections[${index}]`;
    // A URL that was refused already would only be refused again by its driver, in other words.
    const refused = faults.broken(element);
    const base = faults.check(connectionSchema, raw, element);
    const driver = driverOf(fieldOf(raw, 'kind'), drivers, element, faults);
    const { id: _id, kind: _kind, title: _title, ...own } = typeof raw === 'object' && raw !== null ? (raw as Record<string, unknown>) : {};
    const options = driver && !refused ? faults.check(driver.connection, own, element) : undefined;
    const id = fieldOf(raw, 'id');
    if (!claimId(claimed, id, element, faults)) return;
    const usable = base && driver && options !== undefined && !faults.broken(element);
    found.set(String(id), {
      element,
      driver,
      ...(usable ? { connection: { id: base.id, kind: base.kind, title: base.title ?? base.id, options } } : {}),
    });
  });
  return found;
}

function driverOf(kind: unknown, drivers: readonly Driver[], element: string, faults: Faults): Driver | undefined {
  if (typeof kind !== 'string') return undefined;
  const driver = drivers.find((one) => one.kind === kind);
  const kinds = drivers.map((one) => one.kind);
  if (!driver)
    faults.add(
      element,
      '.kind',
      `is ${show(kind)}, which this version has no driver for${didYouMean(kind, kinds) || `; ${knownAre(kinds)}`}`,
    );
  return driver;
}

/** Secrets by the names the driver declares; `secureJsonData["<connection id>.<name>"]`. An empty one is not set. */
export function secretsOf(id: string, driver: Driver, secure: Readonly<Record<string, string>>): Record<string, string> {
  const secrets: Record<string, string> = {};
  for (const name of driver.secrets) {
    const value = secure[`${id}.${name}`];
    if (value) secrets[name] = value;
  }
  return secrets;
}

/** A secret that no connection will ask for: mostly one whose connection was renamed. */
export function warnOfStraySecrets(
  secure: Readonly<Record<string, string>>,
  connections: ReadonlyMap<string, ReadConnection>,
  faults: Faults,
): void {
  const wanted = new Set<string>();
  for (const [id, { driver }] of connections) for (const name of driver?.secrets ?? []) wanted.add(`${id}.${name}`);
  const idle = new Set([...connections].filter(([, { driver }]) => !driver).map(([id]) => id));
  for (const [name, value] of Object.entries(secure)) {
    if (!value || name === alertSecretName || wanted.has(name) || idle.has(name.slice(0, name.lastIndexOf('.')))) continue;
    faults.warn(
      '',
      `secureJsonData[${show(name)}]`,
      `belongs to no connection${didYouMean(name, [...wanted]) || (wanted.size > 0 ? `; ${knownAre([...wanted])}` : '')}`,
    );
  }
}
