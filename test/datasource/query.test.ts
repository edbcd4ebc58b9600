import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Fault } from '../../src/contract/fault.ts';
import { silentLog } from '../../src/contract/log.ts';
import { createQueries } from '../../src/datasource/query.ts';
import type { DataQuery } from '../../src/datasource/questions.ts';
import { fieldOf, type ReadFrame, readFrame } from '../frame/read.ts';
import { type Bench, clock, device, openBench } from './query-fixture.ts';

const boiler = device(
  'boiler',
  { flow_temp: { unit: 'celsius' }, pump: { enum: { 0: 'off', 1: 'on' } }, mode: {}, energy: {}, never: {}, reset: { access: 'write' } },
  { site: 'north' },
  'Boiler',
);
const tank = device('tank', { level: { unit: 'percent' } });

let bench: Bench;
beforeAll(async () => {
  bench = openBench([boiler, tank]);
  await bench.gateway.say('boiler.flow_temp', { value: 20 }, { value: 21.5, atMs: clock.nowMs() + 5 });
  await bench.gateway.say('boiler.pump', { value: true });
  await bench.gateway.say('boiler.mode', { value: 'heat' });
  await bench.gateway.say('boiler.energy', { value: 9007199254740993n });
  await bench.gateway.say('tank.level', { value: 40 }, { value: null, reason: 'timeout', atMs: clock.nowMs() + 5 });
  await bench.gateway.say('gone.speed', { value: 7, atMs: clock.nowMs() - 10_000 });
});
afterAll(() => bench.close());

const names = (frame: { fields: { name: string }[] }) => frame.fields.map(({ name }) => name);
function texts(field: { values: unknown[]; config?: unknown }): unknown[] {
  const list = (field.config as { type: { enum: { text: string[] } } }).type.enum.text;
  return field.values.map((index) => (index === null ? null : list[Number(index)]));
}

describe('a query that is wrong', () => {
  it.each([
    ['not JSON', new TextEncoder().encode('{"queryType":'), 'the query is not JSON'],
    ['not UTF-8', Uint8Array.of(0xff, 0xfe), 'the query is not JSON'],
    ['no object', 5, 'the query is 5; allowed is an object'],
    ['no type', { devices: ['a'] }, 'queryType is missing; allowed is "telemetry", "latest", "status", "commands", "messages"'],
    ['a type that does not exist', { queryType: 'logs', devices: ['a'] }, 'queryType is "logs"; allowed is "telemetry"'],
    ['no devices', { queryType: 'latest', devices: [] }, 'devices is empty; allowed is at least one device name'],
    ['a selector of the wrong type', { queryType: 'latest', devices: ['a', 7] }, 'devices[1] is 7; allowed is a string'],
    [
      'an expression that is none',
      { queryType: 'telemetry', devices: ['a'], points: ['ok', '/(/'] },
      'points[1]: /(/ is not a regular expression RE2 understands',
    ],
    [
      'a label expression that is none',
      { queryType: 'telemetry', devices: ['a'], labels: { site: '/[/' } },
      'labels.site: /[/ is not a regular expression',
    ],
    [
      'an interval that is none',
      { queryType: 'telemetry', devices: ['a'], interval: 'fast' },
      'interval is "fast"; allowed is "auto", a duration such as "1m" or "24h", or days, weeks, months or years of the calendar',
    ],
    [
      'an aggregate that does not exist',
      { queryType: 'telemetry', devices: ['a'], aggregate: 'median' },
      'aggregate is "median"; allowed is "none", "avg"',
    ],
  ])('%s: 400 and a sentence', async (_what, query, sentence) => {
    const answer = await bench.ask(query);
    expect(answer).toMatchObject({ status: 400, frames: [], errorSource: 'downstream' });
    expect(answer.error).toContain(sentence);
  });

  it('a time range that ends before it begins: 400', async () => {
    expect(await bench.ask({ queryType: 'telemetry', devices: ['*'] }, { fromMs: 2_000, toMs: 1_000 })).toMatchObject({
      status: 400,
      error: expect.stringContaining('timeRange is from 2000 to 1000'),
    });
  });

  it('does not spoil its neighbours', async () => {
    const query = (refId: string, json: string): DataQuery => ({
      refId,
      json: new TextEncoder().encode(json),
      intervalMs: 1_000,
      maxDataPoints: 100,
      fromMs: clock.nowMs() - 60_000,
      toMs: clock.nowMs() + 1_000,
    });
    const answers = await bench.queries.answer(
      bench.instance,
      { orgId: 1, pluginId: 'p' },
      [
        query('A', '{"queryType":"latest","devices":["tank"]}'),
        query('B', '{"queryType":'),
        query('C', '{"queryType":"telemetry","devices":["boiler"],"points":["pump"]}'),
      ],
      new AbortController().signal,
    );
    expect([...answers].map(([refId, { status, frames }]) => [refId, status, frames.length])).toEqual([
      ['A', 200, 1],
      ['B', 400, 0],
      ['C', 200, 1],
    ]);
  });

  it('cannot hang the process with an expression', async () => {
    const began = performance.now();
    const [frame] = await bench.frames({
      queryType: 'telemetry',
      devices: [`/(a+)+$/`, `/^(${'x?'.repeat(100)})${'x'.repeat(100)}$/`],
      points: ['/(.*)*z/'],
    });
    expect(performance.now() - began).toBeLessThan(2_000);
    expect(frame?.fields).toEqual([]);
  });
});

describe('series', () => {
  it('lists what history there is, whatever the range, and by the same selectors', async () => {
    const table = async (query: object, more?: Partial<DataQuery>) =>
      (await bench.frames({ queryType: 'series', ...query }, more))[0] as ReadFrame;
    const all = await table({}, { fromMs: 0, toMs: 1 });
    expect(names(all)).toEqual(['device', 'point', 'labels', 'kind', 'unit', 'first', 'last', 'samples', 'bytes']);
    expect(fieldOf(all, 'point').values).toEqual(['energy', 'flow_temp', 'mode', 'pump', 'speed', 'level']);
    const frame = await table({ labels: { site: 'north' }, points: ['flow*', 'energy'] });
    const column = (name: string) => fieldOf(frame, name).values;
    expect(column('device')).toEqual(['boiler', 'boiler']);
    expect(column('point')).toEqual(['energy', 'flow_temp']);
    expect(column('labels')).toEqual(['site=north', 'site=north']);
    expect(column('kind')).toEqual(['int64', 'double']);
    expect(column('unit')).toEqual(['', 'celsius']);
    expect(column('samples')).toEqual([1, 2]);
    const [, first] = column('first');
    const [, last] = column('last');
    expect(Number(first)).toBeLessThan(Number(last));
    // What is in no chunk yet takes no space of its own; then it does.
    await bench.store.expire(bench.instance.key, 0n);
    const folded = await table({ points: ['flow_temp'] });
    expect(fieldOf(folded, 'samples').values).toEqual([2]);
    expect(Number(fieldOf(folded, 'bytes').values[0])).toBeGreaterThan(10);
    expect(await bench.ask({ queryType: 'series' }, { role: 'Viewer' })).toMatchObject({ status: 200 });
  });

  it('says what there is where nothing matches', async () => {
    const [frame] = await bench.frames({ queryType: 'series', devices: ['boilr'] });
    expect(frame?.meta).toMatchObject({
      notices: [{ severity: 'info', text: 'No device matches. There are "boiler", "tank" and "gone".' }],
    });
    expect(frame?.fields.every(({ values }) => values.length === 0)).toBe(true);
  });
});

describe('when something else fails', () => {
  const query: DataQuery = {
    refId: 'A',
    json: new TextEncoder().encode('{"queryType":"telemetry","devices":["*"]}'),
    intervalMs: 1,
    maxDataPoints: 1,
    fromMs: 0,
    toMs: 1,
  };
  const caller = { orgId: 1, pluginId: 'p' };

  it('a store that is gone is a fault of ours, with a sentence', async () => {
    const closed = openBench([boiler]);
    await closed.close();
    const answer = (await closed.queries.answer(closed.instance, caller, [query], new AbortController().signal)).get('A');
    expect(answer).toMatchObject({ frames: [], errorSource: 'plugin' });
    expect(answer?.status).toBeGreaterThanOrEqual(500);
    expect(answer?.error).toMatch(/\w+ \w+/);
  });

  it('the store says what it means: a Fault keeps its status, a bug becomes 500', async () => {
    const failing = (error: unknown) => ({ ...bench.store, series: () => Promise.reject(error) });
    const answer = async (error: unknown) => {
      const queries = createQueries({ store: failing(error), clock, log: silentLog, streams: bench.streams });
      return (await queries.answer(bench.instance, caller, [query], new AbortController().signal)).get('A');
    };
    expect(await answer(new Fault('The disk is full.', { type: 'storage-full', blame: 'gateway', status: 507 }))).toMatchObject({
      status: 507,
      error: 'The disk is full.',
      errorSource: 'plugin',
    });
    expect(await answer(new TypeError('x is undefined'))).toMatchObject({
      status: 500,
      error: 'Fieldgate could not answer: x is undefined',
      errorSource: 'plugin',
    });
  });

  it('an aborted call stops its work', async () => {
    const cancel = new AbortController();
    const answering = bench.queries.answer(
      bench.instance,
      caller,
      Array.from({ length: 50 }, (_, i) => ({ ...query, refId: String(i) })),
      cancel.signal,
    );
    cancel.abort(new Error('the panel is closed'));
    await expect(answering).rejects.toThrow('the panel is closed');
  });
});

describe('latest', () => {
  const row = (frame: Parameters<typeof fieldOf>[0], point: string) => fieldOf(frame, 'point').values.indexOf(point);

  it('is a table that Alerting reads as one number per device and point', async () => {
    const [frame] = await bench.frames({ queryType: 'latest', devices: ['*'] });
    if (!frame) throw new Error('no frame');
    expect(frame.meta).toMatchObject({ type: 'numeric-long', typeVersion: [0, 1] });
    expect(names(frame)).toEqual(['time', 'site', 'device', 'point', 'value', 'text', 'unit', 'quality', 'reason']);
    // Every text column is a dimension to Alerting, and only numbers are values: nothing that changes may be among them.
    expect(frame.fields.filter(({ tstype }) => tstype === 'string').map(({ name }) => name)).toEqual(['site', 'device', 'point']);
    expect(frame.fields.filter(({ tstype }) => tstype === 'number').map(({ name }) => name)).toEqual(['value']);
    expect(fieldOf(frame, 'point').values).toEqual(['energy', 'flow_temp', 'mode', 'never', 'pump', 'speed', 'level']);
    expect(fieldOf(frame, 'value').values).toEqual([9007199254740992, 21.5, null, null, 1, 7, null]);
    expect(texts(fieldOf(frame, 'text'))).toEqual(['9007199254740993', null, 'heat', null, 'on', null, null]);
    expect(texts(fieldOf(frame, 'unit'))).toEqual([null, 'celsius', null, null, null, null, 'percent']);
    expect(texts(fieldOf(frame, 'quality'))[row(frame, 'level')]).toBe('bad');
    expect(texts(fieldOf(frame, 'reason'))[row(frame, 'level')]).toBe('timeout');
    expect(fieldOf(frame, 'time').values[row(frame, 'never')]).toBeNull();
    expect(texts(fieldOf(frame, 'quality'))[row(frame, 'never')]).toBeNull();
  });

  it('shows what is gone from the settings only if it spoke within the range', async () => {
    const [frame] = await bench.frames({ queryType: 'latest', devices: ['*'] }, { fromMs: clock.nowMs() - 1_000 });
    expect(frame && fieldOf(frame, 'device').values).not.toContain('gone');
    expect(frame && fieldOf(frame, 'device').values).toContain('tank');
  });

  it('wide and multi: a number each, with its own unit and states; text is left to the table', async () => {
    const [wide] = await bench.frames({ queryType: 'latest', devices: ['boiler'], format: 'wide' });
    if (!wide) throw new Error('no frame');
    expect(wide.meta).toMatchObject({
      type: 'numeric-wide',
      notices: [{ text: '1 point holds text and is left out; format long shows it.' }],
    });
    expect(names(wide)).toEqual(['energy', 'flow_temp', 'never', 'pump']);
    expect(fieldOf(wide, 'flow_temp')).toMatchObject({
      values: [21.5],
      labels: { device: 'boiler', point: 'flow_temp' },
      config: { unit: 'celsius' },
    });
    expect(fieldOf(wide, 'energy').values).toEqual(['9007199254740993']);
    const multi = await bench.frames({ queryType: 'latest', devices: ['boiler', 'tank'], points: ['flow_temp', 'level'], format: 'multi' });
    expect(multi.map((frame) => [frame.name, (frame.meta as { type: string }).type, frame.fields[0]?.values])).toEqual([
      ['boiler.flow_temp', 'numeric-multi', [21.5]],
      ['tank.level', 'numeric-multi', [null]],
    ]);
  });

  it('says what there is when nothing matches', async () => {
    const [frame] = await bench.frames({ queryType: 'latest', devices: ['nobody'] });
    expect(frame).toMatchObject({
      fields: [],
      meta: { type: 'numeric-long', notices: [{ text: expect.stringContaining('No device matches. There are "boiler"') }] },
    });
  });
});

describe('status', () => {
  it('is a number over time with the names of its states, from the start of the range to its end', async () => {
    const nowMs = clock.nowMs();
    const ns = (ms: number) => BigInt(ms) * 1_000_000n;
    await bench.store.appendConnectivity(bench.instance.key, [
      { device: 'boiler', timeNs: ns(nowMs - 100_000), state: 'online', reason: '' },
      { device: 'boiler', timeNs: ns(nowMs - 20_000), state: 'offline', reason: 'no answer' },
    ]);
    bench.gateway.statuses = bench.gateway.statuses.map((status) => ({ ...status, sinceMs: nowMs - 30_000 }));
    const [frame, other] = await bench.frames({ queryType: 'status', devices: ['*'] }, { fromMs: nowMs - 60_000, toMs: nowMs });
    if (!frame || !other) throw new Error('no frames');
    expect(frame).toMatchObject({ name: 'boiler', meta: { type: 'timeseries-multi', typeVersion: [0, 1] } });
    expect(fieldOf(frame, 'time').values).toEqual([ns(nowMs - 60_000), ns(nowMs - 20_000), ns(nowMs) - 1n].map(String));
    expect(fieldOf(frame, 'online')).toMatchObject({
      values: [1, 0, 0],
      tstype: 'number',
      labels: { device: 'boiler', site: 'north' },
      config: { displayNameFromDS: 'Boiler', mappings: [{ options: { 0: { text: 'offline' }, 1: { text: 'online' } } }] },
    });
    expect(texts(fieldOf(frame, 'reason'))).toEqual(['', 'no answer', 'no answer']);
    // Nobody has heard of the tank yet: null is no data to Alerting.
    expect(fieldOf(other, 'online').values).toEqual([null, null]);
  });

  it('selects by device and label', async () => {
    const frames = await bench.frames({ queryType: 'status', devices: ['*'], labels: { site: 'north' } });
    expect(frames.map(({ name }) => name)).toEqual(['boiler']);
    const [none] = await bench.frames({ queryType: 'status', devices: ['nobody'] });
    expect(none).toMatchObject({ fields: [], meta: { notices: [{ text: 'No device matches. There are "boiler" and "tank".' }] } });
  });
});

describe('commands', () => {
  const nowMs = clock.nowMs();
  const record = (id: string, more: object) => ({
    id,
    device: 'boiler',
    point: 'setpoint',
    kind: 'set' as const,
    value: 55,
    state: 'verified' as const,
    user: { login: 'ann', name: 'Ann', role: 'Editor' },
    times: { queued: nowMs - 5_000, verified: nowMs - 4_000, ended: nowMs - 4_000 },
    ...more,
  });
  beforeAll(async () => {
    await bench.store.saveCommand(bench.instance.key, record('1', { readBack: 55, reason: 'cold' }));
    await bench.store.saveCommand(
      bench.instance.key,
      record('2', {
        device: 'tank',
        kind: 'act',
        point: 'drain',
        value: null,
        state: 'sent',
        times: { queued: nowMs - 1_000, sent: nowMs - 900 },
      }),
    );
  });

  it('are annotations: time, end, title, text, tags', async () => {
    const [frame] = await bench.frames({ queryType: 'commands', devices: ['*'] });
    if (!frame) throw new Error('no frame');
    expect(fieldOf(frame, 'time').values).toEqual([`${nowMs - 5_000}000000`, `${nowMs - 1_000}000000`]);
    expect(fieldOf(frame, 'timeEnd').values).toEqual([`${nowMs - 4_000}000000`, null]);
    expect(fieldOf(frame, 'title').values).toEqual(['boiler.setpoint := 55, verified', 'tank: drain, sent']);
    expect(fieldOf(frame, 'text').values).toEqual(['by Ann (Editor); cold; read back 55', 'by Ann (Editor)']);
    expect(fieldOf(frame, 'tags').values).toEqual(['command,set,boiler,verified', 'command,act,tank,sent']);
    expect(fieldOf(frame, 'duration')).toMatchObject({ values: [1_000, null], config: { unit: 'ms' } });
    const [tanks] = await bench.frames({ queryType: 'commands', devices: ['t*'] });
    expect(tanks && fieldOf(tanks, 'id').values).toEqual(['2']);
  });

  it('are log lines, newest first, if that is asked for', async () => {
    const [frame] = await bench.frames({ queryType: 'commands', devices: ['*'], as: 'logs' });
    if (!frame) throw new Error('no frame');
    expect(frame.meta).toMatchObject({ type: 'log-lines', preferredVisualisationType: 'logs' });
    expect(fieldOf(frame, 'timestamp').values).toEqual([`${nowMs - 1_000}000000`, `${nowMs - 5_000}000000`]);
    expect(fieldOf(frame, 'body').values).toEqual([
      'tank: drain, sent; by Ann (Editor)',
      'boiler.setpoint := 55, verified; by Ann (Editor); cold; read back 55',
    ]);
    expect(fieldOf(frame, 'severity').values).toEqual(['info', 'info']);
  });

  it('are not for visitors of public dashboards, for whom Grafana asks as an administrator; alert rules may read them', async () => {
    const asked = async (login: string, queryType: string) => {
      const user = { login, name: login, email: '', role: 'Admin' as const };
      const json = new TextEncoder().encode(JSON.stringify({ queryType, devices: ['*'] }));
      const query = { refId: 'A', json, fromMs: nowMs - 60_000, toMs: nowMs, intervalMs: 1_000, maxDataPoints: 100 };
      const caller = { orgId: 1, pluginId: 'p', user };
      return (await bench.queries.answer(bench.instance, caller, [query], new AbortController().signal)).get('A');
    };
    for (const type of ['commands', 'bus', 'explain', 'messages', 'survey'])
      expect(await asked('service', type)).toMatchObject({ status: 403, error: expect.stringContaining('this dashboard is public') });
    expect(await asked('service', 'latest')).toMatchObject({ status: 200 });
    expect(await asked('grafana_scheduler', 'commands')).toMatchObject({ status: 200 });
    // Reasons may name hosts.
    const reasons = async (login: string) => {
      const frames = (await asked(login, 'status'))?.frames ?? [];
      return frames.flatMap((bytes) => texts(fieldOf(readFrame(bytes), 'reason'))).filter((text) => text !== '');
    };
    await bench.store.appendConnectivity(bench.instance.key, [
      { device: 'boiler', timeNs: BigInt(nowMs - 20_000) * 1_000_000n, state: 'offline', reason: 'no answer' },
    ]);
    expect(await reasons('grafana_scheduler')).not.toEqual([]);
    expect(await reasons('service')).toEqual([]);
  });

  it('name people, so Viewers and nobody are refused, as with GET commands', async () => {
    expect(await bench.ask({ queryType: 'commands', devices: ['*'] }, { role: 'Viewer' })).toMatchObject({
      status: 403,
      frames: [],
      error: expect.stringContaining('needs the role Editor; your role is Viewer'),
    });
    expect((await bench.ask({ queryType: 'commands', devices: ['*'] }, { role: 'Editor' })).status).toBe(200);
    const nobody = await bench.queries.answer(
      bench.instance,
      { orgId: 1, pluginId: 'p' },
      [
        {
          refId: 'A',
          json: new TextEncoder().encode('{"queryType":"commands","devices":["*"]}'),
          intervalMs: 1,
          maxDataPoints: 1,
          fromMs: 0,
          toMs: nowMs,
        },
      ],
      new AbortController().signal,
    );
    expect(nobody.get('A')).toMatchObject({ status: 403, error: expect.stringContaining('nobody is signed in') });
  });

  it('an empty table still has its columns', async () => {
    const answer = await bench.ask({ queryType: 'commands', devices: ['nobody'] });
    expect(names(readFrame(answer.frames[0] ?? []))).toContain('timeEnd');
  });
});
