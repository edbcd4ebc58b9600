/** MQTT through toxiproxy: slow, sliced, silent, reset or cut within a packet, nothing is lost that the broker keeps, and nothing is made up. */
import { afterEach, expect, it } from 'vitest';
import { LinkLost } from '../../src/contract/fault.ts';
import { type Mosquitto, startMosquitto } from '../far/mosquitto.ts';
import { startToxiproxy, type Toxic, type Toxiproxy } from '../far/toxiproxy.ts';
import { makeHost, pointOf } from './line.ts';
import { type Ear, lineTo, listen, never, nudged, open, opened, soon } from './mqtt-session.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

const patient = { timeout: 15_000, interval: 20 };

async function start(connection: Record<string, unknown> = {}) {
  const broker = await startMosquitto({ lines: ['max_queued_messages 0'] });
  closing.push(() => broker.close());
  const proxy = await startToxiproxy(broker.port);
  closing.push(() => proxy.close());
  const points = { p: { topic: 'p', qos: 1 }, s: { set: { topic: 's' } } };
  const line = lineTo(`mqtt://127.0.0.1:${proxy.port}`, points, connection);
  return { broker, proxy, line };
}

/** Until the subscription is there: -1 is no number of the tests. */
async function hears(ear: Ear, broker: Mosquitto): Promise<void> {
  await expect
    .poll(
      nudged(
        () => broker.publish('p', '-1', { qos: 1 }),
        () => ear.of('p').length,
      ),
      soon,
    )
    .toBeGreaterThan(0);
}
const counted = (ear: Ear) => ear.of('p').filter((value) => value !== -1);
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);

it('latency with jitter, and slices of a few bytes: all of it in order, commands too', async () => {
  const { broker, proxy, line } = await start();
  const session = await opened(line);
  const heard = await broker.hear('s');
  closing.push(() => heard.close());
  const ear = listen(session, [pointOf(line, 'p')]);
  await hears(ear, broker);
  await proxy.poison({ type: 'latency', attributes: { latency: 30, jitter: 25 } });
  await proxy.poison({ type: 'slicer', attributes: { average_size: 3, size_variation: 2, delay: 50 } });
  for (const n of upTo(20)) await broker.publish('p', String(n), { qos: 1 });
  const said = await Promise.all(upTo(10).map((n) => session.write?.(pointOf(line, 's'), n, never())));
  expect(new Set(said.map((answer) => answer?.state))).toEqual(new Set(['acknowledged']));
  await expect.poll(() => heard.messages.map(({ payload }) => Number(payload)), patient).toEqual(upTo(10));
  await expect.poll(() => counted(ear), patient).toEqual(upTo(20));
});

const faults: [string, (proxy: Toxiproxy) => Promise<void>][] = [
  ['reset', (proxy) => proxy.poison({ type: 'reset_peer', attributes: { timeout: 0 } })],
  ['half-open', (proxy) => proxy.poison({ type: 'timeout', attributes: { timeout: 0 } })],
  ['silent in one direction', (proxy) => proxy.poison({ type: 'timeout', attributes: { timeout: 0 } }, 'downstream')],
  ['cut within a packet', (proxy) => proxy.poison({ type: 'limit_data', attributes: { bytes: 7 } } satisfies Toxic, 'downstream')],
  ['closed by the proxy', (proxy) => proxy.enable(false)],
];

it.each(faults)('%s: the link is lost, an opening says so, and a kept session misses nothing', async (_, fail) => {
  const { broker, proxy, line } = await start({ clean: false, clientId: 'keeper', keepalive: '1s' });
  const host = makeHost();
  const session = await open(line, host);
  closing.push(() => session.close());
  const first = listen(session, [pointOf(line, 'p')]);
  await hears(first, broker);
  await fail(proxy);
  for (const n of upTo(10)) await broker.publish('p', String(n), { qos: 1 });
  expect(await first.ended).toBeInstanceOf(LinkLost);
  expect(host.losses).toHaveLength(1);
  await expect(open(line, host, 3_000)).rejects.toThrow(/127\.0\.0\.1|timeout|aborted/);
  await proxy.cure();
  await proxy.enable(true);
  // Within a packet that was cut off there was no reading: each number once or, where its confirmation was lost, once more.
  const second = listen(await opened(line, host), [pointOf(line, 'p')]);
  await expect.poll(() => new Set([...counted(first), ...counted(second)]), patient).toEqual(new Set(upTo(10)));
});
