/** Brokers as plants have them: certificates on both sides, failover, groups, last wills, names used twice, bad wires. */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Session } from '../../src/contract/driver.ts';
import { LinkLost } from '../../src/contract/fault.ts';
import { makeCertificates } from '../far/certificates.ts';
import { answers, freePort, startMosquitto } from '../far/mosquitto.ts';
import { startWire } from '../far/wire.ts';
import { makeHost, pointOf } from './line.ts';
import { driver, lineTo, listen, never, nudged, open, pointsOf, soon } from './mqtt-session.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function opened(...args: Parameters<typeof open>): Promise<Session> {
  const session = await open(...args);
  closing.push(() => session.close());
  return session;
}
async function started(...args: Parameters<typeof startMosquitto>) {
  const broker = await startMosquitto(...args);
  closing.push(() => broker.close());
  return { broker, url: `mqtt://127.0.0.1:${broker.port}`, log: () => readFile(join(broker.folder, 'log'), 'utf8') };
}

/** A broker that answers the first packet with the first of these, and says the second a little later. */
async function startTalker([first = Buffer.alloc(0), second = Buffer.alloc(0)]: Buffer[]): Promise<number> {
  const server = createServer((socket) => {
    let packets = 0;
    socket.on('error', () => {});
    socket.on('data', () => {
      packets++;
      if (packets === 1) socket.write(first);
      else if (packets === 2) socket.end(second);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => new Promise((resolve) => server.close(resolve)));
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}

describe('TLS', () => {
  it.each(['mqtts', 'wss'])('%s with a certificate on each side; without ours it says so', async (scheme) => {
    const { ca, of } = await makeCertificates('broker.test', 'gateway.test');
    const stranger = await makeCertificates('gateway.test');
    const files = { 'ca.pem': ca, 'server.pem': of['broker.test'].cert, 'server.key': of['broker.test'].key };
    const tlsPort = await freePort();
    const { broker, log } = await started({
      files,
      listener: [
        'listener {port} 127.0.0.1',
        `listener ${tlsPort} 127.0.0.1`,
        ...(scheme === 'wss' ? ['protocol websockets'] : []),
        'cafile {folder}/ca.pem',
        'certfile {folder}/server.pem',
        'keyfile {folder}/server.key',
        'require_certificate true',
        'use_identity_as_username true',
      ],
    });
    // The one of WebSockets is opened a little later.
    await expect.poll(() => answers(tlsPort), soon).toBe(true);
    const line = lineTo(
      `${scheme}://127.0.0.1:${tlsPort}`,
      { p: { topic: 'p' } },
      { tls: { serverName: 'broker.test', alpn: scheme === 'mqtts' ? ['mqtt'] : [] } },
    );
    const gateway = of['gateway.test'];
    const ear = listen(await opened(line, makeHost({ ca, cert: gateway.cert, key: gateway.key })), pointsOf(line));
    await expect
      .poll(
        nudged(
          () => broker.publish('p', '4'),
          () => ear.of('p').at(-1),
        ),
        soon,
      )
      .toBe(4);
    expect(await log()).toMatch(/u'gateway\.test'/);
    await expect(open(line, makeHost({ ca }))).rejects.toThrow(/certificate|hung up|handshake/);
    await expect(
      open(line, makeHost({ ca, cert: stranger.of['gateway.test'].cert, key: stranger.of['gateway.test'].key })),
    ).rejects.toThrow(/certificate|hung up|unknown ca/i);
    await expect(open(line, makeHost({ cert: gateway.cert, key: gateway.key }))).rejects.toThrow(/secret "ca"/);
  });
});

describe('several brokers', () => {
  it('goes on with the next when one cannot be opened, and comes back', async () => {
    const { broker: first, url } = await started();
    const { broker: second, url: other } = await started();
    const line = lineTo(url, { p: { topic: 'p' } }, { fallbacks: [other] });
    const host = makeHost();
    const hears = async (broker: typeof first, value: number) => {
      const session = await open(line, host);
      const ear = listen(session, pointsOf(line));
      await expect
        .poll(
          nudged(
            () => broker.publish('p', String(value)),
            () => ear.of('p').at(-1),
          ),
          soon,
        )
        .toBe(value);
      return { session, ear };
    };
    const one = await hears(first, 1);
    await first.kill();
    expect(await one.ear.ended).toBeInstanceOf(LinkLost);
    const two = await hears(second, 2);
    await two.session.close();
    await first.start();
    await (await hears(first, 3)).session.close();
    await Promise.all([first.kill(), second.kill()]);
    await expect(open(line, host)).rejects.toThrow(
      new RegExp(`none of the 2 brokers.*${first.port}: nobody listens.*${second.port}: nobody listens`),
    );
  });

  it('one that takes the connection and never answers does not keep the other from its turn', async () => {
    const { broker, url } = await started();
    const wire = await startWire(broker.port);
    closing.push(() => wire.close());
    wire.silence(true);
    const line = lineTo(`mqtt://127.0.0.1:${wire.port}`, { p: { topic: 'p' } }, { fallbacks: [url] });
    const session = await open(line);
    closing.push(() => session.close());
    expect(wire.opened).toBe(1);
  });
});

describe('what others see of us', () => {
  it.each([5, 4])('MQTT %i: birth, last will when we are lost, and the same words when we leave', async (protocolVersion) => {
    const { broker } = await started();
    const wire = await startWire(broker.port);
    closing.push(() => wire.close());
    const words = { birth: { topic: 'gw/state', payload: 'online' }, will: { topic: 'gw/state', payload: 'gone', retain: false } };
    const line = lineTo(`mqtt://127.0.0.1:${wire.port}`, {}, { ...words, protocolVersion });
    const heard = await broker.hear('gw/#');
    closing.push(() => heard.close());
    const said = () => heard.messages.map(({ payload }) => payload);
    await open(line);
    await expect.poll(said, soon).toEqual(['online']);
    wire.cut();
    await expect.poll(said, soon).toEqual(['online', 'gone']);
    const session = await open(line);
    await expect.poll(said, soon).toEqual(['online', 'gone', 'online']);
    await session.close();
    await expect.poll(said, soon).toEqual(['online', 'gone', 'online', 'gone']);
  });

  it('a group of gateways gets each message once, and all know which device is there', async () => {
    const { broker, url } = await started();
    const line = lineTo(url, { p: { topic: 'plant/+', qos: 1 } }, { share: 'gateways' });
    for (const device of line.devices) device.availability = { topic: 'status', online: 'online', offline: 'offline' };
    const ears = [listen(await opened(line, makeHost()), pointsOf(line)), listen(await opened(line, makeHost()), pointsOf(line))];
    await expect
      .poll(
        nudged(
          () => broker.publish('status', 'online'),
          () => ears.every(({ words }) => words.length > 0),
        ),
        soon,
      )
      .toBe(true);
    const count = 20;
    for (let i = 0; i < count; i++) await broker.publish(`plant/${i}`, String(i), { qos: 1 });
    await expect.poll(() => new Set(ears.flatMap((ear) => ear.of('p'))).size, soon).toBe(count);
    expect(ears.flatMap((ear) => ear.of('p'))).toHaveLength(count);
    expect(ears.every((ear) => ear.of('p').length > 0)).toBe(true);
  });

  it('a client name that two use is said', async () => {
    // CONNACK, then DISCONNECT because another client took over (MQTT 5 §3.14.2.1); mosquitto 2.0 only hangs up.
    const port = await startTalker([Buffer.from([0x20, 3, 0, 0, 0]), Buffer.from([0xe0, 2, 0x8e, 0])]);
    const line = lineTo(`mqtt://127.0.0.1:${port}`, { p: { topic: 'p' } }, { clientId: 'twin' });
    const host = makeHost();
    const ends: string[] = [];
    for (let i = 0; i < 2; i++) {
      const session = await open(line, host).catch((error: unknown) => error as Error);
      ends.push(String(session instanceof Error ? session : await listen(session, pointsOf(line)).ended));
    }
    expect(ends[0]).toMatch(/taken over/);
    expect(ends[1]).toMatch(/another client uses the "clientId" "twin" too: .*2 times lately.*name of its own/);
  });

  it('two connections of one gateway do not use one name', async () => {
    const { url } = await started();
    const line = lineTo(url, { p: { topic: 'p' } }, { clientId: 'twin' });
    const mine = makeHost();
    const second = { ...line, connection: { ...line.connection, id: 'second' } };
    await opened(line, mine);
    await expect(driver.open(second, mine, never())).rejects.toThrow(/connection "line" uses the "clientId" "twin"/);
  });

  it.each([5, 4])('MQTT %i, where a broker does not say so: it is guessed after three', async (protocolVersion) => {
    const { url } = await started();
    const line = lineTo(url, { p: { topic: 'p' } }, { clientId: 'twin', protocolVersion });
    const mine = makeHost();
    const ends: string[] = [];
    for (let i = 0; i < 3; i++) {
      const ear = listen(await opened(line, mine), pointsOf(line));
      await opened(line, makeHost());
      ends.push(String(await ear.ended));
    }
    expect(ends[0]).toMatch(/the broker closed the connection/);
    expect(ends[2]).toMatch(/hung up 3 times lately.*"twin" looks like that/);
  });

  it('says its session expiry, receive maximum, alias maximum and properties', async () => {
    const { url, log } = await started();
    const words = { clean: false, clientId: 'keeper', sessionExpiry: '90s', receiveMaximum: 7, userProperties: { site: 'north' } };
    await opened(lineTo(url, { p: { topic: 'p', qos: 1 } }, words));
    await expect.poll(log, soon).toMatch(/as keeper \(p5, c0, k15/);
  });
});

describe('patterns that cross', () => {
  it('MQTT 5: each message is heard once by each point', async () => {
    const { broker, url } = await started();
    const line = lineTo(url, {
      a: { topic: 'x/+/c' },
      b: { topic: 'x/b/+' },
      fixed: { topic: 'x/b/c' },
      all: { topic: 'y/#' },
      in: { topic: 'y/z' },
    });
    const ear = listen(await opened(line), pointsOf(line));
    await expect
      .poll(
        nudged(
          () => broker.publish('y/z', '0'),
          () => ear.of('in').length,
        ),
        soon,
      )
      .toBeGreaterThan(0);
    for (let i = 1; i <= 5; i++) await broker.publish('x/b/c', String(i));
    await broker.publish('x/b/d', '6');
    await broker.publish('x/q/c', '7');
    await broker.publish('y/deep/er', '8');
    await expect.poll(() => ear.of('all').at(-1), soon).toBe(8);
    expect(ear.of('a')).toEqual([1, 2, 3, 4, 5, 7]);
    expect(ear.of('b')).toEqual([1, 2, 3, 4, 5, 6]);
    expect(ear.of('fixed')).toEqual([1, 2, 3, 4, 5]);
    expect(ear.of('in').every((value) => value === 0)).toBe(true);
  });
});

describe.each(['true', 'false'])('MQTT 3.1.1, where patterns cross and the broker sends a message once for each: %s', (isDoubling) => {
  it.each([0, 1] as const)('QoS %i is heard once', async (qos) => {
    const { broker, url } = await started({ lines: [`allow_duplicate_messages ${isDoubling}`] });
    const points = { a: { topic: 'x/+/c', qos }, b: { topic: 'x/b/+', qos } };
    const line = lineTo(url, points, { protocolVersion: 4, clean: false, clientId: 'keeper' });
    const session = await opened(line);
    const ear = listen(session, pointsOf(line));
    await session.ready?.();
    for (let i = 0; i < 10; i++) await broker.publish('x/b/c', String(i), { qos });
    await broker.publish('x/b/d', '10', { qos });
    await broker.publish('x/q/c', '11', { qos });
    await expect.poll(() => [ear.of('a').at(-1), ear.of('b').at(-1)], soon).toEqual([11, 10]);
    expect(ear.of('a')).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11]);
    expect(ear.of('b')).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });
});

describe.each([5, 4])('MQTT %i, exactly once', (protocolVersion) => {
  it('is confirmed when it is committed; what was not comes again, what was does not', async () => {
    const { broker, url, log } = await started();
    const line = lineTo(url, { p: { topic: 'p', qos: 2 } }, { clean: false, clientId: 'keeper', protocolVersion });
    const session = await open(line);
    // The disk is stuck: nothing is committed.
    const first = listen(session, pointsOf(line), () => new Promise(() => {}));
    await expect.poll(log, soon).toMatch(/Received SUBSCRIBE from keeper/);
    await broker.publish('p', '1', { qos: 2 });
    await broker.publish('p', '2', { qos: 2 });
    await expect.poll(() => first.of('p'), soon).toEqual([1, 2]);
    expect(await log()).not.toMatch(/Received PUBREC from keeper/);
    await session.close();
    const again = await open(line);
    const second = listen(again, pointsOf(line));
    await expect.poll(() => second.of('p'), soon).toEqual([1, 2]);
    await expect.poll(async () => (await log()).match(/Received PUBCOMP from keeper/g)?.length, soon).toBe(2);
    await again.close();
    const third = listen(await opened(line), pointsOf(line));
    await broker.publish('p', '3', { qos: 2 });
    await expect.poll(() => third.of('p'), soon).toEqual([3]);
  });

  it('a window of messages is not held up by the first, and is confirmed in order', async () => {
    const { broker, url, log } = await started({ lines: ['max_inflight_messages 20'] });
    const line = lineTo(url, { p: { topic: 'p', qos: 2 } }, { clean: false, clientId: 'keeper', protocolVersion });
    const commits: (() => void)[] = [];
    const ear = listen(await opened(line), pointsOf(line), () => new Promise<void>((resolve) => commits.push(resolve)));
    await expect.poll(log, soon).toMatch(/Received SUBSCRIBE from keeper/);
    for (let i = 0; i < 5; i++) await broker.publish('p', String(i), { qos: i % 2 === 0 ? 2 : 1 });
    await expect.poll(() => ear.of('p').length, soon).toBe(5);
    for (const commit of commits.slice(1)) commit();
    expect(await log()).not.toMatch(/Received PUB(ACK|REC) from keeper/);
    commits[0]?.();
    const confirmed = async () =>
      [...(await log()).matchAll(/Received (PUBACK|PUBREC) from keeper \(Mid: (\d+)/g)].map(([, how, id]) => `${how} ${id}`);
    await expect.poll(confirmed, soon).toEqual(['PUBREC 1', 'PUBACK 2', 'PUBREC 3', 'PUBACK 4', 'PUBREC 5']);
  });
});

describe('bad wires', () => {
  it('a byte at a time and late: nothing is lost, doubled or reordered', async () => {
    const { broker, url: _url } = await started();
    const wire = await startWire(broker.port);
    closing.push(() => wire.close());
    const line = lineTo(`mqtt://127.0.0.1:${wire.port}`, { p: { topic: 'p', qos: 1 }, s: { set: { topic: 's' } } });
    const session = await opened(line);
    const heard = await broker.hear('s');
    closing.push(() => heard.close());
    const ear = listen(session, [pointOf(line, 'p')]);
    await expect
      .poll(
        nudged(
          () => broker.publish('p', '-1'),
          () => ear.of('p').length,
        ),
        soon,
      )
      .toBeGreaterThan(0);
    wire.shape({ pieceBytes: 1 });
    for (let i = 0; i < 30; i++) await broker.publish('p', String(i), { qos: 1 });
    const answers = await Promise.all(Array.from({ length: 10 }, (_, i) => session.write?.(pointOf(line, 's'), i, never())));
    expect(answers.map((answer) => answer?.state)).toEqual(Array.from({ length: 10 }, () => 'acknowledged'));
    wire.shape({ delayMs: 5 });
    expect((await session.write?.(pointOf(line, 's'), 10, never()))?.state).toBe('acknowledged');
    await expect.poll(() => ear.of('p').filter((value) => Number(value) >= 0), soon).toEqual(Array.from({ length: 30 }, (_, i) => i));
    await expect.poll(() => heard.messages.map(({ payload }) => Number(payload)), soon).toEqual(Array.from({ length: 11 }, (_, i) => i));
  });

  it('a wire that goes silent is noticed by the keep-alive, a command on it is of unknown fate, and a kept session misses nothing', async () => {
    const { broker } = await started();
    const wire = await startWire(broker.port);
    closing.push(() => wire.close());
    const line = lineTo(
      `mqtt://127.0.0.1:${wire.port}`,
      { p: { topic: 'p', qos: 1 }, s: { set: { topic: 's' } } },
      { clean: false, clientId: 'keeper', keepalive: '1s', timeout: '500ms' },
    );
    const host = makeHost();
    const session = await open(line, host);
    const ear = listen(session, [pointOf(line, 'p')]);
    await expect
      .poll(
        nudged(
          () => broker.publish('p', '1', { qos: 1 }),
          () => ear.of('p').length,
        ),
        soon,
      )
      .toBeGreaterThan(0);
    wire.silence(true);
    expect((await session.write?.(pointOf(line, 's'), 1, never()))?.state).toBe('unknown');
    await broker.publish('p', '2', { qos: 1 });
    expect(await ear.ended).toBeInstanceOf(LinkLost);
    wire.silence(false);
    wire.cut();
    const again = listen(await opened(line, host), [pointOf(line, 'p')]);
    await expect.poll(() => again.of('p').at(-1), soon).toBe(2);
  });
});
