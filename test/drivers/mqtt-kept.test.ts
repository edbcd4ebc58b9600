/** Sessions the broker keeps: what is confirmed when, what comes again, and what earlier settings had subscribed. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import { describe, expect, it } from 'vitest';
import type { Traffic } from '../../src/contract/driver.ts';
import { limits } from '../../src/contract/limits.ts';
import { startMosquitto } from '../far/mosquitto.ts';
import { makeHost } from './line.ts';
import { closeOpened, lineTo, listen, nudged, open, opened, pointsOf, soon } from './mqtt-session.ts';

/** Messages that may be unconfirmed. */
const window = 10;

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
    await closeOpened();
    const third = listen(await opened(line), pointsOf(line));
    await broker.publish('p', '3', { qos: 1 });
    await expect.poll(() => third.of('p'), soon).toEqual([3]);
    await broker.close();
  });

  it.each([
    [5, 1],
    [5, 2],
    [4, 1],
    [4, 2],
  ] as const)('MQTT %i, QoS %i: what the history refuses ends the link, and is sent again by the broker', async (version, qos) => {
    const broker = await startMosquitto({ lines: [`max_inflight_messages ${window}`] });
    const line = lineTo(
      `mqtt://127.0.0.1:${broker.port}`,
      { p: { topic: 'p', qos } },
      { protocolVersion: version, clean: false, clientId: 'keeper' },
    );
    const host = makeHost();
    const session = await opened(line, host);
    const refused = listen(session, pointsOf(line), () => Promise.reject(new Error('the disk is full')));
    await session.ready?.();
    const device = await connectAsync(`mqtt://127.0.0.1:${broker.port}`, { reconnectPeriod: 0 });
    // With QoS 2 mosquitto 2.0 forgets to go on behind a window that was sent again, though it is confirmed to its end.
    const all = Array.from({ length: qos === 1 ? 2.5 * window : window }, (_, n) => n + 1);
    await Promise.all(all.map((n) => device.publishAsync('p', String(n), { qos })));
    const words = 'the history did not take what the broker sent (the disk is full); it is to send it again';
    expect(await refused.ended).toMatchObject({ name: 'LinkLost', message: expect.stringContaining(words) });
    expect(host.losses).toHaveLength(1);
    // None was confirmed, so all come again, and in their order.
    const again = listen(await opened(line), pointsOf(line));
    await expect.poll(() => again.of('p'), soon).toEqual(all);
    // Those were confirmed, so a third session gets only what is new.
    await closeOpened();
    const third = listen(await opened(line), pointsOf(line));
    await device.publishAsync('p', '26', { qos });
    await expect.poll(() => third.of('p'), soon).toEqual([26]);
    await device.endAsync();
    await broker.close();
  });

  it.each([
    [5, 1, 'messages'],
    [5, 2, 'messages'],
    [4, 1, 'messages'],
    [4, 2, 'messages'],
    [4, 1, 'bytes'],
  ] as const)(
    'MQTT %i, QoS %i: loses none that come before their points are known, though more %s than can be held',
    async (version, qos, bound) => {
      const broker = await startMosquitto({ lines: ['max_inflight_messages 0', 'max_queued_messages 0'] });
      const line = lineTo(
        `mqtt://127.0.0.1:${broker.port}`,
        { p: { topic: 'p', qos, format: 'text' } },
        { protocolVersion: version, clean: false, clientId: 'keeper', ...(version === 5 ? { receiveMaximum: 65_535 } : {}) },
      );
      const first = await open(line);
      listen(first, pointsOf(line));
      await first.ready?.();
      await first.close();
      const device = await connectAsync(`mqtt://127.0.0.1:${broker.port}`, { reconnectPeriod: 0 });
      const bytes = bound === 'bytes' ? 60_000 : 4;
      const most = bound === 'bytes' ? Math.floor(limits.mqttHeldBytesMax / bytes) : limits.mqttHeldMessagesMax;
      const all = Array.from({ length: most + 200 }, (_, n) => String(n).padStart(bytes, '0'));
      await Promise.all(all.map((payload) => device.publishAsync('p', payload, { qos })));
      const seen: unknown[] = [];
      const host = { ...makeHost(), traffic: ({ unit }: Traffic) => void seen.push(unit) };
      const session = await opened(line, host);
      // More than a thousand messages in four steps each, on a machine that may have other things to do.
      await expect.poll(() => seen.length, { ...soon, timeout: 30_000 }).toBeGreaterThan(most);
      const ear = listen(session, pointsOf(line));
      await expect.poll(() => ear.of('p').length, { ...soon, timeout: 30_000 }).toBe(all.length);
      expect(ear.of('p')).toEqual(all);
      // Those were confirmed, so the next session gets only what is new. With QoS 2 the four steps of the last ones may be cut off by the close, and mosquitto
      // 2.0 sometimes does not go on behind what it sends again.
      await closeOpened();
      if (qos === 1) {
        const next = listen(await opened(line), pointsOf(line));
        await device.publishAsync('p', 'new', { qos });
        await expect.poll(() => next.of('p'), soon).toEqual(['new']);
      }
      await device.endAsync();
      await broker.close();
    },
    60_000,
  );

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
