/** Commissioning a broker: which versions it speaks, what it allows, which topics there are, and what would go into the settings. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Finding, Session, Survey } from '../../src/contract/driver.ts';
import { limits } from '../../src/contract/limits.ts';
import { type Mosquitto, startMosquitto } from '../far/mosquitto.ts';
import { type FarProgram, startPython } from '../far/python.ts';
import { plug } from '../far/tasmota.ts';
import { buildLine, makeHost } from './line.ts';
import { driver, lineTo, listen, never, nudged, opened, pointsOf } from './mqtt-session.ts';

interface Notes extends Survey {
  findings: Map<string, Finding>;
  said: string[];
}

function survey(): Notes {
  const findings = new Map<string, Finding>();
  const said: string[] = [];
  return {
    findings,
    said,
    turn: (_unit, call) => call(never()),
    progress: (done, total, text) => void said.push(`${done}/${total} ${text}`),
    found: (finding) => void findings.set(finding.id, finding),
  };
}

const scanned = async (session: Session, options: Record<string, unknown>) => {
  const notes = survey();
  await session.scan?.(driver.survey?.scan?.parse(options), notes, never());
  return notes;
};

let broker: Mosquitto;
let url: string;
let python: FarProgram;
beforeAll(async () => {
  broker = await startMosquitto();
  url = `mqtt://127.0.0.1:${broker.port}`;
  python = await startPython('./payloads.py');
});
afterAll(async () => {
  await broker.close();
  await python.kill();
});

const keep = (topic: string, payload: string | Buffer) => broker.publish(topic, payload, { retain: true });

describe('scan', () => {
  it('proposes the conventions by which devices announce themselves, and takes no announcement for a value', async () => {
    const far = await startMosquitto();
    const say = (topic: string, payload: unknown) => far.publish(topic, JSON.stringify(payload), { retain: true });
    for (const n of [1, 2])
      await say(`ha/sensor/room${n}/t/config`, { stat_t: `room${n}/t`, unit_of_meas: '°C', dev: { ids: `room${n}` } });
    await say('ha/update/room1/firmware/config', { dev: { ids: 'room1' } });
    await say('ha/binary_sensor/room1/door/config', { stat_t: 'room1/door', dev: { ids: 'room1' } });
    await say(`tasmota/discovery/${plug.mac}/config`, plug.config);
    await say(`tasmota/discovery/${plug.mac}/sensors`, plug.sensors);
    await say('spBv1.0/Plant/NBIRTH/line3', 'what an edge node says');
    await say('plant/sensor/boiler/config', { setpoint: 60 });
    await say('room1/t', 21.5);
    const at = `mqtt://127.0.0.1:${far.port}`;
    const { findings } = await scanned(await opened(lineTo(at, {})), { duration: '600ms' });
    const conventions = (notes: typeof findings) =>
      [...notes.values()]
        .flatMap(({ kind, text, proposes }) => (kind === 'convention' ? [[text, proposes?.connection] as const] : []))
        .sort(([one], [other]) => (one < other ? -1 : 1));
    expect(conventions(findings)).toEqual([
      ['1 device announces itself by Sparkplug B below spBv1.0', { sparkplug: { hostId: 'fieldgate', groups: ['Plant'] } }],
      ['1 device announces itself by Tasmota discovery below tasmota/discovery', { tasmota: {} }],
      ['2 devices announce themselves by Home Assistant discovery below ha', { homeassistant: { prefix: 'ha' } }],
    ]);
    const topics = [...findings.values()].flatMap(({ kind, values }) => (kind === 'topic' ? [values.topic] : []));
    expect(topics.sort()).toEqual(['plant/sensor/boiler/config', 'room1/t', 'spBv1.0/Plant/NBIRTH/line3']);
    const taken = await scanned(await opened(buildLine(driver, { connection: { url: at, tasmota: {} }, devices: [] })), {
      duration: '600ms',
    });
    expect(conventions(taken.findings)[1]).toEqual([
      '1 device announces itself by Tasmota discovery below tasmota/discovery, which the connection takes already',
      undefined,
    ]);
    await far.close();
  });

  it('lists topics with what they hold, and proposes what can be saved and heard', async () => {
    for (const [room, t] of [
      ['kitchen', 21.5],
      ['Bad 1.OG', 24],
      ['{hall}', 19],
    ]) {
      await keep(`home/${room}/climate`, JSON.stringify({ temperature: t, 'outside air': 3, ts: 1_795_348_800 }));
      await keep(`home/${room}/door`, 'closed');
    }
    await keep('plant/boiler/flow', '55.25');
    await keep('plant/boiler/pump', 'true');
    await keep('logger/line', 'air,room=a temp=21.5 1795348800000000000');
    await keep('packed', Buffer.from(String((await python.ask({ format: 'cbor', value: { t: 1 } })).value), 'hex'));
    const session = await opened(lineTo(url, {}));
    const { findings, said } = await scanned(session, { duration: '600ms' });
    expect(findings.get('topic plant/boiler/flow')).toMatchObject({
      kind: 'topic',
      values: { topic: 'plant/boiler/flow', count: 0, retained: true, format: 'number', last: '55.25' },
      proposes: { points: [{ id: 'flow', address: { topic: 'plant/boiler/flow' } }] },
    });
    expect(findings.get('topic home/kitchen/climate')?.values.paths).toBe("$.temperature $['outside air']");
    expect(findings.get('topic packed')?.values.format).toBe('cbor');
    expect(findings.get('topic logger/line')?.values.format).toBe('influx');
    expect(said.at(-1)).toMatch(/^2\/2 1\d topics and 1\d messages/);
    const devices = [...findings.values()].filter(({ kind }) => kind === 'device').flatMap(({ proposes }) => proposes?.devices ?? []);
    const template = devices.find(({ id }) => id === '{device}');
    expect(template).toMatchObject({
      connection: 'line',
      points: expect.arrayContaining([
        { id: 'temperature', address: { topic: 'home/{device}/climate', path: '$.temperature', time: '$.ts', optional: true } },
        { id: 'door', address: { topic: 'home/{device}/door', format: 'text' } },
      ]),
    });
    expect(devices.find(({ id }) => id === 'plant-boiler')?.points).toHaveLength(2);
    // What is proposed passes the check and is heard as it is.
    const line = buildLine(driver, {
      connection: { url },
      devices: devices.map(({ connection: _connection, ...device }) => device as never),
    });
    const ear = listen(await opened(line), pointsOf(line));
    await expect.poll(() => new Set(ear.devices.keys()), { timeout: 5_000 }).toEqual(new Set(['.7bhall.7d', 'Bad.201.2eOG', 'kitchen']));
    await expect
      .poll(() => new Set(ear.readings.filter(({ reason }) => reason !== '').map(({ point, detail }) => `${point.id}: ${detail}`)), {
        timeout: 5_000,
      })
      .toEqual(new Set());
    await expect.poll(() => ear.of('flow'), { timeout: 5_000 }).toEqual([55.25]);
    await expect.poll(() => ear.of('line'), { timeout: 5_000 }).toEqual([21.5]);
  });

  it('counts news under a filter, says what is refused, and leaves the running session alone', async () => {
    const line = lineTo(url, { p: { topic: 'busy/a' } });
    const session = await opened(line);
    const ear = listen(session, pointsOf(line));
    const scanning = scanned(session, { filter: 'busy/+', duration: '1s' });
    await expect
      .poll(
        nudged(
          () => broker.publish('busy/a', '1'),
          () => ear.of('p').length,
        ),
        { timeout: 5_000 },
      )
      .toBeGreaterThan(1);
    const { findings } = await scanning;
    expect([...findings.keys()].filter((id) => id.startsWith('topic'))).toEqual(['topic busy/a']);
    expect(findings.get('topic busy/a')?.values).toMatchObject({ retained: false });
    const heard = ear.of('p').length;
    await broker.publish('busy/a', '2');
    await expect.poll(() => ear.of('p').length, { timeout: 5_000 }).toBe(heard + 1);
    expect(driver.survey?.scan?.safeParse({ filter: 'a/#/b' }).success).toBe(false);
    expect(driver.survey?.scan?.safeParse({ filter: '{x}' }).success).toBe(false);
    expect(driver.survey?.scan?.safeParse({ duration: '1h' }).success).toBe(false);
  });

  it('looks at no more topics than its bound, and ends with its signal', async () => {
    const session = await opened(lineTo(url, {}));
    const stopping = new AbortController();
    const notes = survey();
    const scanning = session.scan?.(driver.survey?.scan?.parse({ filter: 'many/#', duration: '5m' }), notes, stopping.signal);
    const sender = await opened(
      lineTo(url, Object.fromEntries(Array.from({ length: 1 }, (_, i) => [`p${i}`, { set: { topic: `many/${i}`, qos: 0 } }]))),
    );
    const [point] = pointsOf(lineTo(url, { p: { set: { topic: 'many/0', qos: 0 } } }));
    if (!point) throw new Error('no point');
    const topics = limits.mqttScanTopicsMax + 50;
    await expect
      .poll(
        async () => {
          for (let i = 0; i < topics; i++)
            await sender.write?.(
              {
                ...point,
                address: { ...(point.address as object), set: { ...(point.address as { set: object }).set, topic: `many/${i}` } },
              },
              i,
              never(),
            );
          return notes.said.at(-1);
        },
        { timeout: 8_000, interval: 200 },
      )
      .toMatch(new RegExp(` ${limits.mqttScanTopicsMax} topics`));
    stopping.abort(new Error('enough'));
    await expect(scanning).rejects.toThrow('enough');
  });
});

describe('probe', () => {
  it('says which versions work and what the broker allows', async () => {
    const strict = await startMosquitto({ lines: ['max_qos 1', 'retain_available false', 'max_packet_size 5000', 'max_keepalive 30'] });
    const session = await opened(lineTo(`mqtt://127.0.0.1:${strict.port}`, {}, { keepalive: '60s' }));
    const notes = survey();
    await session.probe?.(driver.survey?.probe?.parse({}), notes, never());
    const [five, four] = [...notes.findings.values()];
    expect(five).toMatchObject({
      kind: 'version',
      values: {
        version: 'MQTT 5',
        works: true,
        maximumQoS: 1,
        retain: false,
        wildcards: true,
        sharedSubscriptions: true,
        packetBytesMax: 5000,
        serverKeepAliveSeconds: 30,
      },
      proposes: { connection: { protocolVersion: 5 } },
    });
    expect(four).toMatchObject({ values: { version: 'MQTT 3.1.1', works: true, maximumQoS: 1, retain: null } });
    expect(four?.proposes).toBeUndefined();
    await strict.close();
  });

  it('says why one does not', async () => {
    const line = lineTo(url, {});
    const session = await opened(line);
    await broker.kill();
    const notes = survey();
    await session.probe?.(driver.survey?.probe?.parse({ timeout: '1s' }), notes, never());
    await broker.start();
    expect([...notes.findings.values()].map(({ text }) => text)).toEqual([
      expect.stringMatching(/MQTT 5 does not work: .*nobody listens/),
      expect.stringMatching(/MQTT 3.1.1 does not work: .*nobody listens/),
    ]);
  });
});

describe('a trial session', () => {
  it('has nothing of the connection that others could see', async () => {
    const own = await startMosquitto();
    const words = {
      clean: false,
      clientId: 'ours',
      will: { topic: 'state', payload: 'offline' },
      birth: { topic: 'state', payload: 'online' },
    };
    const line = lineTo(`mqtt://127.0.0.1:${own.port}`, { p: { topic: 'p', qos: 1 } }, words);
    const heard = await own.hear('state');
    const running = await opened(line);
    await expect.poll(() => heard.messages.map(({ payload }) => payload), { timeout: 5_000 }).toEqual(['online']);
    const host = makeHost();
    const tried = await driver.open(line, { ...host, trial: true }, never());
    await tried.close();
    expect(host.memory.get('clientId')).toBeUndefined();
    // The running one was not thrown out, and still says good-bye itself.
    await running.close();
    await expect.poll(() => heard.messages.map(({ payload }) => payload), { timeout: 5_000 }).toEqual(['online', 'offline']);
    await heard.close();
    await own.close();
  });
});

it('traffic shows what comes and goes, and no password', async () => {
  const guarded = await startMosquitto({ users: { me: 'top-secret' } });
  const line = lineTo(`mqtt://127.0.0.1:${guarded.port}`, { p: { topic: 'p', qos: 1, set: { topic: 'p/set' } } }, { username: 'me' });
  const seen: string[] = [];
  const host = {
    ...makeHost({ password: 'top-secret' }),
    traffic: (message: { direction: string; unit?: string; meaning?: string; bytes: Uint8Array }) =>
      void seen.push(`${message.direction} ${message.unit} ${message.meaning}: ${Buffer.from(message.bytes)}`),
  };
  const session = await opened(line, host);
  const ear = listen(session, pointsOf(line));
  await guarded.publish('p', '7', { retain: true, qos: 1 });
  await expect.poll(() => ear.of('p').length, { timeout: 5_000 }).toBeGreaterThan(0);
  await session.write?.(line.devices[0]?.points[0] as never, 8, never());
  expect(seen[0]).toMatch(/^in p QoS 1(, retained)?: 7$/);
  expect(seen.at(-1)).toBe('out p/set QoS 1: 8');
  expect(seen.join()).not.toContain('top-secret');
  await guarded.close();
});
