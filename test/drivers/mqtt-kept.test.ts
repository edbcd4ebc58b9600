/** Sessions the broker keeps: what is confirmed when, what comes again, and what earlier settings had subscribed. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startMosquitto } from '../far/mosquitto.ts';
import { closeOpened, lineTo, listen, nudged, open, opened, pointsOf, soon } from './mqtt-session.ts';

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
