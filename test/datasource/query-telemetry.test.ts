import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fieldOf } from '../frame/read.ts';
import { type Bench, device, openBench } from './query-fixture.ts';

const startMs = 1_700_000_000_000;
const range = { fromMs: startMs, toMs: startMs + 60_000 };
const boiler = device(
  'boiler',
  {
    flow_temp: { unit: 'celsius', min: -20, max: 120, precision: 1, title: 'Flow temperature' },
    pump: { enum: { 0: 'off', 1: 'on' } },
    energy: {},
    mode: {},
    state: {},
    mixed: {},
  },
  { site: 'north' },
  'Boiler',
);
const tank = device('tank', { level: { unit: 'percent', scale: 0.1, enum: { 3: 'low' } } });

let bench: Bench;
beforeAll(async () => {
  bench = openBench([boiler, tank]);
  const at = (seconds: number) => startMs + seconds * 1_000;
  const say = bench.gateway.say.bind(bench.gateway);
  await say(
    'boiler.flow_temp',
    { value: 20, atMs: at(0) },
    { value: 22, atMs: at(1) },
    { value: null, reason: 'exception-2', atMs: at(2) },
    { value: 30, quality: 'uncertain', reason: 'clock', atMs: at(11) },
  );
  await say('boiler.pump', { value: false, atMs: at(0) }, { value: true, atMs: at(5) });
  await say('boiler.energy', { value: 18446744073709551615n, kind: 'uint64', atMs: at(1) });
  await say('boiler.mode', { value: 'heat', atMs: at(0) }, { value: 'idle', atMs: at(30) });
  await say('boiler.mixed', { value: 1, atMs: at(0) });
  await say('boiler.mixed', { value: 'broken', atMs: at(1) });
  await say('tank.level', { value: 0.3, atMs: at(1) }, { value: 40, atMs: at(2) });
  await say('gone.speed', { value: 7, atMs: at(3) });
});
afterAll(() => bench.close());

const telemetry = (more: Record<string, unknown>) => ({ queryType: 'telemetry', devices: ['boiler'], ...more });

describe('telemetry', () => {
  it('answers a frame a series with labels, unit, axis, decimals and legend', async () => {
    const [frame] = await bench.frames(telemetry({ points: ['flow_temp'] }), range);
    expect(frame).toMatchObject({ name: 'boiler.flow_temp', refId: 'A', meta: { type: 'timeseries-multi', typeVersion: [0, 1] } });
    expect(frame?.fields.map(({ name }) => name)).toEqual(['time', 'flow_temp']);
    expect(frame && fieldOf(frame, 'time').values).toEqual(['1700000000000000000', '1700000001000000000', '1700000011000000000']);
    expect(frame && fieldOf(frame, 'flow_temp')).toMatchObject({
      values: [20, 22, 30],
      nullable: false,
      labels: { device: 'boiler', point: 'flow_temp', site: 'north' },
      config: { unit: 'celsius', min: -20, max: 120, decimals: 1, displayNameFromDS: 'Boiler Flow temperature' },
    });
  });

  it('filters by quality, and with all gives bad samples as null with their quality and reason', async () => {
    const [good] = await bench.frames(telemetry({ points: ['flow_temp'], quality: 'good' }), range);
    expect(good && fieldOf(good, 'flow_temp').values).toEqual([20, 22]);
    const [all] = await bench.frames(telemetry({ points: ['flow_temp'], quality: 'all' }), range);
    if (!all) throw new Error('no frame');
    expect(fieldOf(all, 'flow_temp')).toMatchObject({ values: [20, 22, null, 30], nullable: true });
    expect(fieldOf(all, 'quality')).toMatchObject({
      values: [0, 0, 2, 1],
      tstype: 'enum',
      config: { type: { enum: { text: ['good', 'uncertain', 'bad'] } } },
    });
    const reason = fieldOf(all, 'reason');
    const names = (reason.config as { type: { enum: { text: string[] } } }).type.enum.text;
    expect(reason.values.map((index) => names[Number(index)])).toEqual(['', '', 'exception-2', 'clock']);
  });

  it('has quality and reason in every format, also of a series with nothing wrong', async () => {
    const all = telemetry({ points: ['pump'], quality: 'all' });
    for (const format of ['multi', 'wide', 'long']) {
      const [frame] = await bench.frames({ ...all, format }, range);
      if (!frame) throw new Error('no frame');
      const prefix = format === 'wide' ? 'boiler.pump ' : '';
      expect(fieldOf(frame, `${prefix}quality`).values, format).toEqual([0, 0]);
      expect(fieldOf(frame, `${prefix}reason`), format).toMatchObject({ values: [0, 0], config: { type: { enum: { text: [''] } } } });
    }
  });

  it('keeps 64-bit integers to the last digit and names states by the stored value', async () => {
    const frames = await bench.frames(telemetry({ devices: ['boiler', 'tank'], points: ['energy', 'pump', 'level'] }), range);
    const [energy, pump, level] = frames;
    expect(energy && fieldOf(energy, 'energy')).toMatchObject({ arrow: 'Uint64', values: ['18446744073709551615'] });
    expect(pump && fieldOf(pump, 'pump')).toMatchObject({
      values: [false, true],
      config: { mappings: [{ type: 'value', options: { false: { text: 'off' }, true: { text: 'on' } } }] },
    });
    expect(level && fieldOf(level, 'level')).toMatchObject({
      values: [0.3, 40],
      config: { mappings: [{ options: { '0.3': { text: 'low' } } }] },
    });
  });

  it('puts series of text behind the numbers and without a type, where Alerting passes over them', async () => {
    const frames = await bench.frames(telemetry({ points: ['mode', 'pump'] }), range);
    expect(frames.map(({ name, meta }) => [name, (meta as { type?: string }).type])).toEqual([
      ['boiler.pump', 'timeseries-multi'],
      ['boiler.mode', undefined],
    ]);
    expect(frames[1] && fieldOf(frames[1], 'mode').values).toEqual(['heat', 'idle']);
  });

  it('tells two kinds of one point apart by the label kind', async () => {
    const frames = await bench.frames(telemetry({ points: ['mixed'] }), range);
    expect(frames.map(({ name }) => name)).toEqual(['boiler.mixed (double)', 'boiler.mixed (string)']);
    expect(frames.map((frame) => (fieldOf(frame, 'mixed').labels as Record<string, string>).kind)).toEqual(['double', 'string']);
    expect(frames.map((frame) => fieldOf(frame, 'mixed').values)).toEqual([[1], ['broken']]);
  });

  it('answers from history for a device that is gone from the settings', async () => {
    const [frame] = await bench.frames(telemetry({ devices: ['gone'] }), range);
    expect(frame && fieldOf(frame, 'speed')).toMatchObject({
      values: [7],
      labels: { device: 'gone', point: 'speed' },
      config: { displayNameFromDS: 'gone speed' },
    });
  });

  it.each([
    ['avg', [21, 30]],
    ['min', [20, 30]],
    ['max', [22, 30]],
    ['sum', [42, 30]],
    ['count', [2, 1]],
    ['first', [20, 30]],
    ['last', [22, 30]],
  ])('by interval: %s', async (aggregate, values) => {
    const [frame] = await bench.frames(telemetry({ points: ['flow_temp'], aggregate, interval: '10s' }), range);
    if (!frame) throw new Error('no frame');
    const time = fieldOf(frame, 'time');
    expect(time.values).toEqual(['1700000000000000000', '1700000010000000000']);
    // Said, it would have Grafana break the line at each interval without a sample.
    expect(time.config ?? {}).not.toHaveProperty('interval');
    expect(fieldOf(frame, 'flow_temp').values).toEqual(values);
    expect((fieldOf(frame, 'flow_temp').config as { unit?: string }).unit).toBe(aggregate === 'count' ? undefined : 'celsius');
  });

  it('takes the interval from the panel, and fills missing ones with null if asked', async () => {
    const panel = { ...range, intervalMs: 15_000, maxDataPoints: 10 };
    const [frame] = await bench.frames(telemetry({ points: ['flow_temp'], aggregate: 'last', fill: 'null' }), panel);
    if (!frame) throw new Error('no frame');
    // Buckets begin at multiples of 15 s since 1970, so that two queries agree on them; the first one began before the range.
    expect(fieldOf(frame, 'time').config).toEqual({ interval: 15_000 });
    expect(fieldOf(frame, 'time').values).toEqual([-5, 10, 25, 40, 55].map((second) => `${1_700_000_000 + second}000000000`));
    expect(fieldOf(frame, 'flow_temp').values).toEqual([22, 30, null, null, null]);
  });

  it('widens an interval that gives too many values, and says so', async () => {
    const [frame] = await bench.frames(telemetry({ points: ['flow_temp'], aggregate: 'count', interval: '1ms', fill: 'null' }), range);
    expect(JSON.stringify(frame?.meta)).toContain('interval 1ms gives too many values over this range; 4ms is used');
    expect(frame && fieldOf(frame, 'time').config).toEqual({ interval: 4 });
  });

  it('leaves text out of averages and says so', async () => {
    const frames = await bench.frames(telemetry({ points: ['mode', 'pump'], aggregate: 'avg', interval: '1m' }), range);
    expect(frames.map(({ name }) => name)).toEqual(['boiler.pump']);
    expect(JSON.stringify(frames[0]?.meta)).toContain('1 series of text left out: text has no avg');
    const [last] = await bench.frames(telemetry({ points: ['mode'], aggregate: 'last', interval: '1m' }), range);
    expect(last && fieldOf(last, 'mode').values).toContain('idle');
  });

  it('wide: one time column, holes where a series has nothing, lines that go on across them', async () => {
    const [frame, more] = await bench.frames(
      telemetry({ devices: ['boiler', 'tank'], points: ['flow_temp', 'level', 'mode'], format: 'wide' }),
      range,
    );
    if (!frame) throw new Error('no frame');
    expect(more).toBeUndefined();
    expect(frame.meta).toMatchObject({ type: 'timeseries-wide', typeVersion: [0, 1] });
    expect(frame.fields.map(({ name }) => name)).toEqual(['time', 'boiler.flow_temp', 'boiler.mode', 'tank.level']);
    expect(fieldOf(frame, 'time').values).toEqual([0, 1, 2, 11, 30].map((second) => `${1_700_000_000 + second}000000000`));
    expect(fieldOf(frame, 'boiler.flow_temp').values).toEqual([20, 22, null, 30, null]);
    expect(fieldOf(frame, 'tank.level')).toMatchObject({ values: [null, 0.3, 40, null, null], config: { custom: { spanNulls: true } } });
    expect(fieldOf(frame, 'boiler.mode').values).toEqual(['heat', null, null, null, 'idle']);
  });

  it('long: a row a sample in order of time, labels as the only text columns', async () => {
    const [frame] = await bench.frames(
      telemetry({ devices: ['boiler', 'tank'], points: ['pump', 'level', 'mode'], format: 'long' }),
      range,
    );
    if (!frame) throw new Error('no frame');
    expect(frame.meta).toMatchObject({ type: 'timeseries-long' });
    expect(frame.fields.map(({ name, tstype }) => [name, tstype])).toEqual([
      ['time', 'time'],
      ['site', 'string'],
      ['device', 'string'],
      ['point', 'string'],
      ['value', 'number'],
      ['text', 'enum'],
    ]);
    expect(fieldOf(frame, 'point').values).toEqual(['mode', 'pump', 'level', 'level', 'pump', 'mode']);
    expect(fieldOf(frame, 'value').values).toEqual([null, 0, 0.3, 40, 1, null]);
    const text = fieldOf(frame, 'text');
    const names = (text.config as { type: { enum: { text: string[] } } }).type.enum.text;
    expect(text.values.map((index) => names[Number(index)])).toEqual(['heat', 'off', 'low', '40', 'on', 'idle']);
  });

  it('selects by glob, expression and label', async () => {
    const names = async (query: Record<string, unknown>) =>
      (await bench.frames({ queryType: 'telemetry', ...query }, range)).map(({ name }) => name);
    expect(await names({ devices: ['*'], points: ['/^(flow_temp|level)$/'] })).toEqual(['boiler.flow_temp', 'tank.level']);
    expect(await names({ devices: ['*an*', 'gone'] })).toEqual(['gone.speed', 'tank.level']);
    expect(await names({ devices: ['*'], labels: { site: 'n*' }, points: ['pump'] })).toEqual(['boiler.pump']);
    // What every object has is no label: a frame without fields says that nothing matches.
    expect(await names({ devices: ['*'], labels: { constructor: '*' } })).toEqual([undefined]);
  });

  it.each([
    [{ devices: ['boler'] }, 'No device matches. There are "boiler", "tank" and "gone".'],
    [
      { points: ['temp'] },
      'No point of "boiler" matches points and labels. There are "flow_temp", "pump", "energy", "mode", "state" and "mixed".',
    ],
    [{ points: ['state'] }, 'No sample yet of boiler.state.'],
  ])('answers %j with nothing and says what there is', async (query, text) => {
    const frames = await bench.frames(telemetry(query), range);
    expect(frames).toEqual([
      {
        name: undefined,
        refId: 'A',
        meta: { type: 'timeseries-multi', typeVersion: [0, 1], notices: [{ severity: 'info', text }] },
        fields: [],
      },
    ]);
  });

  it('has no data outside the range, which is half-open', async () => {
    const [frame] = await bench.frames(telemetry({ points: ['flow_temp'] }), { fromMs: startMs + 1, toMs: startMs + 1_000 });
    expect(frame).toMatchObject({ meta: { type: 'timeseries-multi' }, fields: [] });
  });
});
