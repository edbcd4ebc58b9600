/** One announced entity (a sensor, a switch, a light …) → points in the language of the settings. What is not understood is an Error that says what. */
import { messageOf } from '../../../src/contract/fault.ts';
import { type Place, pointOf, precisionOf, type RawPoint } from './points.ts';
import { grafanaUnit } from './units.ts';
import { listOf, numberOf, textOf, type Words } from './words.ts';

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
    mode('preset_mode', words, listOf(words, 'preset_modes'), 'preset_mode_value_template'),
    {
      suffix: 'oscillation',
      kind: 'boolean',
      state: { ...side(words, 'oscillation_state_topic', 'oscillation_value_template'), words: oscillates(words) },
      command: { ...side(words, 'oscillation_command_topic', 'oscillation_command_template'), words: oscillates(words) },
    },
    chosen('direction', side(words, 'direction_state_topic', 'direction_value_template'), 'direction_command', words, [
      'forward',
      'reverse',
    ]),
  ],
  climate,
  // Who can set its mode can set its temperature: the same words.
  water_heater: climate,
  humidifier,
  valve,
  // What arms and disarms often needs a code, which stands nowhere: only told.
  alarm_control_panel: (words) => [{ kind: 'text', state: main(words) }],
};

/** Whether the convention has it; whole devices too. */
export const isComponent = (name: string): boolean => name === 'device' || withoutValues.has(name) || Object.hasOwn(components, name);

/** The points of an entity, with what is not understood of the others told; throws an Error that goes on from its name if there is none. */
export function pointsOf(component: string, words: Words, tell: (fault: string) => void): RawPoint[] {
  const read = Object.hasOwn(components, component) ? components[component] : undefined;
  if (!read) throw new Error(`is a ${component}; known are ${Object.keys(components).join(', ')}`);
  if (words.encoding === '') throw new Error('has raw bytes (encoding ""), which nobody says how to read');
  const faults: string[] = [];
  const points = read(words).flatMap((place) => {
    const fault = (what: string) =>
      void faults.push(place.suffix === undefined ? what : `its ${place.suffix.replaceAll('_', ' ')} ${what}`);
    try {
      return pointOf(place, words, fault) ?? [];
    } catch (error) {
      fault(messageOf(error));
      return [];
    }
  });
  if (points.length === 0) throw new Error(faults[0] ?? 'has neither a state topic nor a command topic');
  for (const fault of faults) tell(fault);
  return points;
}

function light(words: Words): Place[] {
  const [state, command] = [textOf(words, 'state_topic'), textOf(words, 'command_topic')];
  const schema = textOf(words, 'schema') ?? 'basic';
  const scale = numberOf(words, 'brightness_scale') ?? 255;
  const { command: _byBrightness, ...told } = switched(words, textOf(words, 'state_value_template'));
  // Such a light is turned on by its brightness alone: the word for on would say nothing to it.
  const turned = words.on_command_type === 'brightness' ? told : switched(words, textOf(words, 'state_value_template'));
  if (schema === 'basic' || schema === 'default') {
    return [
      turned,
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
    {
      suffix: 'tilt',
      kind: 'number',
      state: side(words, 'tilt_status_topic', 'tilt_status_template'),
      command: side(words, 'tilt_command_topic', 'tilt_command_template'),
      more: spanOf(numberOf(words, 'tilt_min') ?? 0, numberOf(words, 'tilt_max') ?? 100),
    },
  ];
}

/** One that tells a position says only that, on the topic of its state. */
function valve(words: Words): Place[] {
  if (words.reports_position !== true) return cover(words);
  const more = spanOf(numberOf(words, 'position_closed') ?? 0, numberOf(words, 'position_open') ?? 100);
  return [{ suffix: 'position', kind: 'number', state: main(words), command: mainCommand(words), more }];
}

function humidifier(words: Words): Place[] {
  return [
    switched(words, textOf(words, 'state_value_template')),
    ...humidities(words, 0, 100),
    { suffix: 'action', kind: 'text', state: side(words, 'action_topic', 'action_template') },
    mode('mode', words, listOf(words, 'modes')),
  ];
}

function humidities(words: Words, min: number, max: number): Place[] {
  return [
    {
      suffix: 'current_humidity',
      kind: 'number',
      state: side(words, 'current_humidity_topic', 'current_humidity_template'),
      more: { unit: 'percent' },
    },
    {
      suffix: 'target_humidity',
      kind: 'number',
      state: side(words, 'target_humidity_state_topic', 'target_humidity_state_template'),
      command: side(words, 'target_humidity_command_topic', 'target_humidity_command_template'),
      more: { unit: 'percent', write: range(words, 'min_humidity', 'max_humidity', '', { min, max, step: undefined }) },
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
    ...['temperature', 'temperature_low', 'temperature_high'].map(
      (name): Place => ({
        suffix: name,
        kind: 'number',
        state: side(words, `${name}_state_topic`, `${name}_state_template`),
        command: side(words, `${name}_command_topic`, `${name}_command_template`),
        more: { unit, write: range(words, 'min_temp', 'max_temp', 'temp_step', { ...usual, step: undefined }) },
      }),
    ),
    ...humidities(words, 30, 99),
    { suffix: 'action', kind: 'text', state: side(words, 'action_topic', 'action_template') },
    mode('mode', words, listOf(words, 'modes')),
    mode('fan_mode', words, listOf(words, 'fan_modes')),
    mode('swing_mode', words, listOf(words, 'swing_modes')),
    mode('preset_mode', words, listOf(words, 'preset_modes'), 'preset_mode_value_template'),
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

/** `fan_mode` and the like: a state and a command by that name. */
function mode(name: string, words: Words, options: string[], template = `${name}_state_template`): Place {
  return chosen(name, side(words, `${name}_state_topic`, template), `${name}_command`, words, options);
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
const oscillates = (words: Words) => ({
  on: textOf(words, 'payload_oscillation_on') ?? 'oscillate_on',
  off: textOf(words, 'payload_oscillation_off') ?? 'oscillate_off',
});
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

function range(words: Words, low: string, high: string, by: string, other: { min: number; max: number; step: number | undefined }) {
  const step = numberOf(words, by) ?? other.step;
  const [min, max] = [numberOf(words, low) ?? other.min, numberOf(words, high) ?? other.max];
  return { min, max, ...(step === undefined || step <= 0 ? {} : { step }) };
}
