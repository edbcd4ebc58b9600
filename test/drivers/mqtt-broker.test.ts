/** What only MQTT has, against a real broker: retained messages, refusals, kept sessions, take-over, order, TLS, WebSocket. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Session } from '../../src/contract/driver.ts';
import { LinkLost } from '../../src/contract/fault.ts';
import { freePort, type Mosquitto, startMosquitto } from '../far/mosquitto.ts';
import { makeHost, pointOf } from './line.ts';
import { driver, lineTo, listen, nudged, open, pointsOf } from './mqtt-session.ts';

const run = promisify(execFile);
const never = () => new AbortController().signal;
const soon = { timeout: 5_000, interval: 10 };

const sessions: Session[] = [];
afterEach(async () => {
  await Promise.all(sessions.splice(0).map((session) => session.close()));
});
async function opened(...args: Parameters<typeof open>): Promise<Session> {
  const session = await open(...args);
  sessions.push(session);
  return session;
}

describe('hearing', () => {
  let broker: Mosquitto;
  let url: string;
  beforeAll(async () => {
    broker = await startMosquitto();
    url = `mqtt://127.0.0.1:${broker.port}`;
  });
  afterAll(() => broker.close());

  it('marks what the broker had kept, not what is said now', async () => {
    await broker.publish('kept', '1', { retain: true });
    const line = lineTo(url, { kept: { topic: 'kept' } });
    const ear = listen(await opened(line), pointsOf(line));
    await expect.poll(() => ear.of('kept'), soon).toEqual([1]);
    await broker.publish('kept', '2', { retain: true });
    await expect.poll(() => ear.of('kept'), soon).toEqual([1, 2]);
    expect(ear.readings.map((reading) => reading.retained)).toEqual([true, false]);
  });

  it('reads all points of a message, and one that fails spoils no neighbour', async () => {
    const topic = 'climate';
    const line = lineTo(url, {
      t: { topic, path: '$.t', time: '$.ts' },
      big: { topic, path: '$.n[0]' },
      gone: { topic, path: '$.gone' },
      sparse: { topic, path: '$.gone', optional: true },
      none: { topic, path: '$.none' },
      object: { topic, path: '$.n' },
      text: { topic, format: 'text' },
      number: { topic },
    });
    const ear = listen(await opened(line), pointsOf(line));
    const payload = '{"t":21.5,"n":[9007199254740993],"none":null,"ts":"2026-11-22T12:00:00.25+01:00"}';
    await expect
      .poll(
        nudged(
          () => broker.publish(topic, payload),
          () => ear.readings.length,
        ),
        soon,
      )
      .toBeGreaterThan(6);
    const said = Object.fromEntries(ear.readings.slice(0, 7).map((reading) => [reading.point.id, reading.reason || reading.value]));
    expect(said).toEqual({
      t: 21.5,
      big: 9_007_199_254_740_993n,
      gone: 'decode',
      none: 'sentinel',
      object: 'decode',
      text: payload,
      number: 'decode',
    });
    expect(ear.readings[0]?.timeNs).toBe(BigInt(Date.parse('2026-11-22T11:00:00.250Z')) * 1_000_000n);
    for (const reading of ear.readings) expect(reading.detail ?? '').not.toContain('21.5');
  });

  it('says once that the time of a device cannot be believed, and takes it back', async () => {
    const line = lineTo(url, { p: { topic: 'clock', path: '$.v', time: '$.ts' } });
    const ear = listen(await opened(line), pointsOf(line));
    await expect
      .poll(
        nudged(
          () => broker.publish('clock', '{"v":1,"ts":"2026-11-22T12:00:00"}'),
          () => ear.of('p').length,
        ),
        soon,
      )
      .toBeGreaterThan(0);
    expect(ear.readings[0]).toMatchObject({ value: 1, reason: '' });
    expect(ear.readings[0]?.timeNs).toBeUndefined();
    expect(ear.troubles.get('p')).toMatch(/\$\.ts is a local time without its zone .* say which by "timezone"/);
    await broker.publish('clock', '{"v":1,"ts":1795348800}');
    await expect.poll(() => ear.readings.at(-1)?.timeNs, soon).toBe(1_795_348_800_000_000_000n);
    expect(ear.troubles.get('p')).toBeUndefined();
  });

  it('asks for the highest quality of service of a topic once', async () => {
    await broker.publish('qos', 'kept', { retain: true, qos: 2 });
    const line = lineTo(url, { low: { topic: 'qos', format: 'text' }, high: { topic: 'qos', format: 'text', qos: 2 } });
    const ear = listen(await opened(line), pointsOf(line));
    await expect.poll(() => ear.of('high'), soon).toEqual(['kept']);
    await broker.publish('qos', 'last', { qos: 2 });
    await expect.poll(() => ear.of('high').at(-1), soon).toBe('last');
    // Two subscriptions would give every point a message twice.
    expect([ear.of('low'), ear.of('high')]).toEqual([
      ['kept', 'last'],
      ['kept', 'last'],
    ]);
    expect(await readFile(join(broker.folder, 'log'), 'utf8')).toMatch(/qos \(QoS 2\)/);
  });

  it('goes on with other points on an open link, and loses nothing meanwhile', async () => {
    const line = lineTo(url, { stays: { topic: 'stays' }, comes: { topic: 'comes' }, goes: { topic: 'goes' } });
    await broker.publish('comes', '5', { retain: true });
    const session = await opened(line);
    const first = listen(session, [pointOf(line, 'stays'), pointOf(line, 'goes')]);
    await expect
      .poll(
        nudged(
          () => broker.publish('goes', '1'),
          () => first.of('goes').length,
        ),
        soon,
      )
      .toBeGreaterThan(0);
    await first.stop();
    await broker.publish('stays', '7');
    const second = listen(session, [pointOf(line, 'stays'), pointOf(line, 'comes')]);
    await expect.poll(() => [second.of('stays'), second.of('comes')], soon).toEqual([[7], [5]]);
    await broker.publish('goes', '2');
    await broker.publish('stays', '8');
    await expect.poll(() => second.of('stays'), soon).toEqual([7, 8]);
    expect(second.of('goes')).toEqual([]);
  });

  it('hears again after the broker was away, though the broker has forgotten everything', async () => {
    const own = await startMosquitto();
    const host = makeHost();
    const line = lineTo(`mqtt://127.0.0.1:${own.port}`, { p: { topic: 'p' } });
    const session = await opened(line, host);
    const ear = listen(session, pointsOf(line));
    await own.kill();
    expect(await ear.ended).toBeInstanceOf(LinkLost);
    expect(host.losses).toHaveLength(1);
    await expect(open(line)).rejects.toThrow(/nobody listens there/);
    await own.start();
    const again = listen(await opened(line), pointsOf(line));
    await expect
      .poll(
        nudged(
          () => own.publish('p', '3'),
          () => again.of('p').at(-1),
        ),
        soon,
      )
      .toBe(3);
    await own.close();
  });
});

describe('kept sessions', () => {
  it.each([5, 4])('MQTT %i: a message is confirmed only when its sample is committed, and comes again else', async (version) => {
    const broker = await startMosquitto({ lines: ['persistence false'] });
    const line = lineTo(
      `mqtt://127.0.0.1:${broker.port}`,
      { p: { topic: 'p', qos: 1 } },
      { protocolVersion: version, clean: false, clientId: 'keeper' },
    );
    const session = await open(line);
    // The disk is stuck: nothing is committed.
    const first = listen(session, pointsOf(line), () => new Promise(() => {}));
    await expect
      .poll(
        nudged(
          () => broker.publish('p', '1', { qos: 1 }),
          () => first.of('p').length,
        ),
        soon,
      )
      .toBeGreaterThanOrEqual(2);
    const heard = first.of('p').length;
    await session.close();
    await broker.publish('p', '2', { qos: 1 });
    const again = listen(await opened(line), pointsOf(line));
    await expect.poll(() => again.of('p').length, soon).toBeGreaterThanOrEqual(heard + 1);
    expect(again.of('p').at(-1)).toBe(2);
    // Those were committed, so a third session gets nothing.
    await Promise.all(sessions.splice(0).map((each) => each.close()));
    const third = listen(await opened(line), pointsOf(line));
    await broker.publish('p', '3', { qos: 1 });
    await expect.poll(() => third.of('p'), soon).toEqual([3]);
    await broker.close();
  });

  it('takes back what earlier settings had subscribed', async () => {
    const broker = await startMosquitto();
    const options = { clean: false, clientId: 'keeper' };
    const old = lineTo(`mqtt://127.0.0.1:${broker.port}`, { old: { topic: 'old', qos: 1 } }, options);
    const session = await open(old);
    const ear = listen(session, pointsOf(old));
    await expect
      .poll(
        nudged(
          () => broker.publish('old', '1'),
          () => ear.readings.length,
        ),
        soon,
      )
      .toBeGreaterThan(0);
    await session.close();
    const line = lineTo(`mqtt://127.0.0.1:${broker.port}`, { now: { topic: 'now' } }, options);
    const next = listen(await opened(line), pointsOf(line));
    await expect
      .poll(
        nudged(
          () => broker.publish('old', '2'),
          () => readFile(join(broker.folder, 'log'), 'utf8'),
        ),
        soon,
      )
      .toMatch(/Received UNSUBSCRIBE from keeper/);
    await broker.publish('now', '3');
    await expect.poll(() => next.of('now'), soon).toEqual([3]);
    await broker.close();
  });
});

describe('refusals', () => {
  it('says which topic the broker refuses to tell, and hears the others', async () => {
    const broker = await startGuarded();
    for (const [protocolVersion, words] of [
      [5, /"secret\/x".*Not authorized/],
      [4, /"secret\/x".*no reason given/],
    ] as const) {
      const line = lineTo(
        `mqtt://127.0.0.1:${broker.port}`,
        { x: { topic: 'secret/x' }, y: { topic: 'home/y' } },
        { protocolVersion, username: 'gateway' },
      );
      const session = await opened(line, makeHost({ password: 'near-secret' }));
      const ear = listen(session, pointsOf(line));
      await session.ready?.();
      expect(ear.troubles.get('x')).toMatch(words);
      expect(ear.troubles.has('y')).toBe(true);
      expect(ear.troubles.get('y')).toBeUndefined();
      await ear.stop();
    }
    await broker.close();
  });

  it('says in words why a broker cannot be opened', async () => {
    const broker = await startMosquitto({ users: { gateway: 'right' } });
    const url = `mqtt://127.0.0.1:${broker.port}`;
    const asGateway = (password: string | undefined, protocolVersion: 4 | 5) =>
      open(lineTo(url, {}, { username: 'gateway', protocolVersion }), makeHost(password === undefined ? {} : { password }));
    await expect(asGateway('wrong', 5)).rejects.toThrow(/Not authorized.*rights|Bad User Name or Password.*"password"/);
    await expect(asGateway('wrong', 4)).rejects.toThrow(/Not authorized.*"username" and the secret "password"/);
    await expect(open(lineTo(url, {}), makeHost())).rejects.toThrow(/Not authorized/);
    await expect(open(lineTo(url, {}, { protocolVersion: 4 }), makeHost({ password: 'right' }))).rejects.toThrow(/[Uu]sername is required/);
    await expect(open(lineTo(`mqtt://127.0.0.1:${await freePort()}`, {}))).rejects.toThrow(/nobody listens there/);
    await expect(open(lineTo('mqtt://no-such-host.invalid', {}))).rejects.toThrow(/host name/);
    await expect(open(lineTo(`mqtts://127.0.0.1:${broker.port}`, {}))).rejects.toThrow(/TLS/);
    await expect(open(lineTo(`ws://127.0.0.1:${broker.port}/mqtt`, {}))).rejects.toThrow(/\w+ \w+/);
    await broker.close();
  });

  it('loses the link when another client of the same name comes', async () => {
    const broker = await startMosquitto();
    const line = lineTo(`mqtt://127.0.0.1:${broker.port}`, { p: { topic: 'p' } }, { clientId: 'twin' });
    const host = makeHost();
    const ear = listen(await opened(line, host), pointsOf(line));
    await opened(line);
    expect(await ear.ended).toBeInstanceOf(LinkLost);
    expect(host.losses).toEqual([expect.any(LinkLost)]);
    await broker.close();
  });

  it('names itself once and for all, unless it is given a name', async () => {
    const broker = await startMosquitto();
    const line = lineTo(`mqtt://127.0.0.1:${broker.port}`, {});
    const host = makeHost();
    await (await open(line, host)).close();
    await (await open(line, host)).close();
    await (await open(line, makeHost())).close();
    const log = await readFile(join(broker.folder, 'log'), 'utf8');
    const names = [...log.matchAll(/New client connected from \S+ as (fieldgate-[0-9a-f]{12}) /g)].map((match) => match[1]);
    expect(names).toHaveLength(3);
    expect(names[1]).toBe(names[0]);
    expect(names[2]).not.toBe(names[0]);
    await broker.close();
  });
});

describe('commands', () => {
  let broker: Mosquitto;
  beforeAll(async () => {
    broker = await startMosquitto({
      users: { gateway: 's' },
      acl: ['user gateway', 'topic readwrite open/#', 'topic read far-end/#', 'topic write far-end/#'],
    });
  });
  afterAll(() => broker.close());
  const set = { topic: 'open/light/set' };
  const url = () => `mqtt://127.0.0.1:${broker.port}`;
  const asGateway = { username: 'gateway' };
  const host = () => makeHost({ password: 's' });

  it('keeps two commands 5 ms apart, and a burst, in their order', async () => {
    const heard = await broker.hear('open/#');
    const line = lineTo(url(), { light: { set: { ...set, qos: 1 } } }, asGateway);
    const session = await opened(line, host());
    const light = pointOf(line, 'light');
    const on = session.write?.(light, 'ON', never());
    await new Promise((resolve) => setTimeout(resolve, 5));
    const off = session.write?.(light, 'OFF', never());
    expect(await Promise.all([on, off])).toEqual([{ state: 'acknowledged' }, { state: 'acknowledged' }]);
    const burst = await Promise.all(Array.from({ length: 16 }, (_, index) => session.write?.(light, index, never())));
    expect(burst.every((answer) => answer?.state === 'acknowledged')).toBe(true);
    await expect
      .poll(() => heard.messages.map(({ payload }) => payload), soon)
      .toEqual(['ON', 'OFF', ...Array.from({ length: 16 }, (_, index) => String(index))]);
    expect(heard.messages.every(({ retained }) => !retained)).toBe(true);
    await heard.close();
  });

  it.each([0, 1, 2] as const)('QoS %i reaches whoever listens', async (qos) => {
    const heard = await broker.hear('open/#');
    const line = lineTo(url(), { light: { set: { ...set, qos, payload: '{"state": "{value}", "by": "{{gateway}"}' } } }, asGateway);
    const answer = await (await opened(line, host())).write?.(pointOf(line, 'light'), 'a "b"\n', never());
    expect(answer?.state).toBe('acknowledged');
    await expect
      .poll(() => heard.messages[0], soon)
      .toMatchObject({
        qos,
        payload: JSON.stringify({ state: 'a "b"\n', by: '{gateway}' }).replaceAll('":"', '": "').replace(',"', ', "'),
      });
    await heard.close();
  });

  it('says that nobody listens, and that the broker refuses', async () => {
    const line = lineTo(
      url(),
      {
        deaf: { set: { topic: 'open/nobody/set' } },
        forbidden: { set: { topic: 'closed/set' } },
        twice: { set: { topic: 'closed/set', qos: 2 } },
      },
      asGateway,
    );
    const session = await opened(line, host());
    expect(await session.write?.(pointOf(line, 'deaf'), 1, never())).toEqual({
      state: 'acknowledged',
      detail: expect.stringContaining('nobody listens'),
    });
    expect(await session.write?.(pointOf(line, 'forbidden'), 1, never())).toEqual({
      state: 'refused',
      detail: expect.stringContaining('Not authorized'),
    });
    expect(await session.write?.(pointOf(line, 'twice'), 1, never())).toEqual({
      state: 'refused',
      detail: expect.stringContaining('Not authorized'),
    });
  });

  it('leaves a retained command only where the point asks for it', async () => {
    const line = lineTo(url(), { mode: { set: { topic: 'open/mode', retain: true } } }, asGateway);
    await (await opened(line, host())).write?.(pointOf(line, 'mode'), 'eco', never());
    const heard = await broker.hear('open/mode');
    await expect.poll(() => heard.messages, soon).toMatchObject([{ payload: 'eco', retained: true }]);
    await heard.close();
  });
});

describe('other transports', () => {
  it('TLS: says what is wrong with a certificate, and opens with the CA', async () => {
    const { files, ca } = await certificates();
    const listener = ['listener {port} 127.0.0.1', 'cafile {folder}/ca.pem', 'certfile {folder}/server.pem', 'keyfile {folder}/server.key'];
    const broker = await startMosquitto({ listener, files });
    const to = (scheme: string, tls = {}) => lineTo(`${scheme}://127.0.0.1:${broker.port}`, { p: { topic: 'p', format: 'text' } }, { tls });
    await expect(open(to('mqtts'))).rejects.toThrow(/secret "ca"/);
    await expect(open(to('mqtts'), makeHost({ ca }))).rejects.toThrow(/another host name/);
    await expect(open(to('mqtt'))).rejects.toThrow(/hung up.*without TLS/);
    await (await open(to('mqtts', { verify: false }))).close();
    const session = await opened(to('mqtts', { serverName: 'broker.test' }), makeHost({ ca }));
    expect(session.listen).toBeDefined();
    await broker.close();
  });

  it('WebSocket', async () => {
    const web = await freePort();
    const broker = await startMosquitto({ listener: [`listener ${web} 127.0.0.1`, 'protocol websockets', 'listener {port} 127.0.0.1'] });
    const line = lineTo(`ws://127.0.0.1:${web}/mqtt`, { p: { topic: 'p' } });
    const ear = listen(await opened(line), pointsOf(line));
    await expect
      .poll(
        nudged(
          () => broker.publish('p', '4'),
          () => ear.of('p').at(-1),
        ),
        soon,
      )
      .toBe(4);
    await broker.close();
    expect(await ear.ended).toBeInstanceOf(LinkLost);
  });
});

it('shares a bus by the endpoint and says no secret in it', () => {
  const options = driver.connection.parse({ url: 'mqtts://Broker.example/', username: 'me' });
  expect(driver.endpoint(options)).toBe('mqtts://broker.example:8883');
});

/** mosquitto with its dynamic security plugin: the ACL file cannot refuse a subscription. */
async function startGuarded(): Promise<Mosquitto> {
  const probe = await startMosquitto();
  const file = join(probe.folder, 'dynamic.json');
  await run('mosquitto_ctrl', ['dynsec', 'init', file, 'gateway', 'near-secret']);
  const rules = JSON.parse(await readFile(file, 'utf8')) as { roles: { acls: unknown[] }[] };
  for (const role of rules.roles) role.acls = [{ acltype: 'subscribePattern', topic: 'home/#', allow: true }];
  await probe.close();
  const library = (await run('find', ['/usr/lib', '-name', 'mosquitto_dynamic_security.so'])).stdout.trim().split('\n')[0];
  return startMosquitto({
    users: {},
    lines: [`plugin ${library}`, 'plugin_opt_config_file {folder}/dynamic.json'],
    files: { 'dynamic.json': JSON.stringify(rules) },
  });
}

/** A CA and a certificate for `broker.test` signed by it, good for a day. */
async function certificates(): Promise<{ files: Record<string, string>; ca: string }> {
  const broker = await startMosquitto();
  const at = (name: string) => join(broker.folder, name);
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await run('openssl', ['req', '-x509', ...key, '-days', '1', '-subj', '/CN=test CA', '-keyout', at('ca.key'), '-out', at('ca.pem')]);
  await run('openssl', [
    'req',
    ...key,
    '-subj',
    '/CN=broker.test',
    '-addext',
    'subjectAltName=DNS:broker.test',
    '-keyout',
    at('server.key'),
    '-out',
    at('server.csr'),
  ]);
  const sign = [
    '-req',
    '-in',
    at('server.csr'),
    '-CA',
    at('ca.pem'),
    '-CAkey',
    at('ca.key'),
    '-CAcreateserial',
    '-days',
    '1',
    '-copy_extensions',
    'copy',
  ];
  await run('openssl', ['x509', ...sign, '-out', at('server.pem')]);
  const text = (name: string) => readFile(at(name), 'utf8');
  const files = { 'ca.pem': await text('ca.pem'), 'server.pem': await text('server.pem'), 'server.key': await text('server.key') };
  await broker.close();
  return { files, ca: files['ca.pem'] };
}
