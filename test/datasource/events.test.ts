import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/contract/clock.ts';
import { limits } from '../../src/contract/limits.ts';
import { eventAnswer } from '../../src/datasource/resources/answers.ts';
import { lineDriver } from '../gateway/line-driver.ts';
import { type PlantServer, plantServer } from '../gateway/plant-server.ts';
import { type Plant, type Reader, startPlant } from './plant.ts';

let far: PlantServer;
let plant: Plant;
let open: Reader[] = [];

// A heartbeat every quarter of a minute is nothing to wait for in a test.
const heartbeatMs = 100;
const time = {
  ...systemClock,
  after: (ms: number, run: () => void) => systemClock.after(ms === limits.eventsHeartbeatMs ? heartbeatMs : ms, run),
};

beforeAll(async () => {
  far = await plantServer();
  far.units.set('3', {
    registers: new Map([
      ['level', '1'],
      ['speed', '20'],
    ]),
  });
  const point = (id: string, address: object) => ({
    id,
    access: 'read-write',
    address: { register: id, shape: { type: 'float64' }, ...address },
  });
  const settings = {
    connections: [{ id: 'line', kind: 'line', port: far.port, timeoutMs: 500, inFlight: 1 }],
    devices: [
      {
        id: 'tank',
        connection: 'line',
        address: { unit: '3' },
        interval: '50ms',
        labels: { site: 'north' },
        points: [point('level', { heard: true }), point('speed', {})],
      },
    ],
  };
  plant = await startPlant(settings, { drivers: [lineDriver()], time });
  await plant.until('devices/tank/points/speed', (answer) => answer.json.last?.quality === 'good');
});
beforeEach(async () => {
  for (const reader of open) reader.leave();
  await Promise.all(open.map((reader) => reader.ended));
  open = [];
});
afterAll(async () => {
  for (const reader of open) reader.leave();
  await plant?.close();
  await far?.stop();
});

function listen(query = '', headers = {}): Reader {
  const reader = plant.open(`events${query}`, { role: 'Editor', headers });
  open.push(reader);
  return reader;
}

// biome-ignore lint/suspicious/noExplicitAny: what JSON holds is for the test to say.
const events = (text: string): any[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
const has =
  (event: string, more: object = {}) =>
  (text: string) =>
    events(text).some((one) => one.event === event && Object.entries(more).every(([name, value]) => one[name] === value));
const levels = (text: string) =>
  events(text)
    .filter(({ point }) => point === 'level')
    .map(({ value }) => value as number);

describe('events', () => {
  it('say at once that they work, and then that they still do', async () => {
    const reader = listen('?what=command');
    await reader.until((text) => events(text).length >= 3);
    expect(reader.headers).toMatchObject({
      'content-type': 'application/x-ndjson',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    expect(events(reader.text).map(({ event }) => event)).toEqual(['heartbeat', 'heartbeat', 'heartbeat']);
    const [first, , third] = events(reader.text);
    expect(third.time - first.time).toBeGreaterThanOrEqual(2 * heartbeatMs - 20);
  });

  it('are samples, connectivity and the steps of commands, as they come', async () => {
    const reader = listen();
    await reader.until(has('heartbeat'));
    far.set('3', 'level', '7.5');
    await reader.until(has('sample', { point: 'level', value: 7.5 }));
    await plant.ask('devices/tank/points/speed', { method: 'POST', body: { value: 33 } });
    await reader.until(has('command', { state: 'verified' }));
    const steps = events(reader.text).filter(({ event }) => event === 'command');
    expect(steps.map(({ state }) => state)).toEqual(['queued', 'sent', 'acknowledged', 'verified']);
    expect(steps[3]).toMatchObject({ device: 'tank', point: 'speed', value: 33, readBack: 33, user: { login: 'ada' } });
    far.hangUp();
    await reader.until(has('connectivity', { device: 'tank', state: 'online' }));
    const states = events(reader.text).filter(({ event }) => event === 'connectivity');
    expect(states.map(({ state }) => state)).toEqual(['offline', 'online']);
    for (const event of events(reader.text)) expect(eventAnswer.safeParse(event), JSON.stringify(event)).toMatchObject({ success: true });
  });

  it('are narrowed by kind, device, point and label', async () => {
    const wanted = listen('?what=sample&device=t*&point=level&label=site:north');
    const others = [
      '?what=connectivity&what=command',
      '?what=sample&device=other',
      '?what=sample&point=/^speed$/',
      '?what=sample&label=site:south',
    ].map((query) => listen(query));
    for (const reader of [wanted, ...others]) await reader.until(has('heartbeat'));
    far.set('3', 'level', '8.25');
    await wanted.until(has('sample', { point: 'level', value: 8.25 }));
    expect(new Set(events(wanted.text).map(({ point = 'none' }) => point))).toEqual(new Set(['none', 'level']));
    for (const reader of others) {
      await reader.until((text) => events(text).length > 1);
      expect(levels(reader.text), reader.text).toEqual([]);
    }
    for (const query of ['?what=weather', '?device=/(/', '?label=x']) expect((await plant.ask(`events${query}`)).status).toBe(400);
  });

  it('are Server-Sent Events for whoever asks for them', async () => {
    const reader = listen('?what=sample&point=level', { accept: 'text/event-stream' });
    await reader.until((text) => text.includes('event: heartbeat\ndata: {'));
    expect(reader.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    far.set('3', 'level', '9');
    await reader.until((text) =>
      /\n\nevent: sample\ndata: \{"event":"sample","device":"tank","point":"level","value":9,.*\}\n\n/.test(text),
    );
  });

  it('come whole and in order to whoever keeps up', async () => {
    const reader = listen('?what=sample&point=level');
    await reader.until(has('heartbeat'));
    const sent = Array.from({ length: 5_000 }, (_, i) => 1_000 + i);
    for (const level of sent) far.set('3', 'level', String(level));
    await reader.until((text) => text.includes(':5999,'));
    expect(levels(reader.text)).toEqual(sent);
  });

  it('drop a slow reader with a word, and nobody else', async () => {
    const [slow, quick] = [listen('?what=sample&point=level'), listen('?what=sample&point=level')];
    for (const reader of [slow, quick]) await reader.until(has('heartbeat'));
    slow.pause();
    const many = limits.eventsWaitingMax + 5_000;
    for (let i = 0; i < many; i += 1) {
      far.set('3', 'level', String(i + 0.5));
      if (i % 1_000 === 0) await quick.until((text) => i === 0 || text.includes(`:${i - 1_000}.5,`));
    }
    await quick.until((text) => text.includes(`:${many - 1}.5,`));
    expect(has('end')(quick.text)).toBe(false);
    slow.resume();
    expect(await slow.ended).toBeUndefined();
    expect(events(slow.text).at(-1)).toMatchObject({
      event: 'end',
      type: 'urn:fieldgate:problem:reader-too-slow',
      detail: expect.stringMatching(/^\d+ events/),
    });
    expect(levels(slow.text).length).toBeLessThan(many);
    const metrics = await plant.datasource.collectMetrics();
    expect(metrics).toMatch(/^fieldgate_readers_dropped_total 1$/m);
    expect(metrics).toMatch(/^fieldgate_readers\{kind="events"\} 1$/m);
  });

  it('end within a moment when the reader leaves, and are no more than so many', async () => {
    const readers = Array.from({ length: limits.eventsOpenMax }, () => listen('?what=command'));
    for (const reader of readers) await reader.until(has('heartbeat'));
    expect(await plant.ask('events')).toMatchObject({ status: 429, json: { type: 'urn:fieldgate:problem:too-many-readers' } });
    const startedMs = performance.now();
    for (const reader of readers) reader.leave();
    for (const reader of readers) expect(await reader.ended).toBeDefined();
    expect(performance.now() - startedMs).toBeLessThan(1_000);
    const again = listen();
    await again.until(has('heartbeat'));
  });

  it('end after their time, so that rights are looked at again', async () => {
    const reader = listen('?what=command');
    await reader.until(has('heartbeat'));
    plant.advance(limits.eventsLifetimeMs);
    expect(await reader.ended).toBeUndefined();
    expect(events(reader.text).at(-1)).toMatchObject({ event: 'end', type: 'urn:fieldgate:problem:time-is-up' });
  });

  it('end when an Admin removes the data source', async () => {
    const reader = listen('?what=sample');
    await reader.until(has('sample'));
    expect((await plant.ask('instances/plant', { method: 'DELETE', datasource: false })).status).toBe(200);
    expect(await reader.ended).toBeUndefined();
    expect(events(reader.text).at(-1)).toMatchObject({ event: 'end', type: 'urn:fieldgate:problem:data-source-stopped' });
  });
});
