/** Prometheus metrics of the process and of all its gateways together. The endpoint is public: no device, topic, host or secret is named. */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Buses } from '../gateway/bus.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { TrafficPool } from '../gateway/traffic.ts';
import type { Store } from '../store/store.ts';
import type { LongAnswers } from './resources/long-answers.ts';

export interface MetricsDeps {
  store: Store;
  gateways(): readonly Gateway[];
  /** How many are known, by state. */
  dataSources(): Record<string, number>;
  active: boolean;
  /** Live channels that are being sent. */
  streams(): number;
  /** Live channels that are open, each with one subscription of its gateway. */
  channels(): number;
  longAnswers: LongAnswers;
  buses: Pick<Buses, 'uses'>;
  traffic: Pick<TrafficPool, 'bytes'>;
  version: string;
}

export interface Metrics {
  /** Text in the Prometheus exposition format. Counts only what is kept in memory. */
  text(): Promise<string>;
  /** Lets go of what watches the process. */
  close(): void;
}

type Labelled = { labels: Record<string, string>; value: number };

export function createMetrics({
  store,
  gateways,
  dataSources,
  active,
  streams,
  channels,
  longAnswers,
  buses,
  traffic,
  version,
}: MetricsDeps): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });

  /** A value read where it is kept, when it is asked for. */
  function gauge(name: string, help: string, read: () => Labelled[], labelNames: string[] = []): void {
    const metric: Gauge = new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      collect: () => refill(metric, read(), (to) => metric.set(to.labels, to.value)),
    });
  }

  /** The rooms count for themselves; here the sum of it is only shown, so the counter is set anew each time. */
  function counter(name: string, help: string, read: () => Labelled[], labelNames: string[] = []): void {
    const metric: Counter = new Counter({
      name,
      help,
      labelNames,
      registers: [registry],
      collect: () => refill(metric, read(), (to) => metric.inc(to.labels, to.value)),
    });
  }

  const total = (read: (gateway: Gateway) => number) => () => [{ labels: {}, value: gateways().reduce((sum, one) => sum + read(one), 0) }];
  const ofStore = (read: () => number) => () => [{ labels: {}, value: read() }];
  const perKind = (read: 'requests' | 'failures' | 'overruns' | 'queued' | 'opens') => () =>
    sums(gateways().flatMap((gateway) => gateway.connections().map((one) => ({ labels: { kind: one.kind }, value: one[read] }))));

  gauge('fieldgate_info', 'Version of the plugin', () => [{ labels: { version }, value: 1 }], ['version']);
  gauge('fieldgate_gateways', 'Data sources that run', () => [{ labels: {}, value: gateways().length }]);
  gauge(
    'fieldgate_data_sources',
    'Data sources that are known, by state',
    () => Object.entries(dataSources()).map(([state, value]) => ({ labels: { state }, value })),
    ['state'],
  );
  gauge('fieldgate_active', '0 in a replica that opens no connection', () => [{ labels: {}, value: active ? 1 : 0 }]);
  gauge('fieldgate_live_streams', 'Live channels that are being sent', () => [{ labels: {}, value: streams() }]);
  gauge('fieldgate_live_channels', 'Live channels that are open, with or without a viewer', () => [{ labels: {}, value: channels() }]);
  gauge(
    'fieldgate_readers',
    'Readers of events, exports, probes and scans that are connected',
    () => longAnswers.open().map(({ kind, count }) => ({ labels: { kind }, value: count })),
    ['kind'],
  );
  counter('fieldgate_readers_dropped_total', 'Readers of events that did not keep up', () => [{ labels: {}, value: longAnswers.dropped }]);
  gauge(
    'fieldgate_connections',
    'Connections by protocol and state',
    () => sums(gateways().flatMap((gateway) => gateway.connections().map(({ kind, state }) => ({ labels: { kind, state }, value: 1 })))),
    ['kind', 'state'],
  );
  gauge(
    'fieldgate_devices',
    'Devices by state',
    () => sums(gateways().flatMap((gateway) => gateway.devices().map(({ state }) => ({ labels: { state }, value: 1 })))),
    ['state'],
  );
  gauge(
    'fieldgate_discovered_devices',
    'Devices that were made from a template',
    total((gateway) => gateway.discoveries().reduce((sum, { devices }) => sum + devices, 0)),
  );
  counter(
    'fieldgate_refused_devices_total',
    'Devices that were heard and may not run',
    total((gateway) => gateway.discoveries().reduce((sum, { refused }) => sum + refused, 0)),
  );
  gauge(
    'fieldgate_config_faults',
    'Faults in the settings',
    total((gateway) => gateway.plan.faults.filter(({ severity }) => severity === 'error').length),
  );
  counter('fieldgate_connection_opens_total', 'Times connections were opened', perKind('opens'), ['kind']);
  counter('fieldgate_requests_total', 'Requests on the buses', perKind('requests'), ['kind']);
  counter('fieldgate_request_failures_total', 'Requests without a good answer', perKind('failures'), ['kind']);
  counter('fieldgate_poll_overruns_total', 'Polls that were due while the last one still waited', perKind('overruns'), ['kind']);
  counter(
    'fieldgate_discarded_answers_total',
    'Answers that came and were thrown away: late, of another transaction, unit, function or length, damaged',
    () =>
      sums(
        gateways().flatMap((gateway) =>
          gateway
            .connections()
            .flatMap(({ kind, discarded }) => Object.entries(discarded).map(([reason, value]) => ({ labels: { kind, reason }, value }))),
        ),
      ),
    ['kind', 'reason'],
  );
  gauge('fieldgate_buses', 'Buses that are used', () => sums(buses.uses().open.map(({ kind }) => ({ labels: { kind }, value: 1 }))), [
    'kind',
  ]);
  counter(
    'fieldgate_bus_busy_seconds_total',
    'Time with at least one request on a bus; its rate over the number of buses is the share of their time',
    () => {
      const { open, past } = buses.uses();
      return sums([...open, ...past].map(({ kind, busyMs }) => ({ labels: { kind }, value: busyMs / 1_000 })));
    },
    ['kind'],
  );
  gauge('fieldgate_traffic_bytes', 'Memory that raw traffic takes', () => [{ labels: {}, value: traffic.bytes }]);
  gauge('fieldgate_requests_queued', 'Requests that wait for their bus', perKind('queued'), ['kind']);
  counter(
    'fieldgate_samples_total',
    'Samples of all devices',
    total((gateway) => gateway.counters().samples),
  );
  counter(
    'fieldgate_bad_samples_total',
    'Samples of quality bad',
    total((gateway) => gateway.counters().badSamples),
  );
  counter(
    'fieldgate_dropped_samples_total',
    'Samples dropped by a bound',
    total((gateway) => gateway.counters().dropped),
  );
  counter(
    'fieldgate_commands_total',
    'Commands by how they ended',
    () =>
      sums(
        gateways().flatMap((gateway) =>
          Object.entries(gateway.counters().commands).map(([outcome, value]) => ({ labels: { outcome }, value })),
        ),
      ),
    ['outcome'],
  );
  counter(
    'fieldgate_commands_refused_total',
    'Attempts that were refused before anything was sent, by why',
    () =>
      sums(gateways().flatMap(({ commands }) => Object.entries(commands.refusals()).map(([type, value]) => ({ labels: { type }, value })))),
    ['type'],
  );
  gauge(
    'fieldgate_commands_open',
    'Commands that have not ended',
    total((gateway) => gateway.commands.open()),
  );
  gauge(
    'fieldgate_commands_failing',
    'Points and named commands whose last command did not end well',
    total((gateway) => gateway.commands.failing().length),
  );
  gauge(
    'fieldgate_store_up',
    '1 if history is kept as it should be, by mode',
    () => [{ labels: { mode: store.status().mode }, value: storeWorks(store) }],
    ['mode'],
  );
  gauge(
    'fieldgate_store_pending_samples',
    'Samples that wait for their commit',
    ofStore(() => store.status().pending),
  );
  counter(
    'fieldgate_store_committed_samples_total',
    'Samples committed',
    ofStore(() => store.status().committed),
  );
  counter(
    'fieldgate_store_commits_total',
    'Commits',
    ofStore(() => store.status().commits),
  );
  counter(
    'fieldgate_store_dropped_samples_total',
    'Samples refused or lost by the store',
    ofStore(() => store.status().dropped),
  );
  gauge(
    'fieldgate_store_bytes',
    'Size of the history on disk',
    ofStore(() => store.status().bytesOnDisk),
  );

  return { text: () => registry.metrics(), close: () => registry.clear() };
}

function refill(metric: { reset(): void }, values: readonly Labelled[], take: (value: Labelled) => void): void {
  metric.reset();
  for (const value of values) take(value);
}

function storeWorks(store: Store): number {
  const { mode } = store.status();
  return mode === 'disk' || mode === 'memory' ? 1 : 0;
}

/** One value for each set of labels. */
function sums(values: readonly Labelled[]): Labelled[] {
  const found = new Map<string, Labelled>();
  for (const { labels, value } of values) {
    const key = Object.values(labels).join('\n');
    const before = found.get(key);
    if (before) before.value += value;
    else found.set(key, { labels, value });
  }
  return [...found.values()];
}
