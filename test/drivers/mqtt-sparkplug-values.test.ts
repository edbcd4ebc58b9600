/** What metrics hold, written by another library: every data type, nothing, templates, properties, the past, and what is no payload at all. */
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { readPayload } from '../../drivers/mqtt/sparkplug/payload.ts';
import { systemClock } from '../../src/contract/clock.ts';
import { silentLog } from '../../src/contract/log.ts';
import { openStore } from '../../src/store/open.ts';
import { type Mosquitto, startMosquitto } from '../far/mosquitto.ts';
import type { FarProgram } from '../far/python.ts';
import { until } from '../gateway/rig.ts';
import { EdgeNode, is, planOf, running, type SentMetric, says, startNodes, there, told } from './mqtt-sparkplug-rig.ts';

let broker: Mosquitto;
let nodes: FarProgram;
let node: EdgeNode;
beforeAll(async () => {
  broker = await startMosquitto();
});
afterAll(() => broker.close());
beforeEach(async () => {
  nodes = await startNodes();
  node = new EdgeNode(nodes, 'values');
});
afterEach(() => nodes.kill());

/** Type, what the edge node says, and what it is here. */
const values: [type: string, said: unknown, here: unknown, more?: Partial<SentMetric>][] = [
  ['Int8', -128, -128],
  ['Int16', -32768, -32768],
  ['Int32', -2147483648, -2147483648],
  ['Int64', '-9223372036854775808', -9223372036854775808n],
  ['UInt8', 255, 255],
  ['UInt16', 65535, 65535],
  ['UInt32', 4294967295, 4294967295],
  ['UInt64', '18446744073709551615', 18446744073709551615n],
  ['Float', 21.4, 21.4],
  ['Double', 0.1, 0.1],
  ['Boolean', true, true],
  ['String', 'Grüße', 'Grüße'],
  ['Text', '', ''],
  ['UUID', '6d9cb0c5-9a3d-4b1f-8a52-5d0fd6f9f0aa', '6d9cb0c5-9a3d-4b1f-8a52-5d0fd6f9f0aa'],
  ['DateTime', 1795348800123, 1795348800123],
  ['Bytes', '00ff7f', 'AP9/'],
  ['File', '6869', 'notes.txt, 2 bytes', { file: 'notes.txt' }],
  ['Int8Array', [-23, 123], '[-23,123]'],
  ['Int16Array', [-30000, 30000], '[-30000,30000]'],
  ['Int32Array', [-1, 315338746], '[-1,315338746]'],
  ['Int64Array', [-5, 7], '[-5,7]'],
  ['UInt8Array', [23, 250], '[23,250]'],
  ['UInt16Array', [30, 52360], '[30,52360]'],
  ['UInt32Array', [52, 3293969225], '[52,3293969225]'],
  ['UInt64Array', [52, 1], '[52,1]'],
  ['FloatArray', [1.5, -2.25], '[1.5,-2.25]'],
  ['DoubleArray', [12.354213, 1022.9123213], '[12.354213,1022.9123213]'],
  [
    'BooleanArray',
    [false, false, true, true, false, true, false, false, true, true, false, true],
    '[false,false,true,true,false,true,false,false,true,true,false,true]',
  ],
  ['StringArray', ['ABC', 'hello', ''], '["ABC","hello",""]'],
  ['DateTimeArray', [1256102875335, 1656107875000], '[1256102875335,1656107875000]'],
];

describe('data types', () => {
  it('every one is exact, or a text that says what it is', async () => {
    const gateway = await running(planOf(broker.port));
    await node.connect(broker.port, 'V', 'all');
    const metrics: SentMetric[] = values.map(([type, value, , more]) => ({ name: type, type, value, ...more }));
    const table = {
      name: 'DataSet',
      type: 'DataSet',
      columns: ['id', 'big', 'on'],
      types: ['Int8', 'UInt64', 'Boolean'],
      rows: [
        [-1, '18446744073709551615', true],
        [2, '5', false],
      ],
    };
    await node.birth({ metrics: [] }, { device: 'd', metrics: [...metrics, table] });
    await there(gateway, 'V-all-d');
    await says(gateway, 'V-all-d', 'DataSet', '{"columns":["id","big","on"],"rows":[[-1,18446744073709551615,true],[2,5,false]]}');
    const here = Object.fromEntries(values.map(([type]) => [type, gateway.last({ device: 'V-all-d', point: type })?.value]));
    expect(here).toEqual(Object.fromEntries(values.map(([type, , value]) => [type, value])));
    expect(gateway.device('V-all-d')?.points.find(({ id }) => id === 'DateTime')?.unit).toBe('dateTimeAsIso');
    expect(told(gateway)).toBeUndefined();
  });

  it.each<[string, string, [field: string, value: unknown], unknown]>([
    ['a byte with the sign of 32 bits', 'Int8', ['int_value', 4294967295], -1],
    ['a word with the sign of 32 bits in the field of 64', 'Int16', ['long_value', 4294967291], -5],
    ['an unsigned number in the field of 64 bits', 'UInt32', ['long_value', 4000000000], 4000000000],
    ['a whole number of 64 bits in the field of 32', 'Int64', ['int_value', 7], 7n],
    ['a double in a float', 'Double', ['float_value', 0.5], 0.5],
    ['a boolean as a number', 'Boolean', ['int_value', 1], true],
    ['300 in a byte', 'UInt8', ['int_value', 300], 'decode'],
    ['200 in a signed byte of 32 bits', 'Int8', ['int_value', 70000], 'decode'],
    ['a text in a number', 'Int32', ['string_value', '5'], 'decode'],
    ['a number in a text', 'String', ['int_value', 5], 'decode'],
    ['a type nobody knows', '99', ['int_value', 1], 'decode'],
  ])('%s', async (what, type, raw, value) => {
    const gateway = await running(planOf(broker.port));
    const numbers: Record<string, number> = {
      Int8: 1,
      Int16: 2,
      Int32: 3,
      Int64: 4,
      UInt8: 5,
      UInt32: 7,
      Double: 10,
      Boolean: 11,
      String: 12,
      '99': 99,
    };
    const id = `raw${what.replaceAll(/\W/g, '')}`;
    await node.connect(broker.port, 'V', id);
    await node.birth({
      metrics: [
        { name: 'ok', type: 'Int32', value: 1 },
        { name: 'x', type: numbers[type] ?? 0, raw },
      ],
    });
    await says(gateway, `V-${id}`, 'ok', 1);
    if (type === '99') {
      // It makes no point, and the others are there.
      expect(told(gateway)).toMatch(/allowed is "Int8"/);
      return;
    }
    const last = gateway.last({ device: `V-${id}`, point: 'x' });
    expect(last?.reason === '' ? last.value : last?.reason).toEqual(value);
  });

  it('a metric without a value says so, and comes back', async () => {
    const gateway = await running(planOf(broker.port));
    await node.connect(broker.port, 'V', 'null');
    await node.birth({
      metrics: [
        { name: 'x', type: 'Int32' },
        { name: 'ok', type: 'Int32', value: 1 },
      ],
    });
    await says(gateway, 'V-null', 'ok', 1);
    expect(gateway.last({ device: 'V-null', point: 'x' })).toMatchObject({ value: null, quality: 'bad', reason: 'sentinel' });
    await node.send('NDATA', undefined, [{ name: 'x', type: 'Int32', value: 4 }]);
    await says(gateway, 'V-null', 'x', 4);
  });

  it('members of a template are points behind its name; definitions are none', async () => {
    const gateway = await running(planOf(broker.port));
    await node.connect(broker.port, 'V', 'udt');
    const members: SentMetric[] = [
      { name: 'rpm', type: 'Int32', value: 900 },
      { name: 'inner', type: 'Template', of: 'Bearing', members: [{ name: 'temp', type: 'Float', value: 40.5 }] },
    ];
    await node.birth(
      { metrics: [{ name: 'Motor', type: 'Template', definition: true, members }] },
      { device: 'd', metrics: [{ name: 'M1', type: 'Template', of: 'Motor', alias: 3, members }] },
    );
    expect((await there(gateway, 'V-udt-d')).points.map(({ title }) => title)).toEqual(['M1/rpm', 'M1/inner/temp']);
    await says(gateway, 'V-udt-d', 'M1_inner_temp', 40.5);
    await node.send('DDATA', 'd', [{ type: 'Template', of: 'Motor', alias: 3, members: [{ name: 'rpm', type: 'Int32', value: 950 }] }]);
    await says(gateway, 'V-udt-d', 'M1_rpm', 950);
    expect((await there(gateway, 'V-udt')).points).toEqual([]);
    expect(told(gateway)).toBeUndefined();
  });

  it('quality counts: bad and stale are no values', async () => {
    const gateway = await running(planOf(broker.port));
    await node.connect(broker.port, 'V', 'quality');
    const of = (quality: number) => ({ properties: { Quality: ['Int32', quality] as [string, number] } });
    await node.birth({ metrics: [192, 0, 500].map((quality) => ({ name: `q${quality}`, type: 'Int32', value: 5, ...of(quality) })) });
    await says(gateway, 'V-quality', 'q192', 5);
    expect(gateway.last({ device: 'V-quality', point: 'q0' })).toMatchObject({ value: null, quality: 'bad' });
    expect(gateway.last({ device: 'V-quality', point: 'q500' })).toMatchObject({ value: null, quality: 'bad', reason: 'sentinel' });
    await is(gateway, 'V-quality', 'online');
  });

  it('names that clash, are too long or strange are points of their own, whatever their order', async () => {
    const gateway = await running(planOf(broker.port));
    const names = ['a/b', 'a_b', 'a b', 'ü', 'x'.repeat(100), '__proto__', 'constructor'];
    await node.connect(broker.port, 'Größe', 'a-b', 0);
    const ids = async () => new Map((await there(gateway, 'Gr.c3.b6.c3.9fe-a.2db')).points.map(({ id, title }) => [title ?? id, id]));
    await node.birth({ metrics: names.map((name, value) => ({ name, type: 'Int32', value })) });
    await says(gateway, 'Gr.c3.b6.c3.9fe-a.2db', 'constructor', 6);
    const first = await ids();
    expect(first.get('a_b')).toBe('a_b');
    expect(new Set(first.values()).size).toBe(names.length);
    await node.birth({ metrics: names.toReversed().map((name, value) => ({ name, type: 'Int32', value })) });
    await says(gateway, 'Gr.c3.b6.c3.9fe-a.2db', 'constructor', 0);
    expect(await ids()).toEqual(first);
  });
});

describe('the past and the passing', () => {
  it('what is historical is stored at its own time and is no news; what is transient is news and not stored', async () => {
    const store = openStore({ folder: undefined, clock: systemClock, log: silentLog });
    onTestFinished(() => store.close());
    const gateway = await running(planOf(broker.port), store);
    await node.connect(broker.port, 'H', 'n');
    const at = Date.now();
    await node.birth({
      metrics: [
        { name: 'x', type: 'Int32', value: 1, at: at - 3_600_000 },
        { name: 't', type: 'Int32', value: 1 },
      ],
    });
    await says(gateway, 'H-n', 'x', 1);
    const live: unknown[] = [];
    gateway.subscribe((samples) => void live.push(...samples.map(({ key, sample }) => `${key.point} ${String(sample.value)}`)));
    await node.send('NDATA', undefined, [
      { name: 'x', type: 'Int32', value: 7, at: at - 60_000, historical: true },
      { name: 'x', type: 'Int32', value: 7, at: at - 30_000, historical: true },
      { name: 't', type: 'Int32', value: 2, transient: true },
      { name: 'x', type: 'Int32', value: 3, at },
    ]);
    await says(gateway, 'H-n', 'x', 3);
    await until('viewers have it', () => live.includes('x 3'));
    expect(live.filter((one) => one !== 'x 1' && one !== 't 1')).toEqual(['t 2', 'x 3']);
    expect(gateway.last({ device: 'H-n', point: 't' })?.value).toBe(2);
    await gateway.close();
    const keys = [
      { device: 'H-n', point: 'x' },
      { device: 'H-n', point: 't' },
    ];
    const ms = (time: bigint) => Number(time / 1_000_000n);
    const [x, t] = await store.range(
      '1/test',
      keys,
      { fromNs: 0n, toNs: BigInt(at + 60_000) * 1_000_000n },
      { quality: 'all', rowsMax: 100 },
      AbortSignal.timeout(5_000),
    );
    expect([...(x?.columns.times ?? [])].map(ms)).toEqual([at - 3_600_000, at - 60_000, at - 30_000, at]);
    expect([...(x?.columns.values ?? [])]).toEqual([1, 7, 7, 3]);
    expect([...(t?.columns.values ?? [])]).toEqual([1]);
  });
});

describe('what is no payload', () => {
  it.each([
    ['a varint without end', 'ffffffffffffffffffffff'],
    ['a metric that is cut off', '0801127f0a'],
    ['a length beyond all', '12ffffffffffffffffff01'],
    ['a wrong wire type', '0d00000000'],
    ['a group', '0b0c'],
    ['a field number 0', '0001'],
    ['a number beyond 255', '18ac02'],
    ['no protobuf at all', Buffer.from('{"online":true}').toString('hex')],
    ['properties that do not fit', '120f0a01784a0a0a016b0a016c120218012001'],
    ['templates without end', templates(40)],
  ])('%s is told with its topic, and nothing stops', async (what, hex) => {
    const gateway = await running(planOf(broker.port));
    const id = what.replaceAll(/\W/g, '');
    await node.connect(broker.port, 'Bad', id);
    await node.birth({ metrics: [{ name: 'x', type: 'Int32', value: 1 }] });
    await is(gateway, `Bad-${id}`, 'online');
    await node.do({ call: 'bytes', topic: `spBv1.0/Bad/NDATA/${id}`, hex });
    await until('it is told', () => told(gateway)?.includes(`spBv1.0/Bad/NDATA/${id}: the message `));
    await until('a birth is asked for', async () => (await node.asked()) === 1);
    await node.send('NDATA', undefined, [{ name: 'x', type: 'Int32', value: 2 }]);
    await says(gateway, `Bad-${id}`, 'x', 2);
    expect(told(gateway)).toBeUndefined();
    expect(gateway.connections()[0]?.state).toBe('up');
  });

  it('any bytes are read or told, at once', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          readPayload(Buffer.from(bytes));
        } catch (error) {
          expect((error as Error).message).toMatch(/^(has|is) /);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('what a broker keeps is not taken, and other topics are nobody’s', async () => {
    const gateway = await running(planOf(broker.port));
    await node.connect(broker.port, 'Bad', 'kept');
    await node.birth({ metrics: [{ name: 'x', type: 'Int32', value: 1 }] });
    await is(gateway, 'Bad-kept', 'online');
    await node.send('NDATA', undefined, [{ name: 'x', type: 'Int32', value: 9 }], { retain: true });
    await says(gateway, 'Bad-kept', 'x', 9);
    const later = await running(planOf(broker.port, { hostId: 'later', rebirth: false }));
    await until('it is told', () => told(later)?.includes('is retained, which Sparkplug forbids'));
    expect(later.devices()).toEqual([]);
    await node.do({ call: 'bytes', topic: 'spBv1.0/Bad/NDATA/kept', hex: '', retain: true });
  });
});

/** A template in a template, so many deep: written by hand, because no library would. */
function templates(depth: number): string {
  let inner = Buffer.alloc(0);
  const framed = (field: number, bytes: Buffer) => Buffer.concat([Buffer.from([(field << 3) | 2, ...varint(bytes.length)]), bytes]);
  for (let i = 0; i < depth; i++)
    inner = Buffer.concat([framed(1, Buffer.from('t')), Buffer.from([0x92, 0x01, ...varint(framed(2, inner).length)]), framed(2, inner)]);
  return framed(2, inner).toString('hex');
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >> 7)];
}
