/** Devices that are discovered by their topics, and what devices say of themselves, against a real broker and its own clients. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Mosquitto, startMosquitto } from '../far/mosquitto.ts';
import { buildLine, makeHost, type RawLine } from './line.ts';
import { driver, listen, never, nudged, open, opened, pointsOf, soon } from './mqtt-session.ts';

let broker: Mosquitto;
let url: string;
beforeAll(async () => {
  broker = await startMosquitto();
  url = `mqtt://127.0.0.1:${broker.port}`;
});
afterAll(() => broker.close());

const lineOf = (devices: RawLine['devices'], connection: Record<string, unknown> = {}) =>
  buildLine(driver, { connection: { url, timeout: '2s', ...connection }, devices });

const inOrder = (texts: string[]) => texts.toSorted((one, other) => (one < other ? -1 : 1));

/** What a client subscribed to, from the broker's log: `home/+/climate 1`. */
async function subscribed(clientId: string): Promise<string[]> {
  const log = await readFile(join(broker.folder, 'log'), 'utf8');
  const lines = log.split('\n').filter((line) => /\t\S/.test(line) || / SUBSCRIBE from /.test(line));
  const found: string[] = [];
  let own = false;
  for (const line of lines) {
    if (line.includes('SUBSCRIBE from ')) own = line.includes(`Received SUBSCRIBE from ${clientId}`);
    const match = /\t(.*) \(QoS ([012])\)$/.exec(line);
    if (match && own) found.push(`${match[1]} ${match[2]}`);
  }
  return found;
}

const room = (area: string): RawLine['devices'][number] => ({
  id: '{floor}-{room}',
  points: [
    { id: 'temperature', address: { topic: `${area}/{floor}/{room}/climate`, path: '$.t', time: '$.ts' } },
    { id: 'humidity', address: { topic: `${area}/{floor}/{room}/climate`, path: '$.h' } },
    {
      id: 'light',
      access: 'read-write',
      address: { topic: `${area}/{floor}/{room}/light`, format: 'text', set: { topic: `${area}/{floor}/{room}/light/set` } },
    },
  ],
  availability: { topic: `${area}/{floor}/{room}/status` },
});

describe('one template', () => {
  it('makes a device of each room that speaks, kept messages first, with one subscription a pattern', async () => {
    await broker.publish('a/1/kitchen/light', 'ON', { retain: true });
    await broker.publish('a/1/kitchen/status', 'online', { retain: true });
    const line = lineOf([room('a')], { clientId: 'one-template' });
    const ear = listen(await opened(line), pointsOf(line));
    await expect.poll(() => ear.readings.length, soon).toBe(1);
    expect(ear.readings[0]).toMatchObject({ point: { device: '1-kitchen', id: 'light' }, value: 'ON', retained: true });
    expect(ear.words).toMatchObject([{ device: '1-kitchen', state: 'online', retained: true }]);
    await broker.publish('a/2/Küche 2.OG/climate', '{"t":21,"h":40,"ts":1795348800000}');
    await broker.publish('a/1/kitchen/climate', '{"t":20,"h":41,"ts":1795348800000}');
    await expect.poll(() => ear.readings.length, soon).toBe(5);
    const said = ear.readings.slice(1).map(({ point, value }) => `${point.device}.${point.id} ${value}`);
    expect(said).toEqual([
      '2-K.c3.bcche.202.2eOG.temperature 21',
      '2-K.c3.bcche.202.2eOG.humidity 40',
      '1-kitchen.temperature 20',
      '1-kitchen.humidity 41',
    ]);
    expect([...ear.devices.values()].map(({ labels }) => labels)).toEqual([
      { floor: '1', room: 'kitchen' },
      { floor: '2', room: 'Küche 2.OG' },
    ]);
    expect(inOrder(await subscribed('one-template'))).toEqual(['a/+/+/climate 0', 'a/+/+/light 0', 'a/+/+/status 1']);
  });

  it('a fixed topic under a pattern is read by both and told once', async () => {
    const fixed = { id: 'fixed', points: [{ id: 'own', address: { topic: 'b/1/hall/light', format: 'text', qos: 2 } }] };
    const line = lineOf([room('b'), fixed], { clientId: 'overlap' });
    const ear = listen(await opened(line), pointsOf(line));
    await expect
      .poll(
        nudged(
          () => broker.publish('b/1/hall/light', 'ON', { qos: 2 }),
          () => ear.readings.length,
        ),
        soon,
      )
      .toBeGreaterThan(0);
    await broker.publish('b/1/hall/light', 'OFF', { qos: 2 });
    await expect.poll(() => ear.of('light').at(-1), soon).toBe('OFF');
    const said = ear.readings.filter(({ value }) => value === 'OFF').map(({ point, value }) => `${point.device} ${value}`);
    expect(inOrder(said)).toEqual(['1-hall OFF', 'fixed OFF']);
    expect(inOrder(await subscribed('overlap'))).toEqual(['b/+/+/climate 0', 'b/+/+/light 2', 'b/+/+/status 1']);
  });

  it('an empty message, with which a broker is told to forget, makes no device; nor does a topic that only looks alike', async () => {
    const line = lineOf([{ id: 'tasmota-{name}', points: [{ id: 'p', address: { topic: 'c/tasmota_{name}/p' } }] }]);
    const ear = listen(await opened(line), pointsOf(line));
    await expect
      .poll(
        nudged(
          async () => {
            for (const [topic, text] of [
              ['c/tasmota_a/p', ''],
              ['c/other/p', '1'],
              ['c/tasmota_/p', '1'],
              ['c/tasmota_b/p', '2'],
            ])
              await broker.publish(topic ?? '', text ?? '');
          },
          () => ear.readings.length,
        ),
        soon,
      )
      .toBeGreaterThan(0);
    expect([...ear.devices.keys()]).toEqual(['tasmota-b']);
    await broker.publish('c/tasmota_b/p', '');
    await expect.poll(() => ear.of('p').at(-1), soon).toBe('sentinel');
  });

  it('leaves the messages of a device that may not run, and hears the others', async () => {
    const line = lineOf([room('d')]);
    const session = await opened(line);
    const ear = listen(session, pointsOf(line), undefined, (id) => id !== '1-forbidden');
    await expect
      .poll(
        nudged(
          async () => {
            await broker.publish('d/1/forbidden/light', 'ON');
            await broker.publish('d/1/allowed/light', 'ON');
          },
          () => ear.of('light').length,
        ),
        soon,
      )
      .toBeGreaterThan(0);
    expect([...ear.devices.keys()]).toEqual(['1-allowed']);
  });

  it('a command goes to the very topic the device is called by', async () => {
    const line = lineOf([room('e')]);
    const session = await opened(line);
    const ear = listen(session, pointsOf(line));
    const heard = await broker.hear('e/#');
    const names = ['kitchen', 'living-room', 'Küche 2.OG', 'a b', '{room}', '{{', '}}x', '$SYS', '%2f', '.2d', '"\'\\', '\u{1f525}'];
    for (const name of names) {
      const topic = `e/1/${name}/light`;
      await expect
        .poll(
          nudged(
            () => broker.publish(topic, name),
            () => ear.readings.find(({ value }) => value === name)?.point,
          ),
          soon,
        )
        .toBeDefined();
      const point = ear.readings.find(({ value }) => value === name)?.point;
      expect(point && (await session.write?.(point, 'OFF', never()))?.state).toBe('acknowledged');
      await expect.poll(() => heard.messages.at(-1), soon).toMatchObject({ topic: `${topic}/set`, payload: 'OFF' });
    }
    expect(ear.devices.size).toBe(names.length);
    await heard.close();
  });

  it('goes on with another template on an open link, told what the broker keeps, and takes the old pattern back', async () => {
    await broker.publish('f/1/kitchen/light', 'ON', { retain: true });
    await broker.publish('g/1/kitchen/light', 'OFF', { retain: true });
    const host = makeHost();
    const kept = { clientId: 'kept', clean: false, protocolVersion: 4 };
    const before = lineOf([room('f')], kept);
    const session = await open(before, host);
    const first = listen(session, pointsOf(before));
    await expect.poll(() => first.of('light'), soon).toEqual(['ON']);
    await first.stop();
    await session.close();
    // Another start, as after an edit of the settings: the broker still has the patterns of before.
    const after = lineOf([room('g')], kept);
    const ear = listen(await opened(after, host), pointsOf(after));
    await expect.poll(() => ear.of('light'), soon).toEqual(['OFF']);
    const unsubscribed = async () => (await readFile(join(broker.folder, 'log'), 'utf8')).includes('\tf/+/+/light');
    await expect.poll(unsubscribed, soon).toBe(true);
    await broker.publish('f/1/kitchen/light', 'gone');
    await broker.publish('g/1/kitchen/light', 'there');
    await expect.poll(() => ear.of('light').at(-1), soon).toBe('there');
    expect([...ear.devices.keys()]).toEqual(['1-kitchen']);
    expect(ear.of('light')).toEqual(['OFF', 'there']);
  });
});

describe('availability', () => {
  it('is told in the words of the settings, of fixed devices and in JSON too', async () => {
    await broker.publish('w/plug/availability', '{"state":"offline"}', { retain: true });
    const line = lineOf([{ id: 'plug', points: [], availability: { topic: 'w/plug/availability', path: '$.state' } }]);
    const ear = listen(await opened(line), []);
    await expect.poll(() => ear.words.length, soon).toBe(1);
    expect(ear.words[0]).toMatchObject({ device: 'plug', state: 'offline', retained: true, detail: expect.stringContaining('offline') });
    for (const [payload, state, words] of [
      ['{"state":"online"}', 'online', /online/],
      ['{"state":"asleep"}', 'unclear', /"asleep"; known are "online" and "offline"/],
      ['{"other":1}', 'unclear', /nothing that is a word/],
      ['online', 'unclear', /not JSON/],
      ['', undefined, /./],
      ['{"state":"offline"}', 'offline', /offline/],
    ] as const) {
      const count = ear.words.length;
      await broker.publish('w/plug/availability', payload);
      if (state === undefined) continue;
      await expect.poll(() => ear.words.length, soon).toBe(count + 1);
      expect(ear.words.at(-1)).toMatchObject({ device: 'plug', state, retained: false, detail: expect.stringMatching(words) });
    }
  });
});
