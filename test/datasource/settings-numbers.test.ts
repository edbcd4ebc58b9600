/** Numbers in settings: to the last digit of 64 bits, decimal or hexadecimal, or refused with a word. */
import { describe, expect, it } from 'vitest';
import { drivers } from '../../drivers/index.ts';
import { readSettings } from '../../src/datasource/settings.ts';
import { pointConfig } from '../../src/frame/display.ts';

/** A plan of one point at a register of this type, with these fields as they stand in the text. */
function read(type: string, fields: string) {
  const text = `{"version":1,
    "connections":[{"id":"plc","kind":"modbus","transport":{"type":"tcp","host":"127.0.0.1"}}],
    "devices":[{"id":"d","connection":"plc","points":[{"id":"p","address":{"table":"holding","register":0,"type":"${type}"},${fields}}]}]}`;
  const plan = readSettings({ jsonData: Buffer.from(text), secureJsonData: {} }, drivers);
  const [point] = plan.connections.flatMap(({ devices }) => devices).flatMap(({ points }) => points);
  return { point, faults: plan.faults.map(({ severity, place, message }) => `${severity} ${place} ${message}`) };
}

describe('numbers in settings', () => {
  it.each([
    ['uint64', '"invalid":[18446744073709551615]', 'invalid[0]', 'as a string: "18446744073709551615"'],
    ['uint64', '"counter":{"max":18446744073709551615}', 'counter.max', 'digits in a string'],
    ['uint64', '"max":18446744073709551615', 'max', 'without digits beyond 2^53'],
    ['int64', '"min":-9007199254740993', 'min', 'is -9007199254740993, which browsers round'],
    ['uint64', '"write":{"max":9007199254740993},"access":"read-write"', 'write.max', 'which browsers round'],
  ])('%s: a browser would round %s, so it is refused', (type, fields, place, words) => {
    const { point, faults } = read(type, fields);
    expect(point).toBeUndefined();
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain(`error devices[0].points[0].${place} `);
    expect(faults[0]).toContain(words);
  });

  it('are taken where a double holds them', () => {
    const { point, faults } = read('uint64', '"max":18446744073709551616,"min":1e3,"counter":{"max":9007199254740992}');
    expect(faults).toEqual([]);
    expect(point).toMatchObject({ max: 2 ** 64, min: 1000, counter: { max: 2 ** 53, resets: false } });
  });

  it('of counters may be digits', () => {
    expect(read('uint64', '"counter":{"max":"18446744073709551615"}').point?.counter).toEqual({
      max: '18446744073709551615',
      resets: false,
    });
    for (const wrong of ['"0"', '-1', '0', '"1e9"', '"-5"', '"123456789012345678901"'])
      expect(read('uint64', `"counter":{"max":${wrong}}`).faults[0], wrong).toMatch(
        /allowed is (a number above 0|a number greater than 0|a string that matches)/,
      );
  });

  it.each([
    ['int16', '{"-1":"fault","0":"ok","+5":"five","007":"seven"}', { '-1': 'fault', '0': 'ok', '5': 'five', '7': 'seven' }],
    ['int16', '{"0x8000":"none","0x7fff":"full","-0x10":"low"}', { '-32768': 'none', '32767': 'full', '-16': 'low' }],
    ['uint16', '{"0x8000":"none","0xFFFF":"all"}', { '32768': 'none', '65535': 'all' }],
    ['int32', '{"0xFFFFFFFF":"none"}', { '-1': 'none' }],
    ['int64', '{"0x8000000000000000":"none"}', { '-9223372036854775808': 'none' }],
    ['uint64', '{"0xFFFFFFFFFFFFFFFF":"none"}', { '18446744073709551615': 'none' }],
    ['float32', '{"1.0":"one","-0":"zero","0x10":"sixteen"}', { '1': 'one', '0': 'zero', '16': 'sixteen' }],
  ])('%s: names of %s', (type, names, expected) => {
    const { point, faults } = read(type, `"enum":${names}`);
    expect(faults).toEqual([]);
    expect(point?.enum).toEqual(expected);
  });

  it.each([
    ['int16', '"enum":{"70000":"x"}', 'allowed are whole numbers from -32768 to 32767, decimal or as 0x…'],
    ['uint16', '"enum":{"-1":"x"}', 'allowed are whole numbers from 0 to 65535'],
    ['int16', '"enum":{"0x10000":"x"}', 'allowed are whole numbers from -32768'],
    ['int16', '"enum":{"1.5":"x"}', 'is no raw value'],
    ['float32', '"enum":{"on":"x"}', 'allowed are numbers'],
    ['int16', '"enum":{"16":"x","0x10":"y"}', 'is the raw value 16, as "16" is; allowed is one name for it'],
    ['uint16', '"bits":{"16":"x"}', 'is no bit of this point; allowed is 0 (the least significant) to 15'],
    ['uint16', '"bits":{"64":"x"}', 'allowed are the bits 0 to 63'],
    ['uint16', '"bits":{"0":"x"},"scale":0.1', 'without both'],
    ['uint16', '"bits":{"0":"x"},"enum":{"1":"y"}', 'allowed is either'],
    ['float32', '"bits":{"0":"x"}', 'allowed only for whole numbers'],
  ])('%s: %s is refused', (type, fields, words) => {
    const { point, faults } = read(type, fields);
    expect(point).toBeUndefined();
    expect(faults.join('\n')).toContain(words);
  });

  it('that mean "no value" may be the bits in the device; one that never comes is told of', () => {
    expect(read('int16', '"invalid":["0x8000",-1,"0x7FFF"]')).toMatchObject({ faults: [], point: { invalid: ['-32768', -1, '32767'] } });
    expect(read('uint64', '"invalid":["0xFFFFFFFFFFFFFFFF"]').point?.invalid).toEqual(['18446744073709551615']);
    const { point, faults } = read('int16', '"invalid":[65535]');
    expect(point?.invalid).toEqual([65535]);
    expect(faults).toEqual([expect.stringContaining('warning devices[0].points[0].invalid[0] is 65535, which this point never reads')]);
  });
});

describe('flags', () => {
  const shown = (type: string, bits: Record<string, string>) => {
    const { point } = read(type, `"bits":${JSON.stringify(bits)}`);
    if (!point) throw new Error('no point');
    const options = pointConfig(point, 'float64', (raw) => raw).mappings?.[0]?.options ?? {};
    return Object.fromEntries(Object.entries(options).map(([value, { text }]) => [value, text]));
  };

  it('show the names of those that are set', () => {
    expect(shown('uint16', { 0: 'running', 3: 'alarm' })).toEqual({ '1': 'running', '8': 'alarm', '9': 'running, alarm' });
    expect(Object.keys(shown('uint16', Object.fromEntries(Array.from({ length: 6 }, (_, bit) => [bit, `f${bit}`]))))).toHaveLength(63);
  });

  it('of which there are many show each alone', () => {
    const many = shown('uint16', Object.fromEntries(Array.from({ length: 12 }, (_, bit) => [bit, `f${bit}`])));
    expect(many).toMatchObject({ '1': 'f0', '2048': 'f11' });
    expect(Object.keys(many)).toHaveLength(12);
  });

  it('may be the sign', () => {
    expect(shown('int16', { 0: 'a', 15: 'sign' })).toMatchObject({ '1': 'a', '-32768': 'sign', '-32767': 'a, sign' });
  });
});
