/** What a Tasmota measures, of `<prefix>/<MAC>/sensors`: the message it sends to `tele/<topic>/SENSOR`, with the values of the moment. */
import { limits } from '../../../src/contract/limits.ts';
import type { Fields } from './config.ts';
import { type Quantity, quantityOf, settingNames } from './units.ts';

export interface Sensor extends Quantity {
  kind: 'sensor';
  device: { id: string };
  path: (string | number)[];
  /** What stands there, if it is a text that stands alone: perhaps the word of a switch. */
  word?: string;
  /** The message has a time, with its zone. Without one it could be any hour, and the time of arrival is better. */
  timed: boolean;
}

/** Names and times that are no readings. */
const unread: ReadonlySet<string> = new Set(['Id', 'Time', 'TotalStartTime']);
const zoned = /T\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:?\d\d)$/;

export function readSensors(mac: string, given: Fields, tell: (fault: string) => void): Sensor[] {
  const timed = typeof given.Time === 'string' && zoned.test(given.Time);
  const sensors: Sensor[] = [];
  const walk = (value: unknown, path: (string | number)[]) => {
    const name = path.at(-1) ?? '';
    if (typeof name === 'string' && (unread.has(name) || (path.length === 1 && settingNames.has(name)))) return;
    if (typeof value !== 'object' || value === null) {
      // null is a sensor that has not measured yet.
      const word = path.length === 1 && typeof value === 'string' ? { word: value.slice(0, 64) } : {};
      sensors.push({ kind: 'sensor', device: { id: mac }, path, ...word, ...quantityOf(path, given), timed });
    } else if (path.length >= limits.tasmotaDepthMax)
      tell(`${path.join('.')} has more within it; ${limits.tasmotaDepthMax} levels are read`);
    else if (Array.isArray(value)) for (const [index, one] of value.entries()) walk(one, [...path, index]);
    else for (const [key, one] of Object.entries(value)) walk(one, [...path, key]);
  };
  walk(given, []);
  return sensors;
}
