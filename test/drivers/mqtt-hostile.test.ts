/** Whatever a broker or a device sends: a word about it, the link or the reading gone bad, and the process alive. */
import { createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Session } from '../../src/contract/driver.ts';
import { LinkLost } from '../../src/contract/fault.ts';
import { limits } from '../../src/contract/limits.ts';
import { makeHost, pointOf } from './line.ts';
import { type Ear, lineTo, listen, never, open, pointsOf, soon } from './mqtt-session.ts';

/** Packets as bytes, written by hand from the specification (MQTT 5 §2-3). */
const connack4 = Buffer.from([0x20, 2, 0, 0]);
const connack5 = Buffer.from([0x20, 3, 0, 0, 0]);
function publish(topic: string | Buffer, payload: string | Buffer, version: 4 | 5): Buffer {
  const name = Buffer.from(topic as string);
  const body = Buffer.concat([
    Buffer.from([name.length >> 8, name.length & 255]),
    name,
    Buffer.from(version === 5 ? [0] : []),
    Buffer.from(payload as string),
  ]);
  return Buffer.concat([Buffer.from([0x30]), lengthOf(body.length), body]);
}
function lengthOf(bytes: number): Buffer {
  const digits = [];
  let rest = bytes;
  do {
    digits.push((rest % 128) | (rest >= 128 ? 128 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return Buffer.from(digits);
}

/** A broker of a few lines: answers CONNECT, and every other packet as `answer` says; `last` is the socket to send nonsense through. */
interface Impostor {
  url: string;
  last(): Socket;
  close(): Promise<void>;
}
type Answer = (type: number, packet: Buffer, socket: Socket) => void;
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function startImpostor(connack: Buffer | undefined, answer: Answer = () => {}): Promise<Impostor> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      for (let at = 0; at + 1 < bytes.length; ) {
        const type = (bytes[at] ?? 0) >> 4;
        // What the driver sends in these tests is short: one length byte.
        const packet = bytes.subarray(at, at + 2 + (bytes[at + 1] ?? 0));
        if (type === 1) connack && socket.write(connack);
        else answer(type, packet, socket);
        at += packet.length;
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const impostor: Impostor = {
    url: `mqtt://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
    last: () => sockets.at(-1) as Socket,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  closing.push(() => impostor.close());
  return impostor;
}
/** Grants QoS 0 to one topic a SUBSCRIBE. */
const granting =
  (version: 4 | 5): Answer =>
  (type, packet, socket) => {
    if (type === 8)
      socket.write(
        Buffer.from(version === 5 ? [0x90, 4, packet[2] ?? 0, packet[3] ?? 0, 0, 0] : [0x90, 3, packet[2] ?? 0, packet[3] ?? 0, 0]),
      );
  };

async function hearing(
  version: 4 | 5,
  address: Record<string, unknown> = { topic: 't' },
): Promise<{ impostor: Impostor; session: Session; ear: Ear }> {
  const impostor = await startImpostor(version === 5 ? connack5 : connack4, granting(version));
  const line = lineTo(impostor.url, { p: address }, { protocolVersion: version });
  const session = await open(line);
  closing.push(() => session.close());
  return { impostor, session, ear: listen(session, pointsOf(line)) };
}

describe.each([4, 5] as const)('MQTT %i', (version) => {
  it.each<[string, Record<string, unknown>, string | Buffer, RegExp]>([
    ['junk for a number', { topic: 't' }, Buffer.alloc(100_000, 0xfe), /100000 bytes; at most 65536/],
    ['bytes that are no text', { topic: 't', format: 'text' }, Buffer.from([0xc3, 0x28, 0xff]), /not UTF-8/],
    ['half a document', { topic: 't', path: '$.a' }, '{"a":', /not JSON/],
    ['a deep nest', { topic: 't', path: '$.a' }, '['.repeat(60_000), /not JSON/],
    [
      'a deep nest with long digits',
      { topic: 't', path: '$.a' },
      `${'['.repeat(30_000)}12345678901234567890${']'.repeat(30_000)}`,
      /not JSON|nothing is at/,
    ],
    ['nothing', { topic: 't', path: '$.a' }, '', /empty/],
    ['nothing for a number', { topic: 't' }, '', /empty/],
    ['another type', { topic: 't', path: '$.a' }, '{"a":{"b":1}}', /an object is at \$\.a/],
    [
      'a polluting key',
      { topic: 't', path: '$.polluted' },
      '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}',
      /nothing is at/,
    ],
  ])('%s is a bad reading, and the next one is good', async (_name, address, payload, detail) => {
    const { impostor, ear } = await hearing(version, address);
    const good =
      address.format === 'text' ? 'fine' : address.path === undefined ? '7' : address.path === '$.a' ? '{"a":7}' : '{"polluted":7}';
    impostor.last().write(Buffer.concat([publish('t', payload, version), publish('t', good, version)]));
    await expect
      .poll(() => ear.of('p'), soon)
      .toEqual([payload.length === 0 ? 'sentinel' : 'decode', address.format === 'text' ? 'fine' : 7]);
    expect(ear.readings[0]?.detail).toMatch(detail);
    // What a device sent goes into no log and no health message.
    expect((ear.readings[0]?.detail ?? '').length).toBeLessThan(120);
  });

  it('topics that are not ours, not UTF-8, empty or full of wildcards are nobody’s', async () => {
    const { impostor, ear } = await hearing(version);
    const strange = [
      Buffer.from([0xff, 0xfe, 0x00, 0x41]),
      Buffer.from('#'),
      Buffer.from('t/'),
      Buffer.from('a/+/#/b'),
      Buffer.from('__proto__'),
      Buffer.from(''),
    ];
    impostor.last().write(Buffer.concat([...strange.map((topic) => publish(topic, '1', version)), publish('t', '2', version)]));
    await expect.poll(() => ear.of('p'), soon).toEqual([2]);
  });

  it.each<[string, Buffer, RegExp]>([
    ['a packet of 200 MB', Buffer.concat([Buffer.from([0x30]), lengthOf(200_000_000)]), /200000000 bytes; at most/],
    ['a length without an end', Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), /at most|variable byte/],
    ['a packet of type 0', Buffer.from([0x00, 0x00]), /\w+ \w+/],
    ['QoS 3', Buffer.from([0x36, 5, 0, 1, 0x74, 0, 1]), /QoS/],
    ['a topic longer than its packet', Buffer.from([0x30, 3, 0xff, 0xff, 0x74]), /topic/],
    ['a second CONNACK', version === 5 ? connack5 : connack4, /duplicate CONNACK/],
    ['a PUBREL without its id', Buffer.from([0x62, 0]), /cannot be answered/],
    ['a PUBLISH of QoS 2 without its id', Buffer.from([0x34, 3, 0, 1, 0x74]), /cannot be answered/],
    ['an HTTP server', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), /\w+ \w+/],
  ])('%s ends the link with a word about it', async (_name, bytes, words) => {
    const { impostor, ear } = await hearing(version);
    impostor.last().write(bytes);
    const end = await ear.ended;
    expect(end).toBeInstanceOf(LinkLost);
    expect(String(end)).toMatch(words);
  });

  it('a broker that never confirms: unknown, and refused ones do not leave', async () => {
    let published = 0;
    const impostor = await startImpostor(version === 5 ? connack5 : connack4, (type) => {
      if (type === 3) published++;
    });
    const line = lineTo(
      impostor.url,
      { p: { set: { topic: 's' } }, q: { set: { topic: 's', payload: '{"a": {value}}' } } },
      { protocolVersion: version, timeout: '150ms' },
    );
    const session = await open(line);
    closing.push(() => session.close());
    const started = performance.now();
    expect(await session.write?.(pointOf(line, 'p'), 1, never())).toMatchObject({
      state: 'unknown',
      detail: expect.stringContaining('150 ms'),
    });
    expect(performance.now() - started).toBeLessThan(2_000);
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, null])
      expect(await session.write?.(pointOf(line, 'q'), value, never())).toMatchObject({ state: 'refused' });
    expect(await session.write?.(pointOf(line, 'p'), 'x'.repeat(2 * limits.mqttPacketBytesMax), never())).toMatchObject({
      state: 'not-sent',
    });
    expect(await session.write?.(pointOf(line, 'p'), 1, AbortSignal.abort(new Error('expired')))).toEqual({
      state: 'not-sent',
      detail: 'expired',
    });
    const stopping = new AbortController();
    const before = published;
    const waiting = session.write?.(pointOf(line, 'p'), 1, stopping.signal);
    await expect.poll(() => published, soon).toBe(before + 1);
    stopping.abort(new Error('enough'));
    expect(await waiting).toMatchObject({ state: 'unknown' });
    const dying = session.write?.(pointOf(line, 'p'), 1, never());
    await expect.poll(() => published, soon).toBe(before + 2);
    impostor.last().destroy();
    expect(await dying).toMatchObject({ state: 'unknown', detail: expect.stringContaining('lost') });
  });

  it('never has more unconfirmed than its bound', async () => {
    let published = 0;
    const impostor = await startImpostor(version === 5 ? connack5 : connack4, (type) => {
      if (type === 3) published++;
    });
    const line = lineTo(impostor.url, { p: { set: { topic: 's' } } }, { protocolVersion: version, timeout: '100ms' });
    const session = await open(line);
    closing.push(() => session.close());
    const answers = await Promise.all(
      Array.from({ length: 3 * limits.mqttInFlightMax }, () => session.write?.(pointOf(line, 'p'), 1, never())),
    );
    expect(answers.filter((answer) => answer?.state === 'unknown')).toHaveLength(limits.mqttInFlightMax);
    expect(answers.filter((answer) => answer?.state === 'not-sent')).toHaveLength(2 * limits.mqttInFlightMax);
    expect(published).toBe(limits.mqttInFlightMax);
  });

  it('a broker that is gone without a word (a pulled plug) is noticed by the keep-alive', async () => {
    const impostor = await startImpostor(version === 5 ? connack5 : connack4, granting(version));
    const line = lineTo(impostor.url, { p: { topic: 't' } }, { protocolVersion: version, keepalive: '1s' });
    const session = await open(line);
    closing.push(() => session.close());
    const started = performance.now();
    expect(String(await listen(session, pointsOf(line)).ended)).toMatch(/LinkLost: no answer to a keep-alive/);
    expect(performance.now() - started).toBeLessThan(4_000);
  });

  it('a subscription that is never confirmed ends the link', async () => {
    const impostor = await startImpostor(version === 5 ? connack5 : connack4);
    const line = lineTo(impostor.url, { p: { topic: 't' } }, { protocolVersion: version, timeout: '100ms' });
    const session = await open(line);
    closing.push(() => session.close());
    expect(String(await listen(session, pointsOf(line)).ended)).toMatch(/LinkLost: .*did not confirm the subscription of "t"/);
  });

  it('a broker that says nothing, something else, or hangs up is an opening that failed in words', async () => {
    const silent = await startImpostor(undefined);
    const started = performance.now();
    await expect(open(lineTo(silent.url, {}, { protocolVersion: version }), makeHost(), 200)).rejects.toThrow();
    expect(performance.now() - started).toBeLessThan(2_000);
    const web = await startImpostor(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await expect(open(lineTo(web.url, {}, { protocolVersion: version }))).rejects.toThrow(/^mqtt:\/\/127\.0\.0\.1:\d+: \w+ \w+/);
    const codes: [number, RegExp][] =
      version === 5
        ? [
            [0x84, /protocolVersion/],
            [0x86, /"password"/],
            [0x88, /Server unavailable/],
            [0x8a, /Banned/],
            [0xff, /255/],
          ]
        : [
            [1, /protocolVersion/],
            [2, /"clientId"/],
            [3, /Server unavailable/],
            [4, /"password"/],
            [5, /rights/],
          ];
    for (const [code, words] of codes) {
      const refusing = await startImpostor(Buffer.from(version === 5 ? [0x20, 3, 0, code, 0] : [0x20, 2, 0, code]));
      await expect(open(lineTo(refusing.url, {}, { protocolVersion: version }))).rejects.toThrow(words);
    }
  });

  it('random bytes between good messages: heard or lost, never a crash', async () => {
    // The same bytes every time: a linear congruential generator (Numerical Recipes).
    let state = 42 + version;
    const random = () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    };
    const below = (bound: number) => Math.floor(random() * bound);
    for (let round = 0; round < 300; round++) {
      const { impostor, session, ear } = await hearing(version);
      // Half of the rounds damage a good packet, half send packets of any type with a body of any content, mostly too short.
      const bytes = round % 2 ? publish('t', '{"a":1}', version) : Buffer.alloc(2 + below(16));
      for (let i = 0; i < (round % 2 ? 2 : bytes.length); i++) bytes[round % 2 ? below(bytes.length) : i] = below(256);
      if (round % 2 === 0) bytes[1] = bytes.length - 2;
      impostor.last().write(bytes);
      impostor.last().end(publish('t', '5', version));
      const end = await ear.ended;
      expect(end).toBeInstanceOf(LinkLost);
      await session.close();
    }
  });
});

it('MQTT 5: passes on why a broker ends the session, without its control characters', async () => {
  const { impostor, ear } = await hearing(5);
  const words = Buffer.from('go\u001b[31m away');
  impostor.last().write(Buffer.concat([Buffer.from([0xe0, 2 + 3 + words.length, 0x8e, 3 + words.length, 0x1f, 0, words.length]), words]));
  const end = String(await ear.ended);
  expect(end).toMatch(/Session taken over.*"clientId".*go \[31m away/);
  expect(end).not.toContain('\u001b');
});

it('MQTT 5: sends nothing the broker said it does not take', async () => {
  // Receive maximum 1, maximum QoS 0, no retained messages, packets of at most 64 bytes.
  const properties = [0x24, 0, 0x25, 0, 0x27, 0, 0, 0, 64];
  const impostor = await startImpostor(
    Buffer.from([0x20, 3 + properties.length, 0, 0, properties.length, ...properties]),
    (_type, _packet, socket) => socket.destroy(),
  );
  const line = lineTo(impostor.url, {
    one: { set: { topic: 's', qos: 1 } },
    kept: { set: { topic: 's', qos: 0, retain: true } },
    big: { set: { topic: 's', qos: 0 } },
  });
  const session = await open(line);
  closing.push(() => session.close());
  expect(await session.write?.(pointOf(line, 'one'), 1, never())).toMatchObject({
    state: 'not-sent',
    detail: expect.stringContaining('QoS'),
  });
  expect(await session.write?.(pointOf(line, 'kept'), 1, never())).toMatchObject({
    state: 'not-sent',
    detail: expect.stringContaining('retained'),
  });
  expect(await session.write?.(pointOf(line, 'big'), 'x'.repeat(64), never())).toMatchObject({
    state: 'not-sent',
    detail: expect.stringContaining('64'),
  });
});
