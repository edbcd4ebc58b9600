/**
 * What a Tasmota says of itself in `<prefix>/<MAC>/config`. The fields and what they mean are facts of its public source, xdrv_12_discovery.ino: `dn` device
 * name, `fn` friendly names, `md` module, `t` topic, `ft` full topic, `tp` prefixes of commands, answers and telemetry, `onln` and `ofln` words of its last
 * will, `state` words of off and on, `rl` kinds of relays (0 none, 1 relay, 2 light, 3 shutter), `lt_st` channels of the light, `lk` colour and white as one
 * light, `so` SetOptions, `sho` options of shutters, `swc` and `swn` modes and names of switches, `if` a fan, `ty` a Tuya, `bat` battery, `dslp` deep sleep.
 */
import { limits } from '../../../src/contract/limits.ts';
import { spellLiteral } from '../../../src/contract/placeholders.ts';
import { parseTopic } from '../topic.ts';

export interface Config {
  kind: 'config';
  device: { id: string };
  title: string | undefined;
  model: string | undefined;
  /** Topics without their last level, spelt as in settings: `stat/washer/`. */
  commands: string;
  answers: string;
  telemetry: string;
  online: string;
  offline: string;
  off: string;
  on: string;
  /** Kinds by number, without those behind the last that is there. */
  relays: number[];
  names: (string | undefined)[];
  /** Numbers of the switches that tell what they do, by the name they have in messages; 1 and 2 are modes in which they follow what is switched. */
  switches: { name: string; follows: boolean }[];
  light: { channels: number; linked: boolean; apart: boolean; reduced: boolean; tuya: boolean };
  /** Whether each counts from open to closed. */
  inverted: boolean[];
  fan: boolean;
  battery: boolean;
  /** It is gone most of the time, and that says nothing. */
  sleeps: boolean;
  /** SetOption4: answers come with the name of the command in the topic, else on RESULT. */
  namesAnswers: boolean;
}

export type Fields = Readonly<Record<string, unknown>>;

/** Throws an Error that says what is wrong where the device cannot be had without it; else tells it. */
export function readConfig(mac: string, given: Fields, tell: (fault: string) => void): Config {
  const said = textAt(given, 'mac');
  if (said !== undefined && said.toUpperCase() !== mac.toUpperCase())
    throw new Error(`says "mac" ${JSON.stringify(said.slice(0, 40))}; allowed is that of the topic`);
  const prefixes = listAt(given, 'tp', tell).map(String);
  const topicOf = (index: number, usual: string) => fullTopic(given, mac, prefixes[index] || usual, index === 0);
  const states = listAt(given, 'state', tell);
  const options = isFields(given.so) ? given.so : {};
  const isSet = (option: string) => Number(options[option]) === 1;
  const relays = listAt(given, 'rl', tell).map(Number);
  if (relays.filter((kind) => kind === 3).length % 2 === 1) tell('"rl" has half a shutter; each has two relays that follow each other');
  if (isSet('4') && relays.some((kind) => kind === 1 || kind === 2))
    tell(
      'SetOption4 is 1: relays answer with text and JSON in one topic, so they are known from telemetry alone and switching is not verified',
    );
  return {
    kind: 'config',
    device: { id: mac },
    title: textAt(given, 'dn')?.slice(0, 128),
    model: textAt(given, 'md')?.slice(0, 256),
    commands: topicOf(0, 'cmnd'),
    answers: topicOf(1, 'stat'),
    telemetry: topicOf(2, 'tele'),
    online: textAt(given, 'onln') ?? 'Online',
    offline: textAt(given, 'ofln') ?? 'Offline',
    off: typeof states[0] === 'string' ? states[0] : 'OFF',
    on: typeof states[1] === 'string' ? states[1] : 'ON',
    relays: relays.slice(0, relays.findLastIndex((kind) => kind !== 0) + 1),
    names: listAt(given, 'fn', tell).map((name) => (typeof name === 'string' && name !== '' ? name : undefined)),
    switches: switchesOf(given, tell),
    light: {
      channels: Number(given.lt_st ?? 0),
      linked: Number(given.lk ?? 1) === 1,
      apart: isSet('68'),
      reduced: isSet('82'),
      tuya: Number(given.ty) === 1,
    },
    inverted: listAt(given, 'sho', tell).map((option) => (Number(option) & 1) === 1),
    fan: Number(given.if) === 1,
    battery: Number(given.bat) === 1,
    sleeps: Number(given.dslp) === 1,
    namesAnswers: isSet('4'),
  };
}

/** As the firmware puts it together (GetTopic_P in support_tasmota.ino). A topic without %prefix% has that of commands behind it. */
function fullTopic(given: Fields, mac: string, prefix: string, isCommand: boolean): string {
  const topic = textAt(given, 't');
  const full = textAt(given, 'ft');
  if (topic === undefined || full === undefined)
    throw new Error(`has no "${topic === undefined ? 't' : 'ft'}"; without it nobody knows its topics`);
  const pattern = isCommand && !full.includes('%prefix%') ? `${full}/%prefix%` : full;
  const values: Readonly<Record<string, string>> = { prefix, topic, hostname: textAt(given, 'hn') ?? '', id: mac };
  const filled = pattern.replaceAll(/%(prefix|topic|hostname|id)%/g, (_, name: string) => values[name] ?? '');
  const whole = spellLiteral(`${filled}/`.replaceAll('#', '').replaceAll(/\/{2,}/g, '/'));
  try {
    parseTopic(`${whole}RESULT`);
  } catch (error) {
    throw new Error(`has a full topic ("ft") that makes no topic: ${error instanceof Error ? error.message : String(error)}`);
  }
  return whole;
}

function switchesOf(given: Fields, tell: (fault: string) => void): Config['switches'] {
  const names = listAt(given, 'swn', tell);
  return listAt(given, 'swc', tell).flatMap((mode, index) => {
    const name = names[index];
    if (Number(mode) < 0) return [];
    return [{ name: typeof name === 'string' && name !== '' ? name : `Switch${index + 1}`, follows: mode === 1 || mode === 2 }];
  });
}

export const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

function textAt(given: Fields, key: string): string | undefined {
  const value = given[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function listAt(given: Fields, key: string, tell: (fault: string) => void): readonly unknown[] {
  const value = given[key];
  if (Array.isArray(value)) {
    if (value.length > limits.tasmotaListMax) tell(`"${key}" has ${value.length} entries; ${limits.tasmotaListMax} are taken`);
    return value.slice(0, limits.tasmotaListMax);
  }
  if (value !== undefined && value !== null) tell(`"${key}" is no list`);
  return [];
}
