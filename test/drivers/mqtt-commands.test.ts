/** Commands that a device answers: by MQTT 5 response topic and correlation data, or by an id in JSON. The device is a client of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { connectAsync, type MqttClient } from 'mqtt';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { addressSchema, fillAddress } from '../../drivers/mqtt/address.ts';
import { compileTemplate, fillTemplate } from '../../drivers/mqtt/template.ts';
import type { Session } from '../../src/contract/driver.ts';
import { type Mosquitto, startMosquitto } from '../far/mosquitto.ts';
import { buildLine, pointOf } from './line.ts';
import { driver, lineTo, listen, never, open, pointsOf, soon } from './mqtt-session.ts';

let broker: Mosquitto;
let url: string;
const sessions: Session[] = [];
const devices: MqttClient[] = [];
const children: ChildProcess[] = [];
beforeAll(async () => {
  broker = await startMosquitto();
  url = `mqtt://127.0.0.1:${broker.port}`;
});
afterEach(async () => {
  await Promise.all(sessions.splice(0).map((session) => session.close()));
  await Promise.all(devices.splice(0).map((device) => device.endAsync(true)));
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
afterAll(() => broker.close());

async function opened(...args: Parameters<typeof open>): Promise<Session> {
  const session = await open(...args);
  sessions.push(session);
  return session;
}

/** A device that hears commands and answers as it is told. */
async function device(
  filter: string,
  protocolVersion: 4 | 5,
  answer: (client: MqttClient, payload: string, packet: import('mqtt').IPublishPacket) => void,
): Promise<void> {
  const client = await connectAsync(url, { protocolVersion, reconnectPeriod: 0 });
  devices.push(client);
  client.on('message', (_topic, payload, packet) => answer(client, payload.toString(), packet));
  await client.subscribeAsync(filter, { qos: 1 });
}

describe('by response topic and correlation data', () => {
  const set = {
    topic: 'dev/set',
    payload: '{"v": {value}}',
    contentType: 'application/json',
    userProperties: { by: 'fieldgate' },
    response: { status: '$.ok', error: '$.why', timeout: '400ms' },
  };
  it('what the device says is what became of the command, whatever the order of the answers', async () => {
    const seen: unknown[] = [];
    await device('dev/set', 5, (client, payload, { properties }) => {
      seen.push(properties?.contentType, properties?.userProperties?.by);
      const { v } = JSON.parse(payload) as { v: number };
      const say = (text: string, correlationData = properties?.correlationData) =>
        void client.publish(properties?.responseTopic ?? 'nowhere', text, { properties: correlationData ? { correlationData } : {} });
      if (v === 1) setTimeout(() => say('{"ok":true}'), 100);
      if (v === 2) say('{"ok":false,"why":"door open"}');
      if (v === 3) say('{"ok":true}', Buffer.from('of somebody else'));
      if (v === 4) say('no json');
    });
    const session = await opened(lineTo(url, { p: { set } }));
    const point = pointOf(lineTo(url, { p: { set } }), 'p');
    const answers = await Promise.all([1, 2, 3, 4].map((value) => session.write?.(point, value, never())));
    expect(answers).toEqual([
      { state: 'acknowledged', detail: expect.stringContaining('done') },
      { state: 'refused', detail: 'the device answered false: door open; done would be true' },
      { state: 'unknown', detail: expect.stringMatching(/did not answer on topic "fieldgate\/.*\/answers" within 400 ms/) },
      { state: 'refused', detail: expect.stringContaining('nothing at $.status'.replace('status', 'ok')) },
    ]);
    expect(seen.slice(0, 2)).toEqual(['application/json', 'fieldgate']);
  });

  it("mosquitto's own request client understands it", async () => {
    const line = lineTo(url, { p: { topic: 'echo/answer', format: 'text', set: { topic: 'echo', response: {} } } });
    await device('echo', 5, (client, payload, { properties }) => {
      client.publish(properties?.responseTopic ?? '', payload, {
        properties: { correlationData: properties?.correlationData ?? Buffer.alloc(0) },
      });
    });
    const said = await new Promise<string>((resolve, reject) => {
      const child = spawn('mosquitto_rr', [
        '-h',
        '127.0.0.1',
        '-p',
        String(broker.port),
        '-V',
        '5',
        '-t',
        'echo',
        '-e',
        'echo/answer',
        '-m',
        'hello',
        '-W',
        '5',
      ]);
      children.push(child);
      child.once('error', reject);
      child.stdout?.once('data', (chunk) => resolve(String(chunk).trim()));
    });
    expect(said).toBe('hello');
    expect((await (await opened(line)).write?.(pointOf(line, 'p'), 'x', never()))?.state).toBe('acknowledged');
  });
});

describe.each([5, 4] as const)('MQTT %i by an id in JSON', (protocolVersion) => {
  it('two commands 5 ms apart are answered each for itself, in their order, on a topic that is a point too', async () => {
    const order: number[] = [];
    await device('dev/a/set', protocolVersion, (client, payload) => {
      const { id, value } = JSON.parse(payload) as { id: string; value: number };
      order.push(value);
      setTimeout(
        () => client.publish('dev/a/answer', JSON.stringify({ id, status: value === 2 ? 'too hot' : 'done', value })),
        value === 1 ? 60 : 5,
      );
    });
    const set = {
      topic: 'dev/a/set',
      payload: '{"id":"{id}","value":{value}}',
      response: { topic: 'dev/a/answer', id: '$.id', status: '$.status', ok: 'done' },
    };
    const line = lineTo(url, { p: { set }, echo: { topic: 'dev/a/answer', path: '$.value' } }, { protocolVersion });
    const session = await opened(line);
    const ear = listen(session, [pointOf(line, 'echo')]);
    const first = session.write?.(pointOf(line, 'p'), 1, never());
    await new Promise((resolve) => setTimeout(resolve, 5));
    const second = session.write?.(pointOf(line, 'p'), 2, never());
    expect(await Promise.all([first, second])).toEqual([
      { state: 'acknowledged', detail: expect.any(String) },
      { state: 'refused', detail: 'the device answered "too hot"; done would be "done"' },
    ]);
    expect(order).toEqual([1, 2]);
    await expect.poll(() => ear.of('echo'), soon).toEqual([2, 1]);
  });
});

it('a command right after opening does not miss its own effect', async () => {
  await device('lamp/set', 5, (client, payload) => void client.publish('lamp/state', payload));
  const line = lineTo(url, { p: { topic: 'lamp/state', set: { topic: 'lamp/set' } } });
  for (let i = 1; i <= 5; i++) {
    const session = await open(line);
    const ear = listen(session, pointsOf(line));
    expect((await session.write?.(pointOf(line, 'p'), i, never()))?.state).toBe('acknowledged');
    await expect.poll(() => ear.of('p'), soon).toEqual([i]);
    await session.close();
  }
});

describe('placeholders in payloads', () => {
  it.each<[string, string, string]>([
    ['{"room":"{room}","v":{value}}', 'a "b"', '{"room":"a \\"b\\"","v":1}'],
    ['{"room":{room},"v":{value}}', 'x', '{"room":"x","v":1}'],
    ['{room}={value}', '{value}', '{value}=1'],
    ['{{{room} {value}', '{{x', '{{{x 1'],
  ])('%s of %j', (template, room, payload) => expect(compileTemplate(fillTemplate(template, { room }))(1)).toBe(payload));

  it('are filled with the topics of a discovered device, and checked with its id', () => {
    const address = addressSchema.parse({
      set: { topic: 'home/{room}/set', payload: '{"to":"{room}","v":{value}}', response: { topic: 'home/{room}/answer' } },
    });
    expect(fillAddress(address, { room: 'kitchen' }).set).toMatchObject({
      topic: 'home/kitchen/set',
      payload: '{"to":"kitchen","v":{value}}',
      response: { topic: 'home/kitchen/answer' },
    });
    const faults = (id: string, set: unknown, connection = {}) => {
      try {
        buildLine(driver, {
          connection: { url, ...connection },
          devices: [{ id, points: [{ id: 'p', access: 'write', address: { set } }] }],
        });
        return '';
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(faults('d', { topic: 's', payload: '{room}{value}' })).toMatch(/set\.payload: has \{room\}, which is neither/);
    expect(faults('d', { topic: 's', response: {} }, { protocolVersion: 4 })).toMatch(
      /set\.response\.topic: is missing.*set\.response\.id: is missing/,
    );
    expect(faults('d', { topic: 's', payload: '{id} {value}' })).toMatch(/has \{id\}/);
    expect(faults('d', { topic: 's', response: { id: '$.id' } })).toMatch(/needs \{id\} in the payload/);
  });
});
