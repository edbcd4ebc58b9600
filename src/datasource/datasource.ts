/** Answers Grafana's questions: each is passed to the file that bears its name. */
import { type Caller, roleAtLeast } from '../contract/caller.ts';
import type { Clock, Random } from '../contract/clock.ts';
import type { Driver } from '../contract/driver.ts';
import { Fault } from '../contract/fault.ts';
import type { Log } from '../contract/log.ts';
import { leastRoleOfQuery } from '../contract/rights.ts';
import { createBuses } from '../gateway/bus.ts';
import { createGateway } from '../gateway/create.ts';
import { TrafficPool } from '../gateway/traffic.ts';
import type { Store } from '../store/store.ts';
import { type BuiltIn, nothingBuiltIn } from './built-in.ts';
import { instanceHealth, processHealth } from './health.ts';
import { createInstances } from './instances.ts';
import { createMetrics } from './metrics.ts';
import { createQueries } from './query.ts';
import type { Datasource } from './questions.ts';
import { createReader } from './reading.ts';
import { createLedger } from './remembered/ledger.ts';
import { createMemory, noMemory } from './remembered/memory.ts';
import { createVault } from './remembered/vault.ts';
import { LongAnswers } from './resources/long-answers.ts';
import { createResources } from './resources.ts';
import { readSection, type Section } from './section.ts';
import { createStreams } from './stream.ts';

export interface DatasourceDeps {
  /** Opened and closed by whoever calls. */
  store: Store;
  drivers: readonly Driver[];
  clock: Clock;
  random: Random;
  log: Log;
  version: string;
  /** Profiles that need not be in the settings; none unless said. */
  builtIn?: BuiltIn;
  /** The plugin's section of grafana.ini; an empty one unless said. */
  section?: Section;
  /** Where data is kept, and why there or nowhere: beside it is the key file. Without a folder nothing is remembered. */
  place?: { folder?: string; reason: string };
}

export function createDatasource(deps: DatasourceDeps): Datasource {
  const { store, drivers, clock, random, log, version, section = readSection({}), place = { reason: 'no folder was given' } } = deps;
  const { builtIn = nothingBuiltIn } = deps;
  const { active, resumeForMs, stateKey } = section;
  for (const fault of section.faults) log.error('the section of the plugin in grafana.ini is wrong', { fault });
  const buses = createBuses({ clock });
  const trafficPool = new TrafficPool();
  const vault = place.folder === undefined ? undefined : createVault({ stateKey, folder: place.folder });
  const reader = createReader({
    drivers,
    profiles: builtIn.profiles,
    ...(section.configPath === undefined ? {} : { configPath: section.configPath }),
  });
  const instances = createInstances({
    reader,
    store,
    clock,
    log,
    resumeForMs,
    createGateway: (key) => createGateway({ key, store, buses, trafficPool, clock, random, log, active }),
    remember: (take) => (vault ? createMemory({ ledger: createLedger({ store, vault }), clock, log }, take) : noMemory),
  });
  const health = { store, clock, version, section, instances, reason: place.reason, ...(vault ? { keySource: vault.source } : {}) };
  const streams = createStreams({ store, clock, log });
  const queries = createQueries({ store, clock, log, streams });
  let running = 0;
  const longAnswers = new LongAnswers();
  const metrics = createMetrics({
    store,
    gateways: () => instances.all().map(({ gateway }) => gateway),
    dataSources: () => instances.counts(),
    active,
    streams: () => running,
    channels: () => streams.counters().channels,
    longAnswers,
    buses,
    traffic: trafficPool,
    version,
  });
  const resources = createResources({ store, drivers, builtIn, clock, instances, longAnswers, reader, log, version });

  return {
    async queryData(caller, asked, signal) {
      return queries.answer(await instances.of(caller), caller, asked, signal);
    },
    callResource: resources,
    async checkHealth(caller) {
      if (!caller.instance) return processHealth(caller, health);
      try {
        return await instanceHealth(await instances.of(caller), caller, health);
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        return { status: 'error', message: error.message, details: { version } };
      }
    },
    collectMetrics: () => metrics.text(),
    async subscribeStream(caller, path) {
      if (!mayWatch(caller)) return { status: 'denied' };
      const instance = await instances.of(caller);
      const type = await streams.typeOf(instance, path);
      // Whoever may not ask may not watch: the address of a channel is no key.
      if (type !== undefined && !roleAtLeast(caller.user?.role, leastRoleOfQuery[type])) return { status: 'denied' };
      return streams.subscribe(instance, path);
    },
    publishStream: () => Promise.resolve({ status: 'denied' }),
    async runStream(caller, path, send, signal) {
      const instance = await instances.of(caller);
      const held = instances.hold(instance);
      running++;
      try {
        await streams.run(instance, path, send, AbortSignal.any([signal, held.ended]));
        // Not as if all were said: Grafana opens it again, and that names the instance.
        if (held.ended.aborted && !signal.aborted) throw held.ended.reason;
      } finally {
        running--;
        held.release();
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
