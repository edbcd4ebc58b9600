/** "Save & test" and the health endpoint: what is wrong and since when, in words; everything there is to know in the details. */
import { type Caller, roleAtLeast } from '../contract/caller.ts';
import type { Clock } from '../contract/clock.ts';
import type { ConfigFault } from '../contract/fault.ts';
import { limits } from '../contract/limits.ts';
import { seriesName } from '../contract/sample.ts';
import type { ConnectionStatus, DeviceStatus, DiscoveryStatus } from '../contract/status.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { Cardinality, Store, StoreStatus } from '../store/store.ts';
import { commandNotices } from './command-notices.ts';
import type { Instance } from './instance.ts';
import { type Finding, instanceNotices, type NoticeDeps, namesOf, processNotices } from './notices.ts';
import type { HealthAnswer } from './questions.ts';

export interface HealthDeps extends NoticeDeps {
  store: Store;
  clock: Clock;
  version: string;
  /** Why data is kept where it is, or nowhere. */
  reason: string;
}

/** Health without a data source: of the process alone. Editors read why, as with one. */
export function processHealth(caller: Caller, deps: HealthDeps): HealthAnswer {
  const insider = roleAtLeast(caller.user?.role, 'Editor');
  const { mode } = deps.store.status();
  const findings = [storageFinding(deps.store.status(), insider, deps.reason), ...processNotices(deps)].filter(
    (finding) => finding !== undefined,
  );
  return {
    status: findings.some(({ fails }) => fails) ? 'error' : 'ok',
    message: `${[`Fieldgate ${deps.version} runs`, ...findings.map(({ text }) => text)].join('; ')}.`,
    details: { version: deps.version, storage: { mode }, active: deps.section.active, instances: deps.instances.counts() },
  };
}

/** Health of one data source. Viewers read what is down and since when, without hosts, topics or settings (DESIGN §7). */
export async function instanceHealth(instance: Instance, caller: Caller, deps: HealthDeps): Promise<HealthAnswer> {
  await settled(instance.gateway, deps);
  const insider = roleAtLeast(caller.user?.role, 'Editor');
  const { gateway } = instance;
  const { active } = deps.section;
  const [connections, devices, storage] = [gateway.connections(), gateway.devices(), deps.store.status()];
  const nowMs = deps.clock.nowMs();
  const findings = [
    faultFinding(gateway.plan.faults, insider),
    storageFinding(storage, insider, deps.reason),
    ...(storage.clock === undefined ? [] : [{ text: storage.clock, fails: false }]),
    seriesFinding(deps.store.cardinality(instance.key), insider),
    // What is not opened on purpose is not down.
    ...(active ? linkFindings(connections, devices, gateway.plan.settings.health.failWhen, nowMs, insider) : []),
    discoveryFinding(gateway.discoveries(), insider),
    ...commandNotices(gateway, insider),
    ...(insider ? instanceNotices(instance, deps, Object.values(caller.instance?.secureJsonData ?? {}).some(Boolean)) : []),
  ].filter((finding) => finding !== undefined);
  const failing = findings.some(({ fails }) => fails);
  const message = [
    ...findings.filter(({ fails }) => fails),
    ...(failing ? [] : [{ text: active ? allIsWell(connections, devices, storage) : standsBy(connections) }]),
    ...findings.filter(({ fails }) => !fails),
  ].map(({ text }) => text);
  return {
    status: failing ? 'error' : 'ok',
    message: `${message.join('; ')}.`,
    details: {
      version: deps.version,
      active,
      storage: insider ? storage : { mode: storage.mode },
      connections: Object.fromEntries(connections.map((one) => [one.id, connectionDetails(one, insider)])),
      devices: Object.fromEntries(devices.map((one) => [one.id, deviceDetails(one, insider)])),
      ...(insider ? { faults: gateway.plan.faults, discoveries: gateway.discoveries() } : {}),
    },
  };
}

/**
 * Right after a start or a change everything is still being opened. A short wait makes the answer true: until no connection is being opened, and
 * the devices behind those that have just come up have said their first word.
 */
async function settled(gateway: Gateway, { clock, store }: HealthDeps): Promise<void> {
  const endMs = clock.monotonicMs() + limits.healthWaitMs;
  const unsettled = () => {
    const fresh = new Set<string>();
    for (const { id, state, sinceMs } of gateway.connections()) {
      if (state === 'connecting') return true;
      if (state === 'up' && clock.nowMs() - sinceMs < limits.healthFirstWordMs) fresh.add(id);
    }
    return (
      store.status().mode === 'waiting' || gateway.devices().some(({ connection, state }) => state === 'unknown' && fresh.has(connection))
    );
  };
  while (unsettled() && clock.monotonicMs() < endMs) await clock.sleep(limits.healthLookMs);
}

function faultFinding(faults: readonly ConfigFault[], insider: boolean): Finding | undefined {
  const errors = faults.filter(({ severity }) => severity === 'error');
  const worst = errors.length > 0 ? errors : faults;
  if (worst.length === 0) return undefined;
  const what = errors.length > 0 ? 'fault' : 'warning';
  const text = `the settings have ${worst.length === 1 ? `a ${what}` : `${worst.length} ${what}s`}`;
  const named = worst.slice(0, limits.healthNamedMax).map(({ place, message }) => `${place} ${message}`.trim());
  return { text: insider ? `${text}: ${named.join(' | ')}${worst.length > named.length ? ' | …' : ''}` : text, fails: errors.length > 0 };
}

/** Why is for those who run the place: it names folders, and the machine that holds one. */
function storageFinding(storage: StoreStatus, insider: boolean, reason?: string): Finding | undefined {
  const why = storage.mode === 'memory' ? (reason ?? storage.detail) : storage.detail;
  const because = insider && why ? `: ${why}` : '';
  switch (storage.mode) {
    case 'disk':
      return undefined;
    case 'memory':
      return {
        text: `history is kept in memory only and lost at a restart${because}`,
        fails: false,
      };
    case 'waiting':
      return { text: `history waits for its data folder${because}`, fails: true };
    case 'failed':
      return { text: `storage failed${because}`, fails: true };
  }
}

/** A bound that was hit is named: what comes under a new name is not kept. */
function seriesFinding({ refused, max, lastRefused }: Cardinality, insider: boolean): Finding | undefined {
  if (refused === 0) return undefined;
  const last = insider && lastRefused ? `, the last of ${seriesName(lastRefused)}` : '';
  return { text: `history takes no new series (series_max is ${max}): ${plural(refused, 'sample')} refused${last}`, fails: false };
}

function linkFindings(
  connections: readonly ConnectionStatus[],
  devices: readonly DeviceStatus[],
  failWhen: 'any-connection' | 'any-device' | 'all-connections' | 'never',
  nowMs: number,
  insider: boolean,
): (Finding | undefined)[] {
  const notUp = connections.filter(({ state }) => state !== 'up');
  const down = new Set(notUp.map(({ id }) => id));
  // A device behind a connection that is down has nothing to add to that.
  const behindUp = devices.filter(({ connection }) => !down.has(connection));
  const offline = behindUp.filter(({ state }) => state === 'offline');
  const troubled = behindUp.filter(({ state, error }) => state !== 'offline' && error !== undefined);
  const name = ({ id, sinceMs, error }: ConnectionStatus | DeviceStatus, state = '') =>
    `${id} (${[state, insider ? error : '', `for ${age(nowMs - sinceMs)}`].filter(Boolean).join(', ')})`;
  const connectionFails = {
    'any-connection': true,
    'any-device': true,
    'all-connections': notUp.length === connections.length,
    never: false,
  };
  return [
    finding(notUp, connections.length, 'connection', 'down', connectionFails[failWhen], (one) =>
      name(one, one.state === 'down' ? '' : one.state),
    ),
    finding(offline, devices.length, 'device', 'offline', failWhen === 'any-device', (one) => name(one)),
    finding(troubled, devices.length, 'device', 'in trouble', false, (one) => name(one)),
  ];
}

/** Devices that were heard and may not run, and patterns that cannot be heard. */
function discoveryFinding(discoveries: readonly DiscoveryStatus[], insider: boolean): Finding | undefined {
  const troubled = discoveries.filter(({ refused, error }) => refused > 0 || error !== undefined);
  return finding(troubled, discoveries.length, 'device template', 'in trouble', false, ({ template, refused, error }) =>
    insider
      ? `${template} (${[refused > 0 ? `${plural(refused, 'device')} refused` : '', error].filter(Boolean).join(', the last: ')})`
      : template,
  );
}

function finding<T>(
  found: readonly T[],
  of: number,
  noun: string,
  state: string,
  fails: boolean,
  name: (one: T) => string,
): Finding | undefined {
  if (found.length === 0) return undefined;
  return { text: `${found.length} of ${plural(of, noun)} ${state}: ${namesOf(found, name)}`, fails };
}

function allIsWell(connections: readonly ConnectionStatus[], devices: readonly DeviceStatus[], storage: StoreStatus): string {
  if (connections.length === 0) return 'nothing runs yet: add a connection and a device';
  const up = connections.filter(({ state }) => state === 'up').length;
  const online = devices.filter(({ state }) => state === 'online').length;
  const silent = devices.filter(({ state }) => state === 'unknown').length;
  const unheard = silent > 0 ? `, ${silent} not heard from yet` : '';
  const disk = storage.mode === 'disk' ? ', history on disk' : '';
  return `${up} of ${plural(connections.length, 'connection')} up, ${online} of ${plural(devices.length, 'device')} online${unheard}${disk}`;
}

function standsBy(connections: readonly ConnectionStatus[]): string {
  return `stands by with ${plural(connections.length, 'connection')}`;
}

function connectionDetails(
  { kind, state, sinceMs, error, endpoint, opens, requests, failures, overruns, discarded, queued }: ConnectionStatus,
  insider: boolean,
) {
  return { kind, state, since: sinceMs, ...(insider ? { error, endpoint, opens, requests, failures, overruns, discarded, queued } : {}) };
}

function deviceDetails({ connection, state, sinceMs, lastSeenMs, error, samples, badSamples }: DeviceStatus, insider: boolean) {
  return { connection, state, since: sinceMs, lastSeen: lastSeenMs, ...(insider ? { error, samples, badSamples } : {}) };
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** `3m`: the largest unit that fits, rounded down. */
function age(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}
