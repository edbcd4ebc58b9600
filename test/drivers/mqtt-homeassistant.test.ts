/** The templates of Home Assistant discovery, words for true and false, and what several topics say of one device. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAnnouncement } from '../../drivers/mqtt/homeassistant/announcement.ts';
import { readCommand } from '../../drivers/mqtt/homeassistant/commands.ts';
import { pointsOf as pointsOfEntity } from '../../drivers/mqtt/homeassistant/entities.ts';
import { isInverse, readLinear } from '../../drivers/mqtt/homeassistant/linear.ts';
import { readMeaning } from '../../drivers/mqtt/homeassistant/meaning.ts';
import { grafanaUnit } from '../../drivers/mqtt/homeassistant/units.ts';
import { type Mosquitto, startMosquitto } from '../far/mosquitto.ts';
import { buildLine } from './line.ts';
import { driver, lineTo, listen, never, open, pointsOf, soon } from './mqtt-session.ts';

/** Nothing is told. */
const untold = (fault: string) => {
  throw new Error(fault);
};

describe('value templates', () => {
  it.each<[string, Record<string, unknown>]>([
    ['{{ value }}', { path: undefined, scale: 1, offset: 0, isNumber: false }],
    ['{{value|float}}', { path: undefined, isNumber: true }],
    ['{{ value_json }}', { path: '$' }],
    ['{{ value_json.temperature }}', { path: '$.temperature', scale: 1, optional: false }],
    ["{{ value_json['ENERGY']['Power'] }}", { path: '$.ENERGY.Power' }],
    ['{{ value_json["DS18B20-1"].T[0] }}', { path: '$["DS18B20-1"].T[0]' }],
    ["{{ value_json['it\\'s'] }}", { path: '$["it\'s"]' }],
    ["{{ value_json.get('a b') }}", { path: '$["a b"]', optional: true }],
    ['{{- value_json.x | float(0) / 10 -}}', { path: '$.x', scale: 0.1, offset: 0, isNumber: true }],
    ['{{ (value_json.x | float * 1.8 + 32) | round(1) }}', { scale: 1.8, offset: 32, decimals: 1 }],
    ['{{ 100 - value_json.x | int(default=0) }}', { scale: -1, offset: 100 }],
    ['{{ (value_json.x - 5) * 2 }}', { scale: 2, offset: -10 }],
    ['{{ 2 * (float(value_json.x, 0) + 1) / 4 }}', { scale: 0.5, offset: 0.5 }],
    ['{{ value_json.x * -1 }}', { scale: -1 }],
    ["{{ value_json.x | default('') }}", { path: '$.x', optional: true }],
    ['{{ value_json.x | default(none) | round }}', { optional: true, decimals: 0 }],
    ['{{ value_json.x | is_defined }}', { path: '$.x', optional: true }],
  ])('%s', (template, made) => expect(readLinear(template)).toMatchObject(made));

  it.each([
    '',
    '21.5',
    '{{ }}',
    '{{ 5 }}',
    '{{ states("sensor.x") }}',
    '{% if value == "x" %}1{% endif %}',
    '{{ value_json.x }} {{ value_json.y }}',
    '{{ value_json.x + value_json.y }}',
    '{{ value_json.x / 0 }}',
    '{{ value_json.x * 0 }}',
    '{{ value_json.x ** 2 }}',
    '{{ value_json.x | round(1) * 10 }}',
    '{{ value_json.x | round(0, "floor") }}',
    '{{ value_json.x | md5 }}',
    '{{ value_json.x | upper',
    "{{ 'ON' if value_json.x else 'OFF' }}",
    '{{ value_json.x | float +',
    '{{ value_json[ }}',
    '{{ value_json.x.get() }}',
    `{{ ${'('.repeat(200)}value${')'.repeat(199)} }}`,
    `{{ value_json${'.a'.repeat(2_100)} }}`,
  ])('%s is told', (template) => expect(() => readLinear(template)).toThrow(/is not understood; understood are/));

  it('of commands: literal braces, arithmetic that takes back that of the state', () => {
    expect(readCommand('{"x": {{ value | int }}}')).toEqual({ payload: '{{"x": {value}}', scale: 1, offset: 0 });
    expect(readCommand('set {{ value }}')).toMatchObject({ payload: 'set {value}' });
    const command = readCommand('{{ (value - 32) / 1.8 }}');
    expect(isInverse(readLinear('{{ value_json.t * 1.8 + 32 }}'), command)).toBe(true);
    expect(isInverse(readLinear('{{ value_json.t * 1.8 }}'), command)).toBe(false);
    expect(() => readCommand('ON')).toThrow(/has no value in it/);
    expect(() => readCommand('{% if value %}1{% endif %}')).toThrow(/is not understood/);
    expect(() => readCommand('{{ value_json.x }}')).toThrow(/is not understood/);
  });

  it('units are Grafana ids where it has them', () => {
    expect(['°C', 'kWh', '\u03bcg/m³', '\u00b5g/m³', ' %', 'lqi', '', undefined].map(grafanaUnit)).toEqual([
      'celsius',
      'kwatth',
      'con\u03bcgm3',
      'con\u03bcgm3',
      'percent',
      'suffix: lqi',
      undefined,
      undefined,
    ]);
  });
});

describe('conditional templates', () => {
  const made = (value_template: string) => pointsOfEntity('binary_sensor', { state_topic: 't', value_template }, untold)[0]?.words.address;

  it.each<[string, Record<string, unknown>]>([
    ["{{ 'ON' if value_json.s == 'up' else 'OFF' }}", { path: '$.s', words: { on: 'up' } }],
    ["{{ 'ON' if value_json.s != 'up' else 'OFF' }}", { path: '$.s', words: { off: 'up' } }],
    ["{{ 'OFF' if value_json.s == 'up' else 'ON' }}", { path: '$.s', words: { off: 'up' } }],
    ['{{ "ON" if value_json["a b"].c | int == 1 else "OFF" }}', { path: '$["a b"].c', trueWhen: { atLeast: 1, below: 2 } }],
    ["{{ 'ON' if value_json.s else 'OFF' }}", { path: '$.s', words: { off: [false, 0, ''] } }],
    ["{{- 'OFF' if value_json.s else 'ON' -}}", { path: '$.s', words: { on: [false, 0, ''] } }],
    ["{{ 'ON' if not value_json.s else 'OFF' }}", { path: '$.s', words: { on: [false, 0, ''] } }],
    ["{{ 'ON' if not value_json.s == 'up' else 'OFF' }}", { path: '$.s', words: { off: 'up' } }],
    ["{{ 'ON' if not (value_json.s != 'up') else 'OFF' }}", { path: '$.s', words: { on: 'up' } }],
    ["{{ 'ON' if value_json.s | float(default=0) == 1 else 'OFF' }}", { path: '$.s', words: { on: 1 } }],
    ["{{ 'ON' if value_json.n > 5 else 'OFF' }}", { path: '$.n', trueWhen: { above: 5 } }],
    ["{{ 'OFF' if value_json.n | float(0) > -0.5 else 'ON' }}", { path: '$.n', trueWhen: { atMost: -0.5 } }],
    ["{{ 'ON' if not value_json.n <= 5 else 'OFF' }}", { path: '$.n', trueWhen: { above: 5 } }],
    ["{{ iif(value | int < 5, 'ON', 'OFF') }}", { format: 'number', trueWhen: { below: 5 } }],
    ['{% if value_json.n >= 5 %}ON{% else %}OFF{% endif %}', { path: '$.n', trueWhen: { atLeast: 5 } }],
    ["{{ 'ON' if value_json.n / 2 > 5 else 'OFF' }}", { path: '$.n', trueWhen: { above: 10 } }],
    ["{{ 'ON' if 10 - value_json.n * 4 >= 2 else 'OFF' }}", { path: '$.n', trueWhen: { atMost: 2 } }],
    ["{{ 'OFF' if (value_json.n | float + 1) * 2 < 5 else 'ON' }}", { path: '$.n', trueWhen: { atLeast: 1.5 } }],
    ["{{ 'ON' if value_json.n * 2 == 4 else 'OFF' }}", { path: '$.n', words: { on: 2 } }],
    ["{{ iif(value_json.s == true, 'ON', 'OFF') }}", { path: '$.s', words: { on: true } }],
    ["{% if value == 'open' %}ON{% else %}OFF{% endif %}", { format: 'text', words: { on: 'open' } }],
    ["{%- if value_json.get('s') == 3 -%} ON {%- else -%} OFF {%- endif -%}", { path: '$.s', optional: true, words: { on: 3 } }],
  ])('%s', (template, address) => expect(made(template)).toMatchObject(address));

  it.each([
    "{{ 'ON' if value_json.n > '5' else 'OFF' }}",
    "{{ 'ON' if value_json.a == 'x' and value_json.b else 'OFF' }}",
    "{{ 'ON' if value_json.n * 2 == 'x' else 'OFF' }}",
    "{{ 'ON' if value_json.n * 49 == 1 else 'OFF' }}",
    "{{ 'ON' if value_json.n | round(1) > 5 else 'OFF' }}",
    "{{ 'ON' if value_json.s == 1 or not value_json.t else 'OFF' }}",
    "{{ value_json.s == 'up' }}",
    "{% if value == 'a' %}ON{% elif value_json.b == 'b' %}OFF{% else %}ON{% endif %}",
    '{% for a in value_json %}ON{% endfor %}',
    "{{ 'ON' if value_json.n > 5 or value_json.n > 7 else 'OFF' }}",
    "{{ 'ON' if value_json.n > 5 and value_json.n == 7 else 'OFF' }}",
    "{{ 'ON' if 'up' in value else 'OFF' }}",
    "{{ {'a': 'ON', 'b': value_json.c}[value_json.s] }}",
    "{{ 'ON' if value_json[value_json.a] else 'OFF' }}",
    "{{ 'ON' if value_json.a is number else 'OFF' }}",
    "{% if value == 'a' %}ON",
    '{% set a %}{{ a }}',
    "{{ 'ON' }} %}",
    "{{ 'ON' if value == 'a' else 'ON' }}",
    "{{ 'YES' if value_json.s else 'NO' }}",
  ])('%s is told', (template) => expect(() => made(template)).toThrow(/is understood|is not understood|where "ON" and "OFF" are read/));

  it('that stand alone make True and False', () => {
    const alone = (value_template: string, words: Record<string, unknown>) =>
      pointsOfEntity('binary_sensor', { state_topic: 't', value_template, ...words }, untold)[0]?.words.address;
    const words = { payload_on: 'True', payload_off: 'False' };
    expect(alone("{{ value_json.s == 'up' }}", words)).toMatchObject({ path: '$.s', words: { on: 'up' } });
    expect(alone('{{ not value_json.s }}', words)).toMatchObject({ words: { on: [false, 0, ''] } });
    // JSON's true.
    expect(alone("{{ value_json.s != 'up' }}", { payload_on: true, payload_off: false })).toMatchObject({ words: { off: 'up' } });
    expect(alone("{{ value_json['a == b'] }}", words)).toMatchObject({ path: '$["a == b"]', words: { on: 'True', off: 'False' } });
  });

  it('of availability', () => {
    const said = (words: Record<string, unknown>) => {
      const payload = Buffer.from(JSON.stringify({ state_topic: 't', availability_topic: 'a', ...words }));
      const { entities, faults } = readAnnouncement({ component: 'sensor', node: undefined, object: 'x' }, payload);
      return [entities[0]?.availability, faults];
    };
    const inline = (asked: string) => ({ availability_template: `{{ 'online' if ${asked} else 'offline' }}` });
    expect(said(inline('value_json.up'))).toEqual([[{ topic: 'a', path: '$.up', online: '*', offline: ['false', '0', ''] }], []]);
    expect(said(inline('not value_json.lost'))).toEqual([[{ topic: 'a', path: '$.lost', online: ['false', '0', ''], offline: '*' }], []]);
    expect(said(inline("value_json.s == 'up'"))).toEqual([[{ topic: 'a', path: '$.s', online: 'up', offline: '*' }], []]);
    expect(said(inline("value in ['up', 'on']"))).toEqual([[{ topic: 'a', online: ['up', 'on'], offline: '*' }], []]);
    expect(said({ ...inline('value_json.up'), payload_available: 'offline', payload_not_available: 'online' })).toEqual([
      [{ topic: 'a', path: '$.up', online: ['false', '0', ''], offline: '*' }],
      [],
    ]);
    for (const [words, fault] of [
      [inline('value_json.n > 5'), /calculates with a word/],
      [{ availability_template: '{{ value_json.a if value_json.b else value_json.c }}' }, /is not understood/],
      [{ ...inline('value_json.up'), payload_available: 'here' }, /where "here" and "offline" are read/],
      [{ availability_template: '{{ value_json.n * 2 }}' }, /calculates with a word/],
    ] as const)
      expect(said(words)).toEqual([[], [expect.stringMatching(fault)]]);
  });

  it('of a length without end are no matter', () => {
    expect(() => readMeaning(`{{ 'ON' if ${'value '.repeat(80)} else`)).toThrow(/is not understood/);
    expect(() => readMeaning(`{% if ${' '.repeat(10_000)} %}`)).toThrow(/is not understood/);
    expect(() => readMeaning(`{{ ${'not '.repeat(1_000)}value }}`)).toThrow(/is not understood/);
    expect(() => readMeaning(`{% if value == 'a' %}a${"{% elif value == 'b' %}b".repeat(100)}{% endif %}`)).toThrow(/is not understood/);
    expect(() => readMeaning(`{{ {${"'a': 'b', ".repeat(1_000)}}[value] }}`)).toThrow(/is not understood/);
  });
});

describe('at a broker', () => {
  let broker: Mosquitto;
  let url: string;
  beforeAll(async () => {
    broker = await startMosquitto();
    url = `mqtt://127.0.0.1:${broker.port}`;
  });
  afterAll(() => broker.close());

  it('words mean true and false in both directions; anything else is a bad reading', async () => {
    const line = lineTo(url, {
      plain: { topic: 'w/plain', words: { on: 'ON', off: 'OFF' }, set: { topic: 'w/plain/set', words: { on: 'TURN ON' } } },
      inside: {
        topic: 'w/inside',
        path: '$.s',
        words: { on: true, off: 'False' },
        set: { topic: 'w/inside/set', payload: '{"s": {value}}' },
      },
    });
    expect(line.devices[0]?.points.map(({ address }) => driver.shape(address).type)).toEqual(['boolean', 'boolean']);
    const session = await open(line);
    const ear = listen(session, pointsOf(line));
    await session.ready?.();
    for (const payload of ['ON', 'OFF', 'MAYBE', '']) await broker.publish('w/plain', payload);
    for (const payload of ['{"s":true}', '{"s":"false"}', '{"s":1}']) await broker.publish('w/inside', payload);
    await expect.poll(() => ear.readings.length, soon).toBe(7);
    expect(ear.of('plain')).toEqual([true, false, 'decode', 'decode']);
    expect(ear.of('inside')).toEqual([true, false, 'decode']);
    expect(ear.readings.find(({ reason }) => reason === 'decode')?.detail).toBe('"MAYBE" is no word of it; known are "ON" and "OFF"');

    const heard = await broker.hear('w/+/set');
    const [plain, inside] = pointsOf(line);
    if (!plain || !inside) throw new Error('the points are gone');
    expect(await session.write?.(plain, true, never())).toMatchObject({ state: 'acknowledged' });
    expect(await session.write?.(plain, false, never())).toEqual({
      state: 'refused',
      detail: 'there is no word for false in its "set.words"',
    });
    await session.write?.(inside, true, never());
    await session.write?.(inside, false, never());
    await expect.poll(() => heard.messages.map(({ payload }) => payload), soon).toEqual(['TURN ON', '{"s": true}', '{"s": "False"}']);
    await heard.close();
    await session.close();
  });

  it('with one word, whatever else is said is the other', async () => {
    const line = lineTo(url, {
      up: { topic: 'one/s', path: '$.s', words: { on: 'up' } },
      notDown: { topic: 'one/s', path: '$.s', words: { off: 'down' } },
    });
    const session = await open(line);
    const ear = listen(session, pointsOf(line));
    await session.ready?.();
    for (const payload of ['{"s":"up"}', '{"s":"down"}', '{"s":7}', '{}']) await broker.publish('one/s', payload);
    await expect.poll(() => ear.readings.length, soon).toBe(8);
    expect(ear.of('up')).toEqual([true, false, false, 'decode']);
    expect(ear.of('notDown')).toEqual([true, false, true, 'decode']);
    await session.close();
  });

  it('numbers beyond a bound are true, others false, and what is no number is a bad reading', async () => {
    const line = lineTo(url, {
      above: { topic: 'n/v', path: '$.v', trueWhen: { above: 5 } },
      atLeast: { topic: 'n/v', path: '$.v', trueWhen: { atLeast: 5 } },
      below: { topic: 'n/v', path: '$.v', trueWhen: { below: 5 } },
      between: { topic: 'n/v', path: '$.v', trueWhen: { above: 4.9, atMost: 5 } },
      outside: { topic: 'n/v', path: '$.v', trueWhen: { above: 5, below: 5 } },
      atMost: { topic: 'n/v', path: '$.v', trueWhen: { atMost: 5 } },
    });
    expect(line.devices[0]?.points.map(({ address }) => driver.shape(address).type)).toEqual(Array(6).fill('boolean'));
    const session = await open(line);
    const ear = listen(session, pointsOf(line));
    await session.ready?.();
    for (const v of ['4.9', '5', '"5.1"', '"much"', 'true', 'null']) await broker.publish('n/v', `{"v":${v}}`);
    await expect.poll(() => ear.readings.length, soon).toBe(36);
    expect(ear.of('above')).toEqual([false, false, true, 'decode', 'decode', 'sentinel']);
    expect(ear.of('atLeast')).toEqual([false, true, true, 'decode', 'decode', 'sentinel']);
    expect(ear.of('between')).toEqual([false, true, false, 'decode', 'decode', 'sentinel']);
    expect(ear.of('outside')).toEqual([true, false, true, 'decode', 'decode', 'sentinel']);
    expect(ear.of('below')).toEqual([true, false, false, 'decode', 'decode', 'sentinel']);
    expect(ear.of('atMost')).toEqual([true, true, false, 'decode', 'decode', 'sentinel']);
    expect(ear.readings.find(({ reason }) => reason === 'decode')?.detail).toBe('"much" is no number to be compared');
    await session.close();
  });

  it('arithmetic in a condition is taken back in its bound', async () => {
    const [entity] = pointsOfEntity(
      'binary_sensor',
      {
        state_topic: 'n/arithmetic',
        value_template: "{{ 'ON' if 10 - value_json.v * 4 >= 2 else 'OFF' }}",
      },
      untold,
    );
    const line = lineTo(url, { low: entity?.words.address as Record<string, unknown> });
    const session = await open(line);
    const ear = listen(session, pointsOf(line));
    await session.ready?.();
    for (const v of ['1.9', '2', '2.1']) await broker.publish('n/arithmetic', `{"v":${v}}`);
    await expect.poll(() => ear.of('low'), soon).toEqual([true, true, false]);
    await session.close();
  });

  it.each([
    ['all', ['online', 'offline', 'online', 'offline', 'offline']],
    ['any', ['online', 'online', 'online', 'online', 'online', 'offline']],
    ['latest', ['online', 'online', 'offline', 'online', 'offline', 'offline']],
  ])('of several topics "%s" counts', async (mode, wanted) => {
    const availability = { topic: `v/${mode}/a`, also: [{ topic: `v/${mode}/b`, path: '$.s', online: 'up', offline: 'down' }], mode };
    const line = buildLine(driver, { connection: { url, timeout: '2s' }, devices: [{ id: 'd', points: [], availability }] });
    const session = await open(line);
    const ear = listen(session, []);
    await session.ready?.();
    for (const [topic, payload] of [
      ['a', 'online'],
      ['b', '{"s":"up"}'],
      ['a', 'offline'],
      ['a', 'online'],
      ['b', '{"s":"down"}'],
      ['a', 'offline'],
    ])
      await broker.publish(`v/${mode}/${topic}`, payload ?? '');
    await expect.poll(() => ear.words.map(({ state }) => state), soon).toEqual(wanted);
    await session.close();
  });

  it('says what is wrong with words and topics that cannot be', () => {
    const faultsOf = (address: Record<string, unknown>) =>
      driver.address
        .safeParse(address)
        .error?.issues.map(({ message }) => message)
        .join();
    expect(faultsOf({ topic: 'a', words: { on: 1, off: '1' } })).toMatch(/same word for true and false/);
    expect(faultsOf({ topic: 'a', trueWhen: { above: 1, atLeast: 5 } })).toMatch(/allowed is one of "above"/);
    expect(faultsOf({ topic: 'a', trueWhen: {} })).toMatch(/or one of each/);
    expect(faultsOf({ topic: 'a', words: { on: ['a', 1], off: ['b', '1'] } })).toMatch(/same word for true and false/);
    expect(faultsOf({ topic: 'a', map: {} })).toMatch(/is empty; allowed are 1 or more/);
    expect(faultsOf({ topic: 'a', map: { a: 'b' }, words: { on: 1 } })).toMatch(/cannot be with "words"/);
    expect(faultsOf({ set: { topic: 'a', map: { a: 'b' }, words: { on: 1 } } })).toMatch(/"words" and "map"; allowed is one of the two/);
    expect(faultsOf({ topic: 'a', map: Object.fromEntries(Array.from({ length: 257 }, (_, i) => [i, i])) })).toMatch(/at most 256/);
    expect(faultsOf({ topic: 'a', words: { on: 1 }, trueWhen: { above: 1 } })).toMatch(/one of the two/);
    expect(faultsOf({ topic: 'a', words: {} })).toMatch(/allowed are "on", "off" or both/);
    expect(faultsOf({ topic: 'a', format: 'binary', binary: { type: 'uint8' }, words: { on: 1, off: 0 } })).toMatch(/"binary"/);
    const check = (id: string, availability: Record<string, unknown>) =>
      buildLine(driver, { connection: { url }, devices: [{ id, points: [{ id: 'p', address: { topic: id } }], availability }] });
    expect(() => check('d', { also: [{ topic: 'x', online: '1', offline: '0' }] })).toThrow(/without "topic"/);
    expect(() => check('d', { topic: 'a', also: [{ topic: 'x/{y}', online: '1', offline: '0' }] })).toThrow(/one fixed topic/);
    expect(() => check('{y}', { topic: '{y}/a', also: [{ topic: 'x', online: '1', offline: '0' }] })).toThrow(/device that is discovered/);
  });
});
