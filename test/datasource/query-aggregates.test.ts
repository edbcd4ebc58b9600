import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fieldOf, type ReadFrame } from '../frame/read.ts';
import { type Bench, device, openBench } from './query-fixture.ts';

const hourMs = 3_600_000;
/** Midnight of 30 March 2024 in Vienna; the day after it has 23 hours. */
const dayMs = Date.parse('2024-03-30T00:00:00+01:00');
const range = { fromMs: dayMs, toMs: Date.parse('2024-04-02T00:00:00+02:00') };

const plant = device(
  'boiler',
  {
    valve: { report: { onChange: true }, enum: { 0: 'closed', 1: 'open' }, unit: 'percent' },
    heard: { report: { onChange: true, maxSilence: '10m' }, interval: '1s' },
    polled: {},
    energy: { counter: {}, unit: 'watth' },
    wide: { counter: { max: 999.9, resets: true }, unit: 'watth' },
    scaled: { counter: { resets: true }, scale: 0.5, offset: 10 },
    loose: {},
    mode: {},
    big: { counter: {} },
    burst: {},
  },
  {},
  'Boiler',
);

let bench: Bench;
beforeAll(async () => {
  bench = openBench([plant]);
  const say = bench.gateway.say.bind(bench.gateway);
  const at = (hours: number) => dayMs + hours * hourMs;
  // Open from two hours before the range on; unknown from 6 to 8; closed for the whole short day and the one after it.
  await say('boiler.valve', { value: 1, atMs: at(-2) }, { value: null, reason: 'offline', atMs: at(6) }, { value: 1, atMs: at(8) });
  await say('boiler.valve', { value: 0, atMs: at(18) });
  await say('boiler.heard', { value: 7, atMs: at(1) });
  await say('boiler.polled', { value: 10, atMs: at(0) }, { value: 20, atMs: at(23) });
  // A register of 16 bits that wraps once: 65,530 to 4 is 10.
  await say(
    'boiler.energy',
    { value: 65_500, atMs: at(-1) },
    { value: 65_530, atMs: at(1) },
    { value: 4, atMs: at(2) },
    { value: 9, atMs: at(30) },
  );
  // Of 1000 it can show: 899.9 past the top to 0 is 100.1, more than a tenth; 900 to 0 is a tenth.
  await say(
    'boiler.wide',
    { value: 899.9, atMs: at(1) },
    { value: 0, atMs: at(2) },
    { value: 900, atMs: at(26) },
    { value: 0, atMs: at(27) },
  );
  await say('boiler.scaled', { value: 100, atMs: at(1) }, { value: 12, atMs: at(2) });
  await say('boiler.loose', { value: 100, atMs: at(1) }, { value: 30, atMs: at(2) });
  await say('boiler.mode', { value: 'heat', atMs: at(0) }, { value: 'idle', atMs: at(6) });
  await say(
    'boiler.big',
    { value: 18_446_744_073_709_551_610n, kind: 'uint64', atMs: at(1) },
    { value: 18_446_744_073_709_551_615n, kind: 'uint64', atMs: at(2) },
    { value: 3n, kind: 'uint64', atMs: at(3) },
  );
  await say(
    'boiler.burst',
    ...Array.from({ length: 9_000 }, (_, index) => ({ value: index === 4_321 ? 5_000 : index % 10, atMs: at(0) + index * 1_000 })),
  );
});
afterAll(() => bench.close());

const telemetry = (more: Record<string, unknown>) => ({
  queryType: 'telemetry',
  devices: ['boiler'],
  timezone: 'Europe/Vienna',
  interval: '1d',
  ...more,
});
const times = (frame: ReadFrame | undefined) =>
  (frame ? fieldOf(frame, 'time').values : []).map((ns) => new Date(Number(BigInt(String(ns)) / 1_000_000n)).toISOString());
const values = (frame: ReadFrame | undefined, name: string) => (frame ? fieldOf(frame, name).values : undefined);
const noticesOf = (frame: ReadFrame | undefined) => JSON.stringify((frame?.meta as { notices?: unknown } | undefined)?.notices ?? []);

describe('days of a time zone', () => {
  it('weigh an average by time: what held before the day goes in, what is unknown does not, and a day may have 23 hours', async () => {
    const [frame] = await bench.frames(telemetry({ points: ['valve'], aggregate: 'avg' }), range);
    expect(times(frame)).toEqual(['2024-03-29T23:00:00.000Z', '2024-03-30T23:00:00.000Z', '2024-03-31T22:00:00.000Z']);
    // 6 and 10 hours of the 22 that are known.
    expect(values(frame, 'valve')).toEqual([16 / 22, 0, 0]);
  });

  it('are those of the settings where the query leaves it to the browser and nobody does', async () => {
    const [frame] = await bench.frames(telemetry({ points: ['polled'], aggregate: 'count', timezone: 'browser' }), range);
    expect(times(frame)).toEqual(['2024-03-29T00:00:00.000Z', '2024-03-30T00:00:00.000Z']);
  });

  it('take the plain average of points that are polled', async () => {
    const [frame] = await bench.frames(telemetry({ points: ['polled'], aggregate: 'avg' }), range);
    expect(values(frame, 'polled')).toEqual([15]);
  });

  it('end a value that holds when the point has been silent for longer than it may be', async () => {
    const [frame] = await bench.frames(telemetry({ points: ['heard'], aggregate: 'time-in-state' }), range);
    // Ten minutes and two polls.
    expect(values(frame, 'heard')).toEqual([602]);
  });

  it('have a column a state, by its name, which adds up to the time in which it is known', async () => {
    const frames = await bench.frames(telemetry({ points: ['valve', 'mode'], aggregate: 'time-in-state' }), range);
    expect(frames.map(({ name }) => name)).toEqual([
      'boiler.mode: heat',
      'boiler.mode: idle',
      'boiler.valve: closed',
      'boiler.valve: open',
    ]);
    const hours = (index: number, point: string) => (values(frames[index], point) ?? []).map((seconds) => Number(seconds) / 3_600);
    expect(hours(2, 'valve')).toEqual([6, 23, 24]);
    expect(hours(3, 'valve')).toEqual([16, 0, 0]);
    expect(hours(0, 'mode')).toEqual([6, 0, 0]);
    expect(frames[3] && fieldOf(frames[3], 'valve')).toMatchObject({
      labels: { device: 'boiler', point: 'valve', state: 'open' },
      config: { unit: 's', displayNameFromDS: 'Boiler valve: open' },
    });
    const [share] = await bench.frames(telemetry({ points: ['mode'], aggregate: 'share-in-state' }), range);
    expect(values(share, 'mode')).toEqual([0.25, 0, 0]);
  });
});

describe('change', () => {
  const day = (point: string, aggregate: string) => bench.frames(telemetry({ points: [point], aggregate }), range);

  it('is counted from the last sample before the range, and a wrap of the register is none back', async () => {
    expect(values((await day('energy', 'increase'))[0], 'energy')).toEqual([40, 5]);
    expect(values((await day('energy', 'delta'))[0], 'energy')).toEqual([-65_496, 5]);
    const [rate] = await day('energy', 'rate');
    expect(values(rate, 'energy')).toEqual([40 / 10_800, 5 / 100_800]);
    // Watt hours a second are no watt hours.
    expect(rate && (fieldOf(rate, 'energy').config as { unit?: string }).unit).toBeUndefined();
  });

  it('takes a fall of a counter that may reset for a wrap only if that is by far the shorter way', async () => {
    expect(values((await day('wide', 'increase'))[0], 'wide')).toEqual([0, 1_000]);
  });

  it('begins again at the offset of a scaled counter, and at 0 where there is no counter', async () => {
    // A wrap would be 0.5 × 65,536 - 88.
    expect(values((await day('scaled', 'increase'))[0], 'scaled')).toEqual([2]);
    expect(values((await day('loose', 'increase'))[0], 'loose')).toEqual([30]);
  });

  it('is exact to the last digit of 64 bits', async () => {
    // From ...610 to ...615 and back to 3: less than 64 bits can hold.
    const [delta] = await day('big', 'delta');
    expect(delta && fieldOf(delta, 'big')).toMatchObject({ arrow: 'Float64' });
    const [hours] = await bench.frames(telemetry({ points: ['big'], aggregate: 'delta', interval: '1h' }), {
      ...range,
      toMs: dayMs + 3 * hourMs,
    });
    expect(hours && fieldOf(hours, 'big')).toMatchObject({ arrow: 'Int64', values: ['5'] });
  });
});

describe('intervals without a value', () => {
  const hours = (point: string, fill: string, more: Record<string, unknown> = {}) =>
    bench.frames(telemetry({ points: [point], aggregate: 'last', interval: '6h', timezone: 'UTC', fill, ...more }), {
      fromMs: dayMs + hourMs,
      toMs: dayMs + 25 * hourMs,
    });

  it('take over the value before, also that before the range', async () => {
    const [frame] = await hours('energy', 'previous', { aggregate: 'last' });
    expect(values(frame, 'energy')).toEqual([4, 4, 4, 4]);
    // The only sample in the range is in the last interval.
    const [polled] = await hours('polled', 'previous');
    expect(values(polled, 'polled')).toEqual([10, 10, 10, 20]);
    const after = { fromMs: dayMs + 30 * hourMs, toMs: dayMs + 31 * hourMs };
    const [mode] = await bench.frames(telemetry({ points: ['mode'], aggregate: 'last', interval: '30m', fill: 'previous' }), after);
    expect(values(mode, 'mode')).toEqual(['idle', 'idle']);
  });

  it('lie on the line between their neighbours, and stay null at the ends', async () => {
    const wider = { fromMs: dayMs - hourMs, toMs: dayMs + 36 * hourMs };
    const [frame] = await bench.frames(
      telemetry({ points: ['polled'], aggregate: 'last', interval: '6h', timezone: 'UTC', fill: 'linear' }),
      wider,
    );
    expect(values(frame, 'polled')).toEqual([10, 12.5, 15, 17.5, 20, null, null]);
  });

  it('are not foretold', async () => {
    const nowMs = Date.now();
    await bench.gateway.say('boiler.polled', { value: 3, atMs: nowMs - 1_000 });
    const future = { fromMs: nowMs - 10_000, toMs: nowMs + hourMs };
    const [previous] = await bench.frames(telemetry({ points: ['polled'], aggregate: 'last', interval: '10m', fill: 'previous' }), future);
    expect(values(previous, 'polled')?.at(-1)).toBeNull();
    const [state] = await bench.frames(telemetry({ points: ['polled'], aggregate: 'time-in-state', interval: '2h' }), future);
    const known = (values(state, 'polled') ?? []).reduce((sum: number, one) => sum + Number(one), 0);
    expect(known).toBeLessThan(60);
  });
});

describe('raw samples of a drawing', () => {
  const panel = { ...range, isDrawing: true, maxDataPoints: 500 };
  const raw = { points: ['burst'], interval: 'auto' };

  it('are those that show, with a notice how to get all', async () => {
    const [frame] = await bench.frames(telemetry(raw), panel);
    const shown = values(frame, 'burst') as number[];
    expect(shown.length).toBeLessThan(2_000);
    expect(shown).toContain(5_000);
    expect(noticesOf(frame)).toMatch(/\d+ of 9000 samples are shown.*set .*reduce.* to .*none/);
  });

  it.each([
    ['"reduce": "none"', { ...raw, reduce: 'none' }, panel],
    ['an interval', { ...raw, interval: '1m' }, panel],
    ['a row a sample', { ...raw, format: 'long' }, panel],
    ['an alert rule or a script', raw, { ...panel, isDrawing: false }],
  ])('are all there with %s', async (_, query, asked) => {
    const [frame] = await bench.frames(telemetry(query), asked);
    expect(frame?.fields[0]?.values.length).toBe(9_000);
    expect(noticesOf(frame)).toBe('[]');
  });

  it('are fewer for whoever asks for it', async () => {
    const [frame] = await bench.frames(telemetry({ ...raw, reduce: 'min-max' }), { ...panel, isDrawing: false });
    expect(frame?.fields[0]?.values.length).toBeLessThan(2_000);
  });

  it('are all there where they are few enough', async () => {
    const [frame] = await bench.frames(telemetry(raw), { ...panel, maxDataPoints: 2_250 });
    expect(frame?.fields[0]?.values.length).toBe(9_000);
  });
});

describe('live', () => {
  it('days go on in a channel, which begins where the finished ones end', async () => {
    const nowMs = Date.now();
    await bench.gateway.say('boiler.daily', { value: 1, atMs: nowMs - 30 * hourMs }, { value: 2, atMs: nowMs - 1 });
    const asked = { fromMs: nowMs - 72 * hourMs, toMs: nowMs };
    const [frame] = await bench.frames(telemetry({ points: ['daily'], aggregate: 'sum', live: true }), asked);
    expect(values(frame, 'boiler.daily')).toEqual([1]);
    const channel = String((frame?.meta as { channel?: string } | undefined)?.channel);
    const path = channel.slice(channel.indexOf('live/'));
    const answer = await bench.streams.subscribe(bench.instance, path);
    if (answer.status !== 'ok') throw new Error(`${channel} is not there`);
    const packet = JSON.parse(new TextDecoder().decode(answer.initial)) as {
      schema: { fields: { name: string }[] };
      data: { values: unknown[][] };
    };
    expect(packet.schema.fields.map(({ name }) => name)).toEqual(['time', 'boiler.daily']);
    expect(packet.data.values[0]).toEqual([]);
  });

  it('time in state is history, and says so', async () => {
    const nowMs = Date.now();
    const [frame] = await bench.frames(telemetry({ points: ['mode'], aggregate: 'time-in-state', live: true }), {
      fromMs: dayMs,
      toMs: nowMs,
    });
    expect(frame?.meta).not.toHaveProperty('channel');
    expect(noticesOf(frame)).toContain('Not live: time-in-state is not.');
  });
});

describe('what cannot be', () => {
  it.each([
    [
      { interval: '1M' },
      'interval is "1M"; allowed is "auto", a duration such as "1m" or "24h", or days, weeks, months or years of the calendar',
    ],
    [
      { timezone: 'Mars/Olympus' },
      'timezone is "Mars/Olympus"; allowed is "browser" or an IANA time zone such as "Europe/Vienna" or "UTC"',
    ],
    [{ aggregate: 'median' }, '"rate", "time-in-state" or "share-in-state"'],
    [{ fill: 'next' }, 'allowed is "none", "null", "previous" or "linear"'],
    [{ reduce: 'some' }, 'allowed is "auto", "none" or "min-max"'],
  ])('%j is refused with what is allowed', async (query, sentence) => {
    const answer = await bench.ask(telemetry(query), range);
    expect(answer).toMatchObject({ status: 400 });
    expect(answer.error).toContain(sentence);
  });

  it('states of a measurement are too many, and it says so', async () => {
    const many = Array.from({ length: 70 }, (_, index) => ({ value: index + 0.5, atMs: dayMs + index }));
    await bench.gateway.say('boiler.many', ...many);
    const [frame] = await bench.frames(telemetry({ points: ['many'], aggregate: 'time-in-state' }), range);
    expect(noticesOf(frame)).toContain('boiler.many left out: more than 64 different values are no states');
  });

  it('text has no increase', async () => {
    const [frame] = await bench.frames(telemetry({ points: ['mode'], aggregate: 'increase' }), range);
    expect(noticesOf(frame)).toContain('1 series of text left out: text has no increase');
  });
});
