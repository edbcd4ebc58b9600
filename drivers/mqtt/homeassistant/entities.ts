/** One announced entity (a sensor, a switch, a light …) → points in the language of the settings. What is not understood is an Error that says what. */
import { spellLiteral } from '../../../src/contract/placeholders.ts';
import { areSame, type Condition, opposite, readCondition } from './conditions.ts';
import { isInverse, type Linear, readCommandTemplate, readValueTemplate } from './templates.ts';
import { grafanaUnit } from './units.ts';
import { listOf, numberOf, textOf, type Words } from './words.ts';

/** A point as it would stand in the settings, its id without what makes it its own among the entities of the device. */
export interface RawPoint {
  /** Put behind the id of the entity; '' for its main value. */
  suffix: string;
  words: Record<string, unknown>;
}

type Kind = 'number' | 'text' | 'boolean';

interface Sided {
  on: string;
  off?: string;
}

/** What means true and false where it is read; what is not said is anything else. */
type Read = { on?: string | number | boolean; off?: string | number | boolean };

/** What one point is made of. */
interface Place {
  suffix?: string;
  kind: Kind;
  state?: { topic: string | undefined; template: string | undefined; words?: Read; trueWhen?: NonNullable<Condition['trueWhen']> };
  command?: { topic: string | undefined; template?: string | undefined; words?: Sided; payload?: string };
  more?: Record<string, unknown>;
}

/** Components that have no value to be shown: what they announce is passed over. */
export const withoutValues: ReadonlySet<string> = new Set([
  'camera',
  'device_automation',
  'device_tracker',
  'event',
  'image',
  'notify',
  'scene',
  'tag',
  'update',
]);

const components: Readonly<Record<string, (words: Words) => Place[]>> = {
  sensor: (words) => [
    {
      kind: isNumeric(words) ? 'number' : 'text',
      state: main(words),
      more: {
        ...unitOf(words),
        ...precisionOf(numberOf(words, 'suggested_display_precision')),
        ...(words.state_class === 'total_increasing' ? { counter: { resets: true } } : {}),
      },
    },
  ],
  binary_sensor: (words) => [{ kind: 'boolean', state: { ...main(words), words: onOff(words) } }],
  switch: (words) => [switched(words)],
  siren: (words) => [switched(words)],
  light,
  number: (words) => [
    {
      kind: 'number',
      state: main(words),
      command: mainCommand(words),
      more: { ...unitOf(words), write: range(words, 'min', 'max', 'step', { min: 1, max: 100, step: 1 }) },
    },
  ],
  select: (words) => [chosen('', main(words), 'command', words, listOf(words, 'options'))],
  text: (words) => [
    {
      kind: 'text',
      // A password is no reading.
      ...(words.mode === 'password' ? {} : { state: main(words) }),
      command: mainCommand(words),
    },
  ],
  button: (words) => [
    {
      kind: 'boolean',
      command: {
        ...mainCommand(words),
        words: { on: textOf(words, 'payload_press') ?? 'PRESS' },
      },
      more: { momentary: true },
    },
  ],
  lock: (words) => [
    {
      kind: 'boolean',
      state: {
        ...main(words),
        words: { on: textOf(words, 'state_locked') ?? 'LOCKED', off: textOf(words, 'state_unlocked') ?? 'UNLOCKED' },
      },
      command: {
        topic: textOf(words, 'command_topic'),
        words: { on: textOf(words, 'payload_lock') ?? 'LOCK', off: textOf(words, 'payload_unlock') ?? 'UNLOCK' },
      },
    },
  ],
  cover,
  fan: (words) => [
    switched(words, textOf(words, 'state_value_template')),
    {
      suffix: 'percentage',
      kind: 'number',
      state: side(words, 'percentage_state_topic', 'percentage_value_template'),
      command: side(words, 'percentage_command_topic', 'percentage_command_template'),
      // A device's own steps are counted from speed_range_min, and one below it is off.
      more: spanOf((numberOf(words, 'speed_range_min') ?? 1) - 1, numberOf(words, 'speed_range_max') ?? 100),
    },
  ],
  climate,
};

/** The points of an entity; throws an Error that goes on from its name. */
export function pointsOf(component: string, words: Words): RawPoint[] {
  const read = Object.hasOwn(components, component) ? components[component] : undefined;
  if (!read) throw new Error(`is a ${component}; known are ${Object.keys(components).join(', ')}`);
  if (words.encoding === '') throw new Error('has raw bytes (encoding ""), which nobody says how to read');
  const points = read(words).flatMap((place) => point(place, words) ?? []);
  if (points.length === 0) throw new Error('has neither a state topic nor a command topic');
  return points;
}

function light(words: Words): Place[] {
  const [state, command] = [textOf(words, 'state_topic'), textOf(words, 'command_topic')];
  const schema = textOf(words, 'schema') ?? 'basic';
  const scale = numberOf(words, 'brightness_scale') ?? 255;
  if (schema === 'basic' || schema === 'default') {
    return [
      switched(words, textOf(words, 'state_value_template')),
      {
        suffix: 'brightness',
        kind: 'number',
        state: side(words, 'brightness_state_topic', 'brightness_value_template'),
        command: side(words, 'brightness_command_topic', 'brightness_command_template'),
        more: { write: { min: 0, max: scale } },
      },
      {
        suffix: 'color_temp',
        kind: 'number',
        state: side(words, 'color_temp_state_topic', 'color_temp_value_template'),
        command: { topic: textOf(words, 'color_temp_command_topic') },
      },
    ];
  }
  if (schema !== 'json') throw new Error(`is a light of the schema "${schema}"; known are basic and json`);
  const modes = listOf(words, 'supported_color_modes');
  const dims = words.brightness === true || modes.some((mode) => mode !== 'onoff');
  const field = (name: string, payload: string, more: Record<string, unknown> = {}): Place => ({
    suffix: name,
    kind: 'number',
    state: { topic: state, template: `{{ value_json.${name} | is_defined }}` },
    command: { topic: command, payload },
    more,
  });
  return [
    {
      kind: 'boolean',
      state: { topic: state, template: '{{ value_json.state }}', words: { on: 'ON', off: 'OFF' } },
      command: { topic: command, payload: '{{"state": {value}}', words: { on: 'ON', off: 'OFF' } },
    },
    ...(dims ? [field('brightness', '{{"state": "ON", "brightness": {value}}', { write: { min: 0, max: scale } })] : []),
    ...(modes.includes('color_temp') ? [field('color_temp', '{{"color_temp": {value}}')] : []),
  ];
}

function cover(words: Words): Place[] {
  const orders = { payload_open: 'OPEN', payload_close: 'CLOSE', payload_stop: 'STOP' };
  const named = Object.entries(orders).flatMap(([key, order]) => {
    // null: it cannot be told to.
    const word = words[key] === null ? undefined : (textOf(words, key) ?? order);
    return word === undefined ? [] : [[word, order.toLowerCase()] as const];
  });
  return [
    { kind: 'text', state: main(words) },
    {
      suffix: 'command',
      kind: 'text',
      command: { topic: textOf(words, 'command_topic') },
      more: { momentary: true, enum: Object.fromEntries(named) },
    },
    {
      suffix: 'position',
      kind: 'number',
      state: side(words, 'position_topic', 'position_template'),
      command: side(words, 'set_position_topic', 'set_position_template'),
      more: spanOf(numberOf(words, 'position_closed') ?? 0, numberOf(words, 'position_open') ?? 100),
    },
  ];
}

/** What a device counts from one end to the other; only from 0 to 100 it is percent. */
function spanOf(from: number, to: number): Record<string, unknown> {
  const write = { min: Math.min(from, to), max: Math.max(from, to) };
  return from === 0 && to === 100 ? { unit: 'percent', write } : { write };
}

function climate(words: Words): Place[] {
  const isFahrenheit = textOf(words, 'temperature_unit') === 'F';
  const unit = isFahrenheit ? 'fahrenheit' : 'celsius';
  // From 7 to 35 °C where nothing is said, whichever unit the device has.
  const usual = isFahrenheit ? { min: 44.6, max: 95 } : { min: 7, max: 35 };
  return [
    {
      suffix: 'current_temperature',
      kind: 'number',
      state: side(words, 'current_temperature_topic', 'current_temperature_template'),
      more: { unit },
    },
    {
      suffix: 'temperature',
      kind: 'number',
      state: side(words, 'temperature_state_topic', 'temperature_state_template'),
      command: side(words, 'temperature_command_topic', 'temperature_command_template'),
      more: { unit, write: range(words, 'min_temp', 'max_temp', 'temp_step', { ...usual, step: undefined }) },
    },
    { suffix: 'action', kind: 'text', state: side(words, 'action_topic', 'action_template') },
    chosen('mode', side(words, 'mode_state_topic', 'mode_state_template'), 'mode_command', words, listOf(words, 'modes')),
    chosen(
      'fan_mode',
      side(words, 'fan_mode_state_topic', 'fan_mode_state_template'),
      'fan_mode_command',
      words,
      listOf(words, 'fan_modes'),
    ),
    chosen(
      'preset_mode',
      side(words, 'preset_mode_state_topic', 'preset_mode_value_template'),
      'preset_mode_command',
      words,
      listOf(words, 'preset_modes'),
    ),
  ];
}

function switched(words: Words, template = textOf(words, 'value_template')): Place {
  const sent = onOff(words);
  const seen = { on: textOf(words, 'state_on') ?? sent.on, off: textOf(words, 'state_off') ?? sent.off };
  return {
    kind: 'boolean',
    state: { topic: textOf(words, 'state_topic'), template, words: seen },
    command: { ...mainCommand(words), words: sent },
  };
}

function chosen(suffix: string, state: Place['state'] & {}, command: string, words: Words, options: string[]): Place {
  return {
    suffix,
    kind: 'text',
    state,
    command: side(words, `${command}_topic`, `${command}_template`),
    ...(options.length > 0 ? { more: { enum: Object.fromEntries(options.map((option) => [option, option])) } } : {}),
  };
}

const side = (words: Words, topic: string, template: string) => ({ topic: textOf(words, topic), template: textOf(words, template) });
const main = (words: Words) => side(words, 'state_topic', 'value_template');
const mainCommand = (words: Words) => side(words, 'command_topic', 'command_template');
const onOff = (words: Words) => ({ on: textOf(words, 'payload_on') ?? 'ON', off: textOf(words, 'payload_off') ?? 'OFF' });

/** Classes whose states are words and times. */
const wordClasses: ReadonlySet<unknown> = new Set(['date', 'enum', 'timestamp']);

function isNumeric(words: Words): boolean {
  if (wordClasses.has(words.device_class)) return false;
  const unit = textOf(words, 'unit_of_measurement')?.trim();
  return Boolean(unit) || textOf(words, 'state_class') !== undefined || textOf(words, 'device_class') !== undefined;
}

function unitOf(words: Words): { unit?: string } {
  const unit = grafanaUnit(textOf(words, 'unit_of_measurement'));
  return unit === undefined ? {} : { unit };
}

const precisionOf = (decimals: number | undefined) =>
  decimals === undefined || !Number.isInteger(decimals) || decimals < 0 || decimals > 15 ? {} : { precision: decimals };

function range(words: Words, low: string, high: string, by: string, other: { min: number; max: number; step: number | undefined }) {
  const step = numberOf(words, by) ?? other.step;
  const [min, max] = [numberOf(words, low) ?? other.min, numberOf(words, high) ?? other.max];
  return { min, max, ...(step === undefined || step <= 0 ? {} : { step }) };
}

/** A point of the settings; undefined if it is neither told nor set. */
function point({ suffix = '', kind, state: given, command, more = {} }: Place, words: Words): RawPoint | undefined {
  const hasState = given?.topic !== undefined;
  const hasCommand = command?.topic !== undefined;
  if (!hasState && !hasCommand) return undefined;
  const { state, linear } = read(given);
  const set = hasCommand ? setOf(command, linear, kind, words) : undefined;
  const deviceClass = textOf(words, 'device_class');
  const { write, ...others } = more;
  return {
    suffix,
    words: {
      address: { ...(state && hasState ? stateOf(state, linear, kind, words) : {}), ...(set ? { set } : {}) },
      access: hasState ? (set ? 'read-write' : 'read') : 'write',
      ...(linear && (linear.scale !== 1 || linear.offset !== 0) ? { scale: linear.scale, offset: linear.offset } : {}),
      ...precisionOf(linear?.decimals),
      ...others,
      ...(write && set ? { write } : {}),
      ...(deviceClass === undefined || suffix !== '' ? {} : { labels: { class: deviceClass } }),
    },
  };
}

/** What the template of a state makes of a message. A condition that makes the words for true and false becomes those it asks for. */
function read(state: Place['state']): { state: Place['state']; linear: Linear | undefined } {
  const { topic, template, words } = state ?? {};
  if (!state || topic === undefined || template === undefined) return { state, linear: undefined };
  const condition = words && readCondition(template);
  if (!condition) return { state, linear: readValueTemplate(template) };
  const { place, whenTrue, whenFalse } = condition;
  const [on, off] = [String(words.on), String(words.off)];
  const isReversed = areSame(whenTrue, off) && areSame(whenFalse, on);
  if (!isReversed && !(areSame(whenTrue, on) && areSame(whenFalse, off)))
    throw new Error(
      `makes ${JSON.stringify(whenTrue)} and ${JSON.stringify(whenFalse)} where ${JSON.stringify(on)} and ${JSON.stringify(off)} are read`,
    );
  const { words: asked, trueWhen } = isReversed ? opposite(condition) : condition;
  return { state: { topic, template, ...(trueWhen ? { trueWhen } : { words: asked }) }, linear: place };
}

function stateOf(state: Place['state'] & {}, linear: Linear | undefined, kind: Kind, words: Words): Record<string, unknown> {
  if (kind !== 'number' && linear && (linear.scale !== 1 || linear.offset !== 0 || linear.decimals !== undefined))
    throw new Error(`calculates with something that is a ${kind}: ${JSON.stringify(state.template)}`);
  const isNumber = kind === 'number' || linear?.isNumber === true;
  const place = linear?.path === undefined ? { format: isNumber ? 'number' : 'text' } : { path: linear.path, format: 'json' };
  return {
    topic: spellLiteral(state.topic ?? ''),
    ...place,
    ...(linear?.optional && linear.path !== undefined ? { optional: true } : {}),
    ...(state.words ? { words: state.words } : {}),
    ...(state.trueWhen ? { trueWhen: state.trueWhen } : {}),
    ...qosOf(words),
  };
}

function setOf(command: Place['command'] & {}, linear: Linear | undefined, kind: Kind, words: Words): Record<string, unknown> {
  const template = command.template === undefined ? undefined : readCommandTemplate(command.template);
  const sent = template ?? { scale: 1, offset: 0 };
  // A point has one scale for both directions.
  if (kind === 'number' && !isInverse(linear ?? { scale: 1, offset: 0 }, sent))
    throw new Error('is calculated otherwise when it is set than when it is read');
  return {
    topic: spellLiteral(command.topic ?? ''),
    payload: command.payload ?? template?.payload ?? '{value}',
    ...(command.words ? { words: command.words } : {}),
    ...qosOf(words),
    ...(words.retain === true ? { retain: true } : {}),
  };
}

const qosOf = (words: Words) => (words.qos === 1 || words.qos === 2 || words.qos === 0 ? { qos: words.qos } : {});
