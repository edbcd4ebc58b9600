/** The data sources that run in this process. Grafana hands settings over with every question and never says that one is new, changed or gone. */
import type { Caller, InstanceSettings } from '../contract/caller.ts';
import type { Clock } from '../contract/clock.ts';
import { badRequest, Fault, messageOf, notFound } from '../contract/fault.ts';
import { limits } from '../contract/limits.ts';
import type { Log } from '../contract/log.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { every } from '../gateway/schedule.ts';
import type { Store } from '../store/store.ts';
import { Entry, sameContent } from './entry.ts';
import type { Instance } from './instance.ts';
import type { Reader } from './reading.ts';
import type { Ledger, Lost, Remembered } from './remembered/ledger.ts';
import { demandReady, type Memory } from './remembered/memory.ts';
import { Resting } from './resting.ts';

export interface InstancesDeps {
  reader: Reader;
  store: Store;
  clock: Clock;
  log: Log;
  /** How long an instance runs on that nobody names. */
  resumeForMs: number;
  /** Makes the gateway of a key; nothing runs in it until it gets a plan. */
  createGateway(key: string): Gateway;
  /** Begins to read what is remembered; `take` gets it, once. */
  remember(take: (found: Remembered[]) => void): Memory;
}

/** One line of the list for Admins. Times are milliseconds since 1970. */
export interface Listed {
  uid: string;
  id: number;
  name: string;
  /** `stopped`: not named for `resume_for`, being named starts it; `removed`: by an Admin, its history is kept until its retention is over. */
  state: 'running' | 'stopped' | 'removed';
  lastNamed: number;
  connections: { up: number; of: number };
}

export interface Instances {
  /**
   * The running instance of the caller's data source, made at its first question. Throws a `Fault`: 400 if the route has no data source, 503 when
   * there are too many or the process ends. Calls that come at the same time get the same one.
   */
  of(caller: Caller): Promise<Instance>;
  /** Says that somebody looks as long as it is not released; `ended` is aborted with a `Fault` when the instance stops all the same. */
  hold(instance: Instance): { ended: AbortSignal; release(): void };
  all(): Instance[];
  /** Why remembered secrets of an instance could not be used at the start of this process. */
  lost(instance: Instance): Lost | undefined;
  /** Those of one organisation. */
  list(orgId: number): Listed[];
  counts(): Record<Listed['state'], number>;
  /**
   * Stops it and forgets its settings and secrets, with `history` all it ever said too; resolves with how many samples went. Grafana starts it again if
   * it still has it. Throws a `Fault` 404, or 503 while the data folder is not ours.
   */
  remove(orgId: number, uid: string, options: { history: boolean }): Promise<number>;
  /** Ends every gateway. Never rejects; any number of times. */
  close(): Promise<void>;
}

export function createInstances(deps: InstancesDeps): Instances {
  const { store, clock, log, resumeForMs } = deps;
  const entries = new Map<string, Entry>();
  const resting = new Resting({ store, clock, log, forget });
  /** Gateways that are being closed: their ports and client ids have to be free before the next one of that name begins. */
  const leaving = new Map<string, Promise<void>>();
  /** What could not be read at the start, for health; also after Grafana brought it again. */
  const losses = new Map<string, Lost>();
  const touchMs = Math.min(limits.namedTouchMs, resumeForMs / 8);
  const lookMs = Math.max(limits.leaseLookMinMs, Math.min(limits.leaseLookMaxMs, resumeForMs / 10));
  let ending = false;
  let closed: Promise<void> | undefined;
  const memory = deps.remember(resume);
  const stopLooking = every(clock, lookMs, lookMs, look);

  function create(orgId: number, settings: InstanceSettings, namedMs: number, lost?: Lost): Entry {
    if (entries.size >= limits.instancesMax) {
      throw new Fault(
        `${entries.size} data sources run already, which is the most of one process; an Admin removes unused ones at /api/plugins/<id>/resources/instances`,
        {
          type: 'too-many-instances',
          blame: 'gateway',
          status: 503,
        },
      );
    }
    const key = `${orgId}/${settings.uid}`;
    const instance = { key, uid: settings.uid, gateway: deps.createGateway(key) };
    const retentionMs = resting.retentionOf(key) ?? limits.retentionMaxMs;
    const entry = new Entry({ instance, orgId, settings, namedMs, retentionMs, lost }, deps);
    resting.delete(key);
    // Known before its plan is applied: a second question that comes now must not make a second gateway.
    entries.set(key, entry);
    entry.apply();
    return entry;
  }

  /** Takes the settings of a question if they are other ones (DESIGN §5, "Who lives when"). */
  function update(entry: Entry, settings: InstanceSettings): void {
    const now = clock.monotonicMs();
    const before = entry.settings;
    see(entry, now);
    // A question that started before a change still carries the old settings. Only if nobody names the newer ones any more were they taken back.
    if (settings.lastUpdatedMs < before.lastUpdatedMs && now - entry.namedMs < limits.olderSettingsAfterMs) return;
    // With another numeric id it is another data source of the same name: the history goes on, its secrets are those it brings and no others.
    const changed = !sameContent(settings, before) || entry.lost !== undefined;
    entry.settings = settings;
    entry.namedMs = now;
    entry.lost = undefined;
    if (changed) entry.apply();
    if (changed || settings.id !== before.id || settings.name !== before.name || settings.lastUpdatedMs !== before.lastUpdatedMs)
      keep(entry);
  }

  function see(entry: Entry, now: number): void {
    entry.seenMs = now;
    if (now - entry.notedMs >= touchMs) note(entry);
  }

  /** Remembers the settings in use: those of the moment of writing, not of asking. */
  function keep(entry: Entry): void {
    const { key } = entry.instance;
    const save = async (ledger: Ledger) => {
      // The settings say how long history is kept, once they are read.
      await entry.applied.catch(() => undefined);
      await ledger.save(entry.orgId, entry.settings, entry.retentionMs);
    };
    memory.write(key, save).catch(() => undefined);
  }

  function note(entry: Entry): void {
    const { key } = entry.instance;
    entry.notedMs = entry.seenMs;
    memory.write(`${key} named`, (ledger) => ledger.named(key, wallOf(entry.seenMs))).catch(() => undefined);
  }

  function wallOf(monotonicMs: number): number {
    return Math.round(clock.nowMs() - (clock.monotonicMs() - monotonicMs));
  }

  /** Goes on with what ran when the last process ended, without being asked. What Grafana has named meanwhile is newer. */
  function resume(found: Remembered[]): void {
    for (const one of found.toSorted((a, b) => b.namedAtMs - a.namedAtMs)) {
      const { key, orgId, settings, namedAtMs, retentionMs, lost } = one;
      if (lost) {
        losses.set(key, lost);
        log.warn('the secrets remembered cannot be used; the data source runs without those connections until Grafana names it', {
          gateway: key,
          why: lost.why,
        });
      }
      if (entries.has(key)) continue;
      // A clock that was set back makes nothing older than it is.
      const agoMs = Math.max(0, clock.nowMs() - namedAtMs);
      if (one.removed || agoMs >= resumeForMs || entries.size >= limits.instancesMax) {
        const state = one.removed ? 'removed' : 'stopped';
        resting.add(key, { orgId, uid: settings.uid, id: settings.id, name: settings.name, state, lastNamed: namedAtMs, retentionMs });
        continue;
      }
      const entry = create(orgId, settings, clock.monotonicMs() - agoMs, lost);
      entry.notedMs = entry.seenMs;
      log.info('collection goes on', { gateway: key, namedAgoMs: agoMs });
    }
  }

  function look(): void {
    const now = clock.monotonicMs();
    for (const entry of entries.values()) {
      if (entry.users > 0) see(entry, now);
      if (now - entry.seenMs < resumeForMs) continue;
      log.info('polling stops: Grafana has not named the data source for long; its history stays', {
        gateway: entry.instance.key,
        forMs: Math.round(now - entry.seenMs),
      });
      note(entry);
      void rest(entry, 'stopped');
    }
  }

  /** Takes an instance out of those that run; resolves when its devices are let go. */
  function rest(entry: Entry, state: 'stopped' | 'removed'): Promise<void> {
    const { key, uid } = entry.instance;
    const { orgId, retentionMs } = entry;
    entries.delete(key);
    resting.add(key, { orgId, uid, id: entry.settings.id, name: entry.settings.name, state, lastNamed: wallOf(entry.seenMs), retentionMs });
    return leave(key, entry.close(stopped(state)));
  }

  /** Nobody makes an instance of this name until `left` has settled. */
  function leave<T>(key: string, left: Promise<T>): Promise<T> {
    const settled = left.then(
      () => undefined,
      () => undefined,
    );
    leaving.set(key, settled);
    void settled.then(() => {
      if (leaving.get(key) === settled) leaving.delete(key);
    });
    return left;
  }

  function forget(key: string): void {
    memory.write(key, (ledger) => ledger.forget(key)).catch(() => undefined);
  }

  return {
    async of(caller) {
      const { instance: settings, orgId } = caller;
      if (!settings) throw badRequest('this needs a data source: ask under /api/datasources/uid/<uid>/', undefined, 'no-data-source');
      await memory.tried;
      const key = `${orgId}/${settings.uid}`;
      for (let gone = leaving.get(key); gone; gone = leaving.get(key)) await gone;
      if (ending) throw shuttingDown();
      let entry = entries.get(key);
      if (entry) {
        update(entry, settings);
        await entry.lookAtFiles();
      } else {
        entry = create(orgId, settings, clock.monotonicMs());
        keep(entry);
        note(entry);
      }
      await entry.applied;
      return entry.instance;
    },
    hold(instance) {
      const entry = entries.get(instance.key);
      if (entry?.instance !== instance) return { ended: AbortSignal.abort(stopped('stopped')), release: () => undefined };
      entry.users += 1;
      return {
        ended: entry.ended.signal,
        release: () => {
          entry.users -= 1;
          see(entry, clock.monotonicMs());
        },
      };
    },
    all: () => [...entries.values()].map(({ instance }) => instance),
    lost: ({ key }) => losses.get(key),
    list(orgId) {
      const running = [...entries.values()].filter((entry) => entry.orgId === orgId);
      return [
        ...running.map(({ settings, seenMs, instance }): Listed => {
          const connections = instance.gateway.connections();
          const up = connections.filter(({ state }) => state === 'up').length;
          const { uid, id, name } = settings;
          return { uid, id, name, state: 'running', lastNamed: wallOf(seenMs), connections: { up, of: connections.length } };
        }),
        ...resting.of(orgId).map(({ uid, id, name, state, lastNamed }): Listed => {
          return { uid, id, name, state, lastNamed, connections: { up: 0, of: 0 } };
        }),
      ];
    },
    counts: () => ({ running: entries.size, ...resting.counts() }),
    async remove(orgId, uid, { history }) {
      const key = `${orgId}/${uid}`;
      const entry = entries.get(key);
      const known = entry ?? resting.get(key);
      if (!known) throw notFound(`this organisation has no instance ${JSON.stringify(uid)}; GET instances lists them`, 'uid');
      demandReady(memory);
      log.info('removed by an Admin', { gateway: key, history: history ? 'deleted' : 'kept' });
      losses.delete(key);
      const settings = {
        id: 0,
        name: '',
        ...(entry?.settings ?? known),
        uid,
        jsonData: new Uint8Array(),
        secureJsonData: {},
        lastUpdatedMs: 0,
      };
      const stopping = entry ? rest(entry, 'removed') : Promise.resolve();
      resting.mark(key, 'removed');
      const erased = history
        ? leave(
            key,
            stopping.then(() => store.erase(key)),
          )
        : stopping.then(() => 0);
      await memory.write(key, (ledger) => ledger.save(orgId, settings, known.retentionMs, true));
      const deleted = await erased;
      if (!history) return deleted;
      // Grafana may have named it in the meantime; then it is an instance with a new history.
      if (!entries.has(key)) {
        resting.delete(key);
        forget(key);
      }
      return deleted;
    },
    close() {
      closed ??= close();
      return closed;
    },
  };

  async function close(): Promise<void> {
    ending = true;
    stopLooking();
    resting.close();
    for (const entry of entries.values()) note(entry);
    memory.close();
    await Promise.all([
      ...leaving.values(),
      ...Array.from(entries.values(), async ({ instance, applied }) => {
        await applied.catch(() => undefined);
        await instance.gateway
          .close()
          .catch((error: unknown) => log.error('not closed', { gateway: instance.key, error: messageOf(error) }));
      }),
    ]);
  }
}

function shuttingDown(): Fault {
  return new Fault('the gateway is shutting down', { type: 'shutting-down', blame: 'gateway', status: 503 });
}

function stopped(state: 'stopped' | 'removed'): Fault {
  return new Fault(`the data source was ${state}`, { type: 'instance-stopped', blame: 'gateway', status: 503 });
}
