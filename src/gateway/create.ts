/** Puts a gateway together: plant, intake, hub, links and commands. */
import { isDeepStrictEqual } from 'node:util';
import type { Device, Point } from '../contract/device.ts';
import { Fault, messageOf, notFound } from '../contract/fault.ts';
import { limits } from '../contract/limits.ts';
import { seriesName } from '../contract/sample.ts';
import { longestRetentionMs, settingsSchema } from '../contract/settings.ts';
import type { ConnectionStatus } from '../contract/status.ts';
import { Announcements } from './announcements.ts';
import { Desk } from './commands/desk.ts';
import { Journal } from './commands/journal.ts';
import { Discovery } from './discovery.ts';
import { readFresh } from './fresh.ts';
import type { Gateway, GatewayDeps } from './gateway.ts';
import { within } from './guard.ts';
import { Hub } from './hub.ts';
import { Intake } from './intake.ts';
import { keep } from './keep.ts';
import { Link, type LinkDeps } from './link.ts';
import { News } from './news.ts';
import type { Plan, PlannedConnection } from './plan.ts';
import { Plant } from './plant.ts';
import { pollingOf } from './polling.ts';
import { Presence } from './presence.ts';
import { Surveys } from './surveys.ts';
import { Traffics } from './traffic.ts';

export function createGateway(deps: GatewayDeps): Gateway {
  const { key, store, clock, log, active = true } = deps;
  const startedMs = clock.nowMs();
  const hub = new Hub(log);
  const news = new News(log);
  const plant = new Plant({ key, store, clock, log, news });
  const intake = new Intake({ key, store, clock, log, plant, hub });
  /** The plan with the devices discovered since; made when it is asked for. */
  let running: Plan | undefined;
  const changed = () => {
    running = undefined;
  };
  const discovery = new Discovery({
    key,
    store,
    log,
    plant,
    changed,
    isAnnounced: (id) => announcements.has(id),
  });
  const announcements: Announcements = new Announcements({
    key,
    store,
    log,
    plant,
    changed,
    obstacle: (id) =>
      announcements.ids().length >= limits.discoveredDevicesMax
        ? `is one too many: ${limits.discoveredDevicesMax} devices are announced already`
        : discovery.refusalOf(id),
  });
  const presence = new Presence({ clock, plant, intake, discovery });
  const journal = new Journal({ key, store, clock, log, news });
  const links = new Map<string, Link>();
  const traffics = new Traffics(deps.trafficPool, clock);
  const surveys = new Surveys({ key, buses: deps.buses, clock, log, traffics, link: (id) => links.get(id) });
  const commands = new Desk({ key, store, clock, plant, intake, journal, link: (id) => links.get(id) });
  const keeping = keep({ key, store, clock, log, labelsOf: (series) => plant.point(series)?.point.labels });
  let plan: Plan = { connections: [], settings: settingsSchema.parse({}), faults: [] };
  let applying: Promise<void> = Promise.resolve();
  let closed: Promise<void> | undefined;
  const reports: LinkDeps['reports'] = {
    trouble: (point, message) => told(point, message),
    discovered: (template, values) => discovery.device(template, values),
    said: (device, availability) => presence.said(device, availability),
  };
  void recall();
  void discovery.recall();
  void announcements.recall();

  /** What the points said in an earlier run: it is what is known until they say something new. */
  async function recall(): Promise<void> {
    try {
      const last = await store.last(key);
      plant.remember(new Map(last.map(({ series, sample }) => [seriesName(series), sample])));
    } catch (error) {
      log.warn('the last values of the earlier run are not there', { error: messageOf(error) });
    }
  }

  function told(point: Point, message: string | undefined): void {
    const placed = plant.point({ device: point.device, point: point.id });
    if (!placed) discovery.trouble(point.device, point.id, message);
    else placed.trouble = message;
  }

  async function change(wanted: Plan): Promise<void> {
    const next = { ...wanted, connections: wanted.connections.map(likeBefore) };
    plan = next;
    running = undefined;
    intake.retentionMs = longestRetentionMs(next.settings.history);
    keeping.use(next.settings.history);
    const kept = new Map(next.connections.map((planned) => [planned.connection.id, planned]));
    traffics.keepOnly(new Set(kept.keys()));
    const leaving: Promise<void>[] = [];
    const reopening: { planned: PlannedConnection; before: Link }[] = [];
    for (const [id, link] of links) {
      const planned = kept.get(id);
      if (planned && isSameLink(link.planned, planned)) continue;
      links.delete(id);
      leaving.push(link.close());
      if (planned) reopening.push({ planned, before: link });
    }
    // A port or a client id must be free before it is opened again; links that stay are not touched meanwhile.
    await Promise.all(leaving);
    const disturbed = new Set([...discovery.use(next), ...announcements.use(next)]);
    presence.use(next);
    plant.keepOnly(
      new Set([
        ...next.connections.flatMap((planned) => planned.devices.map((device) => device.id)),
        ...discovery.ids(),
        ...announcements.ids(),
      ]),
    );
    for (const planned of next.connections) {
      try {
        run(planned, reopening.find((candidate) => candidate.planned === planned)?.before, disturbed.has(planned.connection.id));
      } catch (error) {
        // A driver that throws where it must not takes only its own connection with it.
        log.error('a connection could not be started', { connection: planned.connection.id, error: messageOf(error) });
      }
    }
  }

  function run(planned: PlannedConnection, before: Link | undefined, anew: boolean): void {
    for (const device of planned.devices) plant.place(device, planned.driver);
    if (!active) return;
    const { id } = planned.connection;
    const link = links.get(id);
    if (link) link.update(planned, anew);
    else
      links.set(id, new Link(planned, { ...deps, intake, plant, traffics, reports, announcements, place: links.size }, before?.counters));
  }

  /** Devices that did not change stay the same objects: that is how links and points see it. */
  function likeBefore(planned: PlannedConnection): PlannedConnection {
    const before = new Map(
      plan.connections.flatMap(({ devices, templates = [] }) => [...devices, ...templates].map((device) => [device.id, device] as const)),
    );
    const like = (device: Device) => (isDeepStrictEqual(before.get(device.id), device) ? (before.get(device.id) as Device) : device);
    return { ...planned, devices: planned.devices.map(like), ...(planned.templates ? { templates: planned.templates.map(like) } : {}) };
  }

  function withDiscovered(): Plan {
    const connections = plan.connections.map((planned) => {
      const { id } = planned.connection;
      const found = [...discovery.devicesBehind(id), ...announcements.devicesBehind(id)];
      return found.length > 0 ? { ...planned, devices: [...planned.devices, ...found] } : planned;
    });
    return { ...plan, connections };
  }

  async function close(): Promise<void> {
    await applying;
    // What hangs is left behind after its time: the flush matters more.
    await inTime('a command', commands.close());
    await inTime('a connection', Promise.all([surveys.close(), ...Array.from(links.values(), (link) => link.close())]));
    traffics.keepOnly(new Set());
    keeping.stop();
    presence.stop();
    // What a disk that refuses keeps waiting is the store's: that is not waited for.
    void plant.stop();
    await inTime(
      'the last samples',
      intake.close().then(() => store.flush()),
    );
  }

  async function inTime(what: string, closing: Promise<unknown>): Promise<void> {
    try {
      await within(clock, limits.gatewayCloseMs, closing);
    } catch (error) {
      log.error(`${what} was not closed in time`, { error: messageOf(error) });
    }
  }

  return {
    apply(wanted) {
      if (closed !== undefined) return Promise.resolve();
      applying = applying
        .then(() => change(wanted))
        .catch((error: unknown) => log.error('the settings could not be applied', { error: messageOf(error) }));
      return applying;
    },
    get plan() {
      running ??= withDiscovered();
      return running;
    },
    device: (id) => plant.device(id)?.device,
    point: (name) => plant.point(name)?.point,
    connections: () =>
      active ? Array.from(links.values(), (link) => link.status()) : plan.connections.map((planned) => stoppedStatus(planned, startedMs)),
    devices: () => plant.statuses(),
    discoveries: () => [...discovery.statuses(), ...announcements.statuses()],
    last: (name) => plant.point(name)?.last?.copy(),
    async readNow(name, signal) {
      const placed = plant.point(name);
      if (!placed) throw notFound(`there is no point ${name.device}.${name.point}`);
      if (!active) throw notActive();
      const link = links.get(placed.device.device.connection);
      const why = link ? link.downBecause : 'its connection is not running';
      if (!link || why !== undefined) throw offline(name.device, why ?? '');
      try {
        return await readFresh({ intake, link }, placed, 'fresh', signal);
      } catch (error) {
        if (error instanceof Fault || signal.aborted) throw error;
        throw offline(name.device, messageOf(error));
      }
    },
    set: (name, body, user, idempotencyKey) => (active ? commands.set(name, body, { user, idempotencyKey }) : Promise.reject(notActive())),
    act: (device, action, body, user, idempotencyKey) =>
      active ? commands.act(device, action, body, { user, idempotencyKey }) : Promise.reject(notActive()),
    commands,
    subscribe: (take) => hub.subscribe(take),
    follow: (see) => news.follow(see),
    counters: () => ({
      samples: intake.samples,
      badSamples: intake.badSamples,
      dropped: intake.dropped + hub.dropped,
      commands: { ...journal.ends },
    }),
    surveys: {
      begin(order, ear, signal) {
        if (!active) throw notActive();
        return surveys.begin(order, ear, signal);
      },
      last: (connection) => surveys.last(connection),
      all: () => surveys.all(),
    },
    traffic: () => traffics.rings(),
    polling(connection) {
      const link = links.get(connection);
      return link && pollingOf(link, clock);
    },
    close() {
      closed ??= close();
      return closed;
    },
  };
}

/** Nothing that was opened with these settings differs: the session can stay. */
function isSameLink(before: PlannedConnection, now: PlannedConnection): boolean {
  return (
    before.driver === now.driver &&
    isDeepStrictEqual(before.connection.options, now.connection.options) &&
    isDeepStrictEqual(before.secrets, now.secrets)
  );
}

function notActive(): Fault {
  return new Fault(
    'this replica is not active (active = false in its section of grafana.ini): it answers from its history and asks no device',
    {
      type: 'not-active',
      blame: 'gateway',
      status: 503,
    },
  );
}

function stoppedStatus({ connection, driver }: PlannedConnection, sinceMs: number): ConnectionStatus {
  const { id, kind, title } = connection;
  const endpoint = driver.endpoint(connection.options);
  return {
    id,
    kind,
    title,
    state: 'stopped',
    sinceMs,
    endpoint,
    opens: 0,
    requests: 0,
    failures: 0,
    overruns: 0,
    discarded: {},
    queued: 0,
  };
}

function offline(device: string, why: string): Fault {
  return new Fault(`${device} cannot be asked now: ${why}`, { type: 'device-offline', blame: 'device', status: 503 });
}
