/** A point's settings → how Grafana shows its values: unit, axis, decimals, names of states, and the name in the legend. */
import type { Point } from '../contract/device.ts';
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
  const options: ValueMapping['options'] = {};
  Object.entries(point.enum ?? {}).forEach(([raw, text], index) => {
    options[storedKey(raw, type, stored)] = { text, index };
  });
  if (Object.keys(options).length > 0) config.mappings = [{ type: 'value', options }];
  return config;
}

/** `boiler pump`: what the legend says. Titles from the configuration where there are any, ids where not. */
export function displayName(device: string, point: string, kind?: string): string {
  return kind === undefined ? `${device} ${point}` : `${device} ${point} (${kind})`;
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
