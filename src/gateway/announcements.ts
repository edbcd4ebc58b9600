/**
 * Devices that the far end describes itself (Home Assistant discovery, Sparkplug births): checked like devices of the settings, remembered so that they
 * are there after a restart before they are announced again, and taken away only when the far end says so or the connection's settings change.
 */
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Device } from '../contract/device.ts';
import { exactJson } from '../contract/exact-json.ts';
import { messageOf } from '../contract/fault.ts';
import { limits } from '../contract/limits.ts';
import type { Log } from '../contract/log.ts';
import type { DiscoveryStatus } from '../contract/status.ts';
import type { Store } from '../store/store.ts';
import type { Announcer } from './listener.ts';
import type { Plan, PlannedConnection } from './plan.ts';
import type { Plant } from './plant.ts';

type Raw = Readonly<Record<string, unknown>>;

interface Announced {
  readonly connection: string;
  readonly source: string;
  readonly raw: Raw;
  readonly device: Device;
}

/** One convention on one connection. */
interface Source {
  readonly refused: Map<string, string>;
  refusals: number;
  /** What is not understood, or is wrong with a point, by what it is about. */
  readonly troubles: Map<string, string>;
}

const scope = 'announced';

export interface AnnouncementsDeps {
  key: string;
  store: Store;
  log: Log;
  plant: Plant;
  /** Called when there are other devices than before. */
  changed: () => void;
  /** Why a device of this id may not be added, in words that follow its name; undefined if it may. */
  obstacle: (id: string) => string | undefined;
}

export class Announcements {
  readonly #deps: AnnouncementsDeps;
  readonly #found = new Map<string, Announced>();
  readonly #sources = new Map<string, Map<string, Source>>();
  #planned: ReadonlyMap<string, PlannedConnection> = new Map();
  #configured: ReadonlySet<string> = new Set();
  /** Device id → what was kept of it, of an earlier run; undefined until it is read and once it is used. */
  #remembered: ReadonlyMap<string, unknown> | undefined;
  #hasPlan = false;

  constructor(deps: AnnouncementsDeps) {
    this.#deps = deps;
  }

  /** Reads what was announced in an earlier run. Never rejects. */
  async recall(): Promise<void> {
    try {
      this.#remembered = await this.#deps.store.recall(this.#deps.key, scope);
      if (this.#hasPlan) this.#restore();
    } catch (error) {
      this.#deps.log.warn('devices announced earlier are not known until they are announced again', { error: messageOf(error) });
    }
  }

  /** Forgets the devices of connections that are gone or are set otherwise now. Answers with the connections that have to hear anew. */
  use(plan: Plan): ReadonlySet<string> {
    const before = this.#planned;
    const disturbed = new Set<string>();
    this.#hasPlan = true;
    this.#planned = new Map(plan.connections.map((planned) => [planned.connection.id, planned]));
    this.#configured = new Set(plan.connections.flatMap(({ devices }) => devices.map(({ id }) => id)));
    // With a fault in the settings a connection may be missing by mistake: then its devices stay remembered.
    const forget = plan.faults.every(({ severity }) => severity !== 'error');
    for (const [id, { connection }] of [...this.#found]) {
      const [was, is] = [before.get(connection), this.#planned.get(connection)];
      const isSame = is !== undefined && was?.driver === is.driver && isDeepStrictEqual(was.connection.options, is.connection.options);
      if (isSame && !this.#configured.has(id)) continue;
      this.#found.delete(id);
      disturbed.add(connection);
      if (forget) this.#remember(id, undefined);
    }
    for (const id of this.#sources.keys()) if (!this.#planned.has(id)) this.#sources.delete(id);
    this.#deps.changed();
    this.#restore();
    return disturbed;
  }

  ids(): string[] {
    return [...this.#found.keys()];
  }

  has(id: string): boolean {
    return this.#found.has(id);
  }

  devicesBehind(connection: string): Device[] {
    return [...this.#found.values()].flatMap((one) => (one.connection === connection ? [one.device] : []));
  }

  /** Takes what devices of this connection announce. */
  by(connection: string): Announcer {
    return {
      announce: (source, raw) => this.#announce(connection, source, raw),
      withdraw: (source, id) => this.#withdraw(connection, source, id),
      misunderstood: (source, what, message) => this.#note(connection, source, what, message),
    };
  }

  statuses(): DiscoveryStatus[] {
    return [...this.#sources].flatMap(([connection, sources]) =>
      Array.from(sources, ([source, { refused, refusals, troubles }]) => {
        const devices = [...this.#found.values()].filter((one) => one.connection === connection && one.source === source).length;
        const error = [...refused.values()].at(-1) ?? [...troubles.values()][0];
        return { template: source, connection, devices, refused: refusals, ...(error === undefined ? {} : { error }) };
      }),
    );
  }

  #announce(connection: string, source: string, raw: Raw): Device | undefined {
    const id = String(raw.id);
    const known = this.#found.get(id);
    const isKnown = known?.connection === connection && known.source === source;
    if (isKnown && isDeepStrictEqual(known.raw, raw)) return known.device;
    const why = this.#obstacle(id, isKnown ? undefined : known) ?? this.#take(connection, source, id, raw, isKnown ? known : undefined);
    const of = this.#source(connection, source);
    if (why === undefined) {
      of.refused.delete(id);
      return this.#found.get(id)?.device;
    }
    if (!of.refused.has(id)) {
      of.refusals += 1;
      // Said once, counted always: whoever announces devices without end must not flood the log.
      if (of.refusals === 1) this.#deps.log.warn('a device was announced that may not run', { connection, device: id, error: why });
    }
    if (of.refused.size < limits.discoveryRefusedMax || of.refused.has(id)) of.refused.set(id, `${id} ${why}`);
    return undefined;
  }

  #obstacle(id: string, known: Announced | undefined): string | undefined {
    if (known) return `is announced already, by ${known.source} on the connection ${known.connection}`;
    if (this.#configured.has(id)) return 'is in the settings already';
    return this.#found.has(id) ? undefined : this.#deps.obstacle(id);
  }

  /** Why the device may not run; undefined if it does from now on. */
  #take(connection: string, source: string, id: string, raw: Raw, known: Announced | undefined): string | undefined {
    const planned = this.#planned.get(connection);
    if (!planned?.readDevice) return 'is announced on a connection that takes no such devices';
    const bytes = Buffer.byteLength(JSON.stringify(raw));
    if (bytes > limits.announcedBytesMax) return `is described in ${bytes} bytes; allowed are ${limits.announcedBytesMax}`;
    try {
      const { device, faults } = planned.readDevice(raw);
      const fault = faults.find(({ severity }) => severity === 'error');
      const words = fault && `${fault.place} ${fault.message}`;
      if (!device) return words ?? 'is no device';
      const same = known && isDeepStrictEqual(known.device, device) ? known.device : device;
      this.#deps.plant.place(same, planned.driver);
      this.#found.set(id, { connection, source, raw, device: same });
      this.#remember(id, { connection, source, raw, options: fingerprint(planned) });
      this.#note(connection, source, `device ${id}`, words === undefined ? undefined : `${id}: ${words}`);
      this.#deps.changed();
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  }

  #withdraw(connection: string, source: string, id: string): void {
    const known = this.#found.get(id);
    this.#sources.get(connection)?.get(source)?.refused.delete(id);
    this.#note(connection, source, `device ${id}`, undefined);
    if (known?.connection !== connection || known.source !== source) return;
    this.#found.delete(id);
    this.#deps.plant.remove(id, 'taken back by whoever announced it');
    this.#remember(id, undefined);
    this.#deps.changed();
  }

  #note(connection: string, source: string, what: string, message: string | undefined): void {
    const { troubles } = this.#source(connection, source);
    if (message === undefined) troubles.delete(what);
    else if (troubles.size < limits.discoveryRefusedMax || troubles.has(what)) troubles.set(what, message);
  }

  #source(connection: string, source: string): Source {
    const sources = this.#sources.get(connection) ?? new Map<string, Source>();
    const known = sources.get(source) ?? { refused: new Map(), refusals: 0, troubles: new Map() };
    this.#sources.set(connection, sources.set(source, known));
    return known;
  }

  /** Makes the devices of an earlier run, as soon as both they and the settings are known. */
  #restore(): void {
    const remembered = this.#remembered;
    if (!remembered || !this.#hasPlan) return;
    this.#remembered = undefined;
    for (const [id, value] of remembered) {
      if (this.#found.has(id)) continue;
      const { connection, source, raw, options } = (value ?? {}) as Record<string, unknown>;
      const planned = this.#planned.get(String(connection));
      const isSame = planned !== undefined && options === fingerprint(planned) && typeof raw === 'object' && raw !== null;
      if (!isSame || this.#obstacle(id, undefined) !== undefined) this.#remember(id, undefined);
      else this.#announce(String(connection), String(source), raw as Raw);
    }
  }

  #remember(id: string, value: unknown): void {
    this.#deps.store
      .remember(this.#deps.key, scope, id, value)
      .catch((error: unknown) => this.#deps.log.warn('an announced device was not remembered', { device: id, error: messageOf(error) }));
  }
}

/** Of the settings under which a device was announced. */
function fingerprint({ connection, driver }: PlannedConnection): string {
  return createHash('sha256')
    .update(exactJson([driver.kind, connection.options]))
    .digest('hex')
    .slice(0, 16);
}
