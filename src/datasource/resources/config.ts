import type { Profile } from '../../contract/device.ts';
import type { Driver } from '../../contract/driver.ts';
import { readSettings } from '../settings.ts';
import type { Handler } from './ask.ts';

/**
 * `POST config/check` with a settings document: `{ ok, faults: [{ severity, place, message }], runs: { connections, devices, points } }`. Nothing is
 * opened, and no stored secret takes part, so that nobody can find one out by asking.
 */
export function configCheck(drivers: readonly Driver[], profiles: readonly Profile[]): Handler {
  return ({ bytes }) => {
    const { faults, connections } = readSettings({ jsonData: bytes, secureJsonData: {} }, drivers, profiles);
    const devices = connections.flatMap((connection) => connection.devices);
    const points = devices.reduce((sum, device) => sum + device.points.length, 0);
    return {
      body: {
        ok: faults.every(({ severity }) => severity !== 'error'),
        faults,
        runs: { connections: connections.length, devices: devices.length, points },
      },
    };
  };
}
