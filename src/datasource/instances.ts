/** The data sources that run in this process. Grafana hands settings over with every question and never says that one is new, changed or gone. */
import type { Caller, InstanceSettings } from '../contract/caller.ts';
import type { Clock } from '../contract/clock.ts';
import type { Driver } from '../contract/driver.ts';
import { badRequest, Fault } from '../contract/fault.ts';
import { limits } from '../contract/limits.ts';
import type { Log } from '../contract/log.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { Instance } from './instance.ts';
import { readSettings } from './settings.ts';

export interface InstancesDeps {
  drivers: readonly Driver[];
  clock: Clock;
  log: Log;
  /** Makes the gateway of a key; nothing runs in it until it gets a plan. */
  createGateway(key: string): Gateway;
}

interface Entry {
  instance: Instance;
  settings: InstanceSettings;
  /** When a caller last named the settings in use, on the clock that never jumps. */
  namedMs: number;
  /** Plans are applied one after the other, in the order they were named. */
  applied: Promise<void>;
}

export interface Instances {
  /**
   * The running instance of the caller's data source, made at its first question. Throws a `Fault`: 400 if the route has no data source, 503 when
   * there are too many or the process ends. Calls that come at the same time get the same one.
   */
  of(caller: Caller): Promise<Instance>;
  all(): Instance[];
  /** Ends every gateway. Never rejects; any number of times. */
  close(): Promise<void>;
}

export function createInstances(deps: InstancesDeps): Instances {
  const entries = new Map<string, Entry>();
  let ending = false;
  let closed: Promise<void> | undefined;

  function create(key: string, settings: InstanceSettings): Entry {
    if (entries.size >= limits.instancesMax) {
      throw new Fault(
        `${entries.size} data sources run already, which is the most of one process; delete unused ones and restart Grafana`,
        {
          type: 'too-many-instances',
          blame: 'gateway',
          status: 503,
        },
      );
    }
    const instance = { key, uid: settings.uid, gateway: deps.createGateway(key) };
    const entry = { instance, settings, namedMs: deps.clock.monotonicMs(), applied: Promise.resolve() };
    // Known before its plan is applied: a second question that comes now must not make a second gateway.
    entries.set(key, entry);
    apply(entry);
    return entry;
  }

  function apply(entry: Entry): void {
    const plan = readSettings(entry.settings, deps.drivers);
    const { key, gateway } = entry.instance;
    const points = plan.connections.reduce(
      (sum, { devices }) => sum + devices.reduce((count, device) => count + device.points.length, 0),
      0,
    );
    deps.log.info('settings read', { gateway: key, connections: plan.connections.length, points, faults: plan.faults.length });
    const next = entry.applied.then(() => (ending ? undefined : gateway.apply(plan)));
    entry.applied = next;
    // Whoever asks next hears of it, and the settings after these are tried all the same.
    next.catch((error: unknown) => {
      deps.log.error('settings could not be applied', { gateway: key, error: String(error) });
      if (entry.applied === next) entry.applied = Promise.resolve();
    });
  }

  /** Takes the settings of a question if they are other ones (DESIGN §5, "Who lives when"). */
  function update(entry: Entry, settings: InstanceSettings): void {
    const now = deps.clock.monotonicMs();
    const { lastUpdatedMs } = entry.settings;
    // A question that started before a change still carries the old settings. Only if nobody names the newer ones any more were they taken back.
    if (settings.lastUpdatedMs < lastUpdatedMs && now - entry.namedMs < limits.olderSettingsAfterMs) return;
    const changed = !sameContent(settings, entry.settings);
    entry.settings = settings;
    entry.namedMs = now;
    if (changed) apply(entry);
  }

  return {
    async of(caller) {
      if (ending) throw new Fault('the gateway is shutting down', { type: 'shutting-down', blame: 'gateway', status: 503 });
      const { instance: settings, orgId } = caller;
      if (!settings) throw badRequest('this needs a data source: ask under /api/datasources/uid/<uid>/', undefined, 'no-data-source');
      const key = `${orgId}/${settings.uid}`;
      let entry = entries.get(key);
      if (entry) update(entry, settings);
      else entry = create(key, settings);
      await entry.applied;
      return entry.instance;
    },
    all: () => [...entries.values()].map(({ instance }) => instance),
    close() {
      ending = true;
      closed ??= Promise.all(
        [...entries.values()].map(async ({ instance, applied }) => {
          await applied.catch(() => undefined);
          await instance.gateway.close();
        }),
      ).then(() => undefined);
      return closed;
    },
  };
}

function sameContent(one: InstanceSettings, other: InstanceSettings): boolean {
  if (Buffer.compare(one.jsonData, other.jsonData) !== 0) return false;
  const names = Object.keys(one.secureJsonData);
  return (
    names.length === Object.keys(other.secureJsonData).length &&
    names.every((name) => one.secureJsonData[name] === other.secureJsonData[name])
  );
}
