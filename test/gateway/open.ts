/** A gateway on a store of its own, as a host would open it; also for programs that are no tests. */
import type { Clock } from '../../src/contract/clock.ts';
import { systemClock } from '../../src/contract/clock.ts';
import { silentLog } from '../../src/contract/log.ts';
import { createBuses } from '../../src/gateway/bus.ts';
import { createGateway } from '../../src/gateway/create.ts';
import type { Gateway } from '../../src/gateway/gateway.ts';
import { TrafficPool } from '../../src/gateway/traffic.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';

export interface OpenGateway {
  gateway: Gateway;
  store: Store;
  /** The gateway, and its store unless that was given. */
  close(): Promise<void>;
}

/** `folder` is that of its store, which is in memory without one. */
export function openGateway(options: { key?: string; clock?: Clock; store?: Store; folder?: string } = {}): OpenGateway {
  const { key = '1/test', clock = systemClock, folder } = options;
  const store = options.store ?? openStore({ folder, clock: systemClock, log: silentLog });
  const gateway = createGateway({
    key,
    store,
    buses: createBuses({ clock }),
    trafficPool: new TrafficPool(),
    clock,
    random: Math.random,
    log: silentLog,
  });
  return {
    gateway,
    store,
    async close() {
      await gateway.close();
      if (!options.store) await store.close();
    },
  };
}
