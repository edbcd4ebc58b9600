import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fieldOf, type ReadFrame } from '../frame/read.ts';
import { type Bench, clock, device, openBench } from './query-fixture.ts';

/** What Grafana's ad hoc filters, group-by, legends and alert rules ask for. */
const startMs = 1_700_000_000_000;
const range = { fromMs: startMs, toMs: startMs + 60_000 };
const at = (seconds: number) => startMs + seconds * 1_000;
const silent = { report: { maxSilence: '10s' } };

let bench: Bench;
beforeAll(async () => {
  bench = openBench([
    device('north-a', { temp: { unit: 'celsius', title: 'Temperature', ...silent } }, { site: 'north', floor: '1' }, 'Room A'),
    device('north-b', { temp: { unit: 'celsius' } }, { site: 'north' }),
    device('south-a', { temp: { unit: 'celsius' }, mode: {} }, { site: 'south' }),
  ]);
  const say = bench.gateway.say.bind(bench.gateway);
  await say('north-a.temp', { value: 10, atMs: at(0) }, { value: 12, atMs: at(5) }, { value: 14, atMs: at(50) });
  await say('north-b.temp', { value: 20, atMs: at(0) }, { value: 22, atMs: at(45) });
  await say('south-a.temp', { value: 30, atMs: at(0) });
  await say('south-a.mode', { value: 'heat', atMs: at(0) });
});
afterAll(() => bench.close());

type Words = Record<string, string>;
interface Meta {
  type?: string;
  notices?: { severity: string; text: string }[];
  executedQueryString?: string;
  custom?: unknown;
}
const metaOf = (frame: ReadFrame | undefined) => (frame?.meta ?? {}) as Meta;

const telemetry = (more: Record<string, unknown>) => ({ queryType: 'telemetry', devices: ['*'], points: ['temp'], ...more });
const devicesIn = (frames: ReadFrame[]) =>
  frames.flatMap(({ fields }) => fields.flatMap(({ labels }) => (labels as Words | undefined)?.device ?? []));

describe('where', () => {
  it.each([
    [[{ label: 'site', operator: '=', values: ['north'] }], ['north-a', 'north-b']],
    [[{ label: 'site', operator: '!=', values: ['north'] }], ['south-a']],
    [[{ label: 'site', operator: '=~', values: ['^(no|so)'] }], ['north-a', 'north-b', 'south-a']],
    [[{ label: 'site', operator: '!~', values: ['^n'] }], ['south-a']],
    [[{ label: 'site', operator: '=', values: ['south', 'north'] }], ['north-a', 'north-b', 'south-a']],
    [[{ label: 'site', operator: '=', values: ['*'] }], []],
    [[{ label: 'floor', operator: '=', values: [''] }], ['north-b', 'south-a']],
    [[{ label: 'floor', operator: '!=', values: ['1'] }], ['north-b', 'south-a']],
    [[{ label: 'floor', operator: '!=', values: [''] }], ['north-a']],
    [[{ label: 'device', operator: '=~', values: ['-a$'] }], ['north-a', 'south-a']],
    [[{ label: 'point', operator: '=', values: ['mode'] }], []],
    [
      [
        { label: 'site', operator: '=', values: ['north'] },
        { label: 'device', operator: '!=', values: ['north-a'] },
      ],
      ['north-b'],
    ],
  ])('%j means %j', async (where, devices) => {
    expect(devicesIn(await bench.frames(telemetry({ where }), range))).toEqual(devices);
  });

  it.each([
    [[{ label: 'site', operator: '=~', values: ['('] }], /where\[0\]\.values\[0\]/],
    [[{ label: 'site', operator: '<', values: ['1'] }], /where\[0\]\.operator/],
    [[{ label: 'site', operator: '=', values: [] }], /where\[0\]\.values/],
    [[{ label: 'site', operator: '=', value: 'x', values: ['x'] }], /where\[0\]/],
  ])('%j is refused at its place', async (where, message) => {
    expect(await bench.ask(telemetry({ where }), range)).toMatchObject({ status: 400, error: expect.stringMatching(message) });
  });

  it('filters devices and their state too', async () => {
    const frames = await bench.frames({
      queryType: 'status',
      devices: ['*'],
      where: [{ label: 'site', operator: '!=', values: ['north'] }],
    });
    expect(frames.map(({ name }) => name)).toEqual(['south-a']);
  });
});

describe('legend', () => {
  it('names series of telemetry, of latest and of status', async () => {
    const legend = '{{site}}: {{device.title}} {{point.title}}{{none}}';
    const named = async (query: object) =>
      (await bench.frames({ devices: ['north-a'], ...query }, range)).flatMap(({ fields }) =>
        fields.flatMap(({ config }) => (config as Words | undefined)?.displayNameFromDS ?? []),
      );
    expect(await named({ queryType: 'telemetry', legend })).toEqual(['north: Room A Temperature']);
    expect(await named({ queryType: 'latest', format: 'wide', legend })).toEqual(['north: Room A Temperature']);
    expect(await named({ queryType: 'status', legend: '{{device}} of {{site}}' })).toEqual(['north-a of north']);
  });
});

describe('groupBy', () => {
  const interval = '1h';
  const groupsOf = async (more: object) => {
    const frames = await bench.frames(telemetry({ interval, groupBy: ['site'], ...more }), range);
    return frames.map(({ fields }) => [fields[1]?.labels, fields[1]?.values]);
  };

  it('adds up what can be added, and takes the mean, least or greatest of the rest', async () => {
    expect(await groupsOf({ aggregate: 'sum' })).toEqual([
      [{ site: 'north' }, [10 + 12 + 14 + 20 + 22]],
      [{ site: 'south' }, [30]],
    ]);
    expect(await groupsOf({ aggregate: 'min' })).toMatchObject([
      [{}, [10]],
      [{}, [30]],
    ]);
    expect(await groupsOf({ aggregate: 'max' })).toMatchObject([
      [{}, [22]],
      [{}, [30]],
    ]);
    expect(await groupsOf({ aggregate: 'last' })).toMatchObject([
      [{}, [(14 + 22) / 2]],
      [{}, [30]],
    ]);
    expect(await groupsOf({})).toMatchObject([
      [{}, [(12 + 21) / 2]],
      [{}, [30]],
    ]);
  });

  it('keeps intervals in which only some have a value', async () => {
    const [[, values] = []] = await groupsOf({ aggregate: 'sum', interval: '5s', fill: 'null' });
    // Twelve intervals: north-a in 0, 5 and 50 s, north-b in 0 and 45 s.
    expect(values).toEqual([30, 12, null, null, null, null, null, null, null, 22, 14, null]);
  });

  it('leaves text out and says so', async () => {
    const [frame] = await bench.frames(telemetry({ points: ['*'], interval, groupBy: ['site'], aggregate: 'last' }), range);
    expect(metaOf(frame).notices?.map(({ text }) => text)).toContainEqual(expect.stringMatching(/^1 series of text left out/));
  });
});

describe('gaps', () => {
  it('are nulls where a drawing asks, as long after the last sample as the point may be silent', async () => {
    const [drawn] = await bench.frames(telemetry({ devices: ['north-a'] }), { ...range, isDrawing: true });
    expect(drawn?.fields[1]?.values).toEqual([10, 12, null, 14]);
    expect(drawn && fieldOf(drawn, 'time').values[2]).toBe(`${at(5) + 30_000}000000`);
    const [asked] = await bench.frames(telemetry({ devices: ['north-a'] }), range);
    expect(asked?.fields[1]?.values).toEqual([10, 12, 14]);
  });

  it('are none where nobody knows how often a point speaks', async () => {
    const [drawn] = await bench.frames(telemetry({ devices: ['north-b'] }), { ...range, isDrawing: true });
    expect(drawn?.fields[1]?.values).toEqual([20, 22]);
  });

  it('are wider than an interval, however short the point may be silent', async () => {
    const drawing = { ...range, isDrawing: true };
    const avg = await bench.frames(telemetry({ devices: ['north-a'], aggregate: 'last', interval: '50s' }), drawing);
    expect(avg[0]?.fields[1]?.values).toEqual([12, 14]);
    const short = await bench.frames(telemetry({ devices: ['north-a'], aggregate: 'last', interval: '5s' }), drawing);
    expect(short[0]?.fields[1]?.values).toEqual([10, 12, null, 14]);
  });
});

describe('what ran', () => {
  it('is said to a drawing, with all that was not said filled in, and to nobody else', async () => {
    const [frame] = await bench.frames(telemetry({ devices: ['north-a'] }), { ...range, isDrawing: true });
    expect(JSON.parse(metaOf(frame).executedQueryString ?? '')).toMatchObject({
      devices: ['north-a'],
      aggregate: 'none',
      quality: 'usable',
    });
    expect(metaOf(frame).custom).toEqual({ read: { frames: 1, rows: 4, tookMs: expect.any(Number) } });
    const [asked] = await bench.frames(telemetry({ devices: ['north-a'] }), range);
    expect(metaOf(asked).executedQueryString).toBeUndefined();
  });
});

describe('latest for alert rules', () => {
  it('shows how old the last usable sample is, also behind a bad one, and null where none ever was', async () => {
    const own = openBench([device('boiler', { good: {}, broken: { report: { maxSilence: '1s' } }, never: {}, lost: {} })]);
    const nowMs = clock.nowMs();
    await own.gateway.say('boiler.good', { value: 1, atMs: nowMs - 5_000 });
    await own.gateway.say('boiler.broken', { value: 1, atMs: nowMs - 60_000 }, { value: null, atMs: nowMs - 1_000 });
    await own.gateway.say('boiler.lost', { value: 1, atMs: nowMs - 7_200_000 }, { value: null, atMs: nowMs - 1_000 });
    const latest = async (more: object) => {
      const [frame] = await own.frames({ queryType: 'latest', devices: ['boiler'], ...more });
      return frame as ReadFrame;
    };
    const ages = await latest({ show: 'age' });
    expect(metaOf(ages)).toMatchObject({ type: 'numeric-long' });
    expect(fieldOf(ages, 'point').values).toEqual(['broken', 'good', 'lost', 'never']);
    const [broken, good, lost, never] = fieldOf(ages, 'value').values as (number | null)[];
    expect(Math.floor((broken ?? 0) / 10)).toBe(6);
    expect(Math.floor(good ?? 0)).toBeLessThan(60);
    // Nothing usable in the hour that is asked for: as old as that, at least.
    expect(Math.floor((lost ?? 0) / 60)).toBe(60);
    expect(never).toBeNull();
    expect((await latest({ show: 'age', quality: 'all' })).fields.length).toBeGreaterThan(0);
    expect(fieldOf(await latest({ show: 'quality' }), 'value').values).toEqual([2, 0, 2, null]);
    expect(metaOf(await latest({})).notices?.[0]?.text).toBeUndefined();
    await own.close();
  });

  it('colours an age by how long its point may be silent', async () => {
    const own = openBench([
      device('boiler', {
        often: { report: { maxSilence: '2s' } },
        daily: { report: { maxSilence: '24h' } },
        atWill: { report: { onChange: true } },
      }),
    ]);
    const said = { value: 1, atMs: clock.nowMs() - 60_000 };
    for (const point of ['often', 'daily', 'atWill']) await own.gateway.say(`boiler.${point}`, said);
    const steps = async () => {
      const [frame] = await own.frames({ queryType: 'latest', devices: ['boiler'], show: 'age', format: 'wide' });
      return (frame as ReadFrame).fields.map(
        ({ config }) => (config as { thresholds: { steps: { value: number | null; color: string }[] } }).thresholds.steps,
      );
    };
    const [atWill, daily, often] = await steps();
    expect(often).toEqual([
      { value: null, color: 'green' },
      { value: 6, color: 'orange' },
      { value: 60, color: 'red' },
    ]);
    expect(daily?.map(({ value }) => value)).toEqual([null, 3 * 86_400, 30 * 86_400]);
    expect(atWill).toEqual([{ value: null, color: 'green' }]);
    own.gateway.statuses = own.gateway.statuses.map((status) => ({ ...status, state: 'offline' }));
    const red = [{ value: null, color: 'red' }];
    expect(await steps()).toEqual([red, red, red]);
    await own.close();
  });

  it('says who is silent for too long', async () => {
    const [frame] = await bench.frames({ queryType: 'latest', devices: ['*'], points: ['temp'] });
    expect(metaOf(frame).notices).toEqual([
      { severity: 'warning', text: expect.stringMatching(/^Stale, nothing usable .*: north-a\.temp\.$/) },
    ]);
  });
});
