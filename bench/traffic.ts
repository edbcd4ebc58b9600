/**
 * What it costs that raw traffic and the spans of requests are always kept, while nobody looks: nanoseconds of the process's own CPU time a message,
 * collecting garbage among it. Beside it what keeping copies in a plain array costs, and one look at everything.
 */
import { systemClock } from '../src/contract/clock.ts';
import { limits } from '../src/contract/limits.ts';
import { Spans } from '../src/gateway/spans.ts';
import { TrafficPool, TrafficRing } from '../src/gateway/traffic.ts';

const messages = 2_000_000;
const turns = 5;
const frame = Buffer.from('000100000006010300000064', 'hex');
const json = Buffer.from(JSON.stringify({ temperature: 21.5, humidity: 40, battery: 97, linkquality: 120, time: '2026-01-31T12:00:00Z' }));

function nsEach(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1_000) / messages;
}

function ring(bytes: Uint8Array, meaning: string | undefined, unit: string): { ring: TrafficRing; ns: number } {
  const kept = new TrafficRing(new TrafficPool(), systemClock);
  const message = { direction: 'in', bytes, unit, ...(meaning === undefined ? {} : { meaning }) } as const;
  const ns = nsEach(() => {
    for (let n = 0; n < messages; n += 1) kept.add(message);
  });
  return { ring: kept, ns };
}

/** As many copies as fit into the same memory by their bytes alone. */
function array(bytes: Uint8Array, unit: string): number {
  const kept: object[] = new Array(Math.floor(limits.trafficBytesMax / (bytes.length + 64)));
  return nsEach(() => {
    for (let n = 0; n < messages; n += 1) kept[n % kept.length] = { timeMs: Date.now(), direction: 'in', bytes: Buffer.from(bytes), unit };
  });
}

function spans(): number {
  const kept = new Spans({ left: limits.busSpansAllMax });
  const owner = { key: '1/bench', connection: 'plc', kind: 'modbus', terms: undefined };
  return nsEach(() => {
    for (let n = 0; n < messages; n += 1)
      kept.add({ unit: '1', text: 'read', priority: 'poll', outcome: 'answered', owner, queuedMs: n, startedMs: n, endedMs: n });
  });
}

function look(kept: TrafficRing): { count: number; ms: number } {
  const started = performance.now();
  let count = 0;
  for (const message of kept.newestFirst(0n)) count += message.length > 0 ? 1 : 0;
  return { count, ms: performance.now() - started };
}

const median = (figures: number[]) => figures.toSorted((a, b) => a - b)[Math.floor(figures.length / 2)] ?? 0;
const each = (run: () => number) => median(Array.from({ length: turns }, run));
const print = (what: string, ns: number) =>
  console.log(`${what.padEnd(44)}${ns.toFixed(0).padStart(6)} ns a message, median of ${turns} turns`);

print(
  'raw traffic, a Modbus frame with its meaning',
  each(() => ring(frame, 'read holding 0-99', '1').ns),
);
print(
  'copies of it in an array',
  each(() => array(frame, '1')),
);
print(
  'raw traffic, an MQTT message of 100 bytes',
  each(() => ring(json, undefined, 'zigbee2mqtt/kitchen/climate').ns),
);
print(
  'copies of it in an array',
  each(() => array(json, 'zigbee2mqtt/kitchen/climate')),
);
print('the span of a request', each(spans));
const { count, ms } = look(ring(json, undefined, 'zigbee2mqtt/kitchen/climate').ring);
console.log(`one look at all ${count.toLocaleString('en')} messages of a full ring  ${ms.toFixed(0)} ms`);
