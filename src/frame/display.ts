/** A point's settings → how Grafana shows its values: unit, axis, decimals, names of states, and the name in the legend. */
import type { Point } from '../contract/device.ts';
import type { CellType, FieldConfig, ValueMapping } from './frame.ts';

/** `type` is that of the column shown: an average of a switch is a number, so its states are keyed by numbers. */
export function pointConfig(point: Point, type: CellType): FieldConfig {
  const config: FieldConfig = {};
  if (point.unit !== undefined) config.unit = point.unit;
  if (point.precision !== undefined) config.decimals = point.precision;
  if (point.min !== undefined) config.min = point.min;
  if (point.max !== undefined) config.max = point.max;
  const mappings = enumMappings(point, type);
  if (mappings) config.mappings = [mappings];
  return config;
}

/** `boiler pump`: what the legend says. Titles from the configuration where there are any, ids where not. */
export function displayName(device: string, point: string, kind?: string): string {
  return kind === undefined ? `${device} ${point}` : `${device} ${point} (${kind})`;
}

/** The setting is raw → name; what is stored and shown is raw × scale + offset, so that is what the mapping is keyed by. */
function enumMappings(point: Point, type: CellType): ValueMapping | undefined {
  const entries = Object.entries(point.enum ?? {});
  if (entries.length === 0) return undefined;
  const options: ValueMapping['options'] = {};
  entries.forEach(([raw, text], index) => {
    options[storedKey(raw, point, type)] = { text, index };
  });
  return { type: 'value', options };
}

/** The stored value of an enum's raw key, as JavaScript prints it: `"0.5"`, `"true"`, `"OFF"`. */
export function storedKey(raw: string, point: Pick<Point, 'scale' | 'offset' | 'precision'>, type: CellType): string {
  const truth = raw === '1' || raw === 'true' ? true : raw === '0' || raw === 'false' ? false : undefined;
  if (type === 'boolean' && truth !== undefined) return String(truth);
  if (type === 'string' || type === 'boolean') return raw;
  const number = truth !== undefined && Number.isNaN(Number(raw)) ? Number(truth) : Number(raw);
  if (Number.isNaN(number) || (type !== 'float64' && Number.isInteger(number) && !Number.isSafeInteger(number))) return raw;
  const value = number * point.scale + point.offset;
  return String(point.precision === undefined ? value : Number(value.toFixed(point.precision)));
}
