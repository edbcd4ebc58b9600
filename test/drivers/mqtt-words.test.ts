/** The language of MQTT points: paths, payloads, times, templates, topics, and what a wrong one gets. No I/O. */
import { describe, expect, it } from 'vitest';
import { packetGate } from '../../drivers/mqtt/packets.ts';
import { decodeJson, decodeNumber } from '../../drivers/mqtt/payload/plain.ts';
import { compileTemplate } from '../../drivers/mqtt/template.ts';
import { deviceTimeNs } from '../../drivers/mqtt/time.ts';
import { parseTopic } from '../../drivers/mqtt/topic.ts';
import { compilePath, parsePath } from '../../src/contract/json-path.ts';
import { driver } from './mqtt-session.ts';

const at = (path: string, document: unknown) => compilePath(parsePath(path))(document);

describe('JSON paths', () => {
  const document = {
    a: { b: [{ c: 1 }, 'two', null] },
    'a b': 3,
    "it's": 4,
    'q"q': 5,
    'x.y': 6,
    'DS18B20-1': { T: 7 },
    ünï: 8,
    $: 9,
    '': 10,
  };
  it.each<[string, unknown]>([
    ['$', document],
    ['$.a.b[0].c', 1],
    ['$.a.b[1]', 'two'],
    ['$.a.b[-1]', null],
    ["$['a b']", 3],
    ["$['it\\'s']", 4],
    ['$["q\\"q"]', 5],
    ['$["x.y"]', 6],
    ['$.DS18B20-1.T', 7],
    ['$.ünï', 8],
    ['$.$', 9],
    ["$['']", 10],
    ['$.a.b.length', undefined],
    ['$.a.b[3]', undefined],
    ['$.toString', undefined],
    ['$.a.__proto__', undefined],
    ['$.a.b[1].length', undefined],
    ['$.a.b[2].c', undefined],
    ['$[0]', undefined],
  ])('%s', (path, value) => expect(at(path, document)).toStrictEqual(value));

  it.each<[string, RegExp]>([
    ['a.b', /does not start with \$/],
    ['', /does not start with \$/],
    ['$a', /character 2/],
    ['$.', /character 2/],
    ['$.a..b', /character 4/],
    ['$.*', /allowed are/],
    ['$.a[*]', /character 4/],
    ['$.a[?(@.b)]', /allowed are/],
    ["$['a", /character 2/],
    ['$.a b', /character 4/],
    [`$${'.a'.repeat(33)}`, /33 steps; allowed are 32/],
    [`$.${'a'.repeat(600)}`, /512/],
  ])('%s is refused', (path, words) => expect(() => parsePath(path)).toThrow(words));
});

describe('numbers', () => {
  it.each<[string, number]>([
    ['21.5', 21.5],
    [' -0\r\n', -0],
    ['+7', 7],
    ['.5', 0.5],
    ['5.', 5],
    ['1e3', 1000],
    ['1E-400', 0],
    ['nan', Number.NaN],
    ['-inf', -Infinity],
    ['Infinity', Infinity],
    ['1e999', Infinity],
  ])('%j', (text, value) => expect(decodeNumber(Buffer.from(text))).toBe(value));
  it.each(['', ' ', '21,5', '0x10', '1 2', '21.5 °C', 'ON', '--1', '1e', 'null', '9'.repeat(70), '\u0000'])('%j is no number', (text) =>
    expect(() => decodeNumber(Buffer.from(text))).toThrow(/payload is/),
  );
});

describe('exact integers in JSON', () => {
  it.each<[string, unknown]>([
    ['9007199254740991', 9_007_199_254_740_991],
    ['9007199254740993', 9_007_199_254_740_993n],
    ['-9223372036854775808', -9_223_372_036_854_775_808n],
    ['18446744073709551615', 18_446_744_073_709_551_615n],
    ['18446744073709551616', 18_446_744_073_709_552_000],
    [
      '{"a":[1,{"b":12345678901234567890}],"c":0.12345678901234567}',
      { a: [1, { b: 12_345_678_901_234_567_890n }], c: Number('0.12345678901234567') },
    ],
    ['"12345678901234567890"', '12345678901234567890'],
    ['1e400', Infinity],
    ['12345678901234567890e0', 12_345_678_901_234_567_000],
  ])('%s', (text, value) => expect(decodeJson(Buffer.from(text))).toStrictEqual(value));
});

describe('device time', () => {
  const noon = BigInt(Date.UTC(2026, 10, 22, 12)) * 1_000_000n;
  const seconds = Number(noon / 1_000_000_000n);
  it.each<[unknown, bigint]>([
    [seconds, noon],
    [seconds + 0.25, noon + 250_000_000n],
    [seconds * 1e3, noon],
    [seconds * 1e3 + 0.5, noon + 500_000n],
    [seconds * 1e6, noon],
    [noon + 123n, noon + 123n],
    [String(seconds), noon],
    [`${seconds}.5`, noon + 500_000_000n],
    ['2026-11-22T12:00:00Z', noon],
    ['2026-11-22 13:00:00.000001+01:00', noon + 1_000n],
    ['2026-11-22T06:30-0530', noon],
    ['2026-11-22t12:00:00,5z', noon + 500_000_000n],
  ])('%s', (value, ns) => expect(deviceTimeNs(value)).toBe(ns));
  it.each([
    undefined,
    null,
    true,
    {},
    '',
    'now',
    '2026-11-22T12:00:00',
    '22.11.2026 12:00',
    '2026-02-30T12:00:00Z',
    '2026-01-01T25:00:00Z',
    '1960-01-01T00:00:00Z',
    -1,
    Number.NaN,
    Infinity,
    1e30,
    2n ** 70n,
  ])('%s is not believed', (value) => expect(deviceTimeNs(value)).toEqual(expect.stringMatching(/^is \w+/)));
});

describe('command payloads', () => {
  it.each<[string, unknown, string]>([
    ['{value}', 'ON', 'ON'],
    ['{value}', 55.5, '55.5'],
    ['{value}', 18_446_744_073_709_551_615n, '18446744073709551615'],
    ['{value}', true, 'true'],
    ['{value}', '{"a":1}', '{"a":1}'],
    ['SET {value};', -0, 'SET 0;'],
    ['[SET {value} °C]', 1e21, '[SET 1e+21 °C]'],
    ['{{value}={value}', 1, '{value}=1'],
    ['{"state":"{value}"}', 'a"b\\\n', '{"state":"a\\"b\\\\\\n"}'],
    ['{"state": {value}}', 'ON', '{"state": "ON"}'],
    ['{"on":{value},"by":{"id":"x{value}"}}', false, '{"on":false,"by":{"id":"xfalse"}}'],
    ['{"state":"{value}"}', '","admin":"', '{"state":"\\",\\"admin\\":\\""}'],
    ['[{value}]', 7n, '[7]'],
    ['"{value}"', 'x', '"x"'],
    ['{value} {value}', 2, '2 2'],
  ])('%s of %s', (template, value, payload) => expect(compileTemplate(template)(value as never)).toBe(payload));
  it.each<[string, RegExp]>([
    ['', /no \{value\}/],
    ['ON', /no \{value\}/],
    ['{{value}', /no \{value\}/],
    ['{valeu}', /no \{value\}/],
    ['{"a": {value}', /not JSON/],
    ['{"a": {value} {value}}', /not JSON/],
  ])('%s is refused', (template, words) => expect(() => compileTemplate(template)).toThrow(words));
  it('has no spelling for what is no value', () => {
    for (const value of [null, Number.NaN, Infinity]) expect(() => compileTemplate('{value}')(value)).toThrow(/\w+ \w+/);
  });
});

describe('topics', () => {
  it('are literal but for placeholders', () => {
    expect(parseTopic('home/kitchen/°C 1')).toMatchObject({ fixed: 'home/kitchen/°C 1', placeholders: [] });
    expect(parseTopic('home/{building}/{room}/x')).toMatchObject({ fixed: undefined, placeholders: ['building', 'room'] });
    expect(parseTopic('a/{{b}/c').fixed).toBe('a/{b}/c');
    expect(parseTopic('a/{{b}}/c').fixed).toBe('a/{b}/c');
    expect(parseTopic('$SYS/broker/uptime').fixed).toBe('$SYS/broker/uptime');
    expect(parseTopic('{device}').placeholders).toEqual(['device']);
  });
  it.each<[string, RegExp]>([
    ['', /empty/],
    ['a/+/b', /wildcard/],
    ['a/#', /wildcard/],
    ['a\u0000b', /forbids/],
    ['a\ud800b', /forbids/],
    ['a\nb', /control character/],
    ['$share/group/a', /shared/],
    ['ä'.repeat(600), /1024 bytes/],
    ['a/{b', /not closed/],
    ['a/{b c}', /no placeholder/],
    ['a/{}', /no placeholder/],
  ])('%j is refused', (topic, words) => expect(() => parseTopic(topic)).toThrow(words));
});

describe('settings', () => {
  const issues = (schema: typeof driver.address, value: unknown) =>
    schema.safeParse(value).error?.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`) ?? [];
  it('a point has sensible defaults', () => {
    expect(driver.address.parse({ topic: 't' })).toMatchObject({ format: 'number', qos: 0 });
    expect(driver.address.parse({ topic: 't', path: '$.a' })).toMatchObject({ format: 'json' });
    expect(driver.address.parse({ set: { topic: 't' } })).toMatchObject({ set: { payload: '{value}', qos: 1, retain: false } });
    expect(driver.shape(driver.address.parse({ topic: 't', format: 'text' }))).toEqual({ type: 'string' });
    expect(driver.abilities(driver.address.parse({ topic: 't' }))).toEqual({ read: true, write: false });
    expect(driver.abilities(driver.address.parse({ set: { topic: 't' } }))).toEqual({ read: false, write: true });
  });
  it.each<[unknown, RegExp]>([
    [{}, /^topic is missing/],
    [{ topic: 'a/#/b' }, /^topic .*wildcard/],
    [{ topic: 't', path: 'a' }, /^path .*\$/],
    [{ topic: 't', path: '$.a', format: 'text' }, /^path needs a format with places/],
    [{ topic: 't', time: '$.a', format: 'number' }, /^time needs a format with places/],
    [{ topic: 't', format: 'xml' }, /^format allowed is "json", "number"/],
    [{ topic: 't', qos: 3 }, /^qos allowed is 0/],
    [{ topic: 't', set: { topic: 's', payload: 'ON' } }, /^set\.payload has no \{value\}/],
    [{ topic: 't', set: { topic: 's/+' } }, /^set\.topic .*wildcard/],
    [{ topic: 't', pth: '$.a' }, /pth/],
  ])('address %j: fault at its place', (address, words) => expect(issues(driver.address, address).join('; ')).toMatch(words));

  it.each<[unknown, RegExp]>([
    [{}, /^url/],
    [{ url: '10.0.0.5' }, /^url .*mqtt:\/\//],
    [{ url: 'http://x' }, /^url .*mqtt:\/\//],
    [{ url: 'mqtt://me:hush@x' }, /^url .*secret "<connection id>\.password"/],
    [{ url: 'mqtt://x?token=hush' }, /^url .*\?/],
    [{ url: 'mqtt://x/path' }, /^url .*path/],
    [{ url: 'mqtt://x', protocolVersion: 3 }, /^protocolVersion allowed is 5/],
    [{ url: 'mqtt://x', clientId: 'a b' }, /^clientId allowed/],
    [{ url: 'mqtt://x', clean: false }, /^clientId is missing/],
    [{ url: 'mqtt://x', keepalive: '0s' }, /^keepalive .*allowed/],
    [{ url: 'mqtt://x', password: 'hush' }, /password/],
  ])('connection %j: fault at its place', (connection, words) => {
    const said = issues(driver.connection, connection).join('; ');
    expect(said).toMatch(words);
    expect(said).not.toContain('hush');
  });

  it('takes the versions as people call them', () => {
    const version = (protocolVersion: unknown) =>
      (driver.connection.parse({ url: 'mqtt://x', protocolVersion }) as { protocolVersion: number }).protocolVersion;
    expect([version(5), version('5'), version('5.0'), version(4), version('3.1.1')]).toEqual([5, 5, 5, 4, 4]);
  });
});

describe('packet sizes', () => {
  const packet = (bytes: number) =>
    Buffer.concat([Buffer.from([0x30]), Buffer.from(bytes < 128 ? [bytes] : [(bytes & 127) | 128, bytes >> 7]), Buffer.alloc(bytes, 0xff)]);
  it('are seen however the stream is cut, and only what is too large is said', () => {
    const stream = Buffer.concat([packet(0), packet(127), packet(128), packet(300), packet(1), packet(301), packet(5)]);
    for (let cut = 1; cut < 50; cut++) {
      const gate = packetGate(300);
      const said: number[] = [];
      for (let start = 0; start < stream.length; start += cut) {
        const size = gate(stream.subarray(start, start + cut));
        if (size !== undefined) said.push(size);
      }
      expect(said[0], `cut every ${cut}`).toBe(301);
    }
    expect(packetGate(301)(stream)).toBeUndefined();
  });
});
