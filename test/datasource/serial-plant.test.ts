/** Serial lines as Grafana meets them: framings and profiles, probe and scan over HTTP, raw traffic as log lines and as a live tail. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Role } from '../../src/contract/caller.ts';
import { limits } from '../../src/contract/limits.ts';
import { portName } from '../far/port.ts';
import { type FarProgram, startPython } from '../far/python.ts';
import { type ReadFrame, readFrame } from '../frame/read.ts';
import { type Plant, startPlant } from './plant.ts';

const [talkPath, newPath, framesPath] = [portName(), portName(), portName()];
let talker: FarProgram;
let unknown: FarProgram;
let frames: FarProgram;
let plant: Plant;

const gps = '$GNGGA,092725.00,4717.11399,N,00833.91590,E,1,08,1.01,499.6,M,48.0,M,,*45\r\n';
const damagedGps = gps.replace('4717', '9717');

beforeAll(async () => {
  talker = await startPython('serial_instrument.py', talkPath);
  unknown = await startPython('serial_instrument.py', newPath);
  frames = await startPython('serial_frames.py', framesPath);
  plant = await startPlant(settings());
  plant.save(settings());
  await plant.until('connections', ({ json }) => json.connections?.every(({ state }: { state: string }) => state === 'up'));
  // What comes right after the opening may be the rest of a line.
  await new Promise((resolve) => setTimeout(resolve, limits.serialSettleMs));
}, 30_000);
afterAll(async () => {
  await plant?.close();
  for (const far of [talker, unknown, frames]) await far?.kill();
});

function settings() {
  const checksum = { type: 'crc', poly: '0x1021', init: '0xFFFF', refin: false, refout: false };
  return {
    version: 1,
    connections: [
      {
        id: 'marine',
        kind: 'serial',
        path: talkPath,
        baudRate: 9_600,
        framing: { type: 'delimiter', checksum: { type: 'nmea' } },
      },
      { id: 'probe', kind: 'serial', path: framesPath, baudRate: 115_200, framing: { type: 'cobs', checksum } },
    ],
    devices: [
      { id: 'boat', connection: 'marine', profile: 'nmea-gps' },
      {
        id: 'sensor',
        connection: 'probe',
        points: [{ id: 'level', address: { take: { as: 'binary', offset: 0, type: 'uint16' } } }],
      },
    ],
  };
}

async function ask(model: object, role: Role = 'Editor') {
  const nowMs = Date.now();
  const data = {
    refId: 'A',
    json: Buffer.from(JSON.stringify(model)),
    intervalMs: 1_000,
    maxDataPoints: 100,
    fromMs: nowMs - 60_000,
    // Up to and with what came in this very millisecond.
    toMs: nowMs + 1,
  };
  const answer = (await plant.datasource.queryData(plant.caller(role), [data], new AbortController().signal)).get('A');
  if (answer?.error !== undefined) throw new Error(`${answer.status} ${answer.error}`);
  return readFrame(answer?.frames[0] ?? []);
}

const columnOf = (frame: ReadFrame, name: string) => frame.fields.find((field) => field.name === name)?.values ?? [];
const value = (path: string) => plant.until(path, ({ json }) => json.last?.quality === 'good');

describe('values', () => {
  it('of a profile are those of its sentences, and a damaged one changes nothing', async () => {
    await talker.ask({ say: gps });
    expect((await value('devices/boat/points/latitude')).json.last.value).toBeCloseTo(47.2852332, 6);
    expect((await value('devices/boat/points/altitude')).json.last).toMatchObject({ value: 499.6 });
    await talker.ask({ say: damagedGps });
    await expect.poll(async () => columnOf(await messages({ filter: 'checksum' }), 'body').length).toBe(1);
    expect((await value('devices/boat/points/latitude')).json.last.value).toBeCloseTo(47.2852332, 6);
  });

  it('of binary frames come with their checksum, and a damaged frame is none', async () => {
    await frames.ask({ frame: 'cobs', payload: '0102' });
    expect((await value('devices/sensor/points/level')).json.last.value).toBe(0x0102);
    await frames.ask({ frame: 'cobs', payload: '0fff', spoil: true });
    await frames.ask({ frame: 'cobs', payload: '0103' });
    await expect.poll(async () => (await value('devices/sensor/points/level')).json.last.value).toBe(0x0103);
    // A value is known a moment before it is in the history.
    await expect.poll(async () => (await ask({ queryType: 'telemetry', devices: ['sensor'] })).fields[1]?.values).toEqual([0x0102, 0x0103]);
  });
});

function messages(more: object = {}, role?: Role): Promise<ReadFrame> {
  return ask({ queryType: 'messages', ...more }, role);
}

describe('raw traffic', () => {
  it('is text where it is text and hexadecimal where it is not, with direction, time and what is wrong with it', async () => {
    const [line] = columnOf(await messages({ connections: ['marine'], filter: '/GNGGA.*4717/' }), 'body');
    expect(line).toContain('$GNGGA,092725.00,4717.11399');
    const binary = await messages({ connections: ['probe'] });
    expect(columnOf(binary, 'body')).toContain('01 02');
    const damaged = await messages({ filter: 'checksum' });
    expect(columnOf(damaged, 'severity')).toContain('error');
    const [labels] = columnOf(damaged, 'labels').map((text) => JSON.parse(Buffer.from(text as Uint8Array).toString()));
    expect(labels).toMatchObject({ connection: expect.any(String), direction: 'in' });
  });
});

describe('commissioning', () => {
  it('a scan lists the ports of this machine; a probe proposes what works as it is', async () => {
    const reader = plant.open('connections/marine/scan', { method: 'POST', body: {} });
    await reader.ended;
    expect(reader.text).toContain('"state":"done"');
    await unknown.ask({ talk: 'T=21.5;H=40\r\n', baudRate: 19_200, every: 0.05 });
    const probing = plant.open('connections/new/probe', {
      method: 'POST',
      body: { connection: { kind: 'serial', path: newPath, baudRate: 19_200 }, options: { listen: '1s', baudRates: [19_200] } },
    });
    await probing.ended;
    const lines = probing.text
      .trim()
      .split('\n')
      .map((text) => JSON.parse(text));
    expect(JSON.stringify(lines)).toContain('21.5');
    expect(lines.at(-1)).toMatchObject({ event: 'end' });
  });
});

/** Reads a channel as a browser does. */
function tail(path: string, role: Role) {
  const ending = new AbortController();
  const bodies: string[] = [];
  let names: string[] = [];
  const take = (packet: Uint8Array) => {
    const { schema, data } = JSON.parse(Buffer.from(packet).toString());
    if (schema) names = schema.fields.map(({ name }: { name: string }) => name);
    const at = names.indexOf('body');
    bodies.push(...data.values[at]);
    return Promise.resolve();
  };
  const ended = plant.datasource.runStream(plant.caller(role), path, take, ending.signal).catch(() => {});
  return { bodies, take, end: () => ending.abort(), ended };
}

describe('a live tail', () => {
  const live = { queryType: 'messages', connections: ['probe'], direction: 'in', live: true };

  async function channelOf(model: object): Promise<{ path: string; history: unknown[] }> {
    const frame = await ask(model);
    const channel = String((frame.meta as { channel?: string }).channel);
    expect(channel).toMatch(/^ds\/plant\/live\/[0-9a-f]{32}$/);
    return { path: channel.slice('ds/plant/'.length), history: columnOf(frame, 'body') };
  }

  it('goes on where the history ends, without a gap or a repetition, for whoever comes when', async () => {
    const say = (n: number) => frames.ask({ frame: 'cobs', payload: n.toString(16).padStart(4, '0') });
    const spelt = (n: number) =>
      n
        .toString(16)
        .padStart(4, '0')
        .replace(/../g, (byte) => `${byte} `)
        .trim();
    const numbers = Array.from({ length: 60 }, (_, i) => 0x8100 + i);
    const isOurs = (body: unknown) => numbers.map(spelt).includes(String(body).split(' | ').at(-1) ?? '');
    for (const n of numbers.slice(0, 5)) await say(n);
    const talking = (async () => {
      for (const n of numbers.slice(5)) await say(n);
    })();
    const viewers: { stream: ReturnType<typeof tail>; own: unknown[]; shownBefore: number }[] = [];
    for (let i = 0; i < 3; i++) {
      const { path, history } = await channelOf(live);
      const subscribed = await plant.datasource.subscribeStream(plant.caller('Editor'), path);
      expect(subscribed.status).toBe('ok');
      // Grafana runs one stream a channel, for all its viewers.
      const first = viewers[0]?.stream ?? tail(path, 'Editor');
      const shownBefore = first.bodies.length;
      const own: unknown[] = [];
      const { data } = JSON.parse(Buffer.from(subscribed.initial ?? new Uint8Array()).toString());
      own.push(...history, ...(data.values[1] ?? []));
      viewers.push({ stream: first, own, shownBefore });
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
    await talking;
    await expect.poll(() => viewers[0]?.stream.bodies.filter(isOurs).at(-1)).toBe(spelt(numbers.at(-1) ?? 0));
    for (const { stream, own, shownBefore } of viewers) {
      const all = [...own, ...stream.bodies.slice(shownBefore)].filter(isOurs);
      expect(all).toEqual(numbers.map(spelt));
    }
    viewers[0]?.stream.end();
    await viewers[0]?.stream.ended;
  });

  it('is refused to whoever may not ask, though the address is known', async () => {
    const { path } = await channelOf(live);
    for (const role of ['Viewer', 'nobody'] as const)
      expect((await plant.datasource.subscribeStream(plant.caller(role), path)).status).toBe('denied');
    expect((await plant.datasource.subscribeStream(plant.caller('Admin'), path)).status).toBe('ok');
  });

  it('of a flood shows the newest and says how much it left out', async () => {
    const { path, history } = await channelOf({ ...live, connections: ['marine'] });
    const heard = async () => columnOf(await messages({ connections: ['marine'], direction: 'in' }), 'body').length - history.length;
    // No more at once than a pty holds: what is written to a full one is lost.
    for (let round = 1; round <= 8; round++) {
      await talker.ask({ say: gps.repeat(40) });
      await expect.poll(heard, { timeout: 10_000 }).toBe(40 * round);
    }
    await talker.ask({ say: '$GPXXX,the last*00\r\n' });
    await expect.poll(async () => columnOf(await messages({ filter: 'the last' }), 'body').length, { timeout: 10_000 }).toBe(1);
    const flood = await heard();
    expect(flood).toBeGreaterThan(limits.liveMessagesPerPacketMax);
    // All of it waits for whoever comes now.
    const stream = tail(path, 'Editor');
    await expect.poll(() => stream.bodies.some((body) => body.includes('the last'))).toBe(true);
    const [gap] = stream.bodies;
    expect(gap).toMatch(/^\d+ messages before this are left out/);
    expect(Number.parseInt(gap ?? '', 10) + stream.bodies.length - 1).toBe(flood);
    expect(stream.bodies.length).toBe(limits.liveMessagesPerPacketMax + 1);
    stream.end();
    await stream.ended;
  });
});
