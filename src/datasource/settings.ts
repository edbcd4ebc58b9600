/** From what Grafana hands over to what a gateway runs (DESIGN §5). Pure: nothing is opened, nothing is kept. */
import type { InstanceSettings } from '../contract/caller.ts';
import type { Profile } from '../contract/device.ts';
import type { Driver } from '../contract/driver.ts';
import { limits } from '../contract/limits.ts';
import type { Plan, PlannedConnection } from '../gateway/plan.ts';
import { readAnnounced } from './settings/announced.ts';
import { readConnections, secretsOf, warnOfStraySecrets } from './settings/connections.ts';
import { readDevices } from './settings/devices.ts';
import { checkEndpoints } from './settings/endpoints.ts';
import { Faults } from './settings/faults.ts';
import { type Included, nothingIncluded, withIncluded } from './settings/include.ts';
import { checkInterlocks } from './settings/interlocks.ts';
import { parseJson } from './settings/json.ts';
import { checkLine } from './settings/lines.ts';
import { nothingRuns, readOuter } from './settings/outer.ts';
import { show } from './settings/phrases.ts';
import { readProfiles } from './settings/profiles.ts';
import { refuseUserinfo } from './settings/public.ts';

/**
 * Reads the settings of a data source. Never throws: what is wrong is in `faults`, each with its place and what is allowed. An error leaves out
 * the element it is in, a point, a device or a connection; everything else is in the plan. No message repeats a secret. `builtIn` are the profiles
 * that need not be in the settings, `included` the files they name.
 */
export function readSettings(
  instance: Pick<InstanceSettings, 'jsonData' | 'secureJsonData'>,
  drivers: readonly Driver[],
  builtIn: readonly Profile[] = [],
  included: Included = nothingIncluded,
): Plan {
  const secretValues = Object.values(instance.secureJsonData);
  const faults = new Faults(secretValues);
  const own = readDocument(instance.jsonData, faults);
  if (!own) return { connections: [], settings: nothingRuns(), faults: faults.all() };
  const document = withIncluded(own, included, faults);

  refuseUserinfo(document, faults);
  const settings = readOuter(document, faults);
  const connections = readConnections(settings.connections, drivers, faults);
  checkEndpoints(connections, faults);
  const profiles = readProfiles(settings.profiles, builtIn, faults);
  const read = readDevices(settings.devices, { connections, profiles, faults });
  checkInterlocks(read, faults);
  const planned: PlannedConnection[] = [];
  for (const [id, { element, driver, connection }] of connections) {
    if (!driver || !connection) continue;
    const behind = read.filter(({ device }) => device.connection === id);
    const running = checkLine(element, connection, driver, behind, faults);
    if (!running) continue;
    const [devices, templates] = [running.filter(({ placeholders }) => !placeholders), running.filter(({ placeholders }) => placeholders)];
    planned.push({
      connection,
      driver,
      devices,
      ...(templates.length > 0 ? { templates } : {}),
      ...(driver.announces?.(connection.options)
        ? { readDevice: (raw: Readonly<Record<string, unknown>>) => readAnnounced(raw, connection, driver, secretValues) }
        : {}),
      secrets: secretsOf(id, driver, instance.secureJsonData),
    });
  }
  warnOfStraySecrets(instance.secureJsonData, connections, faults);
  return { connections: planned, settings, faults: faults.all() };
}

/** The document as an object; undefined if it cannot be understood at all. */
function readDocument(bytes: Uint8Array, faults: Faults): Record<string, unknown> | undefined {
  if (bytes.length > limits.settingsBytesMax) {
    faults.add('', '', `the settings are ${bytes.length} bytes; allowed are ${limits.settingsBytesMax}`);
    return undefined;
  }
  // A data source that was just created has no settings yet; Grafana then hands over nothing or null.
  if (bytes.length === 0) return {};
  const parsed = parseJson(bytes);
  if (!parsed.ok) {
    faults.add('', '', `the settings text ${parsed.message}`);
    return undefined;
  }
  const { value } = parsed;
  if (value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) {
    faults.add('', '', `the settings text is ${show(value)}; allowed is an object with version, connections, devices`);
    return undefined;
  }
  // Another version may mean other things by the same words, so nothing of it is used.
  const { version } = value as { version?: unknown };
  if (version !== undefined && version !== 1) {
    faults.add('', '.version', `is ${show(version)}; allowed is 1, the version of this configuration language`);
    return undefined;
  }
  return value as Record<string, unknown>;
}
