/** A point's settings → how Grafana shows its values: unit, axis, decimals, names of states, and the name in the legend. */
import type { Point } from '../contract/device.ts';
import { limits } from '../contract/limits.ts';
import type { CellType, FieldConfig, ValueMapping } from './frame.ts';

/**
 * `type` is that of the column shown: an average of a switch is a number, so its states are keyed by numbers. `stored` makes the engineering
 * value of a raw number (the gateway's rule), because an enum is written by raw value and shown by the stored one.
 */
export function pointConfig(point: Point, type: CellType, stored: (raw: number) => number): FieldConfig {
  const config: FieldConfig = {};
  if (point.unit !== undefined) config.unit = point.unit;
  if (point.precision !== undefined) config.decimals = point.precision;
  if (point.min !== undefined) config.min = point.min;
  if (point.max !== undefined) config.max = point.max;
  if (point.thresholds && type !== 'string' && type !== 'boolean') {
    const steps = point.thresholds.toSorted((a, b) => a.from - b.from).map(({ from, color }) => ({ value: from, color }));
    config.thresholds = { mode: 'absolute', steps: [{ value: null, color: 'green' }, ...steps] };
  }
  const options: ValueMapping['options'] = {};
  Object.entries(point.enum ?? {}).forEach(([raw, text], index) => {
    const color = point.colors?.[text] ?? neutral[index % neutral.length];
    options[storedKey(raw, type, stored)] = { text, index, ...(color === undefined ? {} : { color }) };
  });
  // A switch without names would be shown as "true" and "false", each panel with colours of its own choice.
  if (type === 'boolean' && !point.enum) Object.assign(options, onOff);
  Object.assign(options, flagOptions(point.bits ?? {}, Object.keys(options).length));
  if (Object.keys(options).length > 0) config.mappings = [{ type: 'value', options }];
  return config;
}

/** Of states whose settings name no colours: well told apart in dark and light, and none of them means good or bad. */
const neutral = ['#8e8e99', 'blue', 'purple', 'super-light-blue', 'dark-blue', 'super-light-purple', 'dark-purple', '#5b5b66'];

/** The words of the control panel, which says them of a value before the device has said it. */
const onOff: ValueMapping['options'] = {
  false: { text: 'off', color: '#8e8e99', index: 0 },
  true: { text: 'on', color: 'blue', index: 1 },
};

/** The names of the flags that are set, the least significant first. Of a signed number the sign is a bit like the others. */
export function flagNames(bits: Readonly<Record<string, string>>, value: number | bigint): string[] {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) return [];
  const whole = BigInt(value);
  return Object.entries(bits).flatMap(([bit, name]) => ((whole >> BigInt(bit)) & 1n ? [name] : []));
}

/** Grafana maps values, not bits: every combination of a few flags, each flag alone of many. */
function flagOptions(bits: Readonly<Record<string, string>>, firstIndex: number): ValueMapping['options'] {
  const masks = Object.keys(bits).map((bit) => 1n << BigInt(bit));
  const few = masks.length <= limits.flagsCombinedMax;
  const values = few ? combinations(masks) : masks;
  const options: ValueMapping['options'] = {};
  values.forEach((value, i) => {
    const option = { text: flagNames(bits, value).join(', '), index: firstIndex + i };
    options[String(value)] = option;
    // The same bits in a signed register whose highest bit is among them.
    for (const width of [16, 32, 64]) if (value >> BigInt(width - 1) === 1n) options[String(value - (1n << BigInt(width)))] = option;
  });
  return options;
}

/** Every sum of some of the masks, without that of none. */
function combinations(masks: readonly bigint[]): bigint[] {
  const sums = [0n];
  for (const mask of masks) sums.push(...sums.map((sum) => sum | mask));
  return sums.slice(1);
}

/** `boiler pump`: what the legend says. Titles from the configuration where there are any, ids where not. */
export function displayName(device: string, point: string, kind?: string): string {
  return kind === undefined ? `${device} ${point}` : `${device} ${point} (${kind})`;
}

/** `{{site}} {{point}}` with the labels of a series; a name that it does not have is left out. */
export function legendText(template: string, words: Readonly<Record<string, string>>): string {
  return template
    .replaceAll(/\{\{\s*([^{}]*?)\s*\}\}/g, (_whole, name: string) => (Object.hasOwn(words, name) ? (words[name] ?? '') : ''))
    .trim();
}

/** The stored value of an enum's raw key, as JavaScript prints it: `"0.5"`, `"true"`, `"OFF"`. */
export function storedKey(raw: string, type: CellType, stored: (raw: number) => number): string {
  if (type === 'string') return raw;
  const bit = raw === 'true' ? '1' : raw === 'false' ? '0' : raw;
  if (type === 'boolean') return bit === '1' ? 'true' : bit === '0' ? 'false' : raw;
  // Exact 64-bit columns are never scaled, so their digits are the key.
  if (type !== 'float64' || bit.trim() === '' || Number.isNaN(Number(bit))) return bit;
  return String(stored(Number(bit)));
}
