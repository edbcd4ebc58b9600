/**
 * What can be switched or set: relays, lights, shutters, a fan. Facts of the public source: a change is answered on `stat/…/RESULT` at once and told again in
 * `tele/…/STATE` (shutters: SENSOR), both as JSON of the same names; `POWER` has a number where there are several (support_tasmota.ino), or SetOption26 says so.
 */
import type { Echo } from '../announced/convention.ts';
import type { Config } from './config.ts';

/** A point with its address, and where else it is told. */
export interface Made {
  id: string;
  /** What is put behind the id if another has it. */
  what: string;
  title: string | undefined;
  words: Record<string, unknown>;
  echoes: Echo[];
}

const relayKind = 1;
const lightKind = 2;
const shutterKind = 3;

export function outputsOf(config: Config): Made[] {
  const { relays, fan } = config;
  // Beside its light a fan has three relays that are not told.
  const isOne = relays.length === 1 && !fan;
  const switched = relays.flatMap((kind, index) =>
    kind === relayKind || kind === lightKind ? [power(config, index, isOne ? '' : String(index + 1))] : [],
  );
  return [...switched, ...(fan ? [fanSpeed(config)] : lights(config)), ...shuttersOf(relays).flatMap((_, index) => shutter(config, index))];
}

/** The first relay of each: a shutter has two that follow each other. */
export function shuttersOf(relays: readonly number[]): number[] {
  const found: number[] = [];
  for (let index = 0; index < relays.length; index++) {
    if (relays[index] !== shutterKind || relays[index + 1] !== shutterKind) continue;
    found.push(index);
    index++;
  }
  return found;
}

function power(config: Config, index: number, number: string): Made {
  const { on, off, namesAnswers, commands } = config;
  const name = `POWER${number}`;
  // SetOption26 puts a number to a single one as well, and is not told.
  const names = number === '' ? [name, 'POWER1'] : [name];
  const topics = [...(namesAnswers ? [] : [`${config.answers}RESULT`]), `${config.telemetry}STATE`];
  const [first, ...echoes] = topics.flatMap((topic) => names.map((key): Echo => ({ topic, path: `$.${key}` })));
  return {
    id: name,
    what: 'relay',
    title: config.names[index],
    words: {
      address: { ...first, optional: true, words: { on, off }, set: { topic: `${commands}${name}` } },
      access: 'read-write',
      ...(namesAnswers ? { write: { verify: 'none' } } : {}),
    },
    echoes,
  };
}

/** A number that a command sets and that is told under the same name. */
function setting(config: Config, name: string, more: Record<string, unknown>, { command = name, title = '' } = {}): Made {
  // With SetOption4 the topic is the command without its number.
  const answer = config.namesAnswers ? command.replace(/\d+$/, '').toUpperCase() : 'RESULT';
  const path = `$.${name}`;
  return {
    id: name,
    what: 'light',
    title: title === '' ? undefined : `${title} ${name}`,
    words: {
      address: { topic: `${config.answers}${answer}`, path, optional: true, set: { topic: `${config.commands}${command}` } },
      access: 'read-write',
      ...more,
    },
    echoes: [{ topic: `${config.telemetry}STATE`, path }],
  };
}

const percent = { unit: 'percent', write: { min: 0, max: 100, step: 1 } };

/** Brightness in percent, and the temperature of white in mired. Of colour nothing is one number. */
function lights(config: Config): Made[] {
  const { relays, names, light } = config;
  const places = relays.flatMap((kind, index) => (kind === lightKind ? [index] : []));
  const [first, second] = places;
  if (first === undefined) return [];
  const titleOf = (index = first) => ({ title: names[index] ?? '' });
  // SetOption68: each channel is a light of its own.
  if (light.apart) return places.map((index) => setting(config, `Channel${index + 1}`, percent, titleOf(index)));
  const whites: Made[] =
    light.channels === 2 || light.channels === 5
      ? [
          setting(
            config,
            'CT',
            { unit: 'suffix: mired', write: light.reduced ? { min: 200, max: 380, step: 1 } : { min: 153, max: 500, step: 1 } },
            titleOf(light.linked ? first : second),
          ),
        ]
      : [];
  if (!light.linked && light.channels >= 4)
    return [setting(config, 'Dimmer1', percent, titleOf(first)), setting(config, 'Dimmer2', percent, titleOf(second)), ...whites];
  return [setting(config, 'Dimmer', percent, { ...titleOf(), ...(light.tuya ? { command: 'Dimmer3' } : {}) }), ...whites];
}

function fanSpeed(config: Config): Made {
  const speeds = { enum: { 0: 'off', 1: 'low', 2: 'medium', 3: 'high' }, write: { min: 0, max: 3, step: 1 } };
  return { ...setting(config, 'FanSpeed', speeds), what: 'fan' };
}

/** 100 is open, also where the device counts the other way (ShutterInvert). */
function shutter({ answers, commands, telemetry, namesAnswers, inverted }: Config, index: number): Made[] {
  const name = `Shutter${index + 1}`;
  const topic = `${answers}${namesAnswers ? 'SHUTTER' : 'RESULT'}`;
  const set = { topic: `${commands}ShutterPosition${index + 1}` };
  const told = (part: string) => ({
    address: { topic, path: `$.${name}.${part}`, optional: true },
    echoes: [{ topic: `${telemetry}SENSOR`, path: `$.${name}.${part}` }],
  });
  const position = told('Position');
  const direction = told('Direction');
  const made = (part: string, words: Record<string, unknown>, echoes: Echo[] = []): Made => ({
    id: `${name}_${part}`,
    what: 'shutter',
    title: `${name} ${part}`,
    words,
    echoes,
  });
  const isInverted = inverted[index] === true;
  return [
    made(
      'Position',
      {
        address: { ...position.address, set },
        access: 'read-write',
        unit: 'percent',
        ...(isInverted ? { scale: -1, offset: 100 } : {}),
        // It takes as long as the way, and stops where the motor does.
        write: { min: 0, max: 100, step: 1, verify: { tolerance: 2, timeout: '2m' } },
      },
      position.echoes,
    ),
    made(
      'Direction',
      {
        address: direction.address,
        access: 'read',
        enum: isInverted ? { '-1': 'opening', 0: 'stopped', 1: 'closing' } : { '-1': 'closing', 0: 'stopped', 1: 'opening' },
      },
      direction.echoes,
    ),
    made('Command', { address: { set }, access: 'write', momentary: true, enum: { OPEN: 'open', CLOSE: 'close', STOP: 'stop' } }),
  ];
}
