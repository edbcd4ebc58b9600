import type { Reader } from '../reading.ts';
import type { Handler } from './ask.ts';

/**
 * `POST config/check` with a settings document: `{ ok, faults: [{ severity, place, message }], runs: { connections, devices, points } }`. The files it
 * includes take part, nothing is opened, and no stored secret takes part, so that nobody can find one out by asking.
 */
export function configCheck(reader: Reader): Handler {
  return async ({ bytes }) => {
    const { plan } = await reader.read({ jsonData: bytes, secureJsonData: {} });
    const { faults, connections } = plan;
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
