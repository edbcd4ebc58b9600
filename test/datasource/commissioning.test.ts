/** Probe, scan and what shows the traffic, as Grafana asks for them: HTTP and queries, with the line driver's far end on a socket. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drivers } from '../../drivers/index.ts';
import type { Role } from '../../src/contract/caller.ts';
import { limits } from '../../src/contract/limits.ts';
import { type ReadFrame, readFrame } from '../frame/read.ts';
import { lineDriver } from '../gateway/line-driver.ts';
import { type PlantServer, plantServer } from '../gateway/plant-server.ts';
import { type Plant, startPlant } from './plant.ts';

let far: PlantServer;
let plant: Plant;

beforeAll(async () => {
  far = await plantServer();
  far.units.set('1', { registers: new Map([['temp', '21']]) });
  far.units.set('3', { registers: new Map([['temp', '23']]) });
  plant = await startPlant(settings(), { drivers: [...drivers, lineDriver()] });
  plant.save(settings(), { secrets: { 'line.password': 'hidden-secret' } });
  await plant.until('devices/pump/points/temp', (answer) => answer.json.last?.quality === 'good');
});
afterAll(async () => {
  await plant?.close();
  await far?.stop();
});

function lineSettings(more: object = {}) {
  return { kind: 'line', port: far.port, timeoutMs: 300, inFlight: 1, ...more };
}

function settings() {
  const address = { register: 'temp', shape: { type: 'float64' } };
  return {
    connections: [
      { id: 'line', ...lineSettings() },
      { id: 'dead', kind: 'modbus', transport: { type: 'tcp', host: '127.0.0.1', port: 1 } },
      { id: 'house', kind: 'mqtt', url: 'mqtt://127.0.0.1:1' },
    ],
    devices: [
      {
        id: 'pump',
        connection: 'line',
        address: { unit: '3' },
        interval: '20ms',
        labels: { site: 'north' },
        points: [{ id: 'temp', address }],
      },
    ],
  };
}

/** The lines of a survey that is read to its end. */
async function survey(path: string, body: unknown): Promise<Record<string, unknown>[]> {
  const reader = plant.open(path, { method: 'POST', body });
  await reader.ended;
  expect(reader.text).not.toContain('hidden-secret');
  if (reader.status !== 200) return [JSON.parse(reader.text)];
  return reader.text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

const of = (lines: Record<string, unknown>[], event: string) => lines.filter((line) => line.event === event);

async function query(model: object, role: Role = 'Admin'): Promise<ReadFrame[]> {
  const [from, to] = [Date.now() - 60_000, Date.now() + 1_000];
  const data = { refId: 'A', json: Buffer.from(JSON.stringify(model)), intervalMs: 1_000, maxDataPoints: 100, fromMs: from, toMs: to };
  const answer = (await plant.datasource.queryData(plant.caller(role), [data], new AbortController().signal)).get('A');
  if (answer?.error !== undefined) throw new Error(`${answer.status} ${answer.error}`);
  return (answer?.frames ?? []).map((frame) => readFrame(frame));
}

const column = (frame: ReadFrame | undefined, name: string) => frame?.fields.find((field) => field.name === name)?.values ?? [];
const texts = (values: unknown[]) => values.map((value) => Buffer.from(value as Uint8Array).toString());

describe('a scan over HTTP', () => {
  it('tells what it does and finds, line by line, on the connection that runs', async () => {
    const lines = await survey('connections/line/scan', {});
    expect(lines[0]).toMatchObject({ event: 'begin', connection: 'line', kind: 'scan', session: 'running', secrets: 'stored' });
    expect(of(lines, 'finding')).toMatchObject([
      { id: 'unit-1', kind: 'unit', text: 'unit 1 answers', values: { unit: 1 }, proposes: { devices: [{ id: 'unit-1' }] } },
      { id: 'unit-3', values: { password: true, trial: false } },
    ]);
    expect(of(lines, 'progress').at(-1)).toMatchObject({ done: 4, total: 4, text: 'all asked' });
    expect(lines.at(-1)).toMatchObject({ event: 'end', state: 'done', findings: 2, dropped: 0, detail: 'the scan found 2 things' });
    expect(lines.every(({ time }) => typeof time === 'number')).toBe(true);

    const kept = await plant.ask('connections/line/survey');
    expect(kept.json).toMatchObject({ connection: 'line', kind: 'scan', state: 'done', findings: [{ id: 'unit-1' }, { id: 'unit-3' }] });
    const [frame] = await query({ queryType: 'survey', connections: ['l*'] });
    expect(frame?.name).toBe('scan of line: unit');
    expect(column(frame, 'unit')).toEqual([1, 3]);
    expect(column(frame, 'answer')).toEqual(['= 21', '= 23']);
    expect(column(frame, 'trial')).toEqual([false, false]);
  });

  it('tries other settings on a session of its own, with or without a place in the settings', async () => {
    const lines = await survey('connections/new/scan', { connection: lineSettings({ note: 'new' }), options: { units: 1 } });
    expect(lines[0]).toMatchObject({ event: 'begin', session: 'trial', secrets: 'none' });
    expect(of(lines, 'finding')).toMatchObject([{ id: 'unit-1', values: { trial: true, password: false } }]);
    expect((await plant.ask('connections/new/survey')).json.session).toBe('trial');
    const same = await survey('connections/line/scan', { connection: lineSettings(), options: { units: 1 } });
    expect(same[0]).toMatchObject({ session: 'running', secrets: 'stored' });
  });

  it('gives a stored secret only to where it went before, and takes others with the request', async () => {
    const password = async (body: object) => {
      const lines = await survey('connections/line/scan', { options: { units: 1 }, ...body });
      return [lines[0]?.secrets, (of(lines, 'finding')[0]?.values as { password?: boolean } | undefined)?.password, lines[0]?.detail];
    };
    // Another time-out is the same way.
    expect(await password({ connection: lineSettings({ timeoutMs: 310 }) })).toEqual(['stored', true, undefined]);
    expect(await password({ connection: lineSettings({ note: 'elsewhere' }) })).toEqual([
      'none',
      false,
      expect.stringContaining('the stored secrets are not used'),
    ]);
    expect(await password({ connection: lineSettings({ note: 'elsewhere' }), secrets: { password: 'x' } })).toEqual([
      'given',
      true,
      undefined,
    ]);
    const elsewhere = await plantServer();
    elsewhere.units.set('1', { registers: new Map([['temp', '1']]) });
    expect(await password({ connection: lineSettings({ port: elsewhere.port }) })).toEqual(['none', false, expect.anything()]);
    await elsewhere.stop();
  });

  it.each([
    ['connections/nowhere/scan', {}, 404, /no connection nowhere that runs.*"connection"/],
    ['connections/line/probe', {}, 404, /Lines over TCP \(line\) has no probe/],
    ['connections/line/scan', { options: { units: 0 } }, 400, /^options\.units is 0/],
    ['connections/line/scan', { options: { unit: 1 } }, 400, /options\.unit is not known here/],
    ['connections/line/scan', { more: 1 }, 400, /^more is not known here/],
    ['connections/line/scan', { secrets: { pin: '1' } }, 400, /^secrets\.pin is not known; allowed is password/],
    ['connections/new/scan', { connection: { kind: 'profibus' } }, 400, /^connection\.kind is "profibus"/],
    ['connections/new/scan', { connection: { kind: 'modbus' } }, 400, /^connection\.transport/],
    ['connections/new/survey', undefined, 404, /no probe or scan/],
  ])('%s with %j is refused in words', async (path, body, status, words) => {
    // Another instance: what was tried before in this file is not there.
    const answer = await plant.ask(path.replace('new/survey', 'never/survey'), body === undefined ? {} : { method: 'POST', body });
    expect(answer.status).toBe(status);
    expect(answer.json.detail).toMatch(words);
  });

  it('is one at a time on a connection, and is cancelled when the caller hangs up', async () => {
    const reader = plant.open('connections/line/scan', { method: 'POST', body: { options: { units: 247 } } });
    await reader.until((text) => /asking unit [4-9]/.test(text));
    const second = await plant.ask('connections/line/scan', { method: 'POST', body: {} });
    expect([second.status, second.json.type]).toEqual([409, 'urn:fieldgate:problem:survey-under-way']);
    expect((await plant.ask('connections/line/survey')).json).toMatchObject({ state: 'running', progress: { total: 247 } });
    reader.leave();
    await reader.ended;
    const ended = await plant.until('connections/line/survey', ({ json }) => json.state !== 'running');
    expect(ended.json).toMatchObject({ state: 'cancelled', error: 'the one who asked for it has left' });
    expect((await survey('connections/line/scan', { options: { units: 1 } })).at(-1)).toMatchObject({ state: 'done' });
  });

  it('drops a reader that does not keep up, with a word, and ends the scan', async () => {
    const before = (await plant.ask('connections/line/survey')).json.started;
    const reader = plant.open('connections/line/scan', { method: 'POST', body: { options: { units: 1, flood: 100_000, kinds: 10 } } });
    reader.pause();
    await plant.until('connections/line/survey', ({ json }) => json.started !== before && json.state !== 'running');
    reader.resume();
    await reader.ended;
    const last = JSON.parse(reader.text.trim().split('\n').at(-1) ?? '');
    expect(last).toMatchObject({ event: 'end', findings: 11, detail: expect.stringMatching(/lines had no room: read faster/) });
    // 100 MB were told.
    expect(reader.text.length).toBeLessThan(limits.surveyWaitingBytesMax);
  });

  it('stands on the help page of those who may', async () => {
    const page = async (role: Role) => (await plant.ask('help', { role })).text;
    expect(await page('Admin')).toContain('/connections/line/scan');
    expect(await page('Editor')).not.toContain('/scan');
    expect(await page('Editor')).toContain('&quot;explain&quot;');
    expect(await page('Viewer')).not.toContain('&quot;explain&quot;');
  });

  it('GET drivers says what can be chosen', async () => {
    const { json } = await plant.ask('drivers', { role: 'Viewer' });
    const line = json.drivers.find(({ kind }: { kind: string }) => kind === 'line');
    expect(line.survey.scan.properties.units).toMatchObject({ type: 'integer', minimum: 1, maximum: 247, default: 4 });
    expect(line.survey.probe).toBeUndefined();
  });
});

describe('the query messages', () => {
  it('shows what goes over the wire as log lines', async () => {
    const [frame] = await query({ queryType: 'messages', connections: ['line'] }, 'Editor');
    expect(frame?.meta).toMatchObject({ type: 'log-lines', typeVersion: [0, 0], preferredVisualisationType: 'logs' });
    expect(frame?.fields.map(({ name, arrow }) => [name, arrow])).toEqual([
      ['timestamp', 'Timestamp<NANOSECOND>'],
      ['body', 'Utf8'],
      ['severity', 'Utf8'],
      ['id', 'Utf8'],
      ['labels', 'Binary'],
    ]);
    const times = column(frame, 'timestamp').map((time) => BigInt(time as string));
    expect(times.every((time, i) => i === 0 || time < (times[i - 1] ?? 0n))).toBe(true);
    const labels = texts(column(frame, 'labels')).map((text) => JSON.parse(text));
    const asked = labels.findIndex(({ direction, device }) => direction === 'out' && device === 'pump');
    expect(labels[asked]).toEqual({ connection: 'line', device: 'pump', unit: '3', direction: 'out' });
    expect(column(frame, 'body')[asked]).toBe('read | R 3 temp\\n');
    expect(new Set(column(frame, 'id')).size).toBe(times.length);
  });

  it('is narrowed by text, expression, direction, device and label', async () => {
    const bodies = async (model: object) =>
      column((await query({ queryType: 'messages', connections: ['line'], ...model }))[0], 'body') as string[];
    const all = await bodies({});
    expect(all.some((body) => body.includes('= 2'))).toBe(true);
    const sent = await bodies({ direction: 'out' });
    expect(sent.length).toBeGreaterThan(0);
    expect(sent.every((body) => body.startsWith('read'))).toBe(true);
    const answers = await bodies({ filter: '/= 2[0-9]/' });
    expect(answers.length).toBeGreaterThan(0);
    expect(answers.every((body) => / = 2\d/.test(body))).toBe(true);
    expect((await bodies({ filter: 'R 3 temp' })).every((body) => body.includes('R 3 temp'))).toBe(true);
    expect((await bodies({ devices: ['pump'] })).every((body) => body.includes('R 3 temp'))).toBe(true);
    expect(await bodies({ labels: { site: 'south' } })).toEqual([]);
    expect((await bodies({ labels: { site: 'north' } })).length).toBeGreaterThan(0);
    await expect(bodies({ filter: '/(/' })).rejects.toThrow(/400 filter: .* RE2/);
    expect((await query({ queryType: 'messages', connections: ['nothing'] }))[0]?.meta).toMatchObject({
      notices: [{ text: 'No connection matches. There are line, dead, house.' }],
    });
  });
});

describe('the query bus', () => {
  it('is a table of units, which an alert rule can read', async () => {
    const asked = async () => (await query({ queryType: 'bus' }, 'Editor'))[0];
    const polls = (table: ReadFrame | undefined) => column(table, 'requests')[column(table, 'unit').indexOf('3')];
    await expect.poll(async () => polls(await asked())).toBeGreaterThan(10);
    const frame = await asked();
    expect(frame?.meta).toMatchObject({ type: 'numeric-long', typeVersion: [0, 1] });
    const rows = column(frame, 'unit').map((unit, i) => [column(frame, 'connection')[i], unit]);
    expect(rows.slice(0, 2)).toEqual([
      ['line', 'all'],
      ['line', '1'],
    ]);
    const at = rows.findIndex(([, unit]) => unit === '3');
    for (const name of ['busy', 'wait p50', 'wait p99', 'wire p50', 'wire p99']) {
      const [value] = column(frame, name).slice(at) as number[];
      expect(value, name).toBeGreaterThanOrEqual(0);
      expect(value, name).toBeLessThan(60_000);
    }
    expect(column(frame, 'busy').every((share) => (share as number) <= 1)).toBe(true);
  });

  it('is a trace of one bus: the wait and the wire of each request', async () => {
    const [frame] = await query({ queryType: 'bus', traceId: 'line' }, 'Editor');
    expect(frame?.meta).toMatchObject({ preferredVisualisationType: 'trace' });
    const [ids, parents, starts, durations] = ['spanID', 'parentSpanID', 'startTime', 'duration'].map((name) => column(frame, name)) as [
      string[],
      string[],
      number[],
      number[],
    ];
    expect(new Set(ids).size).toBe(ids.length);
    expect([ids[0], parents[0]]).toEqual(['bus', '']);
    expect(new Set(column(frame, 'traceID'))).toEqual(new Set(['line']));
    for (const [i, parent] of parents.entries()) {
      const of = ids.indexOf(parent);
      if (i === 0) continue;
      expect(of).toBeGreaterThanOrEqual(0);
      expect((starts[i] ?? 0) + 0.01).toBeGreaterThanOrEqual(starts[of] ?? Number.POSITIVE_INFINITY);
      expect((starts[i] ?? 0) + (durations[i] ?? 0)).toBeLessThanOrEqual((starts[of] ?? 0) + (durations[of] ?? 0) + 0.01);
    }
    const poll = column(frame, 'operationName').indexOf('read temp of unit 3');
    expect(column(frame, 'serviceName')[poll]).toBe('line unit 3');
    expect(JSON.parse(texts(column(frame, 'tags'))[poll] ?? '')).toContainEqual({ key: 'priority', value: 'poll' });
    expect(column(frame, 'operationName')).toContain('scan');
    await expect(query({ queryType: 'bus', traceId: 'nowhere' })).rejects.toThrow(/404 there is no bus/);
  });
});

describe('the query explain', () => {
  it('is the poll plan of each connection, and what a round of each bus takes', async () => {
    const [requests, buses] = await query({ queryType: 'explain' }, 'Editor');
    expect(column(requests, 'request')).toEqual(['read temp of unit 3']);
    expect(column(requests, 'interval')).toEqual([20]);
    expect(column(requests, 'point names')).toEqual(['pump.temp']);
    expect(column(requests, 'wasted')).toEqual([null]);
    expect(column(requests, 'measured')[0]).toBeGreaterThan(0);
    expect(requests?.meta).toMatchObject({
      notices: [{ text: expect.stringMatching(/^dead has no plan now: /) }, { text: expect.stringMatching(/^house has no plan now: /) }],
    });
    expect(column(buses, 'bus')).toEqual([`tcp://127.0.0.1:${far.port}`]);
    expect(column(buses, 'cycle measured')[0]).toBe(column(requests, 'measured')[0]);
    expect(column(buses, 'load')[0]).toBeCloseTo((column(requests, 'measured')[0] as number) / 20, 6);
  });
});

it.each([
  ['messages', 'Viewer', /403 The query "messages" .* needs the role Editor; your role is Viewer/],
  ['bus', 'Viewer', /403 .*Editor/],
  ['explain', 'Viewer', /403 .*Editor/],
  ['survey', 'Editor', /403 .*Admin; your role is Editor/],
] as const)('%s is not for the role %s', async (queryType, role, words) => {
  await expect(query({ queryType }, role)).rejects.toThrow(words);
});
