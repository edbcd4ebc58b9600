/** What is heard from a real broker: retained messages, several points of a message, times, qualities of service, points that change, a broker that was away. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LinkLost } from '../../src/contract/fault.ts';
import { type Mosquitto, startMosquitto } from '../far/mosquitto.ts';
import { makeHost, pointOf } from './line.ts';
import { lineTo, listen, nudged, open, opened, pointsOf, soon } from './mqtt-session.ts';

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
