/** What we make of announced templates, beside what Python's Jinja renders from the same messages. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pointsOf } from '../../drivers/mqtt/homeassistant/entities.ts';
import { compileReader, Message } from '../../drivers/mqtt/readings.ts';
import { type FarProgram, startPython } from '../far/python.ts';
import { lineTo, pointsOf as pointsIn } from './mqtt-session.ts';

let jinja: FarProgram;
beforeAll(async () => {
  jinja = await startPython('jinja_templates.py');
});
afterAll(() => jinja.kill());

async function rendered(template: string, payloads: readonly string[]): Promise<string[]> {
  return (await jinja.ask({ template, payloads })).value as string[];
}

/** Nothing is told. */
const untold = (fault: string) => {
  throw new Error(fault);
};

/** What the point of an entity reads from each message: its value, by the name it has. */
function read(component: string, words: Record<string, unknown>, payloads: readonly string[]): unknown[] {
  const [made] = pointsOf(component, { state_topic: 't', ...words }, untold);
  const { address = {}, ...rest } = made?.words ?? {};
  const [point] = pointsIn(lineTo('mqtt://127.0.0.1:1', { p: address as Record<string, unknown> }));
  if (!point) throw new Error('no point was made');
  const names = rest.enum as Record<string, string> | undefined;
  const reader = compileReader(point as Parameters<typeof compileReader>[0]);
  return payloads.map((payload) => {
    const [reading] = reader.read(new Message(Buffer.from(payload), false));
    const { value, reason } = reading ?? { value: null, reason: 'silent' };
    if (reason !== '') return reason;
    return names?.[String(value)] ?? value;
  });
}

describe('states that are on or off', () => {
  const texts = ['up', 'UP', 'down', 'a', 'b', 'c', ''].map((s) => JSON.stringify({ s }));
  const numbers = [-7, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2, 4.9, 5, 5.1, 9, 10, 11.5].map((n) => JSON.stringify({ n, b: n > 1 }));
  it.each<[string, readonly string[]]>([
    ["{{ 'ON' if value_json.s == 'up' else 'OFF' }}", texts],
    ["{{ 'ON' if value_json.s | lower == 'up' else 'OFF' }}", texts],
    ["{{ 'ON' if value_json.s in ['a', 'b'] else 'OFF' }}", texts],
    ["{{ 'OFF' if value_json.s not in ('a', 'b') else 'ON' }}", texts],
    ["{{ 'ON' if value_json.s in ('up',) else 'OFF' }}", texts],
    ["{{ 'ON' if value_json.s == 'a' or value_json.s == 'c' else 'OFF' }}", texts],
    ["{{ 'ON' if value_json.s != 'a' and value_json.s != 'c' else 'OFF' }}", texts],
    ["{{ 'ON' if not (value_json.s == 'a' or value_json.s == 'b') else 'OFF' }}", texts],
    ["{{ 'ON' if value_json.s and value_json.s != 'down' else 'OFF' }}", texts],
    ["{{ 'ON' if value_json.s else 'OFF' }}", texts],
    ["{% if 's' in value_json and value_json.s == 'up' %}ON{% else %}OFF{% endif %}", texts],
    ["{% if value_json.s == 'a' %}ON{% elif value_json.s == 'b' %}ON{% else %}OFF{% endif %}", texts],
    ["{% set s = value_json.s %}{{ iif(s == 'up', 'ON', 'OFF') }}", texts],
    ["{% set m = {'up': 'ON', 'a': 'ON'} %}{{ m.get(value_json.s, 'OFF') }}", texts],
    ["{{ {'up': 'ON'}[value_json.s] | default('OFF') }}", texts],
    ["{{ 'ON' if value_json.n else 'OFF' }}", numbers],
    ["{{ 'ON' if value_json.b else 'OFF' }}", numbers],
    ["{{ 'ON' if value_json.b == true else 'OFF' }}", numbers],
    ["{{ 'ON' if value_json.b is false else 'OFF' }}", numbers],
    ["{{ 'ON' if value_json.n | int else 'OFF' }}", numbers],
    ["{{ 'ON' if value_json.n | int == 0 else 'OFF' }}", numbers],
    ["{{ 'ON' if value_json.n | int == 1 else 'OFF' }}", numbers],
    ["{{ 'ON' if value_json.n | int != -1 else 'OFF' }}", numbers],
    ["{{ 'ON' if value_json.n | int > 0 else 'OFF' }}", numbers],
    ["{{ 'ON' if value_json.n | int > -1 else 'OFF' }}", numbers],
    ["{{ 'ON' if value_json.n | int >= 5 else 'OFF' }}", numbers],
    ["{{ 'ON' if value_json.n | int >= 0 else 'OFF' }}", numbers],
    ["{{ 'ON' if value_json.n | int < 5 else 'OFF' }}", numbers],
    ["{{ 'ON' if value_json.n | int < 0 else 'OFF' }}", numbers],
    ["{{ 'ON' if value_json.n | int <= -1 else 'OFF' }}", numbers],
    ["{{ 'ON' if value_json.n | int <= 4.5 else 'OFF' }}", numbers],
    ["{{ 'ON' if value_json.n > 1 and value_json.n <= 5 else 'OFF' }}", numbers],
    ["{{ 'ON' if value_json.n < 1 or value_json.n >= 5 else 'OFF' }}", numbers],
    ["{{ 'ON' if not (value_json.n < 1 or value_json.n > 5) else 'OFF' }}", numbers],
    ["{{ 'OFF' if 1 < value_json.n else 'ON' }}", numbers],
    ["{{ 'OFF' if value_json.n >= 1 and value_json.n < 5 else 'ON' }}", numbers],
    ["{{ 'ON' if (value_json.n | float + 1) * 2 > 4 else 'OFF' }}", numbers],
    ['{% if value_json.n|float > 4.9 %} ON {% else %} OFF {% endif %}', numbers],
    ["{{ 'OFF' if value | float(0) < 3 else 'ON' }}", ['1', '2.9', '3', '-4', '3e1']],
    ["{{ 'ON' if value in ['1', 'on'] else 'OFF' }}", ['1', '0', 'on', 'off']],
  ])('%s', async (value_template, payloads) => {
    const made = (await rendered(value_template, payloads)).map((text) => text === 'ON');
    expect(read('binary_sensor', { value_template }, payloads)).toEqual(made);
  });
});

describe('states that are words', () => {
  const texts = ['idle', 'heat', 'cool', 'fan_only'].map((s) => JSON.stringify({ s }));
  const numbers = [0, 1, 2].map((n) => JSON.stringify({ n }));
  it.each<[string, readonly string[]]>([
    // Zigbee2MQTT
    [
      "{% set values = {None:None,'idle':'idle','heat':'heating','cool':'cooling','fan_only':'fan'} %}{{ values[value_json[\"s\"]] }}",
      texts,
    ],
    [
      "{% set values = {'heat':'auto','cool':'off'} %}{% set value = value_json.s %}{{ values[value] if value in values.keys() else 'other' }}",
      texts,
    ],
    ["{{ value_json.s if value_json.s in ['heat', 'cool'] else 'None' | default('None') }}", texts],
    ['{% if "s" in value_json and value_json["s"] %} {{ value_json["s"] }} {% else %} STOP {% endif %}', [...texts, '{"s":""}']],
    // Z-Wave JS UI
    ['{{ {0: "off", 1: "heat", 2: "cool"}[value_json.n] | default(\'off\') }}', [...numbers, '{"n":7}']],
    ["{{ {0: 'off', 1: 'heat'}[value_json.n] | default(value_json.n) }}", ['{"n":0}', '{"n":1}']],
    ["{{ {'off': 0, 'low': 1}[value_json.s] }}", ['{"s":"off"}', '{"s":"low"}']],
    // By hand
    ["{{ 'Open' if value_json.s == 'heat' else 'Closed' }}", texts],
    ['{% if value_json.n == 0 %}low{% elif value_json.n == 1 %}middle{% else %}high{% endif %}', numbers],
    ["{{ 'cold' if value_json.n < 1 else 'warm' }}", numbers],
    ["{{ 'cold' if value_json.n | int == 0 else 'warm' }}", numbers],
    ["{% if value == '0' %}off{% elif value == '1' %}on{% else %}{{ value }}{% endif %}", ['0', '1', 'x']],
    ["{{ ['a'] if false else value_json.s }}", []],
  ])('%s', async (value_template, payloads) => {
    if (payloads.length === 0) return expect(() => read('sensor', { value_template }, payloads)).toThrow(/is not understood/);
    expect(read('sensor', { value_template }, payloads).map(String)).toEqual(await rendered(value_template, payloads));
  });
});

describe('states that are numbers', () => {
  const payloads = [-1.26, 0, 0.04, 3, 99, 1e6].map((n) => JSON.stringify({ n, 'a b': { c: [n] } }));
  it.each([
    '{{ value_json.n }}',
    '{{ value_json["a b"].c[0] }}',
    '{{ value_json.n | float * 1.8 + 32 }}',
    '{{ (value_json.n - 5) * 2 }}',
    '{{ 100 - value_json.n }}',
    '{{ 2 * (value_json.n + 1) / 4 }}',
    '{{ {0: 0, 3: 1, 99: 7}[value_json.n] | default(value_json.n) }}',
  ])('%s', async (value_template) => {
    const [point] = pointsOf('sensor', { state_topic: 't', value_template, unit_of_measurement: 'W' }, untold);
    const { scale = 1, offset = 0 } = (point?.words ?? {}) as { scale?: number; offset?: number };
    const ours = read('sensor', { value_template, unit_of_measurement: 'W' }, payloads).map((raw) => Number(raw) * scale + offset);
    const theirs = (await rendered(value_template, payloads)).map(Number);
    for (const [index, number] of ours.entries()) expect(number).toBeCloseTo(theirs[index] ?? Number.NaN, 9);
  });
});
