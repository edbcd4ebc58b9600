/**
 * Tasmota's own discovery, the only one its present firmware has (SetOption19 0): two retained messages a device, what it is and what it measures. Facts of
 * its public source, xdrv_12_discovery.ino; an empty message takes back.
 */
import { messageOf } from '../../../src/contract/fault.ts';
import { pathStep } from '../../../src/contract/json-path.ts';
import { limits } from '../../../src/contract/limits.ts';
import type { Announcement, Convention, Description, Echo } from '../announced/convention.ts';
import { uniqueIds } from '../announced/ids.ts';
import { decodeJson } from '../payload/plain.ts';
import { parseTopic } from '../topic.ts';
import { type Config, isFields, readConfig } from './config.ts';
import { type Made, outputsOf, shuttersOf } from './outputs.ts';
import { readSensors, type Sensor } from './sensors.ts';

type Told = Config | Sensor;

export interface TasmotaOptions {
  prefix: string;
  /** Whether devices are asked for their telemetry. */
  ask: boolean;
}

export function tasmota({ prefix, ask }: TasmotaOptions): Convention<Told> {
  return {
    name: 'Tasmota discovery',
    prefix,
    filters: [`${prefix}/+/config`, `${prefix}/+/sensors`],
    reader(topic) {
      if (!topic.startsWith(`${prefix}/`)) return undefined;
      const [mac = '', what, ...more] = topic.slice(prefix.length + 1).split('/');
      if (more.length > 0 || (what !== 'config' && what !== 'sensors')) return undefined;
      return (payload) => readMessage(mac, what, payload);
    },
    describe(id, parts) {
      const config = parts.map(({ part }) => part).find((part) => part.kind === 'config');
      // What it measures says nothing of its topics, so there is no device before it has said what it is.
      if (!config) return undefined;
      // Without a number it changes nothing, and the next telemetry is due at once (CmndTeleperiod in support_command.ino).
      const topic = ask && !config.sleeps ? parseTopic(`${config.commands}TelePeriod`).fixed : undefined;
      return { ...describe(id, config, parts), ...(topic === undefined ? {} : { question: { topic, payload: '' } }) };
    },
  };
}

function readMessage(mac: string, what: 'config' | 'sensors', payload: Buffer): Announcement<Told> {
  const faults: string[] = [];
  const tell = (fault: string) => void faults.push(fault);
  try {
    if (!/^[A-Za-z0-9_-]{1,64}$/.test(mac)) throw new Error('has no MAC in its topic; allowed are 1 to 64 of A-Z a-z 0-9 _ -');
    if (payload.length > limits.payloadBytesMax) throw new Error(`is larger than ${limits.payloadBytesMax} bytes`);
    const document = decodeJson(payload);
    if (!isFields(document)) throw new Error('is no JSON object');
    if (what === 'config') return { parts: [readConfig(mac, document, tell)], faults };
    if (!isFields(document.sn)) throw new Error('has no object "sn"');
    return { parts: readSensors(mac, document.sn, tell), faults };
  } catch (error) {
    return { parts: undefined, faults: [messageOf(error)] };
  }
}

function describe(id: string, config: Config, parts: readonly { part: Told }[]): Description {
  const sensors = parts.flatMap(({ part }) => (part.kind === 'sensor' ? [part] : []));
  const shutters = shuttersOf(config.relays).length;
  const made = [
    ...outputsOf(config),
    // A shutter is in both messages.
    ...sensors
      .filter(({ path: [first] }) => shutterNumber(first) > shutters || shutterNumber(first) < 1)
      .map((sensor) => measured(config, sensor)),
    ...own(config),
  ];
  const idFor = uniqueIds(made.length);
  const echoes = new Map<string, Echo[]>();
  const points = made.map(({ id: wanted, what, title, words, echoes: places }) => {
    const own = idFor(wanted.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, 64), what);
    if (places.length > 0) echoes.set(own, places);
    return { id: own, ...(title === undefined ? {} : { title: title.slice(0, 128) }), ...words };
  });
  const { title, names, model, telemetry, online, offline, sleeps } = config;
  return {
    device: {
      id,
      title: title ?? names[0]?.slice(0, 128) ?? id,
      // Not the firmware: an update would be another series.
      labels: model === undefined ? {} : { model },
      points,
      ...(sleeps ? {} : { availability: { topic: `${telemetry}LWT`, online, offline } }),
    },
    echoes,
  };
}

const shutterNumber = (name: string | number | undefined) => Number(/^Shutter(\d+)$/.exec(String(name))?.[1] ?? 0);

/** A message that leaves it out says nothing of it: the firmware sends that of one sensor alone when it changes. */
function measured({ telemetry, answers, namesAnswers, on, off, switches }: Config, { path, word, unit, counts, timed }: Sensor): Made {
  const [name] = path;
  const follows = !namesAnswers && switches.some((one) => one.name === name && one.follows);
  const isSwitch = word !== undefined && (word === on || word === off);
  // SetOption114: a switch that follows tells each change by itself, without a time.
  const echoes = isSwitch && follows ? [{ topic: `${answers}RESULT`, path: pathOf([...path, 'Action']) }] : [];
  // What people count begins with 1.
  const steps = path.map((step) => (typeof step === 'number' ? String(step + 1) : step));
  return {
    id: steps.join('_'),
    what: 'sensor',
    title: steps.join(' '),
    words: {
      address: {
        topic: `${telemetry}SENSOR`,
        path: pathOf(path),
        optional: true,
        ...(timed && echoes.length === 0 ? { time: '$.Time' } : {}),
        ...(isSwitch ? { words: { on, off } } : {}),
      },
      access: 'read',
      ...(unit === undefined ? {} : { unit }),
      ...(counts ? { counter: { resets: true } } : {}),
    },
    echoes,
  };
}

/** What each tells of itself. */
function own({ telemetry, battery }: Config): Made[] {
  const told = (id: string, path: string, title: string, unit: string): Made => ({
    id,
    what: 'state',
    title,
    words: { address: { topic: `${telemetry}STATE`, path, optional: true }, access: 'read', unit },
    echoes: [],
  });
  return [
    told('Wifi_Signal', '$.Wifi.Signal', 'Wifi Signal', 'dBm'),
    ...(battery ? [told('BatteryPercentage', '$.BatteryPercentage', 'Battery', 'percent')] : []),
  ];
}

const pathOf = (path: readonly (string | number)[]): string => `$${path.map(pathStep).join('')}`;
