/** A whole data source with Modbus, and set points asked of it the way Grafana does: written, read back, verified. */
import { modbus } from '../drivers/modbus/driver.ts';
import type { Caller } from '../src/contract/caller.ts';
import { systemClock } from '../src/contract/clock.ts';
import { silentLog } from '../src/contract/log.ts';
import { createDatasource } from '../src/datasource/datasource.ts';
import type { ResourcePart } from '../src/datasource/questions.ts';
import type { Store } from '../src/store/store.ts';

export interface SetPoints {
  /** Sets the point `setpoint` of that device; undefined if it was verified, else what was answered. */
  set(device: string, value: number): Promise<string | undefined>;
  close(): Promise<void>;
}

export function startSetPoints(store: Store, settings: unknown): SetPoints {
  const datasource = createDatasource({
    store,
    drivers: [modbus],
    clock: systemClock,
    random: Math.random,
    log: silentLog,
    version: 'bench',
  });
  const jsonData = Buffer.from(JSON.stringify(settings));
  const caller: Caller = {
    orgId: 1,
    pluginId: 'fieldgate-iot-datasource',
    user: { login: 'bench', name: '', email: '', role: 'Editor' },
    instance: { id: 1, uid: 'bench', name: 'bench', jsonData, secureJsonData: {}, lastUpdatedMs: 1 },
  };
  const headers = new Map([['content-type', ['application/json']]]);
  return {
    async set(device, value) {
      const parts: ResourcePart[] = [];
      const path = `devices/${device}/points/setpoint`;
      const body = Buffer.from(JSON.stringify({ value }));
      const take = (part: ResourcePart) => {
        parts.push(part);
        return Promise.resolve();
      };
      await datasource.callResource(caller, { path, url: path, method: 'POST', headers, body }, take, new AbortController().signal);
      const answer = Buffer.concat(parts.map((part) => part.body)).toString();
      return parts[0]?.status === 200 && answer.includes('"state":"verified"') ? undefined : `${parts[0]?.status} ${answer}`;
    },
    close: () => datasource.close(),
  };
}
