/**
 * Devices that are discovered: made from their template when a driver first hears of one, remembered by id so that they are there after a restart before
 * they speak, and never taken away by themselves. A change of the template forgets those that are not online; they come back with their next message.
 */
import type { Device } from '../contract/device.ts';
import type { Driver } from '../contract/driver.ts';
import { messageOf } from '../contract/fault.ts';
import { limits } from '../contract/limits.ts';
import type { Log } from '../contract/log.ts';
import { fillPlaceholders, parsePlaceholders, type Values } from '../contract/placeholders.ts';
import type { DiscoveryStatus } from '../contract/status.ts';
import { parseTemplateId, type TemplateId } from '../contract/template-id.ts';
import type { Store } from '../store/store.ts';
import type { Plan } from './plan.ts';
import type { Plant } from './plant.ts';

interface Template {
  readonly device: Device;
  readonly driver: Driver;
  readonly id: TemplateId;
  /** Names of the refused, at most `limits.discoveryRefusedMax`. */
  readonly refused: Set<string>;
  refusals: number;
  /** Why the last one was. */
  refusal?: string;
  /** What is wrong with hearing of them, by point. */
  readonly troubles: Map<string, string>;
}

interface Found {
  template: Template;
  device: Device;
}

const scope = 'discovered';

export class Discovery {
  readonly #key: string;
  readonly #store: Store;
  readonly #log: Log;
  readonly #plant: Plant;
  readonly #changed: () => void;
  readonly #isAnnounced: (id: string) => boolean;
  readonly #templates = new Map<string, Template>();
  readonly #found = new Map<string, Found>();
  #configured: ReadonlySet<string> = new Set();
  /** Device id → template id, of an earlier run; undefined until it is read and once it is used. */
  #remembered: ReadonlyMap<string, unknown> | undefined;
  #hasPlan = false;

  /** `changed` is called when there are other devices than before. */
  constructor(deps: { key: string; store: Store; log: Log; plant: Plant; changed: () => void; isAnnounced: (id: string) => boolean }) {
    this.#key = deps.key;
    this.#store = deps.store;
    this.#log = deps.log;
    this.#plant = deps.plant;
    this.#changed = deps.changed;
    this.#isAnnounced = deps.isAnnounced;
  }

  /** Reads what was discovered in an earlier run. Never rejects. */
  async recall(): Promise<void> {
    try {
      this.#remembered = await this.#store.recall(this.#key, scope);
      if (this.#hasPlan) this.#restore();
    } catch (error) {
      this.#log.warn('devices discovered earlier are not known until they speak again', { error: messageOf(error) });
    }
  }

  /**
   * Takes the templates of a plan and makes its devices anew where they changed. Unchanged templates are the same objects as before. Answers with the
   * connections that have to hear anew, because a device they know is not theirs any more.
   */
  use(plan: Plan): ReadonlySet<string> {
    const disturbed = new Set<string>();
    this.#hasPlan = true;
    this.#configured = new Set(plan.connections.flatMap(({ devices }) => devices.map(({ id }) => id)));
    const before = new Map(this.#templates);
    this.#templates.clear();
    for (const { driver, templates = [] } of plan.connections) for (const device of templates) this.#adopt(device, driver, before);
    // With a fault in the settings a template may be missing by mistake: then its devices stay remembered.
    const forget = plan.faults.every(({ severity }) => severity !== 'error');
    for (const [id, found] of [...this.#found]) {
      const template = this.#templates.get(found.template.device.id);
      if (template === found.template && !this.#configured.has(id)) continue;
      this.#found.delete(id);
      disturbed.add(found.device.connection);
      const values = template && !this.#configured.has(id) && this.#plant.device(id)?.state === 'online' ? template.id.read(id) : undefined;
      const made = values && this.#make(template as Template, id, values);
      if (!made && forget) this.#remember(id, undefined);
    }
    this.#changed();
    this.#restore();
    return disturbed;
  }

  /** Ids of the devices there are. */
  ids(): string[] {
    return [...this.#found.keys()];
  }

  /** Why a device of this id may not be added beside these, in words that follow its name. */
  refusalOf(id: string): string | undefined {
    const known = this.#found.get(id);
    return known ? `is discovered by ${known.template.device.id} already` : this.#full();
  }

  devicesBehind(connection: string): Device[] {
    return [...this.#found.values()].flatMap(({ device }) => (device.connection === connection ? [device] : []));
  }

  /** The device that runs as this one of the template, made the first time; undefined if it may not run, which is counted and told. */
  device(templateId: string, values: Values): Device | undefined {
    const template = this.#templates.get(templateId);
    if (!template) return undefined;
    let id: string;
    try {
      id = template.id.fill(values);
    } catch (error) {
      return this.#refuse(template, nameOf(values), messageOf(error));
    }
    const known = this.#found.get(id);
    if (known?.template === template) return known.device;
    const why = this.#obstacle(id, known);
    if (why !== undefined) return this.#refuse(template, nameOf(values), why);
    const device = this.#make(template, id, values);
    if (!device) return undefined;
    this.#remember(id, templateId);
    this.#changed();
    return device;
  }

  /** Shows what is wrong with hearing of the devices of a template; `what` is the point it is about. True if the template is known. */
  trouble(templateId: string, what: string, message: string | undefined): boolean {
    const template = this.#templates.get(templateId);
    if (message === undefined) template?.troubles.delete(what);
    else template?.troubles.set(what, message);
    return template !== undefined;
  }

  statuses(): DiscoveryStatus[] {
    const counts = new Map<Template, number>();
    for (const { template } of this.#found.values()) counts.set(template, (counts.get(template) ?? 0) + 1);
    return Array.from(this.#templates.values(), (template) => {
      const { device, refusals, refusal, troubles } = template;
      const devices = counts.get(template) ?? 0;
      const error = [...troubles.values()][0] ?? refusal;
      return { template: device.id, connection: device.connection, devices, refused: refusals, ...(error === undefined ? {} : { error }) };
    });
  }

  #adopt(device: Device, driver: Driver, before: ReadonlyMap<string, Template>): void {
    const known = before.get(device.id);
    if (known?.device === device && known.driver === driver) {
      this.#templates.set(device.id, known);
      return;
    }
    try {
      const id = parseTemplateId(device.id);
      this.#templates.set(device.id, { device, driver, id, refused: new Set(), refusals: 0, troubles: new Map() });
    } catch (error) {
      this.#log.error('a template of devices cannot be used', { template: device.id, error: messageOf(error) });
    }
  }

  #obstacle(id: string, known: Found | undefined): string | undefined {
    if (known) return `would be the device ${id}, which is discovered by ${known.template.device.id} already`;
    if (this.#configured.has(id)) return `would be the device ${id}, which is in the settings already`;
    if (this.#isAnnounced(id)) return `would be the device ${id}, which announces itself already`;
    return this.#full();
  }

  #full(): string | undefined {
    if (this.#found.size < limits.discoveredDevicesMax) return undefined;
    return `is one too many: ${limits.discoveredDevicesMax} devices are discovered already`;
  }

  #make(template: Template, id: string, values: Values): Device | undefined {
    try {
      const device = fillDevice(template, id, values);
      this.#plant.place(device, template.driver);
      this.#found.set(id, { template, device });
      return device;
    } catch (error) {
      return this.#refuse(template, nameOf(values), messageOf(error));
    }
  }

  #refuse(template: Template, name: string, why: string): undefined {
    if (template.refused.has(name)) return undefined;
    if (template.refused.size < limits.discoveryRefusedMax) template.refused.add(name);
    template.refusals += 1;
    template.refusal = `${name} ${why}`;
    // Said once, counted always: whoever invents topics must not flood the log.
    if (template.refusals === 1)
      this.#log.warn('a device was heard that may not run', { template: template.device.id, error: template.refusal });
    return undefined;
  }

  /** Makes the devices of an earlier run, as soon as both they and the settings are known. */
  #restore(): void {
    const remembered = this.#remembered;
    if (!remembered || !this.#hasPlan) return;
    this.#remembered = undefined;
    for (const [id, templateId] of remembered) {
      if (this.#found.has(id)) continue;
      const template = typeof templateId === 'string' ? this.#templates.get(templateId) : undefined;
      const values = template?.id.read(id);
      if (!template || !values || this.#obstacle(id, undefined) !== undefined || !this.#make(template, id, values))
        this.#remember(id, undefined);
    }
    this.#changed();
  }

  #remember(id: string, template: string | undefined): void {
    this.#store
      .remember(this.#key, scope, id, template)
      .catch((error: unknown) => this.#log.warn('a discovered device was not remembered', { device: id, error: messageOf(error) }));
  }
}

function fillDevice({ device, driver }: Template, id: string, values: Values): Device {
  const fill = (text: string) => fillPlaceholders(parsePlaceholders(text), values);
  const fillAll = (labels: Record<string, string>) => Object.fromEntries(Object.entries(labels).map(([name, text]) => [name, fill(text)]));
  const { placeholders: _, availability, ...rest } = device;
  const points = device.points.map((point) => ({
    ...point,
    device: id,
    ...(point.title === undefined ? {} : { title: fill(point.title) }),
    labels: fillAll(point.labels),
    address: driver.discovery?.fill(point.address, values),
  }));
  const { topic: _topic, ...word } = availability ?? {};
  return {
    ...rest,
    id,
    title: fill(device.title),
    labels: fillAll(device.labels),
    points,
    ...(availability ? { availability: word as typeof availability } : {}),
  };
}

/** `building "north", room "a b"`: what the far end calls it. */
function nameOf(values: Values): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value)}`)
    .join(', ');
}
