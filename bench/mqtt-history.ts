/**
 * `node bench/mqtt-history.ts [seconds]`: MQTT through a real broker (mosquitto) into history on disk, in a whole gateway, and beside it in the same run a
 * bare mqtt.js subscriber that parses the JSON, one in Go on paho, and Telegraf's mqtt_consumer. QoS 0 offered at 50,000 messages a second: what is lost, and the process's CPU time a message, all threads
 * (the store's among them). QoS 1 with a kept session, each confirmed after its commit: how fast the broker's backlog is taken.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connect } from 'mqtt';
import { drivers } from '../drivers/index.ts';
import { systemClock } from '../src/contract/clock.ts';
import { silentLog } from '../src/contract/log.ts';
import { readSettings } from '../src/datasource/settings.ts';
import { createBuses } from '../src/gateway/bus.ts';
import { createGateway } from '../src/gateway/create.ts';
import { TrafficPool } from '../src/gateway/traffic.ts';
import { openStore } from '../src/store/open.ts';
import { startMosquitto } from '../test/far/mosquitto.ts';
import { type Figures, pahoPeer, type Subscriber, telegrafPeer, until } from './mqtt-peers.ts';

const seconds = Number(process.argv[2] ?? 10);
const perSecond = 50_000;
const backlog = 100_000;
const topics = 100;
const rounds = 3;
const publisher = fileURLToPath(new URL('./mqtt-publisher.ts', import.meta.url));

function publishing(port: number, qos: 0 | 1, messages: number, rate: number): Promise<number> {
  const child = spawn(process.execPath, [publisher, ...[port, qos, messages, rate].map(String)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += chunk;
  });
  return new Promise((resolve, reject) => {
    child
      .once('error', reject)
      .once('close', (code) => (code === 0 ? resolve(Number(said)) : reject(new Error(`the publisher ended with ${code}`))));
  });
}

const cpuUs = () => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

const ours: Subscriber = async (port, qos, expected, run) => {
  const folder = await mkdtemp(join(tmpdir(), 'fieldgate-bench-'));
  const store = openStore({ folder, clock: systemClock, log: silentLog });
  await store.flush();
  const gateway = createGateway({
    key: '1/bench',
    store,
    buses: createBuses({ clock: systemClock }),
    trafficPool: new TrafficPool(),
    clock: systemClock,
    random: Math.random,
    log: silentLog,
  });
  const connection = {
    id: 'b',
    kind: 'mqtt',
    url: `mqtt://127.0.0.1:${port}`,
    ...(qos === 1 ? { clean: false, clientId: 'bench-ours' } : {}),
  };
  const points = Array.from({ length: topics }, (_, n) => ({ id: `p${n}`, address: { topic: `bench/${n}`, path: '$.temperature', qos } }));
  const jsonData = Buffer.from(JSON.stringify({ connections: [connection], devices: [{ id: 'd', connection: 'b', points }] }));
  const plan = readSettings({ jsonData, secureJsonData: {} }, drivers);
  if (plan.faults.length > 0) throw new Error(JSON.stringify(plan.faults));
  const before = cpuUs();
  const started = performance.now();
  await gateway.apply(plan);
  while (gateway.connections()[0]?.state !== 'up') await new Promise((resolve) => setTimeout(resolve, 1));
  await run();
  await until(
    () => gateway.counters().samples >= expected,
    () => gateway.counters().samples,
  );
  const took = (performance.now() - started) / 1_000;
  await store.flush();
  const used = cpuUs() - before;
  const keys = points.map(({ id }) => ({ device: 'd', point: id }));
  const range = { fromNs: 0n, toNs: BigInt(Date.now() + 60_000) * 1_000_000n };
  let heard = 0;
  // What the last turn of the event loop brought may not have been handed to the store yet.
  for (const untilMs = performance.now() + 3_000; heard < gateway.counters().samples && performance.now() < untilMs; ) {
    const kept = await store.range('1/bench', keys, range, { quality: 'all', rowsMax: 10_000_000 }, new AbortController().signal);
    heard = kept.reduce((sum, { columns }) => sum + columns.times.length, 0);
  }
  await gateway.close();
  await store.close();
  await rm(folder, { recursive: true, force: true });
  return { heard, cpuUs: used, seconds: took };
};

const bare: Subscriber = async (port, qos, expected, run) => {
  let heard = 0;
  let sum = 0;
  const before = cpuUs();
  const started = performance.now();
  const kept = qos === 1 ? { clean: false, clientId: 'bench-bare' } : {};
  const client = connect(`mqtt://127.0.0.1:${port}`, {
    protocolVersion: 5,
    ...kept,
    properties: { receiveMaximum: 1_000, sessionExpiryInterval: 600 },
  });
  client.on('message', (_topic, bytes) => {
    sum += (JSON.parse(bytes.toString()) as { temperature: number }).temperature;
    heard += 1;
  });
  // What a kept session sends comes with the broker's greeting: before anything is asked.
  await new Promise<void>((resolve) => client.once('connect', () => resolve()));
  await client.subscribeAsync(
    Array.from({ length: topics }, (_, n) => `bench/${n}`),
    { qos },
  );
  await run();
  await until(
    () => heard >= expected,
    () => heard,
  );
  const figures = { heard, cpuUs: cpuUs() - before, seconds: (performance.now() - started) / 1_000 };
  if (heard > 0 && sum <= 0) throw new Error('the peer did not read what was sent');
  await client.endAsync(true);
  return figures;
};

const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const peersFolder = await mkdtemp(join(tmpdir(), 'fieldgate-peers-'));
const subscribers = {
  'into history': ours,
  'mqtt.js + JSON.parse': bare,
  'paho (Go) + JSON': await pahoPeer(topics),
  Telegraf: await telegrafPeer(peersFolder, topics),
};
const [ourName, ...peerNames] = Object.keys(subscribers);
const compared = (figures: ReadonlyMap<string, number[]>, spell: (figure: number) => string) => {
  const own = median(figures.get(ourName ?? '') ?? []);
  const others = peerNames.map((name) => {
    const peer = median(figures.get(name) ?? []);
    return `${name} ${spell(peer)} (ratio ${(own / peer).toFixed(2)})`;
  });
  return [spell(own), ...others].join(', ');
};

async function steady(subscriber: Subscriber): Promise<Figures & { offered: number }> {
  const broker = await startMosquitto({ lines: ['max_queued_messages 0', 'log_type none'] });
  const messages = perSecond * seconds;
  let tookS = 0;
  const figures = await subscriber(broker.port, 0, messages, async () => {
    tookS = await publishing(broker.port, 0, messages, perSecond);
  });
  await broker.close();
  return { ...figures, offered: messages / tookS };
}

/** The broker keeps messages for a client that is away; then the client comes. */
async function drained(subscriber: Subscriber, inflight: number): Promise<number> {
  const broker = await startMosquitto({ lines: ['max_queued_messages 0', `max_inflight_messages ${inflight}`, 'log_type none'] });
  await subscriber(broker.port, 1, 0, () => Promise.resolve()).catch(() => undefined);
  await publishing(broker.port, 1, backlog, 0);
  const { heard, seconds: took } = await subscriber(broker.port, 1, backlog, () => Promise.resolve());
  await broker.close();
  if (heard < backlog) throw new Error(`${heard} of ${backlog} messages of QoS 1 came`);
  return backlog / took;
}

console.log(
  `QoS 0 through mosquitto, ${perSecond} messages/s offered for ${seconds} s to ${topics} topics, median of ${rounds}, ${process.version}`,
);
const cost = new Map<string, number[]>();
for (let round = 0; round < rounds; round++) {
  for (const [name, subscriber] of Object.entries(subscribers)) {
    const { heard, cpuUs: used, offered } = await steady(subscriber);
    cost.set(name, [...(cost.get(name) ?? []), used / heard]);
    const lost = perSecond * seconds - heard;
    console.log(`  ${name.padEnd(22)} offered ${Math.round(offered)}/s, ${lost} lost, ${(used / heard).toFixed(2)} µs CPU a message`);
  }
}
console.log(`CPU a message: into history ${compared(cost, (us) => `${us.toFixed(2)} µs`)}`);

for (const inflight of [20, 1_000]) {
  const rates = new Map<string, number[]>();
  for (let round = 0; round < rounds; round++)
    for (const [name, subscriber] of Object.entries(subscribers))
      rates.set(name, [...(rates.get(name) ?? []), await drained(subscriber, inflight)]);
  const said = compared(rates, (rate) => `${Math.round(rate)}/s`);
  console.log(`QoS 1, ${backlog} waiting at mosquitto, ${inflight} in flight: confirmed after commit ${said}`);
}
await rm(peersFolder, { recursive: true, force: true });
