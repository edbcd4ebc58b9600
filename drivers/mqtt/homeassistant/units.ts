/** Units as devices write them → Grafana's unit ids; any other is shown as it is. */
const grafanaIds: Readonly<Record<string, string>> = {
  '°C': 'celsius',
  '°F': 'fahrenheit',
  K: 'kelvin',
  '%': 'percent',
  W: 'watt',
  kW: 'kwatt',
  Wh: 'watth',
  kWh: 'kwatth',
  VA: 'voltamp',
  var: 'voltampreact',
  V: 'volt',
  mV: 'mvolt',
  A: 'amp',
  mA: 'mamp',
  Hz: 'hertz',
  hPa: 'pressurehpa',
  mbar: 'pressurembar',
  bar: 'pressurebar',
  kPa: 'pressurekpa',
  psi: 'pressurepsi',
  lx: 'lux',
  ppm: 'ppm',
  '\u00b5g/m³': 'con\u03bcgm3',
  'mg/m³': 'conmgm3',
  dB: 'dB',
  dBm: 'dBm',
  ms: 'ms',
  s: 's',
  min: 'm',
  h: 'h',
  d: 'd',
  B: 'decbytes',
  kB: 'deckbytes',
  MB: 'decmbytes',
  m: 'lengthm',
  mm: 'lengthmm',
  km: 'lengthkm',
  'm/s': 'velocityms',
  'km/h': 'velocitykmh',
  L: 'litre',
  'm³': 'm3',
  '°': 'degree',
};

/** Undefined if there is none. */
export function grafanaUnit(given: string | undefined): string | undefined {
  const unit = given?.trim().replace('\u03bc', '\u00b5');
  if (unit === undefined || unit === '') return undefined;
  return Object.hasOwn(grafanaIds, unit) ? grafanaIds[unit] : `suffix: ${unit}`.slice(0, 64);
}
