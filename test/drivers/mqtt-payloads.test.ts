/** Every kind of message, spelled by Python's own libraries and read by our points; one that cannot be read of each. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Address, addressSchema } from '../../drivers/mqtt/address.ts';
import { compileReader, Message } from '../../drivers/mqtt/readings.ts';
import { type Point, pointSchema } from '../../src/contract/device.ts';
import type { Reading } from '../../src/contract/driver.ts';
import { limits } from '../../src/contract/limits.ts';
import { type FarProgram, startPython } from '../far/python.ts';

let python: FarProgram;
beforeAll(async () => {
  python = await startPython('./payloads.py');
});
afterAll(() => python.kill());

async function spelled(format: string, value: unknown, words: Record<string, unknown> = {}): Promise<Buffer> {
  return Buffer.from(String((await python.ask({ format, value, ...words })).value), 'hex');
}

function readings(address: Record<string, unknown>, payload: Buffer | string): Reading[] {
  const { address: _address, interval: _interval, ...rest } = pointSchema.parse({ id: 'p' });
  const point: Point<Address> = { ...rest, device: 'd', intervalMs: 1_000, address: addressSchema.parse({ topic: 't', ...address }) };
  return [...compileReader(point).read(new Message(Buffer.from(payload), false))];
}

const values = (address: Record<string, unknown>, payload: Buffer | string) =>
  readings(address, payload).map(({ value, reason, detail }) => (reason === '' ? value : `${reason}: ${detail}`));

describe('CSV', () => {
  const rows = [
    ['time', 'outside air', 'note'],
    ['2026-11-22T12:00:00Z', -3.5, 'a "quoted", text'],
    ['2026-11-22T12:01:00Z', 4, 'two\nlines'],
  ];
  it('is read by line and field, or by the names of its header', async () => {
    const payload = await spelled('csv', rows);
    expect(values({ format: 'csv', path: '$[1][1]' }, payload)).toEqual([-3.5]);
    const named = { format: 'csv', csv: { header: true } };
    expect(values({ ...named, path: "$[-1]['outside air']" }, payload)).toEqual([4]);
    expect(values({ ...named, path: '$[0].note' }, payload)).toEqual(['a "quoted", text']);
    const batch = readings({ ...named, each: '$', path: "$['outside air']", time: '$.time' }, payload);
    expect(batch.map(({ value, timeNs }) => [value, timeNs])).toEqual([
      [-3.5, 1_795_348_800_000_000_000n],
      [4, 1_795_348_860_000_000_000n],
    ]);
    expect(values({ format: 'csv', path: '$[1][1]', csv: { separator: ';' } }, await spelled('csv', rows, { separator: ';' }))).toEqual([
      -3.5,
    ]);
  });
  it('with an open quote is no value', () => {
    expect(values({ format: 'csv', path: '$[0][0]' }, '1,"2')).toEqual([expect.stringMatching(/^decode: .*not CSV.*quote/)]);
  });
});

describe('key=value', () => {
  const payload = 'temp=21.5, state="on \\"air\\", now"; n:9007199254740993 ok=TRUE&empty= path=a/b';
  it.each([
    ['$.temp', 21.5],
    ['$.state', 'on "air", now'],
    ['$.n', 9_007_199_254_740_993n],
    ['$.ok', true],
    ['$.path', 'a/b'],
  ])('%s', (path, value) => expect(values({ format: 'keyvalue', path }, payload)).toEqual([value]));
  it('as Python spells them', async () => {
    const pairs = { temp: 21.5, on: true, state: 'on "air", a\\b', n: -3 };
    const [quoted, query] = [await spelled('pairs', pairs), await spelled('query', { temp: 21.5, on: true, mode: 'auto', n: -3 })];
    const of = (payload: Buffer, name: string) => values({ format: 'keyvalue', path: `$.${name}` }, payload);
    expect(Object.keys(pairs).map((name) => of(quoted, name))).toEqual([[21.5], [true], ['on "air", a\\b'], [-3]]);
    expect(['temp', 'on', 'mode', 'n'].map((name) => of(query, name))).toEqual([[21.5], [true], ['auto'], [-3]]);
  });
  it('that is none says from where on', () => {
    expect(values({ format: 'keyvalue', path: '$.a' }, 'a=1 nothing here')).toEqual([
      expect.stringMatching(/^decode: .*from character 5 on/),
    ]);
  });
});

describe('Influx line protocol', () => {
  const payload = [
    '# written by hand after the public description',
    'air\\,in,room=living\\ room,site=a\\=b temp=21.5,n=-3i,big=18446744073709551615u,on=t,note="x \\"y\\", z=1" 1795348800250000000',
    'air\\,in,room=bath temp=24',
  ].join('\n');
  it('is a reading a line, at the time of the line', () => {
    const all = readings({ format: 'influx', path: '$.fields.temp' }, payload);
    expect(all.map(({ value, timeNs }) => [value, timeNs])).toEqual([
      [21.5, 1_795_348_800_250_000_000n],
      [24, undefined],
    ]);
    expect(all[1]?.timeUnreadable).toBeUndefined();
  });
  it('as a library of others writes it', async () => {
    const tags = { room: 'living room', 'a,b': 'x=y, z', path: 'C:\\d' };
    const fields = { temp: 21.5, n: -3, on: false, note: 'x "y", \\ z=1' };
    const written = await spelled('influx', [
      { measurement: 'air, in', tags, fields, time: '1795348800250000000' },
      { measurement: 'air, in', tags: { room: 'bath' }, fields: { temp: 24.5 } },
    ]);
    const of = (path: string) => values({ format: 'influx', path, where: { '$.tags.room': 'living room' } }, written);
    expect(Object.keys(fields).map((name) => of(`$.fields.${name}`))).toEqual(Object.values(fields).map((value) => [value]));
    expect(Object.keys(tags).map((name) => of(`$.tags[${JSON.stringify(name)}]`))).toEqual(Object.values(tags).map((value) => [value]));
    expect(of('$.measurement')).toEqual(['air, in']);
    const temps = readings({ format: 'influx', path: '$.fields.temp' }, written);
    expect(temps.map(({ value, timeNs }) => [value, timeNs])).toEqual([
      [21.5, 1_795_348_800_250_000_000n],
      [24.5, undefined],
    ]);
  });
  it('is told apart by its tags, with exact integers and quoted texts', () => {
    const of = (name: string, room: string) =>
      values({ format: 'influx', path: `$.fields.${name}`, where: { '$.tags.room': room } }, payload);
    expect(of('n', 'living room')).toEqual([-3]);
    expect(of('big', 'living room')).toEqual([18_446_744_073_709_551_615n]);
    expect(of('on', 'living room')).toEqual([true]);
    expect(of('note', 'living room')).toEqual(['x "y", z=1']);
    expect(of('temp', 'nowhere')).toEqual([]);
    expect(values({ format: 'influx', path: '$.tags.site', where: { '$.measurement': 'air,in', '$.fields.n': -3 } }, payload)).toEqual([
      'a=b',
    ]);
  });
  it.each([
    ['a', /line 1/],
    ['a b=1\na b=', /line 2.*"b"/],
    ['a b="x', /quote/],
    ['a b=1 yesterday', /time/],
    ['a =1', /no name/],
  ])('%j is none', (text, words) => {
    expect(values({ format: 'influx', path: '$.fields.b' }, text)).toEqual([expect.stringMatching(words)]);
  });
});

describe.each(['cbor', 'messagepack'])('%s', (format) => {
  const document = { t: 21.5, n: [1, { deep: -7 }], on: true, none: null, big: Number.MAX_SAFE_INTEGER, text: 'grün' };
  it.each<[string, unknown]>([
    ['$.t', 21.5],
    ['$.n[1].deep', -7],
    ['$.on', true],
    ['$.big', Number.MAX_SAFE_INTEGER],
    ['$.text', 'grün'],
    ['$.none', 'sentinel: null is at $.none'],
    ['$.__proto__', 'decode: nothing is at $.__proto__'],
  ])('%s', async (path, value) => expect(values({ format, path }, await spelled(format, document))).toEqual([value]));
  it('has batches', async () => {
    const batch = { format, each: '$.records', path: '$.v', time: '$.at', timeUnit: 'ms' };
    const payload = await spelled(format, {
      records: [
        { v: 1, at: 1_795_348_800_000 },
        { v: 2, at: 1_795_348_800_500 },
      ],
    });
    expect(readings(batch, payload).map(({ value, timeNs }) => [value, timeNs])).toEqual([
      [1, 1_795_348_800_000_000_000n],
      [2, 1_795_348_800_500_000_000n],
    ]);
  });
  it('that is cut off, too deep or something else is no value', async () => {
    const whole = await spelled(format, document);
    expect(values({ format, path: '$.t' }, whole.subarray(0, -1))).toEqual([expect.stringMatching(/^decode: the payload is not/)]);
    const deep = Buffer.concat([Buffer.alloc(5_000, format === 'cbor' ? 0x81 : 0x91), Buffer.from([0])]);
    expect(values({ format, path: '$.t' }, deep)).toEqual([expect.stringMatching(/^decode: /)]);
    expect(values({ format, path: '$.t' }, Buffer.alloc(60_000, 0xc1))).toEqual([expect.stringMatching(/^decode: /)]);
  });
});

it('CBOR tags and MessagePack times keep what they say', async () => {
  const cbor = await spelled('cbor-tagged', null);
  const at = (path: string) => values({ format: 'cbor', path }, cbor);
  expect([at('$.big'), at('$.raw'), at("$.map['1']")]).toEqual([[18_446_744_073_709_551_615n], ['01ff'], [21.5]]);
  expect(readings({ format: 'cbor', path: "$.map['1']", time: '$.at' }, cbor)[0]?.timeNs).toBe(1_795_348_800_000_000_000n);
  const [read] = readings({ format: 'messagepack', path: '$.v', time: '$.at', timeUnit: 'ns' }, await spelled('messagepack-time', null));
  expect([read?.value, read?.timeNs]).toEqual([9_223_372_036_854_775_808n, 1_795_348_800_250_000_000n]);
});

describe('binary by layout', () => {
  it.each<[string, unknown[], Record<string, unknown>, unknown]>([
    ['>bBhH', [-5, 250, -300, 65_535], { offset: 2, type: 'int16' }, -300],
    ['>bBhH', [-5, 250, -300, 65_535], { offset: -2, type: 'uint16' }, 65_535],
    ['<if', [-70_000, 21.4], { offset: 0, type: 'int32', order: 'little' }, -70_000],
    ['<if', [-70_000, 21.4], { offset: 4, type: 'float32', order: 'little' }, 21.4],
    // A whole number is one already: 2147483600 would be the same float and another count.
    ['<f', [2_147_483_648], { offset: 0, type: 'float32', order: 'little' }, 2_147_483_648],
    ['>dQ', [0.1, 9_007_199_254_740_991], { type: 'float64' }, 0.1],
    ['>dq', [0.1, -9_007_199_254_740_991], { offset: 8, type: 'int64' }, -9_007_199_254_740_991],
    ['>B', [0b1010_0000], { type: 'boolean', bit: 5 }, true],
    ['>B', [0b1010_0000], { type: 'boolean', bit: 6 }, false],
  ])('%s %j at %j', async (layout, value, binary, expected) =>
    expect(values({ format: 'binary', binary }, await spelled('struct', value, { layout }))).toEqual([expected]),
  );
  it('has texts that end at a zero byte', () => {
    expect(values({ format: 'binary', binary: { offset: 1, type: 'text', length: 6 } }, '\u0001ab\u0000xyz')).toEqual(['ab']);
    expect(values({ format: 'binary', binary: { offset: 1, type: 'text' } }, Buffer.from([1, 0xff]))).toEqual([
      expect.stringMatching(/UTF-8/),
    ]);
  });
  it('that is too short says what it needs', () => {
    expect(values({ format: 'binary', binary: { offset: 3, type: 'int32' } }, 'abcd')).toEqual([
      'decode: the payload has 4 bytes; int32 at 3 needs 4 there',
    ]);
  });
});

describe('wrapped', () => {
  it('gzip, zlib and base64, the outermost first', async () => {
    const inner = await spelled('json', { t: 21.5 });
    const zipped = await spelled('gzip', inner.toString('hex'));
    const at = (unpack: string[], payload: Buffer) => values({ path: '$.t', unpack }, payload);
    expect(at(['gzip'], zipped)).toEqual([21.5]);
    expect(at(['gzip'], await spelled('zlib', inner.toString('hex')))).toEqual([21.5]);
    expect(at(['base64'], await spelled('base64', inner.toString('hex')))).toEqual([21.5]);
    expect(at(['base64', 'gzip'], await spelled('base64', zipped.toString('hex')))).toEqual([21.5]);
  });
  it('what is not so, or becomes too large, is no value', async () => {
    expect(values({ unpack: ['gzip'] }, '21.5')).toEqual([expect.stringMatching(/^decode: .*not gzip/)]);
    expect(values({ unpack: ['base64'] }, '21,5!')).toEqual([expect.stringMatching(/^decode: .*not base64/)]);
    const bomb = await spelled('bomb', 40 * limits.mqttUnpackedBytesMax);
    expect(bomb.length).toBeLessThan(limits.payloadBytesMax);
    expect(values({ unpack: ['gzip'] }, bomb)).toEqual([expect.stringMatching(/^decode: .*larger than 1048576 bytes/)]);
  });
});

describe('batches in JSON', () => {
  it('are a reading an element, each at its own time; what does not fit spoils no neighbour', () => {
    const payload =
      '{"gw":"a","vals":[{"id":"x","v":1,"ts":1795348800},{"id":"y","v":2,"ts":1795348800},{"id":"x","v":"on","ts":"?"},{"id":"x"}]}';
    const address = { each: '$.vals', path: '$.v', time: '$.ts', where: { '$.id': 'x' } };
    expect(readings(address, payload)).toMatchObject([
      { value: 1, timeNs: 1_795_348_800_000_000_000n },
      { value: 'on', timeUnreadable: true },
      { value: null, reason: 'decode' },
    ]);
    expect(readings({ ...address, optional: true }, payload)).toHaveLength(2);
    expect(values({ each: '$', path: '$' }, '[1,2.5,true]')).toEqual([1, 2.5, true]);
    expect(values(address, '{"vals":3}')).toEqual(['decode: no list is at $.vals']);
    expect(values({ each: '$', path: '$' }, `[${'1,'.repeat(limits.mqttBatchMax)}1]`)).toEqual([expect.stringMatching(/8193 elements/)]);
  });
});

it('an empty message takes back what was said, and an empty text is a text', () => {
  expect(values({}, '')).toEqual([expect.stringMatching(/^sentinel: .*empty/)]);
  expect(values({ format: 'text' }, '')).toEqual(['']);
});

describe('times in a unit that is said', () => {
  it.each<[string, unknown, bigint]>([
    ['s', 86_400, 86_400_000_000_000n],
    ['s', 1_795_348_800.25, 1_795_348_800_250_000_000n],
    ['ms', '1795348800123', 1_795_348_800_123_000_000n],
    ['us', 1_795_348_800_123_456, 1_795_348_800_123_456_000n],
    ['ns', '1795348800123456789', 1_795_348_800_123_456_789n],
    ['ms', '2026-11-22T12:00:00Z', 1_795_348_800_000_000_000n],
  ])('%s %j', (timeUnit, ts, ns) =>
    expect(readings({ path: '$.v', time: '$.ts', timeUnit }, JSON.stringify({ v: 1, ts }))[0]?.timeNs).toBe(ns),
  );
});

describe('settings', () => {
  it.each<[Record<string, unknown>, RegExp]>([
    [{ format: 'xml' }, /allowed is .*json/],
    [{ format: 'binary' }, /needs to know where/],
    [{ format: 'json', binary: { type: 'int8' } }, /needs format .*binary/],
    [{ format: 'binary', binary: { type: 'int8' }, path: '$.a' }, /needs a format with places/],
    [{ timeUnit: 's' }, /needs .*time/],
    [{ unpack: ['zip'] }, /base64.* or .*gzip/],
    [{ format: 'csv', csv: { separator: '::' } }, /one character/],
  ])('%j is refused', (address, words) => expect(() => addressSchema.parse({ topic: 't', ...address })).toThrow(words));
});
