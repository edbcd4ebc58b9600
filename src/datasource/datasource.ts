/** Answers Grafana's questions: each is passed to the file that bears its name. */
import { type Caller, roleAtLeast } from '../contract/caller.ts';
import type { Clock, Random } from '../contract/clock.ts';
import type { Driver } from '../contract/driver.ts';
import { Fault } from '../contract/fault.ts';
import type { Log } from '../contract/log.ts';
import { createBuses } from '../gateway/bus.ts';
import { createGateway } from '../gateway/create.ts';
import type { Store } from '../store/store.ts';
import { instanceHealth, processHealth } from './health.ts';
import { createInstances } from './instances.ts';
import { createMetrics } from './metrics.ts';
import { createQueries } from './query.ts';
import type { Datasource } from './questions.ts';
import { createResources } from './resources.ts';
import { createStreams } from './stream.ts';

export interface DatasourceDeps {
  /** Opened and closed by whoever calls. */
  store: Store;
  drivers: readonly Driver[];
  clock: Clock;
  random: Random;
  log: Log;
  version: string;
}

export function createDatasource(deps: DatasourceDeps): Datasource {
  const { store, drivers, clock, random, log, version } = deps;
  const buses = createBuses({ clock });
  const instances = createInstances({
    drivers,
    clock,
    log,
    createGateway: (key) => createGateway({ key, store, buses, clock, random, log }),
  });
  const streams = createStreams({ store, clock, log });
  const queries = createQueries({ store, clock, log, streams });
  let running = 0;
  const metrics = createMetrics({
    store,
    gateways: () => instances.all().map(({ gateway }) => gateway),
    streams: () => running,
    channels: () => streams.counters().channels,
    version,
  });
  const resources = createResources({ store, drivers, clock, instances, log });

  return {
    async queryData(caller, asked, signal) {
      return queries.answer(await instances.of(caller), caller, asked, signal);
    },
    async callResource(caller, request, send, signal) {
      await send(await resources(caller, request, signal));
    },
    async checkHealth(caller) {
      if (!caller.instance) return processHealth({ store, clock, version });
      try {
        return await instanceHealth(await instances.of(caller), caller, { store, clock, version });
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        return { status: 'error', message: error.message, details: { version } };
      }
    },
    collectMetrics: () => metrics.text(),
    async subscribeStream(caller, path) {
      if (!mayWatch(caller)) return { status: 'denied' };
      return streams.subscribe(await instances.of(caller), path);
    },
    publishStream: () => Promise.resolve({ status: 'denied' }),
    async runStream(caller, path, send, signal) {
      const instance = await instances.of(caller);
      running++;
      try {
        await streams.run(instance, path, send, signal);
      } finally {
        running--;
      }
    },
    async close() {
      streams.close();
      await instances.close();
      metrics.close();
    },
  };
}

function mayWatch(caller: Caller): boolean {
  return roleAtLeast(caller.user?.role, 'Viewer');
}
