/**
 * `node bench/mqtt.ts [messages]`: messages a second through our MQTT driver, decoded by JSON path and given to a sink, and beside it in the
 * same run what mqtt.js alone does with the same broker and one JSON.parse a message. A broker of a few lines in a worker thread talks as
 * fast as the socket takes it, so that no real broker is the limit. At the end what it costs to find one of 10,000 patterns.
 */
import { performance } from 'node:perf_hooks';
import { Worker } from 'node:worker_threads';
import { connectAsync } from 'mqtt';
import { type Address, fillAddress } from '../drivers/mqtt/address.ts';
import { mqtt } from '../drivers/mqtt/driver.ts';
import { FilterTree } from '../drivers/mqtt/filters.ts';
import { systemClock } from '../src/contract/clock.ts';
import { type Device, type Point, pointSchema } from '../src/contract/device.ts';
import { silentLog } from '../src/contract/log.ts';
import type { Values } from '../src/contract/placeholders.ts';
import { parseTemplateId } from '../src/contract/template-id.ts';

const messages = Number(process.argv[2] ?? 300_000);
const rounds = 3;
const topic = 'home/north/kitchen/climate';
/** Rooms of the case in which all are made from one template. */
const rooms = 5_000;
const payload = '{"temperature":21.53,"humidity":44.7,"ts":1795348800000}';

interface Case {
  version: 4 | 5;
  qos: 0 | 1;
  /** QoS 1 confirmed after the commit. */
  kept?: boolean;
  /** Topics of devices that are discovered. */
  discovered?: boolean;
}

async function ours(url: string, { version, qos, kept = false, discovered = false }: Case, paths: readonly string[]): Promise<number> {
  const options = mqtt.connection.parse({ url, protocolVersion: version, clean: !kept, clientId: 'bench' });
  const points = paths.map((path, index): Point<Address> => {
    const { address: _address, interval: _interval, ...rest } = pointSchema.parse({ id: `p${index}`, address: {} });
    const address = mqtt.address.parse({ topic: discovered ? 'home/{building}/{room}/climate' : topic, path, qos });
    return { ...rest, device: discovered ? '{building}-{room}' : 'd', intervalMs: 1_000, address };
  });
  const connection = { id: 'bench', kind: 'mqtt', title: 'bench', options };
  const host = {
    log: silentLog,
    clock: systemClock,
    secret: () => undefined,
    memory: { get: () => undefined, set: () => {} },
    shared: new Map(),
    lost: () => {},
  };
  const { fill } = parseTemplateId('{building}-{room}');
  const made = (_template: string, values: Values): Device<unknown, Address> => {
    const id = fill(values);
    const own = points.map((point) => ({ ...point, device: id, address: fillAddress(point.address, values) }));
    return { id, title: id, connection: 'bench', address: {}, labels: {}, points: own, actions: [] };
  };
  const session = await mqtt.open({ connection, devices: [] }, host, AbortSignal.timeout(5_000));
  const stopping = new AbortController();
  const committed = Promise.resolve();
  const started = performance.now();
  await new Promise<void>((resolve, reject) => {
    let left = messages * points.length;
    const take = (readings: readonly unknown[]) => {
      left -= readings.length;
      if (left === 0) resolve();
      return committed;
    };
    session
      .listen?.(
        points,
        {
          commit: take,
          samples: take,
          trouble: () => {},
          device: made,
          ...announceNothing,
          availability: () => {},
        },
        stopping.signal,
      )
      .catch(reject);
  });
  const seconds = (performance.now() - started) / 1_000;
  stopping.abort();
  await session.close();
  return messages / seconds;
}

async function bare(url: string, { version, qos, discovered = false }: Case): Promise<number> {
  const client = await connectAsync(url, { protocolVersion: version, reconnectPeriod: 0, clientId: 'bench' });
  const started = performance.now();
  let sum = 0;
  await new Promise<void>((resolve) => {
    let left = messages;
    client.on('message', (_topic, bytes) => {
      sum += (JSON.parse(bytes.toString()) as { temperature: number }).temperature;
      if (--left === 0) resolve();
    });
    client.subscribe(discovered ? 'home/+/+/climate' : topic, { qos });
  });
  const seconds = (performance.now() - started) / 1_000;
  if (Math.round(sum / messages) !== 22) throw new Error('the peer did not read what was sent');
  await client.endAsync(true);
  return messages / seconds;
}

async function withBlaster<T>({ qos, discovered = false }: Case, run: (url: string) => Promise<T>): Promise<T> {
  const topics = discovered ? Array.from({ length: rooms }, (_, i) => `home/b${i % 10}/r${i}/climate`) : [topic];
  const worker = new Worker(new URL('./mqtt-blaster.ts', import.meta.url), { workerData: { messages, qos, topics, payload } });
  try {
    const port = await new Promise<number>((resolve, reject) => worker.once('message', resolve).once('error', reject));
    return await run(`mqtt://127.0.0.1:${port}`);
  } finally {
    await worker.terminate();
  }
}

const announceNothing = { announce: () => undefined, withdraw: () => {}, misunderstood: () => {} };
const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const thousands = (perSecond: number) => `${Math.round(perSecond / 1_000)} k/s`.padStart(9);

console.log(`MQTT in, ${messages} messages of ${payload.length} bytes, median of ${rounds}, ${process.version}`);
for (const each of [
  { version: 4, qos: 0 },
  { version: 5, qos: 0 },
  { version: 5, qos: 0, discovered: true },
  { version: 4, qos: 1 },
  { version: 4, qos: 1, kept: true },
] as Case[]) {
  const figures = { one: [] as number[], two: [] as number[], peer: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    figures.one.push(await withBlaster(each, (url) => ours(url, each, ['$.temperature'])));
    figures.two.push(await withBlaster(each, (url) => ours(url, each, ['$.temperature', '$.humidity'])));
    figures.peer.push(await withBlaster(each, (url) => bare(url, each)));
  }
  const [one, two, peer] = [median(figures.one), median(figures.two), median(figures.peer)];
  const name =
    `MQTT ${each.version === 5 ? '5    ' : '3.1.1'} QoS ${each.qos}${each.kept ? ', confirmed after commit' : ''}${each.discovered ? `, ${rooms} rooms discovered` : ''}`.padEnd(
      38,
    );
  console.log(
    `${name} 1 point ${thousands(one)}   2 points ${thousands(two)}   mqtt.js + JSON.parse ${thousands(peer)}   ratio ${(one / peer).toFixed(2)}`,
  );
}

// 10,000 patterns, one match: what a topic costs that was never heard before.
const tree = new FilterTree<number>();
for (let i = 0; i < 10_000; i++) tree.add(`plant/line${i % 100}/machine${Math.floor(i / 100)}/+/state`, i);
const topics = Array.from({ length: 1_000 }, (_, i) => `plant/line${i % 100}/machine${(i * 7) % 100}/m${i}/state`.split('/'));
let found = 0;
const lookups = 1_000_000;
for (let i = 0; i < 100_000; i++) found += tree.under(topics[i % topics.length] ?? []).length;
found = 0;
const startedMs = performance.now();
for (let i = 0; i < lookups; i++) found += tree.under(topics[i % topics.length] ?? []).length;
const eachUs = ((performance.now() - startedMs) * 1_000) / lookups;
if (found !== lookups) throw new Error('a topic did not find its pattern');
console.log(`10,000 patterns, one match: ${eachUs.toFixed(2)} µs`);
