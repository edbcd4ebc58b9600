/**
 * The quantities Tasmota names in its sensor messages, and their units: facts of its public documentation and of hatasmota's sensor.py. Those of temperature,
 * pressure and speed are settings, which the message tells.
 */
import { grafanaUnit } from '../homeassistant/units.ts';

const unitSettings: Readonly<Record<string, string>> = {
  Temperature: 'TempUnit',
  DewPoint: 'TempUnit',
  HeatIndex: 'TempUnit',
  Pressure: 'PressureUnit',
  SeaPressure: 'PressureUnit',
  Speed: 'SpeedUnit',
};
export const settingNames: ReadonlySet<string> = new Set(Object.values(unitSettings));

const particles = '\u00b5g/m³';
const units: Readonly<Record<string, string>> = {
  ActivePower: 'W',
  Ambient: 'lx',
  ApparentPower: 'VA',
  Battery: '%',
  BatteryPercentage: '%',
  CCT: 'K',
  CF1: particles,
  'CF2.5': particles,
  CF10: particles,
  CarbonDioxide: 'ppm',
  Current: 'A',
  CurrentNeutral: 'A',
  Distance: 'cm',
  Energy: 'kWh',
  ExportActive: 'kWh',
  ExportReactive: 'kvarh',
  ExportTariff: 'kWh',
  Frequency: 'Hz',
  Humidity: '%',
  Illuminance: 'lx',
  ImportActive: 'kWh',
  ImportReactive: 'kvarh',
  Moisture: '%',
  PM1: particles,
  'PM2.5': particles,
  PM10: particles,
  Period: 'Wh',
  PhaseAngle: '°',
  Power: 'W',
  ReactivePower: 'var',
  Signal: 'dBm',
  TVOC: 'ppb',
  Today: 'kWh',
  Total: 'kWh',
  TotalTariff: 'kWh',
  Voltage: 'V',
  Weight: 'kg',
  Yesterday: 'kWh',
  eCO2: 'ppm',
};
/** They only rise, and can be set back. */
const counters: ReadonlySet<string> = new Set([
  'Energy',
  'ExportActive',
  'ExportReactive',
  'ExportTariff',
  'ImportActive',
  'ImportReactive',
  'Today',
  'Total',
  'TotalTariff',
]);
/** The message writes C where people write °C. */
const degrees: Readonly<Record<string, string>> = { C: '°C', F: '°F' };

export interface Quantity {
  unit?: string;
  counts?: true;
}

/** What is measured at a path: the last of its names that is known says it, with a number behind it or not. */
export function quantityOf(path: readonly (string | number)[], settings: Readonly<Record<string, unknown>>): Quantity {
  if (path[0] === 'COUNTER') return { counts: true };
  for (const name of path.toReversed()) {
    if (typeof name === 'number') continue;
    for (const known of [name, name.replace(/\d+$/, '')]) {
      const setting = Object.hasOwn(unitSettings, known) ? settings[unitSettings[known] ?? ''] : undefined;
      if (typeof setting === 'string') return unitOf(degrees[setting] ?? setting);
      if (Object.hasOwn(units, known)) return { ...unitOf(units[known]), ...(counters.has(known) ? { counts: true } : {}) };
    }
  }
  return {};
}

function unitOf(symbol: string | undefined): Quantity {
  const unit = grafanaUnit(symbol);
  return unit === undefined ? {} : { unit };
}
