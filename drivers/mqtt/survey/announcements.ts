/** Devices that announce themselves, as a scan sees them: the convention is proposed, with the topic it was seen below, and its devices come by themselves. */
import type { Finding } from '../../../src/contract/driver.ts';
import { limits } from '../../../src/contract/limits.ts';
import { readAnnouncement, readTopic } from '../homeassistant/announcement.ts';
import { homeassistant } from '../homeassistant/convention.ts';
import { isComponent } from '../homeassistant/entities.ts';
import type { Options } from '../options.ts';
import { namespace, parseSparkplugTopic } from '../sparkplug/topic.ts';
import { tasmota } from '../tasmota/convention.ts';

type Name = 'homeassistant' | 'tasmota' | 'sparkplug';

interface Found {
  option: Name;
  /** For people: the convention, and where. */
  convention: string;
  below: string;
  devices: Set<string>;
}

const usual = { homeassistant: 'homeassistant', tasmota: 'tasmota/discovery' } as const;

export class Announcements {
  readonly #found = new Map<string, Found>();

  /** Takes a message; true if it says nothing but what devices there are, so that nobody wants it as a point. */
  take(topic: string, payload: Buffer): boolean {
    const place = parseSparkplugTopic(topic);
    if (place) {
      this.#note('sparkplug', 'Sparkplug B', namespace, [`${place.group}/${place.node}`]);
      return false;
    }
    if (payload.length === 0) return false;
    return this.#takeHomeassistant(topic, payload) || this.#takeTasmota(topic, payload);
  }

  /** `options`: what the connection takes already is not proposed. */
  findings(options: Pick<Options, Name>): Finding[] {
    const found = [...this.#found].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, one]) => one);
    return found.map(({ option, convention, below, devices }) => {
      const isTaken = options[option] !== undefined;
      const count = `${devices.size} ${devices.size === 1 ? 'device announces itself' : 'devices announce themselves'}`;
      return {
        id: `convention ${option} ${below}`,
        kind: 'convention',
        text: `${count} by ${convention} below ${below}${isTaken ? ', which the connection takes already' : ''}`,
        values: { convention, prefix: below, devices: devices.size },
        ...(isTaken ? {} : { proposes: { connection: { [option]: proposalOf(option, below, devices) } } }),
      };
    });
  }

  /** With and without a node before the object. */
  #takeHomeassistant(topic: string, payload: Buffer): boolean {
    if (!topic.endsWith('/config')) return false;
    const levels = topic.split('/');
    const at = [levels.length - 4, levels.length - 3].find((index) => index > 0 && isComponent(levels[index] ?? ''));
    const prefix = levels.slice(0, at).join('/');
    const announced = at === undefined ? undefined : readTopic(topic, prefix);
    if (!announced) return false;
    const { entities, faults } = readAnnouncement(announced, payload);
    if (entities.length > 0)
      this.#note(
        'homeassistant',
        homeassistant(prefix).name,
        prefix,
        entities.map(({ device }) => device.id),
      );
    return entities.length > 0 || faults.length === 0;
  }

  #takeTasmota(topic: string, payload: Buffer): boolean {
    const [, prefix, mac = ''] = /^(.+)\/([0-9A-F]{12})\/(?:config|sensors)$/i.exec(topic) ?? [];
    if (prefix === undefined) return false;
    const { name, reader } = tasmota({ prefix, ask: false });
    if (reader(topic)?.(payload).parts === undefined) return false;
    this.#note('tasmota', name, prefix, [mac]);
    return true;
  }

  #note(option: Name, convention: string, below: string, devices: readonly string[]): void {
    const key = `${option} ${below}`;
    let found = this.#found.get(key);
    if (!found) {
      if (this.#found.size >= limits.mqttScanConventionsMax) return;
      found = { option, convention, below, devices: new Set() };
      this.#found.set(key, found);
    }
    for (const device of devices) if (found.devices.size < limits.mqttAnnouncedMax) found.devices.add(device);
  }
}

function proposalOf(option: Name, below: string, devices: ReadonlySet<string>): Record<string, unknown> {
  if (option !== 'sparkplug') return below === usual[option] ? {} : { prefix: below };
  // No name of Sparkplug has a slash.
  const groups = [...new Set(Array.from(devices, (device) => device.slice(0, device.indexOf('/'))))];
  return { hostId: 'fieldgate', ...(groups.length <= limits.sparkplugGroupsMax ? { groups } : {}) };
}
