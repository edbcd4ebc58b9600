/** How a value is written for people: unit signs, decimals, enum names. */
import type { FieldConfig } from './frames.ts';

/** Signs of the Grafana units a plant uses most; any other unit is shown by its id. */
const signs: Record<string, string> = {
  celsius: '°C',
  fahrenheit: '°F',
  kelvin: 'K',
  percent: '%',
  percentunit: '',
  humidity: '%RH',
  watt: 'W',
  kwatt: 'kW',
  megwatt: 'MW',
  watth: 'Wh',
  kwatth: 'kWh',
  volt: 'V',
  amp: 'A',
  hertz: 'Hz',
  pressurebar: 'bar',
  pressurehpa: 'hPa',
  lux: 'lx',
  ppm: 'ppm',
  s: 's',
  ms: 'ms',
  short: '',
  none: '',
};

export function unitSign(unit: string | undefined): string {
  if (!unit) return '';
  return signs[unit] ?? unit;
}

/** A number with the decimals its field asks for, at most six significant beyond the point; a mapped value by its name. */
export function valueText(value: unknown, config: FieldConfig): string {
  if (value === null || value === undefined) return '–';
  const mapped = mappedText(value, config);
  if (mapped !== undefined) return mapped;
  if (typeof value === 'number') {
    if (config.decimals !== undefined) return value.toFixed(config.decimals);
    return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)));
  }
  return String(value);
}

function mappedText(value: unknown, config: FieldConfig): string | undefined {
  for (const mapping of config.mappings ?? []) {
    const text = mapping.type === 'value' ? mapping.options[String(value)]?.text : undefined;
    if (text !== undefined) return text;
  }
  return undefined;
}

/** For the sparkline: booleans are 0 and 1, text has no height. */
export function height(value: unknown): number | null {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'boolean') return value ? 1 : 0;
  return null;
}
